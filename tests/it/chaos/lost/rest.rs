//! Things have stopped going wrong: on to rest by what the screens name, and back home in some seeds.

use std::collections::BTreeMap;

use changeover::conductor::Command;
use changeover::fault::Fault;
use changeover::machine::{Life, State};
use changeover::model::{Phase, SiteName, Way};

use crate::chaos::people;
use crate::chaos::rig::Rig;

use super::person::{self, Typed};
use super::play::{Outcome, Play, Second};

/// How far people take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// Users are served; the lost site stays as it is.
    Served,
    /// The lost site is a standby again.
    Rejoined,
    /// And production again.
    Home,
}

/// Where it stands, without what changes at every try.
fn place(life: &Life) -> String {
    let at = life.state.at().map(|at| (at.kind, at.way, at.phase, at.group));
    let (owed, open) = (&life.record.owed, life.record.intents.keys().collect::<Vec<_>>());
    let (left, roles) = (&life.record.quarantined, &life.record.roles);
    format!("{} {at:?} {open:?} {owed:?} {left:?} {roles:?}", life.state.mode())
}

pub(super) fn rest(play: &mut Play) {
    play.survives();
    play.rig.door.earth().faults.on = false;
    let goal = match play.dice.below(6) {
        0 => Goal::Home,
        1 => Goal::Rejoined,
        _ => Goal::Served,
    };
    // Half of the lost sites are away for long.
    let away = if play.dice.one_in(2) { 30 } else { 0 };
    play.rig.wait(300);
    for _ in 0..2 {
        if play.production_lost() && play.rig.life().record.failing_over().is_none() {
            play.types(Typed::Printed);
        }
    }
    let (mut stuck, mut last) = ((String::new(), 0), None);
    for turn in 0..200 {
        let steady = play.rig.state() == State::Steady;
        if turn >= away || steady {
            let lost = play.lost;
            play.rig.door.earth().comes_back(lost);
        }
        let life = play.rig.life();
        if steady && done(&life, goal) {
            break;
        }
        let now = place(&life);
        stuck = if now == stuck.0 { (now, stuck.1 + 1) } else { (now, 0) };
        let back = life.state.at().is_some_and(|at| at.way == Way::Back);
        if back && stuck.1 > 9 && play.production_stopped() {
            // A late fence has stopped the site that users went back to: what leads on from there is another
            // piece of work, and such a seed is told and not judged.
            play.outcome.was.insert("not judged: on the way back, and its goal was stopped");
            return;
        }
        let Some((who, command)) = next(play, goal, turn, stuck.1, last.as_ref()) else { break };
        if stuck.1 > 30 {
            break;
        }
        let usual = ["next", "approve", "accept"];
        if !usual.contains(&command.name()) {
            play.outcome.ways_on.insert(command.name());
        }
        last = play.tell(who, &command).and_then(Result::err);
        let preflight = play.rig.state().at().is_some_and(|it| it.phase == Phase::Preflight);
        play.rig.wait(if preflight { 2400 } else { 75 });
    }
    if play.rig.state() != State::Steady {
        let state = play.rig.state();
        play.rig.door.earth().broken(format!("does not come to rest: {state:?}"));
    }
}

fn done(life: &Life, goal: Goal) -> bool {
    let record = &life.record;
    let back =
        record.incident.as_ref().is_none_or(|it| record.production() != Some(&it.consent.to));
    match goal {
        Goal::Served => true,
        Goal::Rejoined => record.quarantined.is_none(),
        Goal::Home => record.quarantined.is_none() && back,
    }
}

/// What the screen names; where that leads nowhere, what the refusal names; then what else is allowed.
fn next(
    play: &Play,
    goal: Goal,
    turn: usize,
    stuck: u32,
    last: Option<&Fault>,
) -> Option<(&'static str, Command)> {
    let life = play.rig.life();
    let screen = || {
        if life.state == State::Steady && life.record.quarantined.is_none() && goal == Goal::Home {
            return person::parsed("failback", turn);
        }
        person::said(&play.rig, turn)
    };
    let named = || {
        let (_, words) = play.outcome.named.as_deref()?.rsplit_once("changeover ")?;
        person::parsed(words, turn)
    };
    let hinted = || last.and_then(|it| person::hinted(it, turn)).or_else(named);
    let resolved = || Some((people::MANAGER, person::resolve(&life, stuck.is_multiple_of(2))?));
    let out = || Some((people::MANAGER, people::way_out(&life)?));
    match stuck % 10 {
        0..=3 => screen(),
        4 | 5 => hinted().or_else(screen),
        6 | 7 => resolved().or_else(screen),
        8 if stuck > 10 => out().or_else(screen),
        9 if stuck > 10 => Some((people::MANAGER, play.adopts())),
        _ => screen(),
    }
}

