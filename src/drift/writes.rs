//! Disagreements on where writes are accepted: one site at a time, the one that users are led to.

use std::collections::BTreeSet;

use crate::drift::group::Group;
use crate::drift::{Difference, Known, Name, adopt};
use crate::machine::{Embargo, RegionName, region_of};
use crate::model::{Evidence, Kind, Part, Sight, SiteName};

pub(super) fn differences(known: &Known<'_>, sight: &Sight, group: &Group<'_>) -> Vec<Difference> {
    let seen = Seen { known, sight, group };
    let two = seen.two_writers();
    let named = |site: &SiteName| two.iter().any(|it| it.site.as_ref() == Some(site));
    let mut found: Vec<Difference> = seen.no_writer().into_iter().collect();
    for site in known.workflow.sites.keys() {
        found.extend(seen.expired(site));
        found.extend(seen.stray(site));
        found.extend(seen.missing(site).filter(|_| !named(site)));
    }
    found.extend(two);
    found
}

/// A lost site that may still act, where no difference says so: nobody could read whether it accepts writes.
pub(super) fn notes(known: &Known<'_>, sight: &Sight, group: &Group<'_>) -> Vec<String> {
    let seen = Seen { known, sight, group };
    if seen.two_writers().is_some() {
        return vec![];
    }
    let production = seen.production().map_or("nobody", SiteName::as_str);
    let open = |site: &SiteName| {
        let writes = match seen.accepts(site) {
            Some((false, _)) => return None,
            Some((true, _)) => "it accepts writes",
            None => "whether it accepts writes is not known",
        };
        let parts = seen.unfenced(site)?;
        Some(format!(
            "{site} was given up for {production} and may still act: not fenced: {parts}; {writes}"
        ))
    };
    known.workflow.sites.keys().filter_map(open).collect()
}

struct Seen<'s> {
    known: &'s Known<'s>,
    sight: &'s Sight,
    group: &'s Group<'s>,
}

