//! The records of the switch as they were seen: where each name leads, and who is production by all of them.

use std::collections::BTreeSet;

use crate::drift::Known;
use crate::model::{Evidence, Owned, Part, RecordId, RowSeen, Sight, SiteName, Time, ZoneSeen};
use crate::workflow::{Switch, Zone};

/// Seconds in which a change may still be on its way to the authoritative servers.
const ON_ITS_WAY: i64 = 60;

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// To the address that this site owns for this record.
    Site(SiteName),
    /// To nothing of the two: what was found.
    Elsewhere(String),
}

/// One name of the group.
#[derive(Clone, Debug)]
pub(super) struct Named<'a> {
    pub(super) record: &'a RecordId,
    pub(super) name: &'a str,
    /// The name of the record when its site is production.
    pub(super) as_production: bool,
    pub(super) leads: Leads,
    /// The address, or what stands in its place.
    pub(super) content: String,
    pub(super) since: Option<Time>,
    pub(super) evidence: Evidence,
}

/// A server of the authority that answers otherwise than the provider's records say.
#[derive(Clone, Debug)]
pub(super) struct Otherwise<'a> {
    pub(super) name: &'a str,
    pub(super) says: String,
    pub(super) leads: Option<SiteName>,
    pub(super) evidence: Evidence,
    /// The record was changed so lately that servers need not have it yet.
    pub(super) on_its_way: bool,
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    /// The names that could be read.
    pub(super) names: Vec<Named<'a>>,
    /// Servers that answer otherwise.
    pub(super) otherwise: Vec<Otherwise<'a>>,
    /// Every name could be read at the provider or at its authority.
    pub(super) read: bool,
    /// What each site owns, as far as anybody knows.
    pub(super) owned: Owned,
    whole: Option<SiteName>,
}

impl<'a> Group<'a> {
    pub(super) fn of(known: &Known<'a>, sight: &Sight) -> Self {
        let Switch::Cloudflare(switch) = &known.workflow.switch;
        let owned = owned(known, sight);
        let (mut names, mut otherwise, mut read) = (vec![], vec![], true);
        for record in &switch.records {
            for (name, as_production) in [(&record.production, true), (&record.standby, false)] {
                let Some(zone) = zone_of(&switch.zones, name) else { continue };
                let seen = seen(sight, zone, name, switch.proxied);
                let Some((content, since, evidence)) = seen else {
                    read = false;
                    continue;
                };
                let leads = site_at(&owned, &record.id, &content);
                let leads = leads.map_or_else(|| Leads::Elsewhere(content.clone()), Leads::Site);
                let named = Named {
                    record: &record.id,
                    name,
                    as_production,
                    leads,
                    content,
                    since,
                    evidence,
                };
                otherwise.extend(differing(&named, sight, zone, &owned));
                names.push(named);
            }
        }
        let whole = if read { whole(known, &names) } else { None };
        let whole = whole.filter(|_| otherwise.iter().all(|it| it.on_its_way)).cloned();
        Self { names, otherwise, read, owned, whole }
    }

    /// The site that is production by every record, at the provider and at every authoritative server that
    /// answers.
    pub(super) const fn whole(&self) -> Option<&SiteName> {
        self.whole.as_ref()
    }

    /// The sites that production's names lead to, by anybody's word.
    pub(super) fn reached(&self) -> BTreeSet<&SiteName> {
        let of_provider = self.names.iter().filter(|it| it.as_production).filter_map(Named::site);
        let users: BTreeSet<&str> =
            self.names.iter().filter(|it| it.as_production).map(|it| it.name).collect();
        let of_servers = self.otherwise.iter().filter(|it| users.contains(it.name));
        of_provider.chain(of_servers.filter_map(|it| it.leads.as_ref())).collect()
    }
}

impl Named<'_> {
    /// The site it leads to.
    pub(super) const fn site(&self) -> Option<&SiteName> {
        match &self.leads {
            Leads::Site(site) => Some(site),
            Leads::Elsewhere(_) => None,
        }
    }

    /// The site that it says is production.
    pub(super) fn production<'k>(&'k self, known: &Known<'k>) -> Option<&'k SiteName> {
        let site = self.site()?;
        if self.as_production { Some(site) } else { known.other(site) }
    }
}

