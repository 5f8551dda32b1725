//! Goes on until people are needed: works on groups of steps, settles, and enters the phases it may.

use std::sync::PoisonError;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::conductor::command::Progress;
use crate::conductor::fence::to_be_fenced;
use crate::conductor::roles::roles_at;
use crate::conductor::work::is_half;
use crate::conductor::{Conductor, Handed, StepEnd};
use crate::fault::Fault;
use crate::machine::{At, Ended, Fact, Input, Life, State, Told};
use crate::model::{Actor, Evidence, Kind, Phase, SiteName, Way, telling};

/// How far to go on without being told.
#[derive(Clone, Debug, Default)]
pub(super) struct Goal {
    /// Past the ends of phases, up to gate, swap, soak.
    pub auto: bool,
    /// Into the swap as well: this site was typed.
    pub confirm: Option<SiteName>,
}

impl Conductor {
    /// Works until the machine waits for people or has come to rest.
    ///
    /// # Errors
    /// The journal could not be written, or a guard refused to enter a phase.
    pub(super) async fn drive(&self, by: &Actor, goal: &Goal) -> Result<(), Fault> {
        loop {
            let life = self.life();
            match life.state {
                State::Steady | State::Halted { .. } => return Ok(()),
                State::Asking { until, .. } if until <= self.clock.now() => {
                    self.decide(by, Input::Due, Told::default())?;
                }
                State::Asking { .. } => return Ok(()),
                State::Settling { failover, .. } => {
                    if !Box::pin(self.settle_attended(by, failover)).await? {
                        return Ok(());
                    }
                }
                State::Doing { at, .. } if held_back(&life, at) => {
                    let why = if life.record.paused { "paused" } else { "frozen" };
                    self.say(&format!("{why} in {}", at.phase.name()));
                    return Ok(());
                }
                State::Doing { at, .. } => {
                    if at.phase == Phase::Swap && at.kind != Kind::Failover {
                        // Said before users are moved: a crash half-way leaves no stale table.
                        self.publish(false).await;
                    }
                    Box::pin(self.work_group(by, at)).await?;
                }
                State::Ready { at } if goes_on(&life, at, goal) => {
                    Box::pin(self.next(by, goal)).await?;
                }
                State::Ready { .. } => return Ok(()),
            }
        }
    }

    /// Enters the next phase, after its guards.
    pub(super) async fn next(&self, by: &Actor, goal: &Goal) -> Result<(), Fault> {
        self.guard_next(by, goal).await?;
        self.decide(by, Input::Next, Told::default())
    }

    /// Works on what the state wants until its group has ended or somebody led the machine elsewhere.
    async fn work_group(&self, by: &Actor, at: At) -> Result<(), Fault> {
        let mut inbox = self.inbox.lock().await;
        let mut tasks = FuturesUnordered::new();
        for step in self.wanted() {
            tasks.push(self.work_timed(by, at, step));
        }
        // Told to leave, the machine stands at the same place: what is under way is dropped then, and
        // its open intents are settled.
        let here = |state| matches!(state, State::Doing { at: now, .. } if now == at);
        while here(self.life().state) && !tasks.is_empty() {
            tokio::select! {
                Some((step, end)) = tasks.next() => self.end_step(by, step, end?)?,
                Some(handed) = inbox.recv() => self.handed(handed).await?,
            }
        }
        Ok(())
    }

    /// Settles, and hears a second command meanwhile: a person may know how something ended. True to go
    /// on.
    async fn settle_attended(&self, by: &Actor, failover: bool) -> Result<bool, Fault> {
        let mut inbox = self.inbox.lock().await;
        tokio::select! {
            settled = self.settle(by, failover) => settled,
            Some(handed) = inbox.recv() => {
                self.handed(handed).await?;
                Ok(true)
            }
        }
    }

    /// The steps the state wants worked on.
    fn wanted(&self) -> Vec<u8> {
        let life = self.life();
        let mut steps = vec![];
        for effect in crate::machine::resume(&life.rules, &life.record, life.state) {
            if let crate::machine::Effect::Run { step, .. } = effect {
                steps.push(step);
            }
        }
        steps
    }

