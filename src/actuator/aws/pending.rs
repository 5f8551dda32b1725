//! Nothing waits to be done to a database instance: a release would meet it at the worst moment.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_rds::types::{DbInstance, PendingMaintenanceAction, PendingModifiedValues};
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::{Account, Repeat, rds};
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::E3509;
use crate::model::{Evidence, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::AwsRdsPending;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, _: AwsRdsPending) -> Box<dyn Check> {
    Box::new(Pending { wire, call })
}

#[derive(Debug)]
struct Pending {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Pending {
    async fn look(&self) -> Finding {
        let mut evidence = Vec::new();
        let (mut quiet, mut seen) = (true, true);
        for site in self.call.workflow.sites.keys() {
            match self.look_at(site).await {
                Ok((good, read)) => {
                    quiet &= good;
                    evidence.push(read);
                }
                Err(trouble) => {
                    seen = false;
                    evidence.push(trouble.evidence(&self.wire));
                }
            }
        }
        let verdict = match (quiet, seen) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        finding(verdict, evidence)
    }
}

impl Pending {
    async fn look_at(&self, site: &SiteName) -> Result<(bool, Evidence), Trouble> {
        let account = Account::open(&self.wire, &self.call.workflow, site).await?;
        let source = format!("aws rds {}", account.region);
        let (name, instance) = rds::declared(&account, &self.call.workflow, site).await?;
        let mut waits = of_instance(&instance);
        let request = account
            .rds(Repeat::Reads)
            .describe_pending_maintenance_actions()
            .set_resource_identifier(instance.db_instance_arn().map(str::to_owned))
            .send();
        let answer = account.call("rds DescribePendingMaintenanceActions", request).await?;
        let actions = answer
            .pending_maintenance_actions()
            .iter()
            .filter(|it| it.resource_identifier() == instance.db_instance_arn())
            .flat_map(aws_sdk_rds::types::ResourcePendingMaintenanceActions::pending_maintenance_action_details);
        let (mut due, mut offered) = (vec![], vec![]);
        for action in actions {
            let word = action.action().unwrap_or("maintenance").to_owned();
            if is_due(action) { &mut due } else { &mut offered }.push(word);
        }
        waits.extend(due.into_iter().map(|it| format!("{it} will be carried out")));
        if waits.is_empty() {
            let data = json!({ "instance": name, "offered": offered });
            let says = format!("nothing waits to be done to {name}");
            return Ok((true, self.wire.evidence_with(&source, says, data)));
        }
        let says = format!("{name}: {}", waits.join("; "));
        Ok((false, coded(&self.wire, &E3509, &source, says)))
    }
}

/// What the instance's own description says is waiting.
fn of_instance(instance: &DbInstance) -> Vec<String> {
    let mut waits = vec![];
    let none = PendingModifiedValues::builder().build();
    if instance.pending_modified_values().is_some_and(|it| *it != none) {
        waits.push("a change waits for the maintenance window or a reboot".to_owned());
    }
    for group in instance.db_parameter_groups() {
        let status = group.parameter_apply_status().unwrap_or("unknown");
        if status != "in-sync" {
            let name = group.db_parameter_group_name().unwrap_or("?");
            waits.push(format!("parameters of {name} are {status}"));
        }
    }
    waits
}

/// Somebody agreed to it, or AWS will carry it out by itself. What is only on offer hurts nobody.
fn is_due(action: &PendingMaintenanceAction) -> bool {
    action.current_apply_date().is_some()
        || action.auto_applied_after_date().is_some()
        || action.forced_apply_date().is_some()
        || action.opt_in_status().is_some_and(|it| !it.is_empty() && it != "undo-opt-in")
}