/// The longest declared zone this name ends in.
pub(super) fn zone_of<'a>(zones: &'a [Zone], name: &str) -> Option<&'a str> {
    let within = |zone: &&Zone| {
        name.strip_suffix(zone.name.as_str()).is_some_and(|it| it.is_empty() || it.ends_with('.'))
    };
    zones.iter().filter(within).map(|it| it.name.as_str()).max_by_key(|it| it.len())
}

/// What each site owns now; where nobody could say, what it owned when the journal last looked.
fn owned(known: &Known<'_>, sight: &Sight) -> Owned {
    let mut owned = known.record().addresses.clone();
    for (site, part) in &sight.addresses {
        if let Some(now) = part.known() {
            owned.insert(site.clone(), now.clone());
        }
    }
    owned
}

pub(super) fn site_at(owned: &Owned, record: &RecordId, address: &str) -> Option<SiteName> {
    let mut found = owned
        .iter()
        .filter(|(_, own)| own.get(record.as_str()).is_some_and(|it| it == address))
        .map(|(site, _)| site);
    let first = found.next();
    // An address that both sites would own tells nothing.
    first.filter(|_| found.next().is_none()).cloned()
}

type Content = (String, Option<Time>, Evidence);

/// Where a name leads: by the provider's records, else by the first server of its authority that answers.
fn seen(sight: &Sight, zone: &str, name: &str, proxied: bool) -> Option<Content> {
    let part = sight.zones.get(zone);
    if let Some((part, now)) = part.and_then(|it| Some((it, it.known()?))) {
        let (content, since) = one_address(now, name, proxied);
        let evidence = part.says(format!("{name} leads to {content}"));
        return Some((content, since, evidence));
    }
    let (part, answers) = sight.answers.get(zone)?.iter().find_map(|it| Some((it, it.known()?)))?;
    let content = listed(answers.get(name)?.iter());
    let evidence = part.says(format!("{name} leads to {content}"));
    Some((content, None, evidence))
}

fn listed<'s>(addresses: impl Iterator<Item = &'s String>) -> String {
    let all: Vec<&str> = addresses.map(String::as_str).collect();
    if all.is_empty() { "nowhere".to_owned() } else { all.join(", ") }
}

/// The one address at a name; anything else there would keep users away from it.
fn one_address(zone: &ZoneSeen, name: &str, proxied: bool) -> (String, Option<Time>) {
    let here: Vec<&RowSeen> =
        zone.rows.iter().filter(|it| it.name.eq_ignore_ascii_case(name)).collect();
    let since = here.iter().filter_map(|it| it.changed).max();
    let content = match here.as_slice() {
        [] => "nowhere".to_owned(),
        [one] if one.kind != "A" => format!("{} {}", one.kind, one.content),
        [one] if one.proxied != proxied => {
            format!("{}, {}", one.content, if one.proxied { "proxied" } else { "not proxied" })
        }
        [one] => one.content.clone(),
        [_, _, ..] => {
            let each = here.iter().map(|it| format!("{} {}", it.kind, it.content));
            format!("{} records: {}", here.len(), each.collect::<Vec<_>>().join(", "))
        }
    };
    (content, since)
}

/// The site that all names say is production.
fn whole<'k>(known: &Known<'k>, names: &'k [Named<'k>]) -> Option<&'k SiteName> {
    let first = names.first()?.production(known)?;
    names.iter().all(|it| it.production(known) == Some(first)).then_some(first)
}

/// The servers that answer otherwise than the provider's own record says.
fn differing<'a>(
    named: &Named<'a>,
    sight: &Sight,
    zone: &str,
    owned: &Owned,
) -> Vec<Otherwise<'a>> {
    let parts = sight.answers.get(zone).map(Vec::as_slice).unwrap_or_default();
    let differs = |part: &Part<crate::model::Answers>| {
        let says = listed(part.known()?.get(named.name)?.iter());
        if says == named.content {
            return None;
        }
        let lately = |it: Time| part.at.seconds_since(it) < ON_ITS_WAY;
        Some(Otherwise {
            name: named.name,
            leads: site_at(owned, named.record, &says),
            evidence: part.says(format!("{} leads to {says}", named.name)),
            on_its_way: named.since.is_some_and(lately),
            says,
        })
    };
    parts.iter().filter_map(differs).collect()
}