impl Seen<'_> {
    /// Whether this site accepts writes, and where that was read. A step that is changing it is waited for.
    fn accepts(&self, site: &SiteName) -> Option<(bool, &Part<bool>)> {
        let part = self.sight.writes.get(site)?;
        let flux = self.known.in_flux("embargo.", &format!("embargo/{site}"));
        part.known().filter(|_| !flux).map(|it| (*it, part))
    }

    fn embargo(&self, site: &SiteName) -> Option<&Embargo> {
        self.known.record().embargoes.get(site)
    }

    /// An embargo that must show at the database: the workflow says how it is enforced. One that is only
    /// announced asks people, and shows nowhere.
    fn enforced(&self, site: &SiteName) -> Option<&Embargo> {
        self.known.workflow.embargo.as_ref().and_then(|_| self.embargo(site))
    }

    /// The site users are led to by every name; the journal's word where the names do not agree.
    fn production(&self) -> Option<&SiteName> {
        let recorded = self.known.record().production();
        // Half-way through a failover it is the site that users are moved to.
        let kept = recorded.filter(|it| !self.given_up(it));
        self.group.whole().or(kept).or_else(|| self.known.other(recorded?))
    }

    /// The parts of this site's fence that are not done, if it was given up and any is left, each with how it was left.
    fn unfenced(&self, site: &SiteName) -> Option<String> {
        let record = self.known.record();
        let left = record.unfenced().into_iter().filter(|it| it.1 == *site);
        let parts: Vec<String> = left
            .map(|(part, _)| {
                let fence = record.incident.as_ref().and_then(|it| it.fence.get(&part));
                format!("{part} ({})", fence.map_or("not tried", |it| it.how.name()))
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// It lost production in a failover, or is losing it: whoever remembers its address still writes there.
    fn given_up(&self, site: &SiteName) -> bool {
        self.known.record().quarantined.as_ref() == Some(site) || self.unfenced(site).is_some()
    }

    /// Two sites accept writes of which each is reached by users, was given up, or must refuse by the journal.
    fn two_writers(&self) -> Option<Difference> {
        let reached = self.group.reached();
        let writes = |site: &&SiteName| self.accepts(site).is_some_and(|(it, _)| it);
        let production = self.production();
        let counted = |site: &&SiteName| {
            reached.contains(site)
                || Some(*site) == production
                || self.enforced(site).is_some()
                || self.given_up(site)
        };
        let sites = self.known.workflow.sites.keys();
        let writers: BTreeSet<&SiteName> = sites.filter(writes).filter(counted).collect();
        let wrong = writers.iter().copied().find(|it| Some(*it) != production)?;
        if writers.len() < 2 {
            return None;
        }
        let names: Vec<&SiteName> = writers.iter().copied().collect();
        let list = names.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" and ");
        let mut evidence: Vec<Evidence> = names
            .iter()
            .filter_map(|site| self.accepts(site))
            .map(|(_, part)| part.says("new connections may write"))
            .collect();
        let why = if reached.contains(wrong) {
            let leads =
                |it: &&crate::drift::group::Named<'_>| it.as_production && it.site() == Some(wrong);
            evidence.extend(self.group.names.iter().filter(leads).map(|it| it.evidence.clone()));
            "users are led to both"
        } else if self.enforced(wrong).is_some() {
            "the journal refuses writes there"
        } else {
            "that one lost production and is not rebuilt"
        };
        let unfenced = self.unfenced(wrong);
        let open = unfenced.as_ref().map_or_else(String::new, |it| format!("; not fenced: {it}"));
        let rejoins = self.known.record().run.as_ref().is_some_and(|it| it.kind == Kind::Rejoin);
        let next = if reached.len() > 1 {
            "; then settle *half a swap*"
        } else {
            "; what was written there meanwhile is nowhere else"
        };
        Some(Difference {
            name: Name::TwoWriters,
            site: Some(wrong.clone()),
            subject: list.clone(),
            declared: match production {
                Some(it) => format!("only {it} accepts writes"),
                None => "one site accepts writes".to_owned(),
            },
            observed: format!("{list} accept writes; {why}{open}"),
            since: None,
            evidence,
            settle: format!("at once: {}{next}", self.refuse(wrong)),
            command: unfenced.filter(|_| !rejoins).map(|_| "changeover run retry".to_owned()),
        })
    }

    /// Users are led to a site that refuses writes and has no embargo, or to none.
    fn no_writer(&self) -> Option<Difference> {
        let reached = self.group.reached();
        let found = |site: Option<&SiteName>, observed, evidence, settle| Difference {
            name: Name::NoWriter,
            site: site.cloned(),
            subject: "writes".to_owned(),
            declared: match self.known.record().production() {
                Some(it) => format!("{it} accepts writes"),
                None => "one site accepts writes".to_owned(),
            },
            observed,
            since: None,
            evidence,
            settle,
            command: None,
        };
        if reached.is_empty() && self.group.read && !self.group.names.is_empty() {
            let users = self.group.names.iter().filter(|it| it.as_production);
            return Some(found(
                None,
                "no production name leads to a site".to_owned(),
                users.map(|it| it.evidence.clone()).collect(),
                "settle *record ≠ owner* for each name".to_owned(),
            ));
        }
        let refusing = reached.iter().copied().find_map(|site| {
            let (accepts, part) = self.accepts(site)?;
            (!accepts && self.embargo(site).is_none()).then_some((site, part))
        });
        let accepting = reached.iter().any(|it| self.accepts(it).is_none_or(|(it, _)| it));
        let (site, part) = refusing.filter(|_| !accepting)?;
        Some(found(
            Some(site),
            format!("users are led to {site}, which refuses writes without an embargo"),
            vec![part.says("new connections are read-only")],
            format!("find out who refused them; then {}", self.allow(site)),
        ))
    }

    /// Writes accepted where an embargo lies.
    fn missing(&self, site: &SiteName) -> Option<Difference> {
        let embargo = self.enforced(site)?;
        let (accepts, part) = self.accepts(site)?;
        if !accepts {
            return None;
        }
        // Lifted by hand after the run was closed: the journal may follow where users are.
        let lifted = self.known.record().run.is_none() && self.group.whole() == Some(site);
        Some(Difference {
            name: Name::EmbargoMissing,
            site: Some(site.clone()),
            subject: format!("embargo on {site}"),
            declared: format!(
                "{site} refuses writes since {} ({})",
                embargo.since.screen(),
                embargo.reason
            ),
            observed: format!("{site} accepts writes"),
            since: None,
            evidence: vec![part.says("new connections may write")],
            settle: if lifted {
                format!("if it was lifted on purpose, record it; else {}", self.refuse(site))
            } else {
                self.refuse(site)
            },
            command: lifted.then(|| adopt(site)),
        })
    }

    fn expired(&self, site: &SiteName) -> Option<Difference> {
        let lifts = self.known.record().lifts(site)?;
        let embargo = self.embargo(site).filter(|_| self.known.now >= lifts)?;
        let seen = self.accepts(site);
        let lies = match seen {
            Some((true, _)) => "accepts writes",
            Some((false, _)) => "still refuses writes",
            None => "is not known to accept writes",
        };
        let region = self.known.at().map(|at| region_of(at.phase));
        let extend = format!("changeover embargo extend {site} --for 2h --reason TEXT");
        let (settle, command) = match region {
            Some(RegionName::Preparing) => (
                format!("go on with the run, give it up, or say until when: {extend}"),
                self.known.go_on(),
            ),
            Some(RegionName::Cutover | RegionName::Closing) => {
                (format!("go on with the run, or say until when: {extend}"), self.known.go_on())
            }
            None => (format!("{}, then record it", self.allow(site)), Some(adopt(site))),
        };
        let evidence = seen.map(|(_, part)| part.says(format!("{site} {lies}")));
        Some(Difference {
            name: Name::EmbargoExpired,
            site: Some(site.clone()),
            subject: format!("embargo on {site}"),
            declared: format!("lifted by {} ({})", embargo.until.screen(), embargo.reason),
            observed: format!("lies, and {site} {lies}"),
            since: Some(embargo.until),
            evidence: evidence.into_iter().collect(),
            settle,
            command,
        })
    }

    /// Writes refused on a site without users where no embargo lies. A site that lost production may.
    fn stray(&self, site: &SiteName) -> Option<Difference> {
        let (accepts, part) = self.accepts(site)?;
        let lost = self.known.record().quarantined.as_ref() == Some(site);
        if accepts || lost || self.embargo(site).is_some() || self.group.reached().contains(site) {
            return None;
        }
        Some(Difference {
            name: Name::EmbargoStray,
            site: Some(site.clone()),
            subject: format!("embargo on {site}"),
            declared: "no embargo lies there".to_owned(),
            observed: format!("{site} refuses writes"),
            since: None,
            evidence: vec![part.says("new connections are read-only")],
            settle: format!("find out who refused them; then {}", self.allow(site)),
            command: None,
        })
    }

    fn refuse(&self, site: &SiteName) -> String {
        self.role(site, "set default_transaction_read_only = on")
    }

    fn allow(&self, site: &SiteName) -> String {
        self.role(site, "reset default_transaction_read_only")
    }

    /// What a person types at the site's database.
    fn role(&self, site: &SiteName, how: &str) -> String {
        let (database, by) = (&self.known.workflow.database, &self.known.workflow.embargo);
        let host = database.as_ref().map_or("its host", |it| it.host.as_str());
        let role = by.as_ref().map_or("CURRENT_USER", |it| it.role.as_str());
        format!(
            "on {host} of {site} tell its database `alter role {role} {how}` and end open connections"
        )
    }
}
