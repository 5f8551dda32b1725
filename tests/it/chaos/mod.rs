//! Chaos: the shipped workflow over a whole world in memory, hundreds of seeds of it.
//!
//! Faults at random calls and lines, people who change things by hand, operators who say anything, users
//! who write all the time. Then the faults stop, and every system must come to rest with nothing lost.
//! `CHANGEOVER_SEED=n` runs one seed alone and tells what happened.

mod dns;
mod door;
mod door_data;
mod door_host;
mod door_site;
mod door_switch;
mod earth;
mod fault;
mod gitlab;
mod host;
mod lost;
mod mended;
mod oracle;
mod people;
mod rig;
mod sight;
mod time;
mod users;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use changeover::conductor::Command;
use changeover::machine::{Life, State};
use changeover::model::Phase;

use door::{Defect, Lean};
use fault::Dice;
use rig::Rig;

const SEEDS: u64 = 500;

/// What one seed came to.
#[derive(Debug, Default)]
struct Outcome {
    broken: Vec<String>,
    /// The command beside `retry` and `resolve` that it took, if any.
    took: Option<&'static str>,
    commands: u64,
    runs: u64,
    moves: u64,
    writes: u64,
    refused: u64,
    excused: u64,
    faults: BTreeMap<&'static str, u64>,
    diary: Vec<String>,
}

/// Faults, people, commands at random.
fn play(rig: &Rig, dice: &mut Dice, outcome: &mut Outcome) {
    let mut resume_in = None;
    for _ in 0..dice.between(30, 70) {
        let (who, command) = match resume_in {
            Some(0) => (people::MANAGER, Command::Resume),
            Some(_) | None => people::random_command(rig, dice),
        };
        resume_in = match resume_in {
            Some(0) => None,
            Some(left) => Some(left - 1),
            None => (command == Command::Pause).then(|| dice.below(3)),
        };
        let loads = matches!(rig.state(), State::Ready { at } if matches!(at.phase, Phase::Backup | Phase::Lift));
        if rig.door.lean == Lean::Jobs && loads {
            people::schedules(&mut rig.door.earth());
            rig.wait(90);
        }
        if rig.door.lean == Lean::Env && loads {
            rig.wait(60);
            people::edits(&mut rig.door.earth());
            rig.wait(40);
        }
        if dice.one_in(5) {
            let kind = dice.below(5);
            people::mishap(&mut rig.door.earth(), kind);
        }
        if dice.one_in(4) {
            rig.door.earth().faults.fuse = Some(dice.between(1, 80));
        }
        tell(rig, who, &command, outcome);
        rig.door.earth().faults.fuse = None;
        rig.wait(if dice.one_in(14) { dice.between(1, 9) * 3600 } else { dice.below(120) });
    }
    if resume_in.is_some() {
        tell(rig, people::MANAGER, &Command::Resume, outcome);
    }
}

fn tell(rig: &Rig, who: &str, command: &Command, outcome: &mut Outcome) {
    outcome.commands += 1;
    rig.door.earth().note(format!("> {who}: {command:?}"));
    let before = rig.state();
    let said = match rig.give(who, command) {
        None => "died".to_owned(),
        Some(Ok(reply)) => reply.sentence,
        Some(Err(fault)) => {
            format!("{} {} {}", fault.code.id, fault.message, fault.cause.unwrap_or_default())
        }
    };
    rig.door.earth().note(format!("< {said} [{:?}]", rig.state()));
    if rig.state() == State::Steady && before != State::Steady {
        let mut earth = rig.door.earth();
        if let Some(lost) = earth.lost_writes() {
            earth.broken(format!("steady, but {lost}"));
        }
    }
}

/// Where it stands, without what changes at every try.
fn place(life: &Life) -> String {
    let at = life.state.at().map(|at| (at.way, at.phase, at.group));
    format!("{} {at:?} {:?}", life.state.mode(), life.record.intents.keys().collect::<Vec<_>>())
}

/// The faults have stopped: on to rest, with `retry` and `resolve` as far as they go.
fn come_to_rest(rig: &Rig, outcome: &mut Outcome) {
    rig.door.earth().faults.on = false;
    rig.wait(2 * 3600);
    let mut stuck: (String, u32) = (String::new(), 0);
    for turn in 0..160 {
        let Some((who, command)) = people::onward(rig, turn) else { return };
        let before = place(&rig.life());
        stuck = if before == stuck.0 { (before, stuck.1 + 1) } else { (before, 0) };
        let open = rig.life().record.intents.values().map(|it| it.intent.id.clone()).next();
        match (stuck.1, open) {
            (0..=3, _) => tell(rig, who, &command, outcome),
            // A person finds out; the world has the last word.
            (4 | 5, Some(step)) => {
                tell(rig, who, &Command::Resolve { step, done: stuck.1 == 4 }, outcome);
            }
            (4..=6, _) => tell(rig, who, &command, outcome),
            (7.., _) => {
                let Some(command) = people::way_out(&rig.life()) else { break };
                outcome.took = outcome.took.or(Some(command.name()));
                tell(rig, who, &command, outcome);
                stuck.1 = 0;
            }
        }
        // A closed window is waited out; everything else is tried again soon.
        let preflight = rig.state().at().is_some_and(|it| it.phase == Phase::Preflight);
        rig.wait(if preflight { 2400 } else { 75 });
    }
    if rig.state() != State::Steady {
        rig.door.earth().broken(format!("does not come to rest: {:?}", rig.state()));
    }
}

