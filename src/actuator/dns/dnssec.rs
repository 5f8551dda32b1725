//! `dns.dnssec`: where the parent holds a DS record for a zone, validating resolvers vouch for each name of the
//! group, and the authority's signatures go on being valid for long enough.
//!
//! The chain from the root is validated by the resolvers, which say so by a flag; a name whose chain is broken
//! they do not answer unless validation is switched off. Without a DS record nobody validates and nothing breaks.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use hickory_resolver::proto::op::{Edns, Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::proto::serialize::binary::{BinEncodable, BinEncoder};
use serde_json::json;

use super::asking::{TRY, authority, exchange, resolvers};
use crate::actuator::{Wire, cloudflare};
use crate::model::{Evidence, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::DnsDnssec;
use crate::workflow::{Switch, Zone};

/// The largest answer that is asked for over UDP, bytes.
const PAYLOAD: u16 = 1232;
/// Where a signature's data says until when it holds: behind type, algorithm, labels and TTL.
const UNTIL: std::ops::Range<usize> = 8..12;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: DnsDnssec) -> Box<dyn Check> {
    Box::new(Chain { wire, call, with })
}

#[derive(Debug)]
struct Chain {
    wire: Arc<Wire>,
    call: Call,
    with: DnsDnssec,
}

/// What one server says, as far as signatures are concerned.
struct Said {
    code: ResponseCode,
    /// The resolver has validated it.
    vouched: bool,
    /// Records of the type that was asked for.
    count: usize,
    /// The earliest end of the signatures beside them, seconds since 1970.
    until: Option<i64>,
}

#[async_trait]
impl Check for Chain {
    async fn look(&self) -> Finding {
        let Switch::Cloudflare(switch) = &self.call.workflow.switch;
        let (mut failed, mut unknown, mut evidence) = (false, false, vec![]);
        for (position, zone) in switch.zones.iter().enumerate() {
            let records = self.call.workflow.records(self.call.at.kind);
            let names: Vec<&str> = records
                .iter()
                .flat_map(|it| [it.production.as_str(), it.standby.as_str()])
                .filter(|it| cloudflare::zone_of(&switch.zones, it) == Some(position))
                .collect();
            let (verdict, found) = match self.zone(zone, &names).await {
                Ok(found) => found,
                Err(why) => {
                    (Verdict::Unknown, self.wire.evidence(&format!("dns {}", zone.name), why))
                }
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

impl Chain {
    async fn zone(&self, zone: &Zone, names: &[&str]) -> Result<(Verdict, Evidence), String> {
        let source = format!("dns {}", zone.name);
        if !self.is_signed(&zone.name).await? {
            let says = format!("the parent holds no DS record for {}: it is not signed", zone.name);
            return Ok((Verdict::Pass, self.wire.evidence(&source, says)));
        }
        let mut wrong = vec![];
        for name in names {
            wrong.extend(self.chain(name).await?);
            wrong.extend(self.expiry(&zone.name, name).await?);
        }
        Ok(if wrong.is_empty() {
            let says = format!("signatures of {} names of {} hold", names.len(), zone.name);
            (Verdict::Pass, self.wire.evidence(&source, says))
        } else {
            let data = json!({ "code": "E3202", "wrong": wrong });
            (Verdict::Fail, self.wire.evidence_with(&source, wrong.join("; "), data))
        })
    }

    /// Any resolver that knows of a DS record is enough: one that does not may be behind.
    async fn is_signed(&self, zone: &str) -> Result<bool, String> {
        let (mut heard, mut why) = (false, "there is no resolver".to_owned());
        for server in resolvers(&self.wire) {
            match self.ask(server, zone, RecordType::DS, true, true).await {
                Ok(said) if said.code == ResponseCode::NoError && said.count > 0 => {
                    return Ok(true);
                }
                Ok(said) if said.code == ResponseCode::NoError => heard = true,
                Ok(said) => why = format!("{server}: {} for the DS record of {zone}", said.code),
                Err(error) => why = error,
            }
        }
        if heard { Ok(false) } else { Err(why) }
    }

    /// What a validating resolver has against a name; unknown if none validates.
    async fn chain(&self, name: &str) -> Result<Option<String>, String> {
        let (mut vouched, mut why) = (false, "there is no resolver".to_owned());
        for server in resolvers(&self.wire) {
            let said = match self.ask(server, name, RecordType::A, true, false).await {
                Ok(said) => said,
                Err(error) => {
                    why = error;
                    continue;
                }
            };
            if said.code == ResponseCode::NoError && said.vouched {
                vouched = true;
            } else if said.code == ResponseCode::ServFail {
                let loose = self.ask(server, name, RecordType::A, true, true).await;
                if loose.is_ok_and(|it| it.code == ResponseCode::NoError) {
                    return Ok(Some(format!(
                        "{name}: the chain of signatures is broken, says {server}"
                    )));
                }
                why = format!("{server} cannot answer for {name}");
            } else {
                why = format!("{server} does not validate {name}: {}", said.code);
            }
        }
        if vouched { Ok(None) } else { Err(why) }
    }

    /// What the authority's own signature has against lasting long enough.
    async fn expiry(&self, zone: &str, name: &str) -> Result<Option<String>, String> {
        let now = self.wire.clock.now().timestamp().as_second();
        let mut why = "there is no authority".to_owned();
        for server in authority(&self.wire, zone).await? {
            match self.ask(server, name, RecordType::A, false, false).await {
                Ok(Said { until: Some(until), .. }) => {
                    let days = (until - now).div_euclid(24 * 60 * 60);
                    let short = days < i64::from(self.with.days_min);
                    return Ok(
                        short.then(|| format!("{name}: its signature holds {days} more days"))
                    );
                }
                Ok(_) => return Ok(Some(format!("{name} has no signature at {server}"))),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    async fn ask(
        &self,
        server: SocketAddr,
        name: &str,
        kind: RecordType,
        recurse: bool,
        unchecked: bool,
    ) -> Result<Said, String> {
        let mut message = Message::query();
        message.metadata.recursion_desired = recurse;
        message.metadata.authentic_data = true;
        message.metadata.checking_disabled = unchecked;
        let asked = Name::from_ascii(format!("{}.", name.trim_end_matches('.')))
            .map_err(|error| format!("`{name}` is not a name: {error}"))?;
        message.add_query(Query::query(asked, kind));
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD).set_dnssec_ok(true);
        message.set_edns(edns);
        let call = format!("dns {kind} {name}");
        match self.wire.call(&call, TRY * 4, exchange(server, &message)).await {
            Ok(answer) => answer.map(|it| said(&it, kind)).map_err(|it| format!("{server}: {it}")),
            Err(late) => Err(format!("{server}: no answer within {:?}", late.0)),
        }
    }
}

fn said(answer: &Message, kind: RecordType) -> Said {
    let of =
        |wanted: RecordType| answer.answers.iter().filter(move |it| it.record_type() == wanted);
    Said {
        code: answer.metadata.response_code,
        vouched: answer.metadata.authentic_data,
        count: of(kind).count(),
        until: of(RecordType::RRSIG).filter_map(|it| until(&it.data)).min(),
    }
}

/// The end of a signature, from its data as it stands in the message.
fn until(data: &impl BinEncodable) -> Option<i64> {
    let mut bytes = vec![];
    data.emit(&mut BinEncoder::new(&mut bytes)).ok()?;
    let four: [u8; 4] = bytes.get(UNTIL)?.try_into().ok()?;
    Some(i64::from(u32::from_be_bytes(four)))
}
