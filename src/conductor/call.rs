//! A step made ready for its actuator: roles resolved, templates rendered, its effect named.

use std::sync::Arc;

use crate::conductor::Conductor;
use crate::conductor::roles::roles_at;
use crate::fault::Fault;
use crate::machine::{At, Record, Run};
use crate::model::{Evidence, OpId, Phase, Role, SiteName};
use crate::port::{Call, RunFacts};
use crate::workflow::Workflow;
use crate::workflow::step::{Params, Step};
use crate::workflow::template::{RunNames, Scope, render_value};

impl Conductor {
    /// The call of a step now. The inner error is what is missing to make it.
    pub(super) fn call(
        &self,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<Result<Call, Evidence>, Fault> {
        let (workflow, mut record) = (self.run_workflow()?, self.life().record);
        if at.phase == Phase::Fence {
            record = crate::conductor::fence::as_then(record);
        }
        Ok(self.call_in(workflow, record, at, position, step).map(|call| self.with_kept(call)))
    }

    /// The call of a step as it would be with this record.
    pub(super) fn call_in(
        &self,
        workflow: Arc<Workflow>,
        record: Record,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<Call, Evidence> {
        let run = record.run.clone().ok_or_else(|| self.evidence("there is no run"))?;
        let (production, standby) = roles_at(&record, &run, at);
        let facts = run_facts(&record, &run);
        let scope = Scope::for_run(
            &workflow,
            RunNames {
                id: &facts.id,
                kind: run.kind,
                stamp: run.stamp.as_deref(),
                version: run.version.as_deref(),
                production: &production,
                standby: &standby,
                releases: &record.releases,
                addresses: &record.addresses,
            },
        );
        let with = render_value(&step.with, &scope)
            .map_err(|missing| self.evidence(&missing.to_string()))?;
        let params = Params::read(step.kind(), &with)
            .ok_or_else(|| self.evidence("no such kind of step"))?
            .map_err(|error| self.evidence(&error.to_string()))?;
        let place = (at.phase, position);
        let wanted = format!("{}\n{with}", step.on.map_or("", role_name));
        let phase = format!("{}/{:?}", at.phase.name(), at.way);
        let op =
            OpId::of(&record.journal, run.number, &phase, step.id.as_str(), step.kind(), &wanted);
        let mut timeout = step.timeout.unwrap_or(workflow.limits.action).0;
        if at.phase == Phase::Fence {
            // What is not done by then is owed.
            timeout = timeout.min(workflow.limits.fence.0);
        }
        Ok(Call {
            on: step.on.map(|role| site_of(role, &production, &standby)),
            attempt: record.failures.get(&place).copied().unwrap_or(0) + 1,
            since: record.intents.get(&place).map(|it| it.since),
            workflow,
            at,
            step: step.id.clone(),
            params,
            production,
            standby,
            run: facts,
            op,
            timeout,
            record: Arc::new(record),
            kept: None,
        })
    }
}

/// What steps may know of a run.
pub(super) fn run_facts(record: &Record, run: &Run) -> RunFacts {
    RunFacts {
        number: run.number,
        id: format!("{}-{}", run.number, record.journal.chars().take(8).collect::<String>()),
        version: run.version.clone(),
        stamp: run.stamp.clone(),
        started: run.started,
    }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Production => "production",
        Role::Standby => "standby",
        Role::Quarantined => "quarantined",
    }
}

/// A quarantined site is the one that would be standby.
fn site_of(role: Role, production: &SiteName, standby: &SiteName) -> SiteName {
    match role {
        Role::Production => production.clone(),
        Role::Standby | Role::Quarantined => standby.clone(),
    }
}
