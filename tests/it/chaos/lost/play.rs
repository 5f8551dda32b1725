//! One seed: production is lost, operators do what they do, everything goes wrong; then it stops going wrong.

use std::collections::{BTreeMap, BTreeSet};

use changeover::conductor::{Command, MayLose, Reply};
use changeover::fault::Fault;
use changeover::machine::State;
use changeover::model::Roles;

use crate::chaos::door::{Defect, Lean};
use crate::chaos::fault::Dice;
use crate::chaos::people::MANAGER;
use crate::chaos::rig::Rig;

use super::base::base;
use super::person::{self, Typed};
use super::seen::{drift, unlike, unsaid};
use super::ways::Way;

/// Who else there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Second {
    /// Nobody.
    Nobody,
    /// One who speaks to the first one's conductor.
    Heard,
    /// One with a copy of the journal, whom no lock keeps away.
    Copied,
    /// One with a journal of their own, who took the marks once, or lost them again.
    Own,
}

/// How it stood when things stopped going wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// Users are on the other site, by the journal too.
    New,
    /// Nobody was moved and no failover is under way.
    Old,
    /// Halted, or left by a process that died, with users here or there.
    Half,
}

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) broken: Vec<String>,
    pub(crate) end: Option<End>,
    pub(crate) way: Option<Way>,
    pub(crate) second: Option<Second>,
    /// What else is to be told of it: `armed`, `from the armed plan`, `during a release`, `rejoined`, `home`.
    pub(crate) was: BTreeSet<&'static str>,
    /// Commands that led on to rest, beyond those that every walk has.
    pub(crate) ways_on: BTreeSet<&'static str>,
    pub(crate) refusals: BTreeMap<&'static str, u64>,
    pub(crate) two: u64,
    pub(crate) moved: u64,
    pub(crate) rows: u64,
    pub(crate) beside: u64,
    pub(crate) writes: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) diary: Vec<String>,
    /// What the last answer named as next.
    pub(super) named: Option<String>,
}

/// A seed under way.
pub(super) struct Play {
    pub(super) rig: Rig,
    pub(super) other: Option<Rig>,
    pub(super) dice: Dice,
    pub(super) lost: usize,
    pub(super) outcome: Outcome,
}

type Answer = Option<Result<Reply, Fault>>;

impl Play {
    fn note(&self, rig: &Rig, who: &str, command: &Command, answer: &Answer) {
        let said = match answer {
            None => "died".to_owned(),
            Some(Ok(reply)) => format!("{} → {}", reply.sentence, reply.next),
            Some(Err(it)) => format!(
                "{} {} {} [{}]",
                it.code.id,
                it.message,
                it.cause.clone().unwrap_or_default(),
                it.hint.clone().unwrap_or_default()
            ),
        };
        let state = rig.state();
        rig.door.earth().note(format!("{who}: {command:?}\n    < {said} [{state:?}]"));
    }

    pub(super) fn tell(&mut self, who: &str, command: &Command) -> Answer {
        let answer = self.rig.give(who, command);
        self.after(who, command, answer)
    }

    fn after(&mut self, who: &str, command: &Command, answer: Answer) -> Answer {
        self.note(&self.rig, who, command, &answer);
        self.outcome.named =
            answer.as_ref().and_then(|it| it.as_ref().ok()).map(|it| it.next.clone());
        if let Some(Err(fault)) = &answer {
            *self.outcome.refusals.entry(fault.code.id).or_insert(0) += 1;
        }
        self.rig.door.earth().faults.fuse = None;
        self.rig.door.earth().faults.after_batch = None;
        if answer.is_none() && self.dice.one_in(2) {
            self.rig.power_cut();
        }
        self.watch();
        answer
    }

    /// Where the world has two that take writes, `drift` says so.
    fn watch(&mut self) {
        let Some(second) = self.rig.door.earth().second_writer() else { return };
        let (report, took) = drift(&self.rig);
        let record = self.rig.life().record;
        let late = (took > 10_000).then(|| format!("drift took {took} ms"));
        self.outcome.two += 1;
        let ours = record.moving() || record.quarantined.is_some() || !record.unfenced().is_empty();
        let wrong = if ours { unsaid(&report, &self.rig, second) } else { unlike(&report) };
        if let Some(wrong) = wrong.or(late) {
            self.rig.door.earth().broken(wrong);
        }
    }

