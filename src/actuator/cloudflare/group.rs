//! The group of records as it is now, zone by zone, and where each name leads.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client::{Client, Row, Trouble, switch};
use super::marks::{Mark, mark_name};
use super::seen::DECIDING;
use crate::model::{Evidence, Kind, RecordId, SiteName};
use crate::workflow::{Workflow, Zone};

/// The addresses that sites own, by record.
pub(in crate::actuator) type Sites = BTreeMap<SiteName, BTreeMap<String, String>>;

/// A zone as it is now.
#[derive(Clone, Debug)]
pub(super) struct ZoneNow {
    pub(super) name: String,
    pub(super) id: String,
    /// Its marks for this group, lowest first.
    pub(super) marks: Vec<Mark>,
}

/// One name of the group as it is now.
#[derive(Clone, Debug)]
pub(in crate::actuator) struct Named {
    pub(super) record: RecordId,
    /// It is the name the site has as production; else as standby.
    pub(super) as_production: bool,
    pub(super) name: String,
    /// The position of its zone.
    pub(super) zone: usize,
    /// Its one address record, or what is wrong there.
    pub(super) row: Result<Row, String>,
}

/// The whole group as it is now.
#[derive(Clone, Debug)]
pub(in crate::actuator) struct Group {
    pub(super) zones: Vec<ZoneNow>,
    pub(super) names: Vec<Named>,
}

/// The position of the longest declared zone this name ends in.
pub(in crate::actuator) fn zone_of(zones: &[Zone], name: &str) -> Option<usize> {
    let within = |zone: &Zone| {
        name.strip_suffix(zone.name.as_str()).is_some_and(|it| it.is_empty() || it.ends_with('.'))
    };
    let found = zones.iter().enumerate().filter(|(_, zone)| within(zone));
    found.max_by_key(|(_, zone)| zone.name.len()).map(|(position, _)| position)
}

impl Group {
    /// Reads every zone once.
    ///
    /// # Errors
    /// One of them cannot be read, or a name lies in none.
    pub(in crate::actuator) async fn read(
        client: &Client,
        workflow: &Workflow,
        kind: Kind,
    ) -> Result<Self, Trouble> {
        let mut read = vec![];
        for zone in &switch(workflow).zones {
            let id = client.zone(zone).await?.id;
            let rows = client.rows(&zone.name, &id).await?;
            read.push((id, rows));
        }
        Ok(Self::of(workflow, kind, read))
    }

    /// The group in these zones, in the order of the file: each with its id and records.
    pub(super) fn of(workflow: &Workflow, kind: Kind, read: Vec<(String, Vec<Row>)>) -> Self {
        let config = switch(workflow);
        let mark = mark_name(workflow, kind);
        let (mut zones, mut rows) = (vec![], vec![]);
        for (zone, (id, here)) in config.zones.iter().zip(read) {
            let marks = Mark::all(&here, &format!("{mark}.{}", zone.name));
            zones.push(ZoneNow { name: zone.name.clone(), id, marks });
            rows.push(here);
        }
        let mut names = vec![];
        for record in workflow.records(kind) {
            for (name, as_production) in [(&record.production, true), (&record.standby, false)] {
                let zone = zone_of(&config.zones, name);
                let here = zone.and_then(|it| rows.get(it)).map_or(&[][..], Vec::as_slice);
                names.push(Named {
                    record: record.id.clone(),
                    as_production,
                    name: name.clone(),
                    zone: zone.unwrap_or(0),
                    row: one_address(here, name, config.proxied),
                });
            }
        }
        Self { zones, names }
    }

    /// The highest mark of each zone that has one, with its journal (`unknown` if its comment is gone).
    pub(in crate::actuator) fn marks(&self) -> BTreeMap<String, (u64, String)> {
        let highest = |zone: &ZoneNow| {
            let mark = zone.marks.last()?;
            let journal = mark.journal.clone().unwrap_or_else(|| "unknown".to_owned());
            Some((zone.name.clone(), (mark.number, journal)))
        };
        self.zones.iter().filter_map(highest).collect()
    }
}

