//! `dns.proxied`: records of the group, and what stands beside them, are proxied as the file says.
//!
//! Where one record of a name is proxied Cloudflare treats them all so, and answers with addresses of its own.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::client::{Client, switch};
use crate::actuator::Wire;
use crate::model::{Evidence, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::DnsProxied;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, _: DnsProxied) -> Box<dyn Check> {
    Box::new(Pinned { wire, call })
}

#[derive(Debug)]
struct Pinned {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Pinned {
    async fn look(&self) -> Finding {
        let (verdict, evidence) = match self.found().await {
            Ok(found) => found,
            Err(evidence) => (Verdict::Unknown, evidence),
        };
        Finding { verdict, evidence: vec![evidence], facts: vec![] }
    }
}

impl Pinned {
    async fn found(&self) -> Result<(Verdict, Evidence), Evidence> {
        let workflow = &self.call.workflow;
        let client = Client::new(&self.wire, workflow, Some(self.call.at))?;
        let zones = client.every(workflow).await.map_err(|it| it.evidence)?;
        let wanted = switch(workflow).proxied;
        let group = workflow.records(self.call.at.kind);
        let is_ours = |name: &str| {
            group.iter().any(|it| {
                it.production.eq_ignore_ascii_case(name) || it.standby.eq_ignore_ascii_case(name)
            })
        };
        let can_be = |kind: &str| ["A", "AAAA", "CNAME"].contains(&kind);
        let rows = zones.iter().flat_map(|it| &it.1);
        let (mut seen, mut wrong) = (0, vec![]);
        for row in rows.filter(|it| can_be(&it.r#type) && is_ours(&it.name)) {
            seen += 1;
            if row.proxied != wanted {
                wrong.push(format!("{} {}", row.r#type, row.name));
            }
        }
        let word = if wanted { "proxied" } else { "not proxied" };
        let (verdict, says, code) = if seen == 0 {
            (Verdict::Unknown, "no record of the group was found".to_owned(), None)
        } else if wrong.is_empty() {
            (Verdict::Pass, format!("{seen} records are {word}"), None)
        } else {
            let says = format!("should be {word}, and is not: {}", wrong.join(", "));
            (Verdict::Fail, says, Some("E3108"))
        };
        let data = json!({ "seen": seen, "wrong": wrong });
        let data = code.map_or(data, |code| json!({ "wrong": wrong, "code": code }));
        Ok((verdict, self.wire.evidence_with("cloudflare", says, data)))
    }
}
