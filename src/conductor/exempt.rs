//! A step on its way to being worked on: what a failover or a rejoin does not demand of it, and what a load
//! makes of a site's data.

use crate::conductor::{Conductor, StepEnd};
use crate::fault::Fault;
use crate::machine::{At, Ended, Fact, Waiver};
use crate::model::{Actor, Evidence, Kind, Phase};
use crate::port::Call;
use crate::workflow::step::{InFailover, Params, Step};

impl Conductor {
    /// Works on one step until it has ended.
    ///
    /// # Errors
    /// The journal could not be written; the process must end.
    pub(super) async fn work_on(&self, by: &Actor, at: At, position: u8) -> Result<StepEnd, Fault> {
        let Some(step) = self.run_workflow()?.step(at.phase, position).cloned() else {
            let says = "the run's workflow has no such step";
            return Ok(StepEnd::failed(vec![self.evidence(says)]));
        };
        if let Some(says) = self.not_made(at, &step)? {
            let data = serde_json::json!({ "not_made": true });
            let evidence = vec![Evidence { data, ..self.evidence(says) }];
            return Ok(StepEnd::new(Ended::Done, evidence, vec![]));
        }
        if let Some(end) = Box::pin(self.work_armed(by, at, position, &step)).await? {
            return Ok(end);
        }
        if let Some(end) = Box::pin(self.still_on(by, at, position, &step)).await? {
            return Ok(end);
        }
        if let Some(end) = Box::pin(self.served_meanwhile(at, &step)).await? {
            return Ok(end);
        }
        if at.phase == Phase::Fence {
            return self.fence_in_turn(by, at, position, &step).await;
        }
        let end = if step.is_check() {
            self.look(at, position, &step).await?
        } else {
            self.act(by, at, position, &step).await?
        };
        Ok(self.accepted(by, at, &step, end))
    }

    /// Why this step is not made here, if it is not.
    pub(super) fn not_made(&self, at: At, step: &Step) -> Result<Option<&'static str>, Fault> {
        if at.kind == Kind::Failover && step.failover == Some(InFailover::Dropped) {
            return Ok(Some("not made in a failover"));
        }
        let workflow = self.run_workflow()?;
        let dropped = step.is_check() && workflow.dropped(at.kind).contains(&step.id);
        Ok(match at.kind {
            Kind::Rejoin if dropped => Some("not made in a rejoin: what it looks at is rebuilt"),
            Kind::Drill if dropped => Some("not made in a drill: it touches none of that"),
            // Whoever is told of a swap is not told of a drill.
            Kind::Drill if !step.is_check() && step.kind() != "switch" => {
                Some("not done in a drill: it moves its names and does nothing else")
            }
            Kind::Release | Kind::Switchover | Kind::Failover | Kind::Rejoin | Kind::Drill => None,
        })
    }

    /// What does not hold and is only asked for in a failover was accepted together with the loss.
    pub(super) fn accepted(&self, by: &Actor, at: At, step: &Step, mut end: StepEnd) -> StepEnd {
        let asked = at.kind == Kind::Failover && step.failover == Some(InFailover::Asked);
        if asked && end.ended != Ended::Done {
            end.ended = Ended::Done;
            let reason = "asked for in a failover: accepted with the consent".to_owned();
            end.evidence.push(self.evidence(&reason));
            let waiver = Waiver { by: by.name.clone(), reason };
            end.facts.push(Fact::Waived { check: step.id.clone(), waiver });
        }
        end
    }
}

/// From the intent on the site's data is neither the old nor the new.
pub(super) fn loading(call: &Call) -> Option<Fact> {
    let loads = matches!(&call.params, Params::HostRun(with) if with.destructive);
    loads.then(|| Fact::Loading { site: call.on.clone().unwrap_or_else(|| call.standby.clone()) })
}

/// What became true with the end of this step beyond what its actuator says.
pub(super) fn becomes_true(call: &Call) -> Vec<Fact> {
    loaded(call).into_iter().chain(deployed(call)).collect()
}

/// A site answers with another release as soon as it is deployed, not only when its phase has ended: a failover in
/// between asks the site for the release it has.
fn deployed(call: &Call) -> Option<Fact> {
    let Params::GitlabPlay(play) = &call.params else { return None };
    let site = call.on.clone().unwrap_or_else(|| call.standby.clone());
    matches!(call.at.phase, Phase::Deploy | Phase::Renew)
        .then(|| Fact::Release { site, version: play.r#ref.clone() })
}

/// What a load that was proven makes of the site: a copy of production as it was when the dump was begun, at the
/// latest. (The stamp may lie a minute ahead, so that it differs from the one before.)
fn loaded(call: &Call) -> Option<Fact> {
    let Fact::Loading { site } = loading(call)? else { return None };
    let dumped = if call.at.phase == Phase::Renew { Phase::Renew } else { Phase::Backup };
    let of = *call.record.run.as_ref()?.entered.get(&dumped)?;
    Some(Fact::Loaded { site, of })
}