    async fn work_timed(&self, by: &Actor, at: At, step: u8) -> (u8, Result<StepEnd, Fault>) {
        let found = self.life().rules.step(at.phase, step).cloned();
        let began = self.clock.monotonic();
        if let (Some(id), Ok(workflow)) = (&found, self.run_workflow()) {
            let kind = workflow.step(at.phase, step).map_or("", |it| it.kind()).to_owned();
            let (expected, time) = (self.expected.get(id).copied(), self.clock.now());
            self.watcher.tell(&Progress::Started { at, step: id.clone(), kind, time, expected });
        }
        let end = self.work_on(by, at, step).await;
        if let (Some(id), Ok(end)) = (found, &end) {
            let took = self.clock.monotonic().saturating_sub(began).as_millis();
            self.watcher.tell(&Progress::Ended {
                at,
                step: id,
                ended: end.ended,
                says: telling(&end.evidence, end.ended == Ended::Done)
                    .map(|it| it.says.clone())
                    .unwrap_or_default(),
                time: self.clock.now(),
                took_ms: u64::try_from(took).unwrap_or(u64::MAX),
            });
        }
        (step, end)
    }

    /// Writes a step's outcome; the outcome and the move it causes are one line.
    fn end_step(&self, by: &Actor, step: u8, end: StepEnd) -> Result<(), Fault> {
        let input = Input::Step { step, ended: end.ended };
        *self.half.lock().unwrap_or_else(PoisonError::into_inner) = is_half(&end.evidence);
        if let Some(journal) = foreign_mark(&end.evidence).filter(|_| end.ended != Ended::Done) {
            *self.foreign.lock().unwrap_or_else(PoisonError::into_inner) = Some(journal);
        }
        let at = self.life().state.at();
        let well = end.ended == Ended::Done;
        if let (Some(at), Some(told)) = (at, telling(&end.evidence, well)) {
            self.remember_end(at.phase, step, &told.says);
        }
        self.decide(by, input, (None, end.evidence, end.facts))
    }

    /// Decides an input that must be wanted here.
    pub(super) fn decide(&self, by: &Actor, input: Input, told: Told) -> Result<(), Fault> {
        let before = self.life().state.at();
        let (evidence_and_reason, mut facts) = ((told.0, told.1), told.2);
        let parts = self.fence_parts();
        let mut book = self.book();
        if let Ok(turned) = book.try_input(by, &input) {
            facts.extend(stamp(book.life(), &turned.state, self.clock.now()));
            facts.extend(follows(book.life(), &input, &turned.state));
            facts.extend(to_be_fenced(book.life(), &turned, &parts));
        }
        let (reason, evidence) = evidence_and_reason;
        let name = input.name();
        match book.decide(by, input, (reason, evidence, facts))? {
            Ok(_) => {
                let (life, time) = (book.life().clone(), self.clock.now());
                drop(book);
                self.fence_beside(&life);
                if let Some(at) = life
                    .state
                    .at()
                    .filter(|at| before.map(|it| (it.phase, it.way)) != Some((at.phase, at.way)))
                {
                    self.watcher.tell(&Progress::Phase { at, time });
                }
                Ok(())
            }
            Err(_) => {
                drop(book);
                Err(self.not_now(name))
            }
        }
    }

    pub(super) fn say(&self, says: &str) {
        self.watcher.tell(&Progress::Said { says: says.to_owned() });
    }

    /// Carries out a second command's order.
    ///
    /// # Errors
    /// The journal could not be written.
    async fn handed(&self, (order, who, answer): Handed) -> Result<(), Fault> {
        if answer.is_closed() {
            // It was told that nobody took its order; so nobody does.
            return Ok(());
        }
        let reply = if order.dry_run {
            Box::pin(self.plan(&order)).await
        } else {
            match Box::pin(self.accept_order(&order, &who)).await {
                Ok(_) => Ok(self.reply_to(&order.command)),
                Err(fault) => Err(self.refused(&order, &who, fault)?),
            }
        };
        if answer.send(reply).is_err() {
            self.say("the other command went away; its order was carried out all the same");
        }
        Ok(())
    }
}

