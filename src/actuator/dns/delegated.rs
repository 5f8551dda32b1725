//! `dns.delegated`: each zone is delegated to the servers that Cloudflare names, and each of them answers
//! for it with authority. A zone that still lies elsewhere would make the swap a change nobody sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use hickory_resolver::proto::rr::RecordType;
use serde_json::json;

use super::asking::{ask, authority};
use crate::actuator::{Wire, cloudflare};
use crate::model::{Evidence, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::DnsDelegated;
use crate::workflow::{Switch, Zone};

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, _: DnsDelegated) -> Box<dyn Check> {
    Box::new(Delegated { wire, call })
}

#[derive(Debug)]
struct Delegated {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Delegated {
    async fn look(&self) -> Finding {
        let Switch::Cloudflare(switch) = &self.call.workflow.switch;
        let (mut failed, mut unknown, mut evidence) = (false, false, vec![]);
        for zone in &switch.zones {
            let (verdict, found) = match self.zone(zone).await {
                Ok(found) => found,
                Err(found) => (Verdict::Unknown, found),
            };
            failed |= verdict == Verdict::Fail;
            unknown |= verdict == Verdict::Unknown;
            evidence.push(found);
        }
        let verdict = match (failed, unknown) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Unknown,
            (false, false) => Verdict::Pass,
        };
        Finding { verdict, evidence, facts: vec![] }
    }
}

impl Delegated {
    async fn zone(&self, zone: &Zone) -> Result<(Verdict, Evidence), Evidence> {
        let source = format!("dns {}", zone.name);
        let unknown = |why: String| self.wire.evidence(&source, why);
        let client = cloudflare::Client::new(&self.wire, &self.call.workflow, Some(self.call.at))?;
        let named = client.zone(zone).await.map_err(|it| it.evidence)?.name_servers;
        let named: BTreeSet<String> = named.iter().map(|it| it.to_ascii_lowercase()).collect();
        let servers = authority(&self.wire, &zone.name).await.map_err(unknown)?;
        let mut wrong = vec![];
        for server in &servers {
            let soa = ask(&self.wire, *server, &zone.name, RecordType::SOA, false);
            let soa = soa.await.map_err(unknown)?;
            if !soa.authoritative || soa.serial.is_none() {
                wrong.push(format!("{server} does not answer for it: {}", soa.code));
                continue;
            }
            let ns = ask(&self.wire, *server, &zone.name, RecordType::NS, false);
            let ns = ns.await.map_err(unknown)?.servers;
            if ns != named {
                let ns: Vec<String> = ns.into_iter().collect();
                wrong.push(format!("{server} names other servers: {}", ns.join(", ")));
            }
        }
        let mut data = json!({ "servers": named, "asked": servers.len(), "wrong": wrong });
        let (verdict, says) = if wrong.is_empty() {
            (Verdict::Pass, format!("{} servers answer for {}", servers.len(), zone.name))
        } else {
            data["code"] = json!("E3201");
            (Verdict::Fail, format!("{}: {}", zone.name, wrong.join("; ")))
        };
        Ok((verdict, self.wire.evidence_with(&source, says, data)))
    }
}
