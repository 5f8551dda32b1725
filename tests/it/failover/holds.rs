//! What must hold at every moment of a failover, told from the journal, the screen, the zones and the requests.

use std::collections::{BTreeMap, BTreeSet};

use changeover::machine::{FenceEnd, Owed, Record};
use changeover::model::{Roles, SiteName};
use changeover::view::StatusView;
use serde_json::Value;

use super::NAMES;

/// The parts of the fence, as the shipped workflow has them.
pub(super) const PARTS: [&str; 3] = ["f-backup", "f-embargo", "f-stop"];

/// No zone has half of a batch: all its records of the switch lead where one site being production puts them.
pub(super) fn zones_are_whole(record: &Record, world: &Value) -> Result<(), String> {
    let sites: Vec<&SiteName> = record.addresses.keys().collect();
    let [one, other] = sites[..] else { return Err(format!("sites: {sites:?}")) };
    for (zone, rows) in world["records"].as_object().unwrap() {
        let mut served = BTreeSet::new();
        for (what, production, standby) in NAMES {
            let leads = |name: &str| {
                let mut rows = rows.as_array().unwrap().iter();
                rows.find(|it| it["type"] == "A" && it["name"] == name)
                    .map(|it| it["content"].as_str().unwrap().to_owned())
            };
            for (name, of) in [(production, [one, other]), (standby, [other, one])] {
                let Some(leads) = leads(name) else { continue };
                let by = [one, other].into_iter().zip(of);
                let mut by = by.filter(|(_, it)| record.addresses[*it][what] == leads);
                served.insert(by.next().map_or("nobody", |(site, _)| site.as_str()));
            }
        }
        if served.len() != 1 || served.contains("nobody") {
            return Err(format!("{zone} has half of a batch: {served:?}"));
        }
    }
    Ok(())
}

/// The batches that took effect, by zone, with the number of their mark.
pub(super) fn moves(calls: &[Value]) -> Vec<(String, String)> {
    let batches = calls.iter().filter(|it| it["applied"] == true);
    let marked = batches.map(|it| {
        let body: Value = serde_json::from_str(it["body"].as_str().unwrap()).unwrap();
        let mark = &body["posts"][0];
        (mark["name"].as_str().unwrap().to_owned(), mark["content"].as_str().unwrap().to_owned())
    });
    marked.collect()
}

/// At most one batch was accepted for a zone and mark.
pub(super) fn moved_once(calls: &[Value]) -> Result<(), String> {
    let mut counts = BTreeMap::new();
    moves(calls).into_iter().for_each(|it| *counts.entry(it).or_insert(0) += 1);
    let twice = counts.iter().find(|(_, count)| **count > 1);
    twice.map_or(Ok(()), |(it, count)| Err(format!("{it:?} was accepted {count} times")))
}

/// The journal calls at most one site writable: the one that users are on, and the one that they left for as
/// long as nothing says that it may not write.
pub(super) fn one_writer(record: &Record) -> Result<(), String> {
    let Some(Roles::Settled { production }) = &record.roles else { return Ok(()) };
    let kept_off = |site: &&SiteName| {
        record.embargoes.contains_key(*site) || record.quarantined.as_ref() == Some(*site)
    };
    let left = record.incident.as_ref().map(|it| &it.consent.lost);
    let sites: BTreeSet<&SiteName> = left.into_iter().chain([production]).collect();
    let writable: Vec<&SiteName> = sites.into_iter().filter(|it| !kept_off(it)).collect();
    let elsewhere = record.writes_since_swap && left == Some(production);
    if writable.len() > 1 || elsewhere {
        return Err(format!("two sites are writable: {writable:?}"));
    }
    Ok(())
}

/// From the moment that users may be elsewhere, each part of the fence is done, or is owed and on the screen.
pub(super) fn owed_is_told(record: &Record, view: &StatusView) -> Result<(), String> {
    let Some(incident) = &record.incident else { return Ok(()) };
    let lost = &incident.consent.lost;
    if !record.moving() && record.production() == Some(lost) {
        return Ok(());
    }
    for part in PARTS {
        let done =
            incident.fence.iter().any(|(it, end)| it.as_str() == part && end.how == FenceEnd::Done);
        let owed = Owed::Fence { part: part.into(), site: lost.clone() };
        let told = view.owed.contains(&owed)
            && view.says.contains(&format!("{lost} may still act"))
            && view.says.contains(part);
        if done == told {
            return Err(format!("{part}: done {done}, told {told}: {}", view.says));
        }
    }
    Ok(())
}
