//! `switch.confirm`: every authoritative server answers with the new addresses. That decides; resolvers are
//! asked and reported, since what they remember ends by itself.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
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
        for record in call.workflow.records(call.at.kind) {
            let (new, old) = (address(&call.standby, record)?, address(&call.production, record)?);
            wanted.push(Wanted { name: &record.production, address: new });
            wanted.push(Wanted { name: &record.standby, address: old });
        }
        if wanted.is_empty() { Err("the group has no records".into()) } else { Ok(wanted) }
    }

    async fn found(&self, wanted: &[Wanted<'_>]) -> Finding {
        let Switch::Cloudflare(switch) = &self.call.workflow.switch;
        let (mut old, mut silent, mut evidence) = (false, false, vec![]);
        // The longest TTL that an authority gives.
        let mut given = 0;
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
                        let (verdict, said, ttl) = self.authority_says(server, &here).await;
                        given = given.max(ttl);
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
        // Production's names: every first of a pair.
        let users: Vec<(&str, IpAddr)> =
            wanted.iter().step_by(2).map(|it| (it.name, it.address)).collect();
        let remembered = remembered(&self.wire, &users, self.with.resolvers_min).await;
        evidence.push(remembered.evidence);
        let mut facts = vec![];
        if self.call.at.kind != Kind::Drill {
            // A resolver that asks again is given the whole TTL.
            let ttl = remembered.ttl.max(given);
            facts.push(Fact::Remembered { old: remembered.old, ttl });
            if verdict == Verdict::Pass {
                facts.push(Fact::RolesSettled { production: self.call.standby.clone() });
            }
        }
        Finding { verdict, evidence, facts }
    }

    /// One server's answers to all names; the first silence ends it.
    async fn authority_says(
        &self,
        server: SocketAddr,
        wanted: &[&Wanted<'_>],
    ) -> (Verdict, (String, Value), u32) {
        let (mut others, mut ttl) = (BTreeMap::new(), 0);
        for it in wanted {
            let answer = ask(&self.wire, server, it.name, RecordType::A, false).await;
            ttl = answer.as_ref().map_or(ttl, |answer| ttl.max(answer.ttl));
            match answer {
                Err(why) => return (Verdict::Unknown, (why, json!({ "code": "E3201" })), ttl),
                Ok(answer) if !answer.authoritative => {
                    others.insert(it.name, format!("{}, without authority", answer.code));
                }
                Ok(answer) if leads(&answer, it.address) => (),
                Ok(answer) => {
                    others.insert(it.name, listed(&answer));
                }
            }
        }
        if others.is_empty() {
            let says =
                format!("{server} answers with the new address for each of {}", wanted.len());
            return (Verdict::Pass, (says, Value::Null), ttl);
        }
        let says = format!("{server} answers otherwise for {} of {}", others.len(), wanted.len());
        (Verdict::Fail, (says, json!({ "code": "E3201", "otherwise": others })), ttl)
    }
}

/// What resolvers remember of names that users type.
pub(in crate::actuator) struct Remembered {
    /// Until the last of them has forgotten the old addresses, seconds.
    pub old: u32,
    /// The longest TTL of any answer, seconds.
    pub ttl: u32,
    /// Who said what.
    pub evidence: Evidence,
}

/// What resolvers still remember of these names, and for how long. They never decide.
pub(in crate::actuator) async fn remembered(
    wire: &Wire,
    wanted: &[(&str, IpAddr)],
    least: u8,
) -> Remembered {
    let asked = resolvers(wire).into_iter().map(|server| async move {
        let mut names = vec![];
        for (name, address) in wanted {
            let answer = ask(wire, server, name, RecordType::A, true).await;
            let silent = answer.is_err();
            names.push((*name, answer.map(|it| (leads(&it, *address), it.ttl))));
            if silent {
                break;
            }
        }
        (server, names)
    });
    let (mut answered, mut old, mut ttl) = (0_u8, 0, 0);
    let mut said = BTreeMap::new();
    for (server, names) in join_all(asked).await {
        answered = answered.saturating_add(u8::from(names.iter().all(|it| it.1.is_ok())));
        for (new, left) in names.iter().filter_map(|it| it.1.as_ref().ok()) {
            ttl = ttl.max(*left);
            old = old.max(if *new { 0 } else { *left });
        }
        let names: BTreeMap<&str, Value> = names
            .into_iter()
            .map(|(name, it)| match it {
                Ok((new, ttl)) => (name, json!({ "new": new, "ttl": ttl })),
                Err(why) => (name, json!(why)),
            })
            .collect();
        said.insert(server.to_string(), names);
    }
    let mut says = format!("{answered} of {} resolvers answer; ", said.len());
    says.push_str(&match old {
        0 => "all of those have the new addresses".to_owned(),
        _ => format!("some remember old addresses, at most {old} s more"),
    });
    if answered < least {
        says.push_str(&format!("; {least} should have answered"));
    }
    let evidence = wire.evidence_with("dns resolvers", says, json!(said));
    Remembered { old, ttl, evidence }
}

fn leads(answer: &Answered, address: IpAddr) -> bool {
    answer.addresses.len() == 1 && answer.addresses.contains(&address)
}

fn listed(answer: &Answered) -> String {
    let addresses: Vec<String> = answer.addresses.iter().map(ToString::to_string).collect();
    if addresses.is_empty() { answer.code.to_string() } else { addresses.join(", ") }
}
