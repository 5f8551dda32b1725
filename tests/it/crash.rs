//! A release through the real actuators, broken once before and after every journal line and every
//! outside call: it is taken up again each time and ends in the same world with the same requests.
//!
//! A point is named by where the machine stands (phase, group, mode), what happens there and the how
//! manieth of its kind it is, so that it means the same in every run. One run is broken a few times in
//! every place the machine comes through, so that it carries many breaks and every point still has its own.
//! When only points of preflight are left, which changes nothing, a run ends with preflight, where the
//! world and the record must be those of the unbroken run at that place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use changeover::fault::{E2013, Fault};
use changeover::machine::State;
use changeover::model::Phase;
use serde_json::Value;

use crate::breaker::{Breaker, Names, Point};
use crate::practice::{Lab, Operator, comparable};

/// How many breaks a run carries in one place.
const BREAKS_IN_A_PLACE: usize = 12;

/// A point is where the machine stands; preflight and the guards are looked at again from their first look.
const NAMES: Names = Names { place: |_, at, _| at.to_owned(), looks_again: only_looks };

/// How far a run goes.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    Steady,
    PreflightDone,
}

fn reached(operator: &Operator, until: Until) -> bool {
    let ready =
        matches!(operator.life().state, State::Ready { at } if at.phase == Phase::Preflight);
    until == Until::PreflightDone && ready
}

/// Takes the release to its end; at each break it goes on as a fresh process would.
async fn walk(operator: &Operator, breaker: &Arc<Breaker>, until: Until) {
    for _ in 0..1_000 {
        if reached(operator, until) {
            return;
        }
        let Some((who, command)) = operator.turn("v4.3.4", "sydney") else { return };
        let shown = format!("{command:?}");
        let work = operator.order_in(who, command, breaker.hooks());
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = breaker.stop.notified() => Ok(operator.broken_reply()),
        };
        let broke = breaker.mend();
        // A line that nobody was told of pauses a dangerous phase; the operator resumes it next.
        let met = !breaker.watch.lock().unwrap().hit.is_empty();
        let paused = |fault: &Fault| met && fault.code == &E2013;
        if let (Err(fault), false) = (outcome, broke) {
            if paused(&fault) {
                continue;
            }
            panic!("last break {}: {shown}: {fault}\n{}", breaker.last(), operator.last_lines());
        }
    }
    panic!("last break {}: did not end: {:?}", breaker.last(), operator.life().state);
}

/// The end: the world, and how often each request took effect.
fn end_of(lab: &Lab) -> (Value, BTreeMap<String, u64>) {
    (comparable(&lab.world()), lab.applied())
}

/// The points by the place they lie in.
fn by_place(points: &[Point]) -> BTreeMap<String, Vec<Point>> {
    let mut places: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for point in points {
        places.entry(point.0.clone()).or_default().push(point.clone());
    }
    places
}

/// What one run breaks in one place: a few that keep their meaning when something broke there before, or
/// one other. Which ones turns with the runs, so that none waits for another.
fn together(points: &[Point], turn: usize) -> Vec<Point> {
    let turned = || points.iter().cycle().skip(turn % points.len()).take(points.len());
    let free: Vec<Point> =
        turned().filter(|it| is_free(it)).take(BREAKS_IN_A_PLACE).cloned().collect();
    if free.is_empty() { turned().take(1).cloned().collect() } else { free }
}

/// The first of its kind, or a look at the world. The second sending of a change in a run that was broken
/// is not that of an unbroken one.
fn is_free((place, _, what, number): &Point) -> bool {
    let looks = ["dns ", "http ", "tls ", "cloudflare zone", "cloudflare records"];
    *number == 1 || only_looks(place) || looks.iter().any(|it| what.starts_with(it))
}

/// A program that is waited for is asked how it stands as often as that takes, more often where the machine is busy: its
/// third asking is one like the second, and need not come again.
fn is_asked_again((_, kind, what, number): &Point) -> bool {
    kind.ends_with("call") && what.ends_with(" status") && *number > 2
}

/// Preflight and the guards after a finished phase change nothing.
fn only_looks(place: &str) -> bool {
    is_preflight(place) || place.ends_with("/ready")
}

