//! Disagreements of the switch: who is production, whose the addresses are, where names stand.

use std::collections::BTreeSet;

use crate::drift::group::{Group, Leads, Named, zone_of};
use crate::drift::{Difference, Known, Name, adopt};
use crate::machine::State;
use crate::model::{Roles, Sight, SiteName};
use crate::workflow::Switch;

pub(super) fn differences(known: &Known<'_>, sight: &Sight, group: &Group<'_>) -> Vec<Difference> {
    let mut found: Vec<Difference> =
        group.names.iter().filter_map(|it| strange(known, group, it)).collect();
    found.extend(moved_addresses(known, sight, group));
    found.extend(half(known, group));
    found.extend(production(known, group));
    found.extend(wrong_zones(known, sight, group));
    found
}

/// The site that the journal has users on, or leaving.
fn home<'a>(known: &Known<'a>) -> Option<&'a SiteName> {
    known.record().production()
}

/// The site a name must lead to while this one is production.
fn wanted<'k>(
    known: &Known<'k>,
    named: &Named<'_>,
    production: &'k SiteName,
) -> Option<&'k SiteName> {
    if named.as_production { Some(production) } else { known.other(production) }
}

/// What a person writes at the provider so that this site is production by this name.
fn put_back(known: &Known<'_>, group: &Group<'_>, named: &Named<'_>) -> Option<String> {
    let site = wanted(known, named, home(known)?)?;
    let address = group.owned.get(site)?.get(named.record.as_str())?;
    Some(format!("{} A {address}", named.name))
}

/// A name that leads to an address neither site owns for it.
fn strange(known: &Known<'_>, group: &Group<'_>, named: &Named<'_>) -> Option<Difference> {
    let Leads::Elsewhere(content) = &named.leads else { return None };
    let record = known.record();
    let once = crate::drift::group::site_at(&record.addresses, named.record, content);
    let (site, declared) = match home(known).and_then(|it| wanted(known, named, it)) {
        Some(site) => {
            let address = group.owned.get(site).and_then(|it| it.get(named.record.as_str()));
            (Some(site), format!("{}, owned by {site}", address.map_or("an address", |it| it)))
        }
        None => (None, "an address that one of the sites owns".to_owned()),
    };
    let whose = once.map_or_else(
        || "owned by neither site".to_owned(),
        |it| format!("{it} owned it when the journal last looked, and does not now"),
    );
    let back = put_back(known, group, named);
    Some(Difference {
        name: Name::RecordNotOwner,
        site: site.cloned(),
        subject: named.name.to_owned(),
        declared,
        observed: format!("{content}: {whose}"),
        since: named.since,
        evidence: vec![named.evidence.clone()],
        settle: format!(
            "find out who set it; then at the provider: {}",
            back.unwrap_or_else(|| "give it the address of the site it belongs to".to_owned())
        ),
        command: None,
    })
}

/// Addresses that are others than when the journal last looked.
fn moved_addresses(known: &Known<'_>, sight: &Sight, group: &Group<'_>) -> Vec<Difference> {
    let mut found = vec![];
    for (site, part) in &sight.addresses {
        let (Some(now), Some(before)) = (part.known(), known.record().addresses.get(site)) else {
            continue;
        };
        let changed = before.iter().filter(|(record, address)| now.get(*record) != Some(address));
        for (record, before) in changed {
            let after = now.get(record).map_or("none", String::as_str);
            let command = group.whole().map(adopt);
            found.push(Difference {
                name: Name::RecordNotOwner,
                site: Some(site.clone()),
                subject: format!("address {record} of {site}"),
                declared: before.clone(),
                observed: after.to_owned(),
                since: None,
                evidence: vec![part.says(format!("{site} owns {after} for {record}"))],
                settle: if command.is_some() {
                    "if the new address was meant, record it".to_owned()
                } else {
                    "if the new address was meant, give its names that address at the provider, then \
                    record it with `changeover drift adopt`"
                        .to_owned()
                },
                command,
            });
        }
    }
    found
}

/// Names that lead to both sites, or servers that do not follow the provider.
fn half(known: &Known<'_>, group: &Group<'_>) -> Option<Difference> {
    let says: BTreeSet<&SiteName> =
        group.names.iter().filter_map(|it| it.production(known)).collect();
    let late: Vec<_> = group.otherwise.iter().filter(|it| !it.on_its_way).collect();
    let swapping = known.working && matches!(known.record().roles, Some(Roles::Moving { .. }));
    if (says.len() < 2 && late.is_empty()) || swapping {
        return None;
    }
    let home = home(known);
    let off: Vec<&Named<'_>> = group
        .names
        .iter()
        .filter(|it| it.site().is_some() && it.production(known) != home)
        .collect();
    let mut observed: Vec<String> = off
        .iter()
        .map(|it| format!("{} → {}", it.name, it.site().map_or("nobody", SiteName::as_str)))
        .collect();
    observed.extend(
        late.iter().map(|it| format!("{} → {} by {}", it.name, it.says, it.evidence.source)),
    );
    let mut evidence: Vec<_> = off.iter().map(|it| it.evidence.clone()).collect();
    evidence.extend(late.iter().map(|it| it.evidence.clone()));
    let (settle, command) = settle_half(known, group, &off);
    Some(Difference {
        name: Name::HalfASwap,
        site: None,
        subject: "the group".to_owned(),
        declared: match &known.record().roles {
            Some(Roles::Settled { production }) => {
                format!("all {} names say {production} is production", group.names.len())
            }
            Some(Roles::Moving { from, to }) => format!("users are moved from {from} to {to}"),
            None => "one production".to_owned(),
        },
        observed: observed.join(", "),
        since: off.iter().filter_map(|it| it.since).max(),
        evidence,
        settle,
        command,
    })
}

