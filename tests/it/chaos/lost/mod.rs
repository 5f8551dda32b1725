//! Production is lost: a thousand seeds of failovers in memory, in which everything else goes wrong as well.
//!
//! `CHANGEOVER_SEED=n` runs one seed alone (in the first shard) and tells what happened.

mod base;
mod judge;
mod person;
mod play;
mod rest;
mod seen;
mod ways;

use std::collections::BTreeMap;

pub(crate) use judge::Incidents;
pub(crate) use seen::Gone;

use super::door::{Defect, Lean};
use play::{Outcome, one};
use rest::tally;
use ways::Way;

/// In each of four shards.
const SEEDS: u64 = 250;

fn figures(outcomes: &BTreeMap<u64, Outcome>) {
    let all = || outcomes.values();
    let sum = |of: fn(&Outcome) -> u64| all().map(of).sum::<u64>();
    println!("seeds {}", outcomes.len());
    println!(
        "lost by {:?}; another operator {:?}",
        tally(all().map(|it| it.way)),
        tally(all().map(|it| it.second))
    );
    println!("of them {:?}", tally(all().flat_map(|it| it.was.iter().copied())));
    println!("when things stopped going wrong {:?}", tally(all().map(|it| it.end)));
    println!(
        "led on by {:?}",
        tally(all().map(|it| it.ways_on.iter().copied().collect::<Vec<_>>()))
    );
    println!("refused {:?}", refusals(outcomes));
    println!("failovers {}, rows lost in them {}", sum(|it| it.moved), sum(|it| it.rows));
    println!(
        "looks at two that take writes {}, writes at a lost site after the move {}, writes {}",
        sum(|it| it.two),
        sum(|it| it.beside),
        sum(|it| it.writes)
    );
    let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
    all()
        .flat_map(|it| &it.faults)
        .for_each(|(kind, many)| *faults.entry(kind).or_insert(0) += many);
    println!("faults {}: {faults:?}", faults.values().sum::<u64>());
}

fn refusals(outcomes: &BTreeMap<u64, Outcome>) -> BTreeMap<&'static str, u64> {
    let mut all = BTreeMap::new();
    let each = outcomes.values().flat_map(|it| &it.refusals);
    each.for_each(|(code, many)| *all.entry(*code).or_insert(0) += many);
    all
}

fn shard(number: u64) {
    let only: Option<u64> = std::env::var("CHANGEOVER_SEED").ok().and_then(|it| it.parse().ok());
    let first = number * SEEDS + 1;
    let seeds = only.map_or(first..=first + SEEDS - 1, |seed| seed..=seed);
    let outcomes: BTreeMap<u64, Outcome> =
        seeds.map(|it| (it, one(it, Defect::None, Lean::Nothing))).collect();
    figures(&outcomes);
    let mut bad = vec![];
    for (seed, outcome) in &outcomes {
        if only.is_some() {
            println!("{}", outcome.diary.join("\n"));
        }
        if let Some(first) = outcome.broken.first() {
            let many = outcome.broken.len();
            bad.push(format!("CHANGEOVER_SEED={seed}: {many} broken, first {first}"));
        }
    }
    assert!(bad.is_empty(), "{} seeds broken:\n{}", bad.len(), bad.join("\n"));
    if only.is_none() {
        meant(&outcomes);
    }
}

/// That nothing is broken means something only where it could have been: everything that these seeds are about
/// happened in each shard, and nearly all of them were judged.
fn meant(outcomes: &BTreeMap<u64, Outcome>) {
    let all = || outcomes.values();
    let sum = |of: fn(&Outcome) -> u64| all().map(of).sum::<u64>();
    assert_eq!(tally(all().map(|it| it.way)).len(), Way::ALL.len());
    assert_eq!(tally(all().map(|it| it.second)).len(), 4, "each other operator");
    assert_eq!(tally(all().map(|it| it.end)).len(), 3, "users here, there, and half-way");
    let was = tally(all().flat_map(|it| it.was.iter().copied()));
    for what in ["armed", "from the armed plan", "during a release", "rejoined", "home"] {
        assert!(was.get(what).is_some_and(|it| *it >= SEEDS / 25), "{what}: {was:?}");
    }
    let unjudged: u64 = was.iter().filter(|it| it.0.starts_with("not judged")).map(|it| it.1).sum();
    assert!(unjudged <= SEEDS / 50, "{was:?}");
    assert!(sum(|it| it.moved) >= SEEDS / 3, "users are moved in many seeds");
    assert!(sum(|it| it.rows) > 0, "and rows are lost, as agreed");
    assert!(sum(|it| it.two) > 0 && sum(|it| it.beside) > 0, "two sites take writes");
    let dies = |it: &Outcome| it.faults.get("process: dies after a batch").copied().unwrap_or(0);
    assert!(sum(dies) > 0, "processes die between two batches");
}

#[test]
fn a_thousand_incidents_the_first_quarter() {
    shard(0);
}

#[test]
fn a_thousand_incidents_the_second_quarter() {
    shard(1);
}

#[test]
fn a_thousand_incidents_the_third_quarter() {
    shard(2);
}

#[test]
fn a_thousand_incidents_the_last_quarter() {
    shard(3);
}

/// Takes a guard away and counts the seeds that notice; with the guard in place none may.
fn noticed(defect: Defect, lean: Lean, seeds: u64) {
    let broken = |defect| {
        let first = |seed: u64| Some((seed, one(seed, defect, lean).broken.into_iter().next()?));
        (1..=seeds).filter_map(first).collect::<Vec<_>>()
    };
    let (without, with) =
        (broken(defect), if lean == Lean::Nothing { vec![] } else { broken(Defect::None) });
    println!("{defect:?}: {} of {seeds} seeds notice; first {:?}", without.len(), without.first());
    assert!(!without.is_empty(), "{defect:?} is not noticed within {seeds} seeds");
    assert!(with.is_empty(), "{lean:?} with every guard in place: {with:#?}");
}

#[test]
fn a_fence_that_does_nothing_is_noticed() {
    noticed(Defect::Fence, Lean::Nothing, 40);
}

#[test]
fn a_loss_that_nobody_agreed_to_is_noticed() {
    noticed(Defect::Consent, Lean::Nothing, 40);
}

#[test]
fn a_late_failover_without_marks_is_noticed() {
    // In seed 71 an operator brought users back, and the first one adopts the marks and tries again a quarter of an
    // hour after their consent.
    noticed(Defect::Mark, Lean::Switch, 80);
}

#[test]
fn a_job_that_still_runs_and_is_called_off_is_noticed() {
    noticed(Defect::Running, Lean::Jobs, 40);
}

#[test]
fn a_look_that_does_not_read_who_takes_writes_is_noticed() {
    noticed(Defect::Writes, Lean::Nothing, 40);
}