    /// Before: armed or not, and how long ago; somebody else with a journal.
    fn prepares(&mut self) {
        let steady = self.rig.state() == State::Steady;
        if self.outcome.second == Some(Second::Own) && steady {
            let other = self.rig.other(false);
            for command in [Command::Adopt, Command::Init, Command::Arm] {
                let answer = other.give("engineer-b", &command);
                self.note(&other, "engineer-b", &command, &answer);
            }
            if self.dice.below(4) > 0 {
                self.tell(MANAGER, &Command::Adopt);
            }
            self.other = Some(other);
        }
        if steady && self.rig.door.lean == Lean::Jobs {
            self.until_the_load();
        } else if steady && self.dice.one_in(3) {
            let hours = self.dice.between(1, 30);
            self.rig.wait(hours * 3600);
        } else if steady && self.dice.one_in(6) {
            self.until_the_load();
        }
        if steady && self.dice.one_in(2) {
            if matches!(self.tell(MANAGER, &Command::Arm), Some(Ok(_))) {
                self.outcome.was.insert("armed");
            }
            let ago = if self.dice.one_in(5) {
                self.dice.between(3500, 5000)
            } else {
                self.dice.below(900)
            };
            self.rig.wait(ago);
        }
    }

    /// To just about when the standby's nightly load begins.
    fn until_the_load(&mut self) {
        let now = u64::try_from(self.rig.door.earth().wall().0 / 1_000_000).unwrap() % 86_400;
        let (load, about) = (10 * 3600 + 5 * 60, self.dice.below(400));
        let left = (load + 86_400 - now) % 86_400;
        self.rig.wait((left + about).saturating_sub(120));
    }

    fn loses(&mut self) {
        let way = self.dice.pick(&Way::ALL);
        self.outcome.way = Some(way);
        let (soon, after) = (self.dice.one_in(3), self.dice.between(1, 240));
        let mut earth = self.rig.door.earth();
        earth.faults.on = true;
        self.lost = earth.production();
        earth.loses(self.lost, way);
        if soon {
            earth.comes_back_in(self.lost, after);
        }
        drop(earth);
        let leans = self.rig.door.lean == Lean::Jobs;
        let passes = if !leans && self.dice.one_in(3) {
            self.dice.below(1800)
        } else {
            self.dice.below(120)
        };
        self.rig.wait(passes);
    }

    /// Something may go wrong with the operator's machine in the next command.
    fn lights_fuse(&mut self) {
        let mut earth = self.rig.door.earth();
        if !earth.faults.on {
            return;
        }
        match self.dice.below(6) {
            0 | 1 => earth.faults.fuse = Some(self.dice.between(1, 120)),
            2 => earth.faults.after_batch = Some(self.dice.between(1, 2)),
            _ => (),
        }
    }

    /// A look, then the command with what the person types.
    fn fails_over(&mut self) {
        let typed = match self.rig.door.defect {
            Defect::Consent => Typed::Less,
            _ => Typed::any(&mut self.dice),
        };
        self.types(typed);
    }

    pub(super) fn types(&mut self, typed: Typed) {
        let shown = self.rig.dry(MANAGER, &person::failover());
        let Some(Ok(reply)) = &shown else {
            self.after(MANAGER, &person::failover(), shown);
            return;
        };
        let Some(given) = person::confirms(reply, typed) else { return };
        self.rig.door.earth().note(format!("shown: {} → {}", reply.sentence, reply.next));
        if self.rig.door.earth().faults.on && self.dice.one_in(4) {
            let later = self.dice.below(330);
            self.rig.wait(later);
        }
        let mut command = given.clone();
        if self.rig.door.defect == Defect::Consent
            && let Some(MayLose::Seconds(_)) = given.accept_data_loss
        {
            command.accept_data_loss = Some(MayLose::Seconds(i64::from(i32::MAX)));
        }
        self.rig.door.earth().incidents.said = given.accept_data_loss;
        self.lights_fuse();
        self.gives(&Command::Failover(command));
    }