fn settle_half(
    known: &Known<'_>,
    group: &Group<'_>,
    off: &[&Named<'_>],
) -> (String, Option<String>) {
    let moving = matches!(known.record().roles, Some(Roles::Moving { .. }));
    if moving && let (Some(command), Some(home)) = (known.go_on(), home(known)) {
        let back = format!("changeover release rollback --confirm {home} --reason TEXT");
        return (format!("finish the move, or move everything back: {back}"), Some(command));
    }
    let back: Vec<String> = off.iter().filter_map(|it| put_back(known, group, it)).collect();
    if back.is_empty() {
        let says =
            "the provider's records agree; wait for its servers, and ask it why they do not follow";
        return (says.to_owned(), None);
    }
    let says = format!("find out who set them; then at the provider: {}", back.join(", "));
    (says, None)
}

/// Users are led elsewhere than the journal says, by every name.
fn production(known: &Known<'_>, group: &Group<'_>) -> Option<Difference> {
    let seen = group.whole()?;
    let (declared, settle, command) = match &known.record().roles {
        Some(Roles::Settled { production }) if production == seen => return None,
        Some(Roles::Settled { production }) => (
            format!("{production} is production"),
            format!(
                "if {seen} was meant, record it; else move the records back to {production} at the \
                provider"
            ),
            Some(adopt(seen)),
        ),
        // A swap that is being worked on, or that can be gone on with, says so itself.
        Some(Roles::Moving { .. }) if known.working => return None,
        Some(Roles::Moving { from, to }) => (
            format!("users are moved from {from} to {to}"),
            "nobody works on the move: go on with it".to_owned(),
            known.go_on().or_else(|| Some(adopt(seen))),
        ),
        None => return None,
    };
    let (count, since) = (group.names.len(), group.names.iter().filter_map(|it| it.since).max());
    Some(Difference {
        name: Name::ProductionNotJournal,
        site: Some(seen.clone()),
        subject: "the group".to_owned(),
        declared,
        observed: format!("{seen} is production by each of {count} names"),
        since,
        evidence: group.names.iter().map(|it| it.evidence.clone()).collect(),
        settle,
        command: if matches!(known.life.state, State::Settling { .. }) {
            known.go_on()
        } else {
            command
        },
    })
}

/// Names of the group that stand in another declared zone and lead to one of the sites: no swap moves them.
fn wrong_zones(known: &Known<'_>, sight: &Sight, group: &Group<'_>) -> Vec<Difference> {
    let Switch::Cloudflare(switch) = &known.workflow.switch;
    let names: BTreeSet<&str> = group.names.iter().map(|it| it.name).collect();
    let mut found = vec![];
    for (zone, part) in &sight.zones {
        for row in part.known().map(|it| it.rows.as_slice()).unwrap_or_default() {
            let of_group = |named: &&Named<'_>| {
                let home = zone_of(&switch.zones, named.name).unwrap_or_default();
                home != zone && is_twin(&row.name, named.name, home, zone)
            };
            let Some(named) = group.names.iter().find(of_group) else { continue };
            let is_name = row.name == named.name;
            let owner = owner(known, group, &row.content);
            let alias = row.kind == "CNAME" && names.contains(row.content.trim_end_matches('.'));
            if names.contains(row.name.as_str()) != is_name
                || !(is_name || alias || owner.is_some())
            {
                continue;
            }
            let whose = owner.map_or_else(String::new, |it| format!(", an address of {it}"));
            let home = zone_of(&switch.zones, named.name).unwrap_or_default();
            found.push(Difference {
                name: Name::WrongZone,
                site: owner.cloned(),
                subject: row.name.clone(),
                declared: format!("{} in zone {home}", named.name),
                observed: format!("{} in zone {zone} leads to {}{whose}", row.name, row.content),
                since: row.changed,
                evidence: vec![part.says(format!("{} {} {}", row.name, row.kind, row.content))],
                settle: format!(
                    "no swap moves it: delete {} in zone {zone} at the provider, or declare it as a record \
                    of the switch",
                    row.name
                ),
                command: None,
            });
        }
    }
    found
}

/// The site that owns this address now, or did when the journal last looked.
fn owner<'k>(known: &Known<'k>, group: &'k Group<'_>, address: &str) -> Option<&'k SiteName> {
    let all = group.owned.iter().chain(&known.record().addresses);
    all.filter(|(_, own)| own.values().any(|it| it == address)).map(|(site, _)| site).next()
}

/// Whether one name is the other with the zone exchanged, or written whole into the other zone, or itself.
fn is_twin(name: &str, of: &str, home: &str, zone: &str) -> bool {
    let part = of.strip_suffix(home).and_then(|it| it.strip_suffix('.'));
    let exchanged = part.is_some_and(|part| name == format!("{part}.{zone}"));
    exchanged || name == of || name == format!("{of}.{zone}")
}