impl Play {
    /// The journal that goes on: the one that gave production up, if one did.
    pub(super) fn survives(&mut self) {
        let Some(other) = self.other.take() else { return };
        let production = {
            let earth = self.rig.door.earth();
            earth.sites[earth.production()].name.clone()
        };
        // How far a journal has brought users.
        let far = |rig: &Rig| {
            let record = rig.life().record;
            let here = record.production().is_some_and(|it| it.as_str() == production);
            let moved = record
                .incident
                .as_ref()
                .is_some_and(|it| record.production() == Some(&it.consent.to));
            (record.moving() || moved && here, record.failing_over().is_some())
        };
        if far(&other) > far(&self.rig) {
            self.rig = other.first();
            self.rig.door.earth().note("the other journal goes on".to_owned());
        }
    }

    fn production_lost(&self) -> bool {
        let earth = self.rig.door.earth();
        !earth.sites[earth.production()].gone.is_empty()
    }

    fn production_stopped(&self) -> bool {
        let earth = self.rig.door.earth();
        earth.sites[earth.production()].stopped
    }

    /// The world is right.
    fn adopts(&self) -> Command {
        let earth = self.rig.door.earth();
        let production = earth.sites[earth.production()].name.clone();
        Command::DriftAdopt { confirm: Some(SiteName(production)) }
    }

    pub(super) fn ends(mut self) -> Outcome {
        let life = self.rig.life();
        let record = &life.record;
        let given_up = record.incident.as_ref().map(|it| it.consent.lost.clone());
        let was = [
            ("rejoined", given_up.is_some() && record.quarantined.is_none()),
            ("home", given_up.is_some() && record.production() == given_up.as_ref()),
            (
                "from the armed plan",
                record.incident.as_ref().is_some_and(|it| it.consent.armed.is_some()),
            ),
        ];
        self.outcome.was.extend(was.into_iter().filter(|it| it.1).map(|it| it.0));
        let mut earth = self.rig.door.earth();
        let alone = !matches!(self.outcome.second, Some(Second::Copied | Second::Own));
        let judged = !self.outcome.was.iter().any(|it| it.starts_with("not judged"));
        let wrong = if !judged {
            vec![]
        } else if alone
            && record.quarantined.is_none()
            && record.owed.is_empty()
            && record.run.is_none()
        {
            earth.judge_rest(&life)
        } else {
            earth.judge_served(record.production())
        };
        wrong.into_iter().for_each(|it| earth.broken(it));
        let outcome = &mut self.outcome;
        outcome.moved = earth.incidents.moved;
        outcome.rows = earth.incidents.rows;
        outcome.beside = earth.incidents.beside;
        outcome.writes = earth.oracle.kept.len() as u64;
        outcome.faults = std::mem::take(&mut earth.faults.counts);
        outcome.broken = std::mem::take(&mut earth.oracle.broken);
        outcome.diary = std::mem::take(&mut earth.diary);
        drop(earth);
        self.outcome
    }
}

impl crate::chaos::earth::Earth {
    /// Users are served where the journal says, and keep what they were told is kept.
    fn judge_served(&self, production: Option<&SiteName>) -> Vec<String> {
        let site = &self.sites[self.production()];
        let name = &site.name;
        let mut wrong = vec![];
        if production.map(SiteName::as_str) != Some(name.as_str()) {
            wrong.push(format!("users are at {name}, the journal says {production:?}"));
        }
        if site.db.refuses || !site.db.tables {
            wrong.push(format!("{name} is production and takes no writes"));
        }
        wrong.extend(self.lost_writes());
        wrong
    }
}

/// How often each was.
pub(super) fn tally<K: Ord>(all: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    let mut many = BTreeMap::new();
    all.for_each(|it| *many.entry(it).or_insert(0) += 1);
    many
}