fn is_preflight(place: &str) -> bool {
    place.starts_with("preflight/")
}

struct Unbroken {
    points: Vec<Point>,
    lines: u64,
    end: (Value, BTreeMap<String, u64>),
    preflight: (Value, BTreeMap<String, u64>),
}

async fn unbroken(lab: &Lab) -> Unbroken {
    let operator = Operator::new(lab, "unbroken");
    let breaker = Breaker::armed(BTreeSet::new(), NAMES, operator.journal());
    walk(&operator, &breaker, Until::PreflightDone).await;
    let preflight = end_of(lab);
    walk(&operator, &breaker, Until::Steady).await;
    let watch = breaker.watch.lock().unwrap();
    Unbroken { points: watch.seen.clone(), lines: watch.lines, end: end_of(lab), preflight }
}

/// One run broken at these points; gives those it met.
async fn broken_run(
    lab: &Lab,
    name: &str,
    points: BTreeSet<Point>,
    wanted: &Unbroken,
    until: Until,
) -> Vec<Point> {
    lab.reset();
    let operator = Operator::new(lab, name);
    let breaker = Breaker::armed(points, NAMES, operator.journal());
    walk(&operator, &breaker, until).await;
    let hit = breaker.watch.lock().unwrap().hit.clone();
    let wanted_end = if until == Until::Steady { &wanted.end } else { &wanted.preflight };
    let (world, applied) = end_of(lab);
    assert_eq!(applied, wanted_end.1, "other requests took effect; broken at {hit:#?}");
    assert_eq!(world, wanted_end.0, "another world; broken at {hit:#?}");
    std::fs::remove_dir_all(operator.state.parent().unwrap()).unwrap();
    hit
}

/// One shard of the points, so that the shards can run side by side.
async fn break_every(shard: usize, shards: usize) {
    let lab = Lab::start();
    let wanted = unbroken(&lab).await;
    let calls = wanted.points.iter().filter(|it| it.1 == "before call").count() as u64;
    let total = wanted.points.len() as u64;
    assert_eq!(total, 2 * (wanted.lines + calls), "points = 2 × (lines + outside calls)");
    println!("{total} points = 2 × ({} lines + {calls} outside calls)", wanted.lines);
    let mine: Vec<Point> = wanted
        .points
        .iter()
        .enumerate()
        .filter(|(i, it)| i % shards == shard && !is_asked_again(it))
        .map(|(_, it)| it.clone())
        .collect();
    let mut left: BTreeSet<Point> = mine.iter().cloned().collect();
    let (mut runs, mut idle) = (0, 0);
    while !left.is_empty() {
        let places = by_place(&left.iter().cloned().collect::<Vec<_>>());
        let only_preflight = places.keys().all(|it| is_preflight(it));
        let armed = places.values().flat_map(|points| together(points, idle)).collect();
        let until = if only_preflight { Until::PreflightDone } else { Until::Steady };
        let hit = broken_run(&lab, &format!("run-{runs}"), armed, &wanted, until).await;
        idle = if hit.is_empty() { idle + 1 } else { 0 };
        hit.iter().for_each(|point| assert!(left.remove(point)));
        runs += 1;
        eprintln!("run {runs} hit {} left {}", hit.len(), left.len());
        assert!(idle < 8, "these points of the unbroken run were not met again: {left:#?}");
    }
    println!(
        "shard {shard} of {shards}: {} points broken in {runs} runs, each ended in the same world",
        mine.len()
    );
    assert!(mine.len() > 100);
}

/// The whole release, unbroken, from `init` to steady; what the other tests compare with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_walks_to_its_end() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "unbroken");
    operator.release("v4.3.4", "sydney").await;
    let world = lab.world();
    assert_eq!(world["sites"]["sydney"]["version"], "v4.3.4");
    assert_eq!(world["sites"]["hk"]["version"], "v4.3.4", "the standby got it too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_broken_at_every_even_point_ends_alike() {
    break_every(0, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_broken_at_every_odd_point_ends_alike() {
    break_every(1, 2).await;
}
