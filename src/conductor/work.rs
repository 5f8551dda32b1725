//! One step worked on: a check is looked at, an action observes, plans, writes its intent, applies and
//! observes again. Every way a call can end leads to done, failed or unknown, never to a guess.

use std::time::Duration;

use crate::conductor::Conductor;
use crate::conductor::command::Progress;
use crate::conductor::resolve::owes;
use crate::conductor::verdict::expected;
use crate::fault::Fault;
use crate::machine::{At, Closed, Ended, Fact, Intent, Waiver};
use crate::model::{Actor, Change, Evidence, Nature, Phase, Verdict, telling};
use crate::port::{Action, Call, Finding, Seen, Sent};
use crate::workflow::step::Step;

/// How a step ended, with what it relied on.
#[derive(Clone, Debug)]
pub struct StepEnd {
    /// How.
    pub ended: Ended,
    /// What was read.
    pub evidence: Vec<Evidence>,
    /// What became true with it.
    pub facts: Vec<Fact>,
}

impl StepEnd {
    pub(super) const fn new(ended: Ended, evidence: Vec<Evidence>, facts: Vec<Fact>) -> Self {
        Self { ended, evidence, facts }
    }

    pub(super) const fn failed(evidence: Vec<Evidence>) -> Self {
        Self::new(Ended::Failed, evidence, vec![])
    }
}

/// What an action's next look means for its step.
enum Turn {
    End(StepEnd),
    /// Look again after a while.
    Again,
    /// Look again at once: a request was just accepted.
    Now,
}

impl Conductor {
    pub(super) async fn look(&self, at: At, position: u8, step: &Step) -> Result<StepEnd, Fault> {
        let began = self.clock.monotonic();
        let patience = step.wait.map_or(Duration::ZERO, |it| it.0);
        loop {
            // Read anew each time: a person may waive it while it is waited for.
            let waiver = self.life().record.run.and_then(|it| it.waived.get(&step.id).cloned());
            let call = match self.call(at, position, step)? {
                Ok(call) => call,
                Err(it) => {
                    return Ok(self.verdict(step, Verdict::Unknown, vec![it], vec![], waiver));
                }
            };
            let poll = call.workflow.limits.poll.0;
            // Preflight's checks begin together, so each has what is left of the whole.
            let whole = (at.phase == Phase::Preflight).then_some(call.workflow.limits.preflight.0);
            let waited = self.clock.monotonic().saturating_sub(began);
            let found = match whole.map(|it| it.saturating_sub(waited)) {
                Some(left) if left < call.timeout => {
                    let found = self.bounded(left, self.look_once(call)).await;
                    found.unwrap_or_else(|| self.overdue(whole.unwrap_or_default()))
                }
                Some(_) | None => self.look_once(call).await,
            };
            let verdict = expected(step.expect, found.verdict, &found.evidence);
            let waited = self.clock.monotonic().saturating_sub(began);
            let late = waited >= patience || whole.is_some_and(|it| waited + poll >= it);
            if verdict == Verdict::Pass || waiver.is_some() || late {
                return Ok(self.verdict(step, verdict, found.evidence, found.facts, waiver));
            }
            self.tell_seen(step, &found.evidence);
            self.clock.sleep(poll).await;
        }
    }

    /// The whole of preflight is over and this check has not ended.
    pub(super) fn overdue(&self, whole: Duration) -> Finding {
        let says = format!("not ended within the {} s of preflight", whole.as_secs());
        Finding { verdict: Verdict::Unknown, evidence: vec![self.evidence(&says)], facts: vec![] }
    }

    /// A check's step: unknown refuses like a failure, and stays known as unknown by its fact.
    fn verdict(
        &self,
        step: &Step,
        verdict: Verdict,
        mut evidence: Vec<Evidence>,
        mut facts: Vec<Fact>,
        waiver: Option<Waiver>,
    ) -> StepEnd {
        facts.push(Fact::Looked { check: step.id.clone(), verdict });
        let ended = match (verdict, waiver) {
            (Verdict::Pass, _) => Ended::Done,
            (Verdict::Fail | Verdict::Unknown, Some(waiver)) => {
                let seen = telling(&evidence, false).map_or("", |it| it.says.as_str());
                let says = format!("{}; {seen}", waiver.sentence(&step.id));
                evidence.push(self.evidence(&says));
                Ended::Done
            }
            (Verdict::Fail | Verdict::Unknown, None) => Ended::Failed,
        };
        StepEnd::new(ended, evidence, facts)
    }

