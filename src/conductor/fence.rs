//! Taking away a lost site's power to act, as far as it can be reached: part by part, side by side, within a
//! bound, never in the way of the swap. What is not done is owed and stays on every screen until it is.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;

use crate::conductor::command::{Command, Order};
use crate::conductor::drive::Goal;
use crate::conductor::{Conductor, StepEnd};
use crate::fault::{E2060, Fault};
use crate::machine::{At, Closed, Ended, Fact, FenceEnd, Life, Owed, Record, Run, State, Turned};
use crate::model::{Actor, Digest, Kind, Phase, Way};
use crate::port::Seen;
use crate::workflow::step::Step;

/// Where the parts of the fence stand, whatever is open now.
const FENCE: At =
    At { kind: Kind::Failover, way: Way::Forth, phase: Phase::Fence, group: 0, tried: 1 };

impl Conductor {
    /// Works until people are needed; beside the swap of a failover the lost site is fenced.
    pub(super) async fn drive_and_fence(
        &self,
        by: &Actor,
        goal: &Goal,
        command: &Command,
    ) -> Result<(), Fault> {
        if self.owes_fence_now(command) {
            self.to_fence.notify_one();
        }
        let mut drive = Box::pin(self.drive(by, goal));
        let begun = AtomicBool::new(false);
        let mut fence = Box::pin(async {
            self.to_fence.notified().await;
            begun.store(true, Ordering::SeqCst);
            let (fenced, counted) = tokio::join!(self.fence(by), self.count_copy(by));
            fenced.and(counted)
        });
        tokio::select! {
            // The fence is started first: what is polled first has its first call out first.
            biased;
            fenced = &mut fence => {
                fenced?;
                drive.await
            }
            driven = &mut drive => {
                // Begun or about to begin: it is bounded. Else there is nothing to wait for.
                driven?;
                let begun = begun.load(Ordering::SeqCst);
                if !begun && self.fencing() {
                    self.to_fence.notify_one();
                }
                if begun || self.fencing() { fence.await } else { Ok(()) }
            }
        }
    }

    /// The fence has begun in this command and has parts that were not tried yet.
    fn fencing(&self) -> bool {
        let record = self.life().record;
        let untried = |incident: &crate::machine::Incident| {
            record.unfenced().iter().any(|(part, _)| !incident.fence.contains_key(part))
        };
        self.swapping(&record) && record.incident.as_ref().is_some_and(untried)
    }

    /// Users are being moved by the open failover, or have been.
    fn swapping(&self, record: &Record) -> bool {
        record.failing_over().is_some()
            && self.life().state.at().is_some_and(|at| {
                at.kind == Kind::Failover && !matches!(at.phase, Phase::Assess | Phase::Fence)
            })
    }

    /// After a crash, or where people ask again.
    fn owes_fence_now(&self, command: &Command) -> bool {
        let life = self.life();
        let crashed = self.swapping(&life.record) && matches!(life.state, State::Doing { .. });
        let again = matches!(command, Command::Retry) && life.record.incident.is_some();
        let rejoining = life.record.run.as_ref().is_some_and(|it| it.kind == Kind::Rejoin);
        !life.record.unfenced().is_empty() && (crashed || again && !rejoining)
    }

    /// A retry that had nothing to do but the fence ends as the fence does.
    pub(super) fn asked_to_fence(&self, before: &Life, order: &Order) -> Result<(), Fault> {
        let resting = matches!(before.state, State::Steady | State::Ready { .. });
        if order.command == Command::Retry && resting {
            return self.still_unfenced("changeover run retry");
        }
        Ok(())
    }

    /// Called after each decision: the swap of a failover has begun.
    pub(super) fn fence_beside(&self, life: &Life) {
        let begins = matches!(life.state, State::Doing { at, .. }
            if at.kind == Kind::Failover && at.way == Way::Forth && at.phase == Phase::Swap && at.group == 0);
        if begins && self.fencing() && !self.moves_first() {
            self.to_fence.notify_one();
        }
    }

    /// The parts of the fence, with their positions.
    pub(super) fn fence_parts(&self) -> Vec<(u8, Step)> {
        let steps = self.machine_steps(Phase::Fence).unwrap_or_default();
        let placed = steps.into_iter().enumerate();
        placed.filter_map(|(at, step)| Some((u8::try_from(at).ok()?, step))).collect()
    }

    /// Tries every part that is owed, side by side, and writes how each stands.
    pub(super) async fn fence(&self, by: &Actor) -> Result<(), Fault> {
        let owed = self.life().record.unfenced();
        let parts = self.fence_parts();
        let due = parts.iter().filter(|(_, step)| owed.iter().any(|(part, _)| *part == step.id));
        let tried =
            join_all(due.map(|(at, step)| Box::pin(self.fence_beside_run(by, *at, step)))).await;
        tried.into_iter().collect()
    }

    async fn fence_beside_run(&self, by: &Actor, position: u8, step: &Step) -> Result<(), Fault> {
        let mut end = self.fence_part(by, FENCE, position, step).await?;
        let open = self.life().record.intents.contains_key(&(Phase::Fence, position));
        if open && end.ended != Ended::Unknown {
            end.facts.push(Fact::Settled(Closed {
                phase: Phase::Fence,
                step: position,
                ended: end.ended,
            }));
        }
        let how = end.evidence.last().map(|it| it.says.clone()).unwrap_or_default();
        self.say(&format!("fence {how}"));
        self.book().note(by, format!("fence {}: {how}", step.id), None, end.evidence, end.facts)
    }

