//! A person found out how a step ended. What follows from its end follows as if the step had seen it.

use crate::conductor::Conductor;
use crate::conductor::exempt::becomes_true;
use crate::fault::{E2002, Fault};
use crate::machine::{At, Closed, Embargo, Ended, Fact, Input, Life, Owed, State};
use crate::model::{Actor, Evidence, Phase, StepId, Time};
use crate::port::{Call, Seen};
use crate::workflow::step::Params;

impl Conductor {
    /// Closes a step whose outcome is unknown. The world is asked once more: where it answers it has the
    /// last word, where it is silent the person has.
    pub(super) async fn resolve(
        &self,
        by: &Actor,
        step: &StepId,
        done: bool,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let life = self.life();
        let ended = if done { Ended::Done } else { Ended::Failed };
        if let State::Settling { at, .. } = life.state {
            let open = life.record.intents.iter().find(|(_, it)| it.intent.id == *step);
            let Some((&(phase, position), _)) = open else { return Err(self.not_now("resolve")) };
            let at = At { phase, ..at };
            let (evidence, mut facts) = self.asked_once_more(at, position, done).await?;
            facts.push(Fact::Settled(Closed { phase, step: position, ended }));
            let text = format!("a person found out how {step} ended");
            return self.book().note(by, text, reason, evidence, facts);
        }
        let position = self.position(step)?;
        let input = Input::Resolve { step: position, done };
        let (Some(at), Ok(_)) = (life.state.at(), self.book().try_input(by, &input)) else {
            return Err(self.not_now("resolve"));
        };
        let (evidence, facts) = self.asked_once_more(at, position, done).await?;
        self.remember_end(at.phase, position, "a person found out how it ended");
        self.decide(by, input, (reason, evidence, facts))
    }

    async fn asked_once_more(
        &self,
        at: At,
        position: u8,
        done: bool,
    ) -> Result<(Vec<Evidence>, Vec<Fact>), Fault> {
        let Some(step) = self.run_workflow()?.step(at.phase, position).cloned() else {
            return Ok((vec![], vec![]));
        };
        let Ok(call) = self.call(at, position, &step)? else { return Ok((vec![], vec![])) };
        let (limit, ends) = (call.workflow.limits.call.0, made_true(&call, self.clock.now()));
        let action = self.world.action(call);
        match (self.observe_once(limit, &*action).await, done) {
            (Seen::Done { evidence, facts }, true) => Ok((evidence, facts)),
            (Seen::Unknown { evidence }, true) => Ok((evidence, ends)),
            (
                Seen::Unknown { evidence }
                | Seen::Failed { evidence }
                | Seen::Todo { evidence, .. }
                | Seen::Foreign { evidence },
                false,
            ) => Ok((evidence, vec![])),
            (
                Seen::Todo { evidence, .. }
                | Seen::Busy { evidence }
                | Seen::Failed { evidence }
                | Seen::Foreign { evidence },
                true,
            )
            | (Seen::Done { evidence, .. } | Seen::Busy { evidence }, false) => {
                let says: Vec<_> = evidence.iter().map(|it| it.says.as_str()).collect();
                Err(Fault::new(&E2002, format!("the world says otherwise of `{}`", step.id))
                    .because(says.join("; "))
                    .hint("it can be read now, so it is looked at again: changeover run retry"))
            }
        }
    }

    /// Keeps what was last seen of a step, for the answer.
    pub(super) fn remember_end(&self, phase: Phase, step: u8, says: &str) {
        let mut ends = self.ends.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        ends.insert((phase, step), says.to_owned());
    }

    /// Why a run is halted or cannot leave its phase, as far as this conductor has seen it.
    pub(super) fn why_halted(&self, life: &Life) -> String {
        match life.state {
            State::Halted { at, failed, unknown } => {
                let ends = self.ends.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let bad = (0..64_u8).filter(|bit| (failed | unknown) >> bit & 1 == 1);
                let each = bad.filter_map(|step| {
                    let id = life.rules.step(at.phase, step)?;
                    Some(format!("; {id}: {}", ends.get(&(at.phase, step))?))
                });
                each.collect()
            }
            State::Settling { .. } => {
                let open = life.record.intents.values().map(|it| &it.intent.id);
                let each = open.map(|id| {
                    format!("; find out, then: changeover run resolve {id} --done --reason TEXT")
                });
                each.collect()
            }
            State::Steady | State::Doing { .. } | State::Ready { .. } | State::Asking { .. } => {
                String::new()
            }
        }
    }
}

/// What the end of a step makes true when nobody can read it.
pub fn made_true(call: &Call, now: Time) -> Vec<Fact> {
    let site = call.on.clone().unwrap_or_else(|| call.production.clone());
    if let Params::EmbargoOn(with) = &call.params {
        let since = now;
        let embargo = Embargo {
            run: call.run.number,
            owner: call.record.run.as_ref().map(|it| it.requester.clone()).unwrap_or_default(),
            scope: with.scope.clone(),
            reason: format!("run {}", call.run.number),
            since,
            until: since.plus_seconds(with.expires.as_seconds()),
        };
        vec![Fact::EmbargoOn { site, embargo }]
    } else if let Params::EmbargoOff(_) = &call.params {
        vec![Fact::EmbargoOff { site }]
    } else if let Params::JobOn(with) = &call.params {
        let of_job = |owed: &&Owed| matches!(owed, Owed::Job { job, .. } if *job == with.job);
        let owed = call.record.owed.iter().filter(of_job).cloned();
        owed.map(|owed| Fact::Pay { owed }).collect()
    } else {
        owes(call).into_iter().chain(becomes_true(call)).collect()
    }
}

/// What must be put back from the intent on, however the step ends: an abort reads it from the record.
pub(super) fn owes(call: &Call) -> Option<Fact> {
    let Params::JobOff(with) = &call.params else { return None };
    let site = call.on.clone().unwrap_or_else(|| call.production.clone());
    Some(Fact::Owe { owed: Owed::Job { job: with.job.clone(), site } })
}
