//! `switch.confirm`: every authoritative server answers with the new addresses. That decides; resolvers are
//! asked and reported, since what they remember ends by itself.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use hickory_resolver::proto::rr::RecordType;
use serde_json::{Value, json};

use super::asking::{Answered, ask, authority, resolvers};
use crate::actuator::{Wire, cloudflare};
use crate::machine::Fact;
use crate::model::{Evidence, Kind, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::SwitchConfirm;
use crate::workflow::{Record, Switch};

pub(in crate::actuator) fn check(
    wire: Arc<Wire>,
    call: Call,
    with: SwitchConfirm,
) -> Box<dyn Check> {
    Box::new(Confirm { wire, call, with })
}

#[derive(Debug)]
struct Confirm {
    wire: Arc<Wire>,
    call: Call,
    with: SwitchConfirm,
}

/// A name and the address it shall lead to.
struct Wanted<'a> {
    name: &'a str,
    address: IpAddr,
}

#[async_trait]
impl Check for Confirm {
    async fn look(&self) -> Finding {
        let Switch::Cloudflare(switch) = &self.call.workflow.switch;
        let wanted = if switch.proxied {
            Err("proxied records answer with Cloudflare's addresses: DNS cannot confirm them"
                .into())
        } else {
            self.wanted()
        };
        match wanted {
            Ok(wanted) => self.found(&wanted).await,
            Err(why) => Finding {
                verdict: Verdict::Unknown,
                evidence: vec![self.wire.evidence("dns", why)],
                facts: vec![],
            },
        }
    }
}

impl Confirm {
    /// Roles are the old ones: the standby is what production's names shall lead to.
    fn wanted(&self) -> Result<Vec<Wanted<'_>>, String> {
        let call = &self.call;
        let address = |site, record: &Record| {
            let own = call.record.addresses.get(site).and_then(|it| it.get(record.id.as_str()));
            own.and_then(|it| it.parse().ok())
                .ok_or_else(|| format!("the address `{}` of {site} is not known", record.id))
        };
        let mut wanted = vec![];
        for record in cloudflare::records(&call.workflow, call.at.kind) {
            let (new, old) = (address(&call.standby, record)?, address(&call.production, record)?);
            wanted.push(Wanted { name: &record.production, address: new });
            wanted.push(Wanted { name: &record.standby, address: old });
        }
        if wanted.is_empty() { Err("the group has no records".into()) } else { Ok(wanted) }
    }

    async fn found(&self, wanted: &[Wanted<'_>]) -> Finding {
        let Switch::Cloudflare(switch) = &self.call.workflow.switch;
        let (mut old, mut silent, mut evidence) = (false, false, vec![]);
        for (position, zone) in switch.zones.iter().enumerate() {
            let within =
                |it: &&Wanted<'_>| cloudflare::zone_of(&switch.zones, it.name) == Some(position);
            let here: Vec<&Wanted<'_>> = wanted.iter().filter(within).collect();
            if here.is_empty() {
                continue;
            }
            let source = format!("dns {}", zone.name);
            match authority(&self.wire, &zone.name).await {
                Err(why) => {
                    silent = true;
                    let data = json!({ "code": "E3201" });
                    evidence.push(self.wire.evidence_with(&source, why, data));
                }
                Ok(servers) => {
                    for server in servers {
                        let (verdict, said) = self.authority_says(server, &here).await;
                        old |= verdict == Verdict::Fail;
                        silent |= verdict == Verdict::Unknown;
                        evidence.push(self.wire.evidence_with(&source, said.0, said.1));
                    }
                }
            }
        }
        let verdict = match (old, silent) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Unknown,
            (false, false) => Verdict::Pass,
        };
        evidence.push(self.resolvers_say(wanted).await);
        let settled = verdict == Verdict::Pass && self.call.at.kind != Kind::Drill;
        let fact = Fact::RolesSettled { production: self.call.standby.clone() };
        Finding { verdict, evidence, facts: if settled { vec![fact] } else { vec![] } }
    }

    /// One server's answers to all names; the first silence ends it.
    async fn authority_says(
        &self,
        server: SocketAddr,
        wanted: &[&Wanted<'_>],
    ) -> (Verdict, (String, Value)) {
        let mut others = BTreeMap::new();
        for it in wanted {
            match ask(&self.wire, server, it.name, RecordType::A, false).await {
                Err(why) => return (Verdict::Unknown, (why, json!({ "code": "E3201" }))),
                Ok(answer) if !answer.authoritative => {
                    others.insert(it.name, format!("{}, without authority", answer.code));
                }
                Ok(answer) if leads(&answer, it) => (),
                Ok(answer) => {
                    others.insert(it.name, listed(&answer));
                }
            }
        }
        if others.is_empty() {
            let says =
                format!("{server} answers with the new address for each of {}", wanted.len());
            return (Verdict::Pass, (says, Value::Null));
        }
        let says = format!("{server} answers otherwise for {} of {}", others.len(), wanted.len());
        (Verdict::Fail, (says, json!({ "code": "E3201", "otherwise": others })))
    }

    /// What resolvers still remember of production's names, and for how long.
    async fn resolvers_say(&self, wanted: &[Wanted<'_>]) -> Evidence {
        let (mut answered, mut longest) = (0_u8, 0);
        let mut said = BTreeMap::new();
        for server in resolvers(&self.wire) {
            let mut names = BTreeMap::new();
            // Production's names: every first of a pair.
            for it in wanted.iter().step_by(2) {
                match ask(&self.wire, server, it.name, RecordType::A, true).await {
                    Err(why) => {
                        names.insert(it.name, json!(why));
                        break;
                    }
                    Ok(answer) => {
                        let new = leads(&answer, it);
                        longest = longest.max(if new { 0 } else { answer.ttl });
                        names.insert(it.name, json!({ "new": new, "ttl": answer.ttl }));
                    }
                }
            }
            answered = answered.saturating_add(u8::from(names.values().all(Value::is_object)));
            said.insert(server.to_string(), names);
        }
        let asked = said.len();
        let mut says = format!("{answered} of {asked} resolvers answer; ");
        says.push_str(&match longest {
            0 => "all of those have the new addresses".to_owned(),
            _ => format!("some remember old addresses, at most {longest} s more"),
        });
        if answered < self.with.resolvers_min {
            says.push_str(&format!("; {} should have answered", self.with.resolvers_min));
        }
        self.wire.evidence_with("dns resolvers", says, json!(said))
    }
}

fn leads(answer: &Answered, wanted: &Wanted<'_>) -> bool {
    answer.addresses.len() == 1 && answer.addresses.contains(&wanted.address)
}

fn listed(answer: &Answered) -> String {
    let addresses: Vec<String> = answer.addresses.iter().map(ToString::to_string).collect();
    if addresses.is_empty() { answer.code.to_string() } else { addresses.join(", ") }
}
