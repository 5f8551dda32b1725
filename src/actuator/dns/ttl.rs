//! `dns.ttl`: the TTL at the authority is at most the switch's `ttl_max`, so that users follow soon.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use hickory_resolver::proto::rr::RecordType;
use serde_json::json;

use super::asking::{ask, authority};
use crate::actuator::{Wire, cloudflare};
use crate::model::{Evidence, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::Switch;
use crate::workflow::step::params::DnsTtl;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, _: DnsTtl) -> Box<dyn Check> {
    Box::new(Ttl { wire, call })
}

#[derive(Debug)]
struct Ttl {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Ttl {
    async fn look(&self) -> Finding {
        let (verdict, evidence) = match self.found().await {
            Ok(found) => found,
            Err(why) => (Verdict::Unknown, self.wire.evidence("dns", why)),
        };
        Finding { verdict, evidence: vec![evidence], facts: vec![] }
    }
}

impl Ttl {
    async fn found(&self) -> Result<(Verdict, Evidence), String> {
        let Switch::Cloudflare(switch) = &self.call.workflow.switch;
        let most = u32::try_from(switch.ttl_max.as_seconds()).unwrap_or(u32::MAX);
        let mut ttls = BTreeMap::new();
        for (position, zone) in switch.zones.iter().enumerate() {
            let servers = authority(&self.wire, &zone.name).await?;
            let names = self
                .call
                .workflow
                .records(self.call.at.kind)
                .iter()
                .flat_map(|it| [it.production.as_str(), it.standby.as_str()])
                .filter(|it| cloudflare::zone_of(&switch.zones, it) == Some(position));
            for name in names {
                let ttl = self.ttl(&servers, name).await?;
                ttls.insert(name, ttl);
            }
        }
        let long: Vec<&str> =
            ttls.iter().filter(|(_, ttl)| **ttl > most).map(|(name, _)| *name).collect();
        let highest = ttls.values().max().copied().unwrap_or(0);
        let (verdict, says) = if long.is_empty() {
            (Verdict::Pass, format!("the longest TTL of {} names is {highest} s", ttls.len()))
        } else {
            (Verdict::Fail, format!("the TTL is longer than {most} s: {}", long.join(", ")))
        };
        Ok((verdict, self.wire.evidence_with("dns authority", says, json!(ttls))))
    }

    /// The TTL that the first authority to answer gives: only one is asked, since they serve one zone.
    async fn ttl(&self, servers: &[std::net::SocketAddr], name: &str) -> Result<u32, String> {
        let mut why = "there is no authority".to_owned();
        for server in servers {
            match ask(&self.wire, *server, name, RecordType::A, false).await {
                Ok(answer) if answer.authoritative && !answer.addresses.is_empty() => {
                    return Ok(answer.ttl);
                }
                Ok(answer) => why = format!("{server}: {} for {name}, no address", answer.code),
                Err(error) => why = error,
            }
        }
        Err(why)
    }
}
