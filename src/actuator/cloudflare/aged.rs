//! `dns.aged`: resolvers have forgotten the longer TTL that records had before they were last changed.
//!
//! A record that our own move changed last kept its TTL then: its mark was posted in the same batch, so that
//! both say the same time. What people changed counts from its own time.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::client::{Client, Row};
use super::marks::{Mark, mark_name};
use crate::actuator::Wire;
use crate::model::{Evidence, Time, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::DnsAged;

/// How far the times of records of one batch may lie apart, seconds.
const ONE_BATCH: i64 = 2;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: DnsAged) -> Box<dyn Check> {
    Box::new(Aged { wire, call, with })
}

#[derive(Debug)]
struct Aged {
    wire: Arc<Wire>,
    call: Call,
    with: DnsAged,
}

#[async_trait]
impl Check for Aged {
    async fn look(&self) -> Finding {
        let (verdict, evidence) = match self.found().await {
            Ok(found) => found,
            Err(evidence) => (Verdict::Unknown, evidence),
        };
        Finding { verdict, evidence: vec![evidence], facts: vec![] }
    }
}

impl Aged {
    async fn found(&self) -> Result<(Verdict, Evidence), Evidence> {
        let workflow = &self.call.workflow;
        let client = Client::new(&self.wire, workflow, Some(self.call.at))?;
        let zones = client.every(workflow).await.map_err(|it| it.evidence)?;
        let kind = self.call.at.kind;
        let names: Vec<&str> = workflow
            .records(kind)
            .iter()
            .flat_map(|it| [it.production.as_str(), it.standby.as_str()])
            .collect();
        let now = self.wire.clock.now();
        let (mut young, mut unread, mut seen) = (vec![], vec![], 0);
        for (zone, rows) in &zones {
            let moved = self.moves(rows, &format!("{}.{zone}", mark_name(workflow, kind)));
            let ours = |it: &&Row| {
                it.r#type == "A" && names.iter().any(|name| name.eq_ignore_ascii_case(&it.name))
            };
            for row in rows.iter().filter(ours) {
                seen += 1;
                match row.modified() {
                    None => unread.push(row.name.clone()),
                    Some(at) if moved.iter().any(|it| it.seconds_since(at).abs() <= ONE_BATCH) => {}
                    Some(at) => {
                        let left = self.with.before.as_seconds() - now.seconds_since(at);
                        if left > 0 {
                            young.push(format!("{} for {left} s more", row.name));
                        }
                    }
                }
            }
        }
        let before = self.with.before;
        let mut data = json!({ "names": seen, "before": before.to_string() });
        let (verdict, says) = if !young.is_empty() {
            data["code"] = json!("E3109");
            let says =
                format!("resolvers may hold an older answer, {}: {}", before, young.join(", "));
            (Verdict::Fail, says)
        } else if !unread.is_empty() || seen == 0 {
            (Verdict::Unknown, format!("it is not known when they changed: {}", unread.join(", ")))
        } else {
            (
                Verdict::Pass,
                format!("{seen} records were last changed more than {before} ago, or by us"),
            )
        };
        Ok((verdict, self.wire.evidence_with("cloudflare", says, data)))
    }

    /// When our own moves changed this zone.
    fn moves(&self, rows: &[Row], name: &str) -> Vec<Time> {
        let ours = |it: &Mark| it.is_of(&self.call.record.journal);
        Mark::all(rows, name).iter().filter(|it| ours(it)).filter_map(Mark::moved).collect()
    }
}
