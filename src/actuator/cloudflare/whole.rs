//! `switch.whole`: every record of the group leads to the site that has it by its role, and every zone
//! carries a mark of this journal.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::client::{Client, Trouble};
use super::group::{self, Group, Named, Sites, production_of};
use super::marks;
use crate::actuator::{Wire, aws};
use crate::machine::Fact;
use crate::model::{Evidence, Kind, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::SwitchWhole;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: SwitchWhole) -> Box<dyn Check> {
    Box::new(Whole { wire, call, with })
}

#[derive(Debug)]
struct Whole {
    wire: Arc<Wire>,
    call: Call,
    with: SwitchWhole,
}

#[async_trait]
impl Check for Whole {
    async fn look(&self) -> Finding {
        match self.found().await {
            Ok(found) => found,
            Err(evidence) => {
                Finding { verdict: Verdict::Unknown, evidence: vec![evidence], facts: vec![] }
            }
        }
    }
}

impl Whole {
    async fn found(&self) -> Result<Finding, Evidence> {
        let sites = self.sites().await?;
        let client = Client::new(&self.wire, &self.call.workflow, Some(self.call.at))?;
        let group = Group::read(&client, &self.call.workflow, Kind::Release)
            .await
            .map_err(|it: Trouble| it.evidence)?;
        let mut facts: Vec<Fact> = vec![];
        if self.with.owned {
            facts.extend(
                sites.iter().map(|(site, own)| Fact::Addresses {
                    site: site.clone(),
                    addresses: own.clone(),
                }),
            );
        }
        let (first, leading) = self.roles(&client, &group, &sites);
        let mut evidence = vec![first];
        let marks = self.marks(&group, &mut facts, &mut evidence);
        let verdict = match (leading, marks) {
            (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
            (Verdict::Unknown, _) | (_, Verdict::Unknown) => Verdict::Unknown,
            (Verdict::Pass, Verdict::Pass) => Verdict::Pass,
        };
        Ok(Finding { verdict, evidence, facts })
    }

    async fn sites(&self) -> Result<Sites, Evidence> {
        if !self.with.owned {
            return known_sites(&self.wire, &self.call);
        }
        let mut sites = Sites::new();
        for site in self.call.workflow.sites.keys() {
            let own = aws::eip::addresses(&self.wire, &self.call.workflow, site).await?;
            sites.insert(site.clone(), own);
        }
        Ok(sites)
    }

    fn roles(&self, client: &Client, group: &Group, sites: &Sites) -> (Evidence, Verdict) {
        let count = group.names.len();
        let wanted = &self.call.production;
        let (verdict, says, more) = match production_of(group, sites) {
            Ok(site) if site == *wanted => (
                Verdict::Pass,
                format!("{site} is production by each of {count} records"),
                json!({ "production": site }),
            ),
            Ok(site) => (
                Verdict::Fail,
                format!("{site} is production by each of {count} records, not {wanted}"),
                json!({ "code": "E3102", "production": site }),
            ),
            Err(_) => {
                let off = |it: &&Named| position(it, &self.call, sites) != "before";
                let off: Vec<&str> =
                    group.names.iter().filter(off).map(|it| it.name.as_str()).collect();
                (
                    Verdict::Fail,
                    format!(
                        "{} of {count} records do not lead where {wanted} being production \
                        puts them: {}",
                        off.len(),
                        off.join(", ")
                    ),
                    json!({ "code": "E3102" }),
                )
            }
        };
        let verdict_of = |it: &Named| position(it, &self.call, sites);
        (group::evidence(client, group, says, verdict_of, more), verdict)
    }

    /// A zone without a mark fails; when production is lost it is unknown, and asked.
    fn marks(&self, group: &Group, facts: &mut Vec<Fact>, seen: &mut Vec<Evidence>) -> Verdict {
        let mut verdict = Verdict::Pass;
        for zone in &group.zones {
            match zone.marks.last() {
                Some(mark) if mark.is_of(&self.call.record.journal) => {
                    facts.push(Fact::Mark { zone: zone.name.clone(), number: mark.number });
                }
                Some(mark) => {
                    verdict = Verdict::Fail;
                    seen.push(marks::foreign(&self.wire, &zone.name, mark));
                }
                None => {
                    let lost = self.call.at.kind == Kind::Failover;
                    if !lost {
                        verdict = Verdict::Fail;
                    } else if verdict == Verdict::Pass {
                        verdict = Verdict::Unknown;
                    }
                    seen.push(missing(&self.wire, &zone.name));
                }
            }
        }
        verdict
    }
}

/// The addresses of both sites as the journal has them.
pub(in crate::actuator) fn known_sites(wire: &Wire, call: &Call) -> Result<Sites, Evidence> {
    let known = &call.record.addresses;
    match [&call.production, &call.standby].into_iter().find(|it| !known.contains_key(*it)) {
        None => Ok(known.clone()),
        Some(site) => Err(wire.evidence_with(
            "journal",
            format!("the addresses of {site} were never read; `switch.whole` with `owned` does"),
            Value::Null,
        )),
    }
}

fn missing(wire: &Wire, zone: &str) -> Evidence {
    wire.evidence_with(
        &format!("cloudflare {zone}"),
        format!("{zone} carries no mark: another tool may have removed it"),
        json!({ "code": "E3103", "zone": zone }),
    )
}

/// `before`: as the roles of this call say; `wanted`: as after the move; else `foreign`.
pub(super) fn position(named: &Named, call: &Call, sites: &Sites) -> &'static str {
    let (before, wanted) = if named.as_production {
        (&call.production, &call.standby)
    } else {
        (&call.standby, &call.production)
    };
    match named.site(sites) {
        Some(site) if site == wanted => "wanted",
        Some(site) if site == before => "before",
        Some(_) | None => "foreign",
    }
}