fn one(seed: u64, defect: Defect, lean: Lean) -> Outcome {
    let rig = Rig::new(seed, defect, lean);
    let mut outcome = Outcome::default();
    let mut dice = Dice::new(seed ^ 0xABCD);
    tell(&rig, people::MANAGER, &Command::Init, &mut outcome);
    tell(&rig, people::MANAGER, &people::start("v4.3.1", true), &mut outcome);
    rig.door.earth().faults.on = true;
    play(&rig, &mut dice, &mut outcome);
    come_to_rest(&rig, &mut outcome);
    let life = rig.life();
    let mut earth = rig.door.earth();
    if life.record.owed.is_empty() {
        for wrong in earth.judge_rest(&life) {
            earth.broken(wrong);
        }
    } else if outcome.took != Some("run close")
        && !life.record.owed.is_empty()
        && life.record.run.is_none()
    {
        outcome.took = outcome.took.or(Some("closed with a debt before"));
    }
    outcome.runs = u64::from(life.record.runs);
    outcome.moves = earth.oracle.moves_made();
    outcome.writes = earth.oracle.kept.len() as u64;
    outcome.refused = earth.oracle.refused_writes;
    outcome.excused = earth.oracle.excused;
    outcome.faults = std::mem::take(&mut earth.faults.counts);
    outcome.broken = std::mem::take(&mut earth.oracle.broken);
    outcome.diary = std::mem::take(&mut earth.diary);
    outcome
}

/// All seeds of a range, on all cores, in the order of their numbers.
fn all(seeds: std::ops::RangeInclusive<u64>, defect: Defect, lean: Lean) -> BTreeMap<u64, Outcome> {
    let (next, last) = (AtomicU64::new(*seeds.start()), *seeds.end());
    let found = Mutex::new(BTreeMap::new());
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed > last {
                        return;
                    }
                    let outcome = one(seed, defect, lean);
                    found.lock().unwrap().insert(seed, outcome);
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn figures(outcomes: &BTreeMap<u64, Outcome>) -> u64 {
    let sum = |of: fn(&Outcome) -> u64| outcomes.values().map(of).sum::<u64>();
    let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
    let mut took: BTreeMap<&str, u64> = BTreeMap::new();
    for outcome in outcomes.values() {
        outcome.faults.iter().for_each(|(kind, many)| *faults.entry(kind).or_insert(0) += many);
        outcome.took.iter().for_each(|command| *took.entry(command).or_insert(0) += 1);
    }
    let rest: u64 = took.values().sum();
    let seeds = outcomes.len() as u64;
    println!("seeds {seeds}, commands {}, runs {}", sum(|it| it.commands), sum(|it| it.runs));
    println!("users moved {} times", sum(|it| it.moves));
    let (writes, refused) = (sum(|it| it.writes), sum(|it| it.refused));
    println!("writes acknowledged {writes}, refused {refused}, excused {}", sum(|it| it.excused));
    println!("faults {}: {faults:#?}", faults.values().sum::<u64>());
    println!(
        "steady by `run retry` and `run resolve` alone: {} of {seeds}; the rest: {took:?}",
        seeds - rest
    );
    rest
}

#[test]
fn users_lose_nothing_and_every_system_comes_to_rest() {
    let only = std::env::var("CHANGEOVER_SEED").ok().and_then(|it| it.parse().ok());
    let seeds = only.map_or(1..=SEEDS, |seed| seed..=seed);
    let outcomes = all(seeds, Defect::None, Lean::Nothing);
    let rest = figures(&outcomes);
    let mut bad = vec![];
    for (seed, outcome) in &outcomes {
        if only.is_some() {
            println!("{}", outcome.diary.join("\n"));
        }
        if let Some(first) = outcome.broken.first() {
            bad.push(format!(
                "CHANGEOVER_SEED={seed}: {} broken, first {first}",
                outcome.broken.len()
            ));
        } else if let Some(took) = outcome.took {
            println!("seed {seed} took `{took}`");
        }
    }
    assert!(bad.is_empty(), "{} seeds broken:\n{}", bad.len(), bad.join("\n"));
    let share = 100 * rest;
    assert!(
        only.is_some() || share <= 5 * outcomes.len() as u64,
        "{rest} seeds took more than that"
    );
}

/// Takes a guard away and counts the seeds that notice; with the guard in place none may.
fn noticed(defect: Defect, lean: Lean, seeds: u64) {
    let broken = |defect| {
        let outcomes = all(1..=seeds, defect, lean).into_iter();
        let bad = outcomes.filter_map(|(seed, it)| Some((seed, it.broken.first()?.clone())));
        bad.collect::<Vec<_>>()
    };
    let (without, with) = (broken(defect), broken(Defect::None));
    println!("{defect:?}: {} of {seeds} seeds notice; first {:?}", without.len(), without.first());
    assert!(!without.is_empty(), "{defect:?} is not noticed within {seeds} seeds");
    assert!(with.is_empty(), "{lean:?} with every guard in place: {with:#?}");
}

#[test]
fn jobs_that_nobody_looks_for_are_noticed() {
    noticed(Defect::JobsOff, Lean::Jobs, 30);
}

#[test]
fn a_load_into_whatever_the_file_names_is_noticed() {
    noticed(Defect::Target, Lean::Env, 30);
}

#[test]
fn a_mark_that_fences_nothing_is_noticed() {
    noticed(Defect::Mark, Lean::Switch, 40);
}

#[test]
fn an_embargo_that_is_only_written_down_is_noticed() {
    noticed(Defect::Embargo, Lean::Nothing, 20);
}