/// Whether nothing new may be started here: a person paused the run, or a freeze lies on the system.
fn held_back(life: &Life, at: At) -> bool {
    life.record.paused || crate::machine::frozen_out(&life.record, at)
}

/// What a finished phase makes true, however its last step came to its end.
fn follows(before: &Life, input: &Input, to: &State) -> Option<Fact> {
    let (from, run) = (before.state.at()?, before.record.run.as_ref()?);
    let ends = matches!(input, Input::Step { .. } | Input::Skip { .. } | Input::Resolve { .. });
    let stays = matches!(to, State::Doing { at, .. } if at.phase == from.phase);
    let done = ends && !stays && !matches!(to, State::Halted { .. });
    let (production, standby) = roles_at(&before.record, run, from);
    match from.phase {
        Phase::Deploy if done => {
            Some(Fact::Release { site: standby, version: run.version.clone()? })
        }
        Phase::Renew if done => {
            let version = before.record.releases.get(&production)?.clone();
            Some(Fact::Release { site: standby, version })
        }
        Phase::Preflight
        | Phase::Deploy
        | Phase::Embargo
        | Phase::SyncOff
        | Phase::Backup
        | Phase::Reset
        | Phase::Validate
        | Phase::Assess
        | Phase::Fence
        | Phase::Swap
        | Phase::Sanity
        | Phase::Soak
        | Phase::Lift
        | Phase::Renew
        | Phase::SyncOn => None,
    }
}

/// The other journal whose mark was met, if these readings name one.
pub(super) fn foreign_mark(evidence: &[Evidence]) -> Option<String> {
    let named = |it: &Evidence| Some(it.data.get("foreign_mark")?.as_str()?.to_owned());
    evidence.iter().find_map(named)
}

/// A new stamp on the first entry into `backup` or `renew`; always later than any stamp before it, so
/// that two copies never share a key.
fn stamp(life: &Life, to: &State, now: crate::model::Time) -> Option<Fact> {
    let at = to.at()?;
    let entering = life.state.at().is_none_or(|from| from.phase != at.phase || from.way != at.way);
    if !entering || !matches!(at.phase, Phase::Backup | Phase::Renew) {
        return None;
    }
    let mut time = now;
    while life.record.last_stamp.as_deref().is_some_and(|last| time.stamp().as_str() <= last) {
        time = time.plus_seconds(60);
    }
    Some(Fact::Stamp { stamp: time.stamp() })
}

/// Whether the end of a phase is passed without being told.
fn goes_on(life: &Life, at: At, goal: &Goal) -> bool {
    if life.record.paused {
        return false;
    }
    // Nobody is waited for where no users are.
    if at.kind == Kind::Drill {
        return true;
    }
    // What a person agreed to is the whole move, not its first phase.
    let agreed = at.kind == Kind::Failover && life.record.failing_over().is_some();
    if agreed && at.way == Way::Forth && !matches!(at.phase, Phase::Soak | Phase::Lift) {
        return true;
    }
    let approved = life.rules.gate.is_none() || crate::machine::approved(&life.rules, &life.record);
    match (at.way, at.phase) {
        // Going back and giving up do not stop half-way; only before the standby is overwritten.
        (Way::Back, Phase::Swap | Phase::Sanity) => true,
        (Way::Back, Phase::Lift) => false,
        (Way::Abort, _) => true,
        // The gate belongs to the phase it ends.
        (Way::Forth, Phase::Validate) if !approved => true,
        (Way::Forth, Phase::Validate) => goal.auto && goal.confirm.is_some(),
        (Way::Forth, Phase::Soak) => false,
        (Way::Forth | Way::Back, _) => goal.auto,
    }
}