    pub(super) async fn act(
        &self,
        by: &Actor,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<StepEnd, Fault> {
        let mut tries_left = step.retry.unwrap_or(1).max(1);
        loop {
            let end = self.attempt(by, at, position, step).await?;
            tries_left -= 1;
            if end.ended != Ended::Failed || tries_left == 0 || self.life().record.paused {
                return Ok(end);
            }
            // Another attempt: the failed one is written first, so that it is counted.
            let closed = Closed { phase: at.phase, step: position, ended: Ended::Failed };
            let text = format!("{}: attempt failed, trying again", step.id);
            self.book().note(by, text, None, end.evidence, vec![Fact::Settled(closed)])?;
        }
    }

    pub(super) async fn attempt(
        &self,
        by: &Actor,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<StepEnd, Fault> {
        let call = match self.call(at, position, step)? {
            Ok(call) => call,
            Err(evidence) => {
                // What an earlier attempt asked for is no better known than before.
                let open = self.life().record.intents.contains_key(&(at.phase, position));
                let ended = if open { Ended::Unknown } else { Ended::Failed };
                return Ok(StepEnd::new(ended, vec![evidence], vec![]));
            }
        };
        let (timeout, began) = (call.timeout, self.clock.monotonic());
        let (poll, settle) = (call.workflow.limits.poll.0, call.workflow.limits.settle.0);
        let mut tried = Tried { open: call.since.is_some(), ..Tried::default() };
        let action = self.world.action(call.clone());
        loop {
            let late = self.clock.monotonic().saturating_sub(began) >= timeout;
            let seen = self.observe_once(timeout, &*action).await;
            match self.turn(by, &call, position, step, &*action, &mut tried, seen, late).await? {
                Turn::End(mut end) => {
                    if end.ended == Ended::Done {
                        end.facts.extend(crate::conductor::exempt::becomes_true(&call));
                    }
                    return Ok(end);
                }
                Turn::Now => (),
                Turn::Again => {
                    // What may still be unsettled is read again only after the settle window.
                    let unsure = tried.todo.is_some() || tried.foreign;
                    let wait = if unsure { settle.max(poll) } else { poll };
                    self.clock.sleep(wait).await;
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one look and all it is judged by")]
    async fn turn(
        &self,
        by: &Actor,
        call: &Call,
        position: u8,
        step: &Step,
        action: &dyn Action,
        tried: &mut Tried,
        seen: Seen,
        late: bool,
    ) -> Result<Turn, Fault> {
        if !matches!(seen, Seen::Unknown { .. }) {
            tried.deaf = 0;
        }
        Ok(match seen {
            Seen::Done { evidence, facts } => Turn::End(StepEnd::new(Ended::Done, evidence, facts)),
            Seen::Failed { evidence } => Turn::End(StepEnd::failed(evidence)),
            // With a request of ours under way one odd reading settles nothing.
            Seen::Foreign { evidence } if tried.open && !tried.foreign => {
                (tried.foreign, tried.todo) = (true, None);
                self.tell_seen(step, &evidence);
                Turn::Again
            }
            Seen::Foreign { evidence } => Turn::End(StepEnd::failed(evidence)),
            Seen::Busy { evidence } => {
                (tried.foreign, tried.todo) = (false, None);
                self.tell_seen(step, &evidence);
                match (late, tried.open) {
                    (false, _) => Turn::Again,
                    (true, true) => Turn::End(StepEnd::new(Ended::Unknown, evidence, vec![])),
                    (true, false) => Turn::End(StepEnd::failed(evidence)),
                }
            }
            Seen::Unknown { evidence } => {
                tried.deaf += 1;
                self.tell_seen(step, &evidence);
                match (tried.open, late || tried.deaf >= DEAF_MAX) {
                    (_, false) => Turn::Again,
                    (true, true) => Turn::End(StepEnd::new(Ended::Unknown, evidence, vec![])),
                    // Nothing was sent: the world is as it was.
                    (false, true) => Turn::End(StepEnd::failed(evidence)),
                }
            }
            Seen::Todo { changes, evidence } => {
                tried.foreign = false;
                self.todo(by, call, position, step, action, tried, changes, evidence, late).await?
            }
        })
    }

    /// The end is not true. Before anything is sent, an open intent must be known not to have worked:
    /// two equal readings, a settle window apart. Only what sets a value may be sent again at once.
    #[expect(clippy::too_many_arguments, reason = "one look and all it is judged by")]
    async fn todo(
        &self,
        by: &Actor,
        call: &Call,
        position: u8,
        step: &Step,
        action: &dyn Action,
        tried: &mut Tried,
        changes: Vec<Change>,
        evidence: Vec<Evidence>,
        late: bool,
    ) -> Result<Turn, Fault> {
        let equal = tried.todo.as_ref() == Some(&changes);
        let stage = tried.sent.is_some() && tried.sent.as_ref() != Some(&changes);
        if stage && call.params.nature() == Nature::Once {
            // Its first request worked and it has another one to make: a job awaits another job.
            tried.sent = None;
        }
        if tried.sent.is_some() {
            // It does not show. What was accepted has until its deadline; of what is unknown the second
            // equal reading says that it did not work.
            tried.todo = Some(changes);
            return Ok(match (equal, late) {
                (true, true) => Turn::End(StepEnd::failed(evidence)),
                (true, false) if !tried.accepted => Turn::End(StepEnd::failed(evidence)),
                (false, true) => Turn::End(StepEnd::new(Ended::Unknown, evidence, vec![])),
                (true | false, false) => Turn::Again,
            });
        }
        let absolute = call.params.nature() == Nature::Absolute;
        if tried.open && !tried.settled && !equal && !absolute {
            tried.todo = Some(changes);
            return Ok(Turn::Again);
        }
        if let Some(against) = Box::pin(self.guard_last(call)).await {
            let evidence = evidence.into_iter().chain(against).collect();
            return Ok(Turn::End(StepEnd::failed(evidence)));
        }
        (tried.settled, tried.todo) = (true, None);
        // A deliberately wrong build, for the test that must catch it.
        #[cfg(feature = "defect-act-first")]
        let sent = self.apply_once(call.timeout, action, &changes).await;
        self.book().intend(by, Self::intent(call, position, step, &changes, evidence, action))?;
        (tried.open, tried.sent) = (true, Some(changes.clone()));
        #[cfg(not(feature = "defect-act-first"))]
        let sent = self.apply_once(call.timeout, action, &changes).await;
        if matches!(call.params, crate::workflow::step::Params::Move(_)) {
            self.end_from()?;
        }
        tried.accepted = matches!(sent, Sent::Accepted { .. });
        Ok(match sent {
            Sent::Accepted { evidence, .. } => {
                self.tell_seen(step, &evidence);
                if is_half(&evidence) {
                    // The rest was refused and will not show by waiting.
                    tried.accepted = false;
                }
                Turn::Now
            }
            Sent::Refused { evidence } => Turn::End(StepEnd::failed(evidence)),
            Sent::Unknown { evidence } => {
                self.tell_seen(step, &evidence);
                Turn::Again
            }
        })
    }

    fn intent(
        call: &Call,
        position: u8,
        step: &Step,
        changes: &[Change],
        observed: Vec<Evidence>,
        action: &dyn Action,
    ) -> Intent {
        Intent {
            phase: call.at.phase,
            step: position,
            id: step.id.clone(),
            action: call.params.kind().to_owned(),
            op: call.op.clone(),
            attempt: call.attempt,
            changes: changes.to_vec(),
            observed,
            facts: action
                .intends()
                .into_iter()
                .chain(owes(call))
                .chain(crate::conductor::exempt::loading(call))
                .collect(),
        }
    }

    fn tell_seen(&self, step: &Step, evidence: &[Evidence]) {
        if let Some(last) = evidence.last() {
            self.watcher.tell(&Progress::Seen { step: step.id.clone(), says: last.says.clone() });
        }
    }

    pub(super) fn evidence(&self, says: &str) -> Evidence {
        let data = serde_json::Value::Null;
        Evidence {
            source: "changeover".to_owned(),
            at: self.clock.now(),
            says: says.to_owned(),
            data,
        }
    }
}

/// Whether a request took effect in part: one zone of the switch moved and another did not.
pub(super) fn is_half(evidence: &[Evidence]) -> bool {
    evidence.iter().any(|it| it.data.get("half").is_some_and(|it| it == true))
}

/// How often in a row the world may stay silent before a step gives up.
const DEAF_MAX: u32 = 4;

/// What has happened so far in one attempt.
#[derive(Default)]
struct Tried {
    /// An intent is open: an effect may have happened.
    open: bool,
    /// It is known that the open intent of an earlier attempt did not work.
    settled: bool,
    /// The last request was accepted.
    accepted: bool,
    /// The last look saw what is neither the end nor what was before.
    foreign: bool,
    /// What this attempt has asked for.
    sent: Option<Vec<Change>>,
    /// What was still to do at the last look.
    todo: Option<Vec<Change>>,
    /// Silent looks in a row.
    deaf: u32,
}
