//! Leaving a phase: nothing new starts, open intents become known by reading the world.

use std::time::Duration;

use crate::conductor::Conductor;
use crate::fault::Fault;
use crate::machine::{At, Closed, Ended, Fact, Input, Remembered, Told};
use crate::model::{Actor, Evidence, Phase};
use crate::port::Seen;

/// How long a failover waits for open intents; the rest stays unknown and owed.
const FAILOVER_BOUND: Duration = Duration::from_secs(2);

impl Conductor {
    /// Closes every open intent, then goes the way that was asked for.
    ///
    /// False if one could not be learned: then a person finds out and says so (`run resolve`).
    pub(super) async fn settle(&self, by: &Actor, failover: bool) -> Result<bool, Fault> {
        let mut unknown = vec![];
        for ((phase, step), open) in self.life().record.intents.clone() {
            let Some((ended, evidence, mut facts)) =
                self.learn(phase, step, &open, failover).await?
            else {
                unknown.push(open.intent.id.to_string());
                continue;
            };
            facts.push(Fact::Settled(Closed { phase, step, ended }));
            let text = format!("{} was settled by reading: {}", open.intent.id, ended_name(ended));
            self.book().note(by, text, None, evidence, facts)?;
        }
        if unknown.is_empty() || failover {
            return self.decide(by, Input::Settled, Told::default()).map(|()| true);
        }
        self.say(&format!("nobody knows how these ended: {}", unknown.join(", ")));
        Ok(false)
    }

    /// How an open intent ended: `None` if it cannot be learned in time.
    async fn learn(
        &self,
        phase: Phase,
        position: u8,
        open: &Remembered,
        failover: bool,
    ) -> Result<Option<(Ended, Vec<Evidence>, Vec<Fact>)>, Fault> {
        let Some(at) = self.life().state.at().map(|at| At { phase, ..at }) else { return Ok(None) };
        let Some(step) = self.run_workflow()?.step(phase, position).cloned() else {
            return Ok(None);
        };
        let Ok(call) = self.call(at, position, &step)? else { return Ok(None) };
        let limits = call.workflow.limits.clone();
        let bound = if failover { FAILOVER_BOUND } else { call.timeout };
        let (began, mut before) = (self.clock.monotonic(), None);
        let mut deaf = 0;
        let done = crate::conductor::exempt::becomes_true(&call);
        let action = self.world.action(call);
        self.say(&format!("settling {}", open.intent.id));
        loop {
            let seen = self.observe_once(bound, &*action).await;
            let equal = before.as_ref() == Some(&kind_of(&seen));
            before = Some(kind_of(&seen));
            match seen {
                Seen::Done { evidence, mut facts } => {
                    facts.extend(done);
                    return Ok(Some((Ended::Done, evidence, facts)));
                }
                Seen::Failed { evidence } => return Ok(Some((Ended::Failed, evidence, vec![]))),
                Seen::Todo { evidence, .. } | Seen::Foreign { evidence } if equal => {
                    return Ok(Some((Ended::Failed, evidence, vec![])));
                }
                Seen::Todo { .. } | Seen::Foreign { .. } | Seen::Busy { .. } => deaf = 0,
                Seen::Unknown { .. } => deaf += 1,
            }
            let waited = self.clock.monotonic().saturating_sub(began);
            if waited >= bound || deaf >= 5 {
                return Ok(None);
            }
            let wait =
                if matches!(before, Some(Look::Busy)) { limits.poll.0 } else { limits.settle.0 };
            self.clock.sleep(wait.min(bound)).await;
        }
    }
}

/// What two readings must agree in.
#[derive(Clone, Debug, PartialEq)]
enum Look {
    Done,
    Todo(Vec<crate::model::Change>),
    Busy,
    Failed,
    Foreign,
    Unknown,
}

fn kind_of(seen: &Seen) -> Look {
    match seen {
        Seen::Done { .. } => Look::Done,
        Seen::Todo { changes, .. } => Look::Todo(changes.clone()),
        Seen::Busy { .. } => Look::Busy,
        Seen::Failed { .. } => Look::Failed,
        Seen::Foreign { .. } => Look::Foreign,
        Seen::Unknown { .. } => Look::Unknown,
    }
}

const fn ended_name(ended: Ended) -> &'static str {
    match ended {
        Ended::Done => "done",
        Ended::Failed => "not done",
        Ended::Unknown => "unknown",
    }
}
