//! `dns.records`: the zones hold the group whole, and nothing beside it that a swap would leave behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::client::{Client, Row, switch};
use super::group::Sites;
use super::seen::DECIDING;
use crate::actuator::{Wire, aws};
use crate::model::{Evidence, Kind, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::DnsRecords;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, _: DnsRecords) -> Box<dyn Check> {
    Box::new(Complete { wire, call })
}

#[derive(Debug)]
struct Complete {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Complete {
    async fn look(&self) -> Finding {
        let (verdict, evidence) = match self.found().await {
            Ok(found) => found,
            Err(evidence) => (Verdict::Unknown, evidence),
        };
        Finding { verdict, evidence: vec![evidence], facts: vec![] }
    }
}

impl Complete {
    async fn found(&self) -> Result<(Verdict, Evidence), Evidence> {
        let workflow = &self.call.workflow;
        let mut sites = Sites::new();
        for site in workflow.sites.keys() {
            let own = aws::eip::addresses(&self.wire, workflow, site).await?;
            sites.insert(site.clone(), own);
        }
        let client = Client::new(&self.wire, workflow, Some(self.call.at))?;
        let zones = client.every(workflow).await.map_err(|it| it.evidence)?;
        let rows: Vec<&Row> = zones.iter().flat_map(|it| &it.1).collect();
        let names = |of: &[crate::workflow::Record]| -> BTreeSet<String> {
            of.iter().flat_map(|it| [it.production.clone(), it.standby.clone()]).collect()
        };
        let group = names(&switch(workflow).records);
        let drill = names(workflow.records(Kind::Drill));
        let mut wrong = beside(&rows, &group);
        wrong.extend(left_behind(&rows, &group, &drill, &sites));
        let count = rows.len();
        let data = json!({ "records": count, "wrong": wrong });
        Ok(if wrong.is_empty() {
            let says = format!(
                "{} names are whole; nothing else among {count} records leads to a site",
                group.len()
            );
            (Verdict::Pass, self.wire.evidence_with("cloudflare", says, data))
        } else {
            let mut data = data;
            data["code"] = json!("E3107");
            (Verdict::Fail, self.wire.evidence_with("cloudflare", wrong.join("; "), data))
        })
    }
}

/// Names of the group that lack their one A record, or have another beside it.
fn beside(rows: &[&Row], group: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = vec![];
    for name in group {
        let here: Vec<&str> = rows
            .iter()
            .filter(|it| {
                it.name.eq_ignore_ascii_case(name) && DECIDING.contains(&it.r#type.as_str())
            })
            .map(|it| it.r#type.as_str())
            .collect();
        match here.as_slice() {
            ["A"] => (),
            [] => wrong.push(format!("{name} has no record")),
            types => wrong.push(format!("{name} has {}", types.join(" and "))),
        }
    }
    wrong
}

/// Records outside the group that hold an address of a site: a swap would leave them where they are.
fn left_behind(
    rows: &[&Row],
    group: &BTreeSet<String>,
    drill: &BTreeSet<String>,
    sites: &Sites,
) -> Vec<String> {
    let mut wrong = vec![];
    for row in rows {
        let name = row.name.to_ascii_lowercase();
        if group.contains(&name) || drill.contains(&name) {
            continue;
        }
        let held: Vec<&str> = sites
            .iter()
            .filter(|(_, own)| own.values().any(|address| holds(&row.content, address)))
            .map(|(site, _)| site.as_str())
            .collect();
        // A text that names both sites, as SPF may, stays right when they change places.
        let both = row.r#type == "TXT" && held.len() == sites.len();
        if !held.is_empty() && !both {
            let (kind, held) = (&row.r#type, held.join(" and "));
            wrong.push(format!("{kind} {name} leads to {held} and is not in the group"));
        }
    }
    wrong
}

/// Whether a text holds this address as a word of its own.
fn holds(text: &str, address: &str) -> bool {
    text.split(|it: char| !it.is_ascii_hexdigit() && it != '.' && it != ':').any(|word| {
        word == address || word.rsplit_once(':').is_some_and(|(_, last)| last == address)
    })
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn an_address_is_a_word() {
        assert!(holds("192.0.2.1", "192.0.2.1"));
        assert!(holds("\"v=spf1 ip4:192.0.2.1/32 -all\"", "192.0.2.1"));
        assert!(!holds("192.0.2.10", "192.0.2.1") && !holds("e=192", "192.0.2.1"));
    }
}