    /// One part as a step of its own phase. What cannot be fenced is owed; it never keeps users from being moved.
    pub(super) async fn fence_in_turn(
        &self,
        by: &Actor,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<StepEnd, Fault> {
        let end = self.fence_part(by, at, position, step).await?;
        Ok(StepEnd { ended: Ended::Done, ..end })
    }

    /// One part: done, not reachable or refused. Unknown when something was sent of which nobody knows.
    async fn fence_part(
        &self,
        by: &Actor,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<StepEnd, Fault> {
        let (how, mut end) = match self.call(at, position, step)? {
            Err(missing) => (FenceEnd::Refused, StepEnd::failed(vec![missing])),
            Ok(call) => {
                let bound = call.workflow.limits.fence.0;
                let action = self.world.action(call);
                match self.observe_once(bound, &*action).await {
                    Seen::Unknown { evidence } => {
                        (FenceEnd::NotReachable, StepEnd::failed(evidence))
                    }
                    Seen::Foreign { evidence } | Seen::Failed { evidence } => {
                        (FenceEnd::Refused, StepEnd::failed(evidence))
                    }
                    Seen::Done { evidence, facts } => {
                        (FenceEnd::Done, StepEnd { ended: Ended::Done, evidence, facts })
                    }
                    // Its time-out is the fence's own. What was sent may still work after it: its intent
                    // stays open, and the next try finds it.
                    Seen::Todo { .. } | Seen::Busy { .. } => {
                        let end = self.attempt(by, at, position, step).await?;
                        let how = match end.ended {
                            Ended::Done => FenceEnd::Done,
                            Ended::Failed | Ended::Unknown => FenceEnd::Refused,
                        };
                        (how, end)
                    }
                }
            }
        };
        let Some(lost) = as_then(self.life().record).run.map(|it| it.production) else {
            return Ok(end);
        };
        let says = end.evidence.last().map(|it| it.says.clone()).unwrap_or_default();
        end.evidence.push(self.evidence(&format!("{}: {}", step.id, how.name())));
        end.facts.push(Fact::Fenced { part: step.id.clone(), site: lost, how, says });
        Ok(end)
    }

    /// Nothing is rebuilt on a site that may still act.
    pub(super) async fn fenced_whole(&self, by: &Actor) -> Result<(), Fault> {
        if self.life().record.unfenced().is_empty() {
            return Ok(());
        }
        self.fence(by).await?;
        self.still_unfenced("the same command")
    }

    /// What a person is told who asked for the fence and did not get it.
    pub(super) fn still_unfenced(&self, again: &str) -> Result<(), Fault> {
        let record = self.life().record;
        let left = record.unfenced();
        let Some((_, site)) = left.first() else { return Ok(()) };
        let parts = left.iter().map(|(part, _)| {
            let tried = record.incident.as_ref().and_then(|it| it.fence.get(part));
            tried.map_or_else(|| part.to_string(), |it| format!("{part} ({})", it.how.name()))
        });
        let parts: Vec<String> = parts.collect();
        Err(Fault::new(&E2060, format!("{site} may still act: {}", parts.join(", ")))
            .because("a site that is not fenced may write, back up or answer while it is rebuilt")
            .hint(format!("bring the site up so that it can be reached, then {again} again")))
    }
}

/// What is owed as soon as the fence or the swap of a failover is entered: every part of the fence.
pub(super) fn to_be_fenced(before: &Life, turned: &Turned, parts: &[(u8, Step)]) -> Vec<Fact> {
    let Some(at) = turned.state.at() else { return vec![] };
    let from = before.state.at().map(|it| (it.kind, it.phase));
    let enters = at.kind == Kind::Failover
        && at.way == Way::Forth
        && matches!(at.phase, Phase::Fence | Phase::Swap)
        && !matches!(from, Some((Kind::Failover, Phase::Fence | Phase::Swap)));
    let (Some(run), true) = (&turned.record.run, enters && turned.record.incident.is_some()) else {
        return vec![];
    };
    let part = |step: &Step| Owed::Fence { part: step.id.clone(), site: run.production.clone() };
    parts.iter().map(|(_, step)| Fact::Owe { owed: part(step) }).collect()
}

/// The record as the failover had it: its roles and its number, whatever run is open now. So the parts of the
/// fence keep their meaning, and what was sent then is found again.
pub(super) fn as_then(record: Record) -> Record {
    let Some(incident) = record.incident.clone() else { return record };
    if record.failing_over().is_some() {
        let same = record.run.as_ref().is_some_and(|it| it.kind == Kind::Failover);
        if same {
            return record;
        }
    }
    let (lost, to) = (incident.consent.lost.clone(), incident.consent.to.clone());
    given_up(record, lost, to, incident.run)
}

/// The record as it would be in a failover away from this site.
pub(super) fn given_up(
    record: Record,
    lost: crate::model::SiteName,
    to: crate::model::SiteName,
    number: u32,
) -> Record {
    let open = record.run.clone();
    let run = Run {
        number,
        kind: Kind::Failover,
        version: open.as_ref().and_then(|it| it.version.clone()),
        from_version: record.releases.get(&lost).cloned(),
        production: lost,
        standby: to,
        requester: String::new(),
        started: open.as_ref().map_or(record.now, |it| it.started),
        workflow: open.as_ref().map_or_else(Digest::default, |it| it.workflow),
        outside: vec![],
        stamp: open.as_ref().and_then(|it| it.stamp.clone()),
        backup: None,
        entered: std::collections::BTreeMap::new(),
        waived: open.map(|it| it.waived).unwrap_or_default(),
        // The site given up now is another question.
        without: std::collections::BTreeMap::new(),
    };
    Record { run: Some(run), ..record }
}
