//! Elastic addresses: what each site owns, and whether a machine runs behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, Filter, InstanceStateName};
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::Account;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3504, E3505};
use crate::model::{Evidence, Kind, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::AwsEip;
use crate::workflow::{Switch, Workflow};

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, _: AwsEip) -> Box<dyn Check> {
    Box::new(Eip { wire, call })
}

/// The addresses this site owns, by record id. Each is looked up by its `Name` tag and must be the only one.
pub(in crate::actuator) async fn addresses(
    wire: &Arc<Wire>,
    workflow: &Workflow,
    site: &SiteName,
) -> Result<BTreeMap<String, String>, Evidence> {
    let found = owned(wire, workflow, site).await.map_err(|it| it.evidence(wire))?;
    Ok(found.into_iter().map(|(record, owned)| (record, owned.address)).collect())
}

#[derive(Debug)]
struct Eip {
    wire: Arc<Wire>,
    call: Call,
}

#[derive(Clone, Debug)]
struct Owned {
    name: String,
    address: String,
    instance: Option<String>,
}

#[async_trait]
impl Check for Eip {
    async fn look(&self) -> Finding {
        let workflow = &self.call.workflow;
        let sites: Vec<&SiteName> = match &self.call.on {
            Some(site) => vec![site],
            None => workflow.sites.keys().collect(),
        };
        let mut evidence = Vec::new();
        let mut verdict = Verdict::Pass;
        for site in sites {
            match self.look_at(site).await {
                Ok((good, read)) => {
                    evidence.extend(read);
                    if !good {
                        verdict = Verdict::Fail;
                    }
                }
                Err(trouble) => {
                    evidence.push(trouble.evidence(&self.wire));
                    if trouble.code == &E3504 {
                        verdict = Verdict::Fail;
                    } else if verdict == Verdict::Pass {
                        verdict = Verdict::Unknown;
                    }
                }
            }
        }
        finding(verdict, evidence)
    }
}

impl Eip {
    async fn look_at(&self, site: &SiteName) -> Result<(bool, Vec<Evidence>), Trouble> {
        let owned = owned(&self.wire, &self.call.workflow, site).await?;
        let account = Account::open(&self.wire, &self.call.workflow, site).await?;
        // Several records may lead to one address.
        let moved = self.call.workflow.records(self.call.at.kind);
        let kept = self.call.workflow.records(Kind::Release);
        let wanted = |id: &str| moved.iter().chain(kept).any(|it| it.id.as_str() == id);
        let by_name: BTreeMap<&str, &Owned> = owned
            .iter()
            .filter(|(id, _)| wanted(id))
            .map(|(_, it)| (it.name.as_str(), it))
            .collect();
        let mut evidence = Vec::new();
        let mut good = true;
        let source = format!("aws ec2 {}", account.region);
        for (name, it) in by_name {
            let state = match &it.instance {
                Some(instance) => state(&account, instance).await?,
                None => None,
            };
            let running = state == Some(InstanceStateName::Running);
            good &= running;
            let data = json!({ "address": it.address, "instance": it.instance });
            let behind = match (&it.instance, &state) {
                (Some(instance), Some(state)) => format!("{instance} is {state} behind it"),
                (Some(instance), None) => format!("{instance} behind it is not found"),
                (None, _) => "no machine is behind it".to_owned(),
            };
            let says = format!("{name} is {}; {behind}", it.address);
            evidence.push(if running {
                self.wire.evidence_with(&source, says, data)
            } else {
                coded(&self.wire, &E3505, &source, says)
            });
        }
        Ok((good, evidence))
    }
}

async fn owned(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
) -> Result<BTreeMap<String, Owned>, Trouble> {
    let names = names(workflow, site).map_err(|says| Trouble::new(&E3504, "workflow", says))?;
    let account = Account::open(wire, workflow, site).await?;
    let mut wanted: Vec<String> = names.values().cloned().collect();
    wanted.sort();
    wanted.dedup();
    let filter = Filter::builder().name("tag:Name").set_values(Some(wanted)).build();
    let request = account.ec2().describe_addresses().filters(filter).send();
    let answer = account.call("ec2 DescribeAddresses", request).await?;
    let source = format!("aws ec2 {}", account.region);
    let Switch::Cloudflare(switch) = &workflow.switch;
    let drills = |record: &str| switch.records.iter().all(|it| it.id.as_str() != record);
    names
        .into_iter()
        .filter_map(|(record, name)| {
            let found = only(answer.addresses(), &name);
            match found {
                Ok(it) => Some(Ok((record, it))),
                // No release waits for an address that only drills use; a drill says that it is not known.
                Err(_) if drills(&record) => None,
                Err(says) => Some(Err(Trouble::new(&E3504, &source, says))),
            }
        })
        .collect()
}

/// The name of each record's address at this site.
fn names(workflow: &Workflow, site: &SiteName) -> Result<BTreeMap<String, String>, String> {
    let Switch::Cloudflare(switch) = &workflow.switch;
    // A drill's own records first, so that one of the same id as the switch's cannot hide it.
    let drill = workflow.drill.iter().flat_map(|it| &it.records);
    (drill.chain(&switch.records))
        .map(|record| {
            let name = workflow.eip_name(record, site).map_err(|missing| missing.to_string())?;
            Ok((record.id.to_string(), name))
        })
        .collect()
}

fn only(addresses: &[Address], name: &str) -> Result<Owned, String> {
    let named = |it: &&Address| {
        it.tags().iter().any(|tag| tag.key() == Some("Name") && tag.value() == Some(name))
    };
    let mut found = addresses.iter().filter(named);
    match (found.next(), found.next()) {
        (Some(it), None) => Ok(Owned {
            name: name.to_owned(),
            address: it.public_ip().ok_or_else(|| format!("{name} has no address"))?.to_owned(),
            instance: it.instance_id().filter(|id| !id.is_empty()).map(str::to_owned),
        }),
        (Some(_), Some(_)) => Err(format!("more than one address is named {name}")),
        (None, _) => Err(format!("no address is named {name}")),
    }
}

async fn state(
    account: &Account<'_>,
    instance: &str,
) -> Result<Option<InstanceStateName>, Trouble> {
    let request = account.ec2().describe_instances().instance_ids(instance).send();
    let answer = match account.call("ec2 DescribeInstances", request).await {
        Err(refusal) if refusal.is("InvalidInstanceID.NotFound") => return Ok(None),
        other => other?,
    };
    let mut instances =
        answer.reservations().iter().flat_map(aws_sdk_ec2::types::Reservation::instances);
    Ok(instances.next().and_then(|it| it.state()?.name().cloned()))
}