    /// One person, or two at once.
    fn gives(&mut self, command: &Command) {
        let after = self.dice.below(3000);
        let clock = self.rig.door.clock.clone();
        match (self.outcome.second, &self.other) {
            (Some(Second::Heard), _) => {
                let both = self.rig.beside((MANAGER, command), ("engineer-b", command), after);
                let [one, two] = clock.run(both).unwrap_or_default();
                self.note(&self.rig, "engineer-b", command, &two);
                self.after(MANAGER, command, one);
            }
            (Some(Second::Copied), _) => {
                let other = self.rig.other(true);
                self.at_once(command, other, command, after);
            }
            (Some(Second::Own), Some(other)) => {
                let shown = other.dry("engineer-b", &person::failover());
                let theirs = shown.and_then(Result::ok);
                let theirs = theirs.and_then(|it| person::confirms(&it, Typed::Printed));
                let theirs = theirs.map_or_else(person::failover, Command::Failover);
                if let Some(other) = self.other.take() {
                    self.at_once(command, other, &theirs, after);
                }
            }
            (_, _) => {
                self.tell(MANAGER, command);
            }
        }
    }

    fn at_once(&mut self, command: &Command, other: Rig, theirs: &Command, after: u64) {
        let clock = self.rig.door.clock.clone();
        let (one, two) = {
            let waits = async {
                clock.pause(after).await;
                other.told("engineer-b", theirs, false).await
            };
            let both = async { futures_util::join!(self.rig.told(MANAGER, command, false), waits) };
            clock.run(both).unwrap_or_default()
        };
        self.note(&other, "engineer-b, elsewhere", theirs, &two);
        self.after(MANAGER, command, one);
        self.other = Some(other);
        if self.outcome.second == Some(Second::Copied) {
            self.survives();
        }
    }

    /// Faults, people, the lost site coming back.
    fn happens(&mut self) {
        for _ in 0..self.dice.between(2, 6) {
            let life = self.rig.life();
            let under_way = life.record.failing_over().is_some();
            if !under_way && life.record.quarantined.is_none() && self.dice.below(4) > 0 {
                self.fails_over();
            } else {
                self.lights_fuse();
                let (who, command) = match self.rig.door.lean {
                    Lean::Switch => person::back(&self.rig),
                    _ => person::other(&self.rig, &mut self.dice),
                };
                self.tell(who, &command);
            }
            if self.dice.one_in(5) {
                self.rig.door.earth().comes_back(self.lost);
            }
            let passes = self.dice.below(90);
            self.rig.wait(passes);
            self.watch();
        }
    }

    fn stands(&self) -> End {
        let life = self.rig.life();
        let record = &life.record;
        let settled = matches!(&record.roles, Some(Roles::Settled { .. }));
        let moved =
            record.incident.as_ref().is_some_and(|it| record.production() == Some(&it.consent.to));
        let rests = matches!(life.state, State::Steady | State::Ready { .. });
        match (settled && moved && rests, record.failing_over().is_some()) {
            (true, _) => End::New,
            (false, true) => End::Half,
            (false, false) => End::Old,
        }
    }
}

/// One seed, whole.
pub(crate) fn one(seed: u64, defect: Defect, lean: Lean) -> Outcome {
    let mut dice = Dice::new(seed ^ 0x1A57);
    let mut rig = Rig::from(base(&mut dice), seed, defect);
    rig.door.lean = lean;
    let all = [
        Second::Nobody,
        Second::Nobody,
        Second::Nobody,
        Second::Heard,
        Second::Copied,
        Second::Own,
    ];
    let second = Some(dice.pick(&all));
    let mut outcome = Outcome { second, ..Outcome::default() };
    if rig.state() != State::Steady {
        outcome.was.insert("during a release");
    }
    let mut play = Play { rig, other: None, dice, lost: 0, outcome };
    play.prepares();
    play.loses();
    play.happens();
    play.outcome.end = Some(play.stands());
    super::rest::rest(&mut play);
    play.ends()
}