/// The one address record at this name; anything else there would keep users away from it.
fn one_address(rows: &[Row], name: &str, proxied: bool) -> Result<Row, String> {
    let decides = |it: &&Row| DECIDING.contains(&it.r#type.as_str());
    let here: Vec<&Row> =
        rows.iter().filter(|it| it.name.eq_ignore_ascii_case(name)).filter(decides).collect();
    match here.as_slice() {
        [] => Err("there is no record".to_owned()),
        [one] if one.r#type != "A" => Err(format!("it is {} and not A", one.r#type)),
        [one] if one.proxied != proxied => Err(format!(
            "it is {}, and the file says otherwise",
            if one.proxied { "proxied" } else { "not proxied" }
        )),
        [one] => Ok((*one).clone()),
        [_, _, ..] => {
            let types: Vec<&str> = here.iter().map(|it| it.r#type.as_str()).collect();
            Err(format!("there are {} records: {}", types.len(), types.join(", ")))
        }
    }
}

impl Group {
    /// Names that lead to neither of these sites, with where they lead.
    pub(in crate::actuator) fn elsewhere(&self, sites: &Sites) -> Vec<String> {
        let foreign = self.names.iter().filter(|it| it.site(sites).is_none());
        foreign.map(|it| format!("{} → {}", it.name, it.content())).collect()
    }

    /// Zones that carry no mark.
    pub(in crate::actuator) fn unmarked(&self) -> Vec<String> {
        let bare = self.zones.iter().filter(|it| it.marks.is_empty());
        bare.map(|it| it.name.clone()).collect()
    }
}

impl Named {
    /// The site it leads to, if it is one of them.
    pub(super) fn site<'a>(&self, sites: &'a Sites) -> Option<&'a SiteName> {
        let address = &self.row.as_ref().ok()?.content;
        let owns = |own: &BTreeMap<String, String>| own.get(self.record.as_str()) == Some(address);
        sites.iter().find(|(_, own)| owns(own)).map(|(site, _)| site)
    }

    /// The address it leads to, or what is wrong there.
    pub(super) fn content(&self) -> &str {
        match &self.row {
            Ok(row) => &row.content,
            Err(wrong) => wrong,
        }
    }
}

/// The site that is production by every one of the names.
///
/// # Errors
/// They do not agree: what is said of each name.
pub(in crate::actuator) fn production_of(
    group: &Group,
    sites: &Sites,
) -> Result<SiteName, BTreeMap<String, String>> {
    let leading = group.names.iter().find(|it| it.as_production).and_then(|it| it.site(sites));
    let mut said = BTreeMap::new();
    let mut agree = leading.is_some();
    for named in &group.names {
        let site = named.site(sites);
        agree &= site.is_some() && (site == leading) == named.as_production;
        let site = site.map_or("nobody's", SiteName::as_str);
        said.insert(named.name.clone(), format!("{} ({site})", named.content()));
    }
    leading.filter(|_| agree).cloned().ok_or(said)
}

/// Evidence of what was read, one line a name with this verdict on it.
pub(super) fn evidence(
    client: &Client,
    group: &Group,
    says: String,
    verdict: impl Fn(&Named) -> &'static str,
    more: Value,
) -> Evidence {
    let names: BTreeMap<&str, Value> = group
        .names
        .iter()
        .map(|it| (it.name.as_str(), json!({ "leads_to": it.content(), "is": verdict(it) })))
        .collect();
    let zones: BTreeMap<&str, Value> = group
        .zones
        .iter()
        .map(|it| {
            (it.name.as_str(), json!({ "id": it.id, "mark": it.marks.last().map(|m| m.number) }))
        })
        .collect();
    let mut data = json!({ "names": names, "zones": zones });
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    client.wire.evidence_with("cloudflare", says, data)
}
