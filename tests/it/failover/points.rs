//! An armed failover through the real actuators, broken once before and after every journal line and every
//! outside call, and by a power cut after every line that waits for a later sync. Each time the operator types
//! what the screen names, and it ends with all users on the new production, moved once.
//!
//! A point is named as those of a release are. What happens beside the move (the fence, the counts of the copy)
//! has a place of its own: it is not tied to the place that the machine comes through meanwhile. A process that
//! died goes on without the armed plan, so what is done from that has a place of its own too, and a run is
//! broken there once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use changeover::app;
use changeover::conductor::{Command, MayLose};
use changeover::machine::{Life, Record, State, replay};
use changeover::model::Phase;
use changeover::view::{self, StatusView};
use serde_json::{Value, json};

use super::holds::{PARTS, moved_once, moves, one_writer, owed_is_told, zones_are_whole};
use super::{asked, failover, kill, raise, users_are_on};
use crate::breaker::{Breaker, Names, Point};
use crate::practice::{Lab, Operator, last_call};

const LOST: &str = "hk";
const TO: &str = "sydney";
const NAMES: Names = Names { place, looks_again };

/// Fewer points than this: something is left out.
const POINTS: usize = 200;

/// How many breaks a run carries in one place.
const BREAKS_IN_A_PLACE: usize = 2;

/// How many commands may follow on a break: to go on, to look again, to enter the next phase, to accept.
const TRIES: usize = 5;

/// A plan that was shown is taken for `limits.shown`.
const SHOWN: Duration = Duration::from_mins(2);

fn place(scene: &str, at: &str, what: &str) -> String {
    let beside = what.contains("gigadb-hk-")
        || what.starts_with("note fence")
        || what.starts_with("note counted")
        || what == "host gigadb-sydney-bastion query" && scene != "lift";
    let before = ["start", "assess/", "swap/Forth/0", "swap/Forth/1", "swap/Forth/2"];
    if beside && !at.starts_with("soak/") {
        format!("beside {}", if scene == "lift" { scene } else { "move" })
    } else if scene == ARMED && before.iter().any(|it| at.starts_with(it)) {
        format!("{ARMED} {at}")
    } else {
        at.to_owned()
    }
}

/// What is done from the armed plan.
const ARMED: &str = "armed";

/// Guards and checks change nothing: a fresh process begins with the first look.
fn looks_again(place: &str) -> bool {
    place.ends_with("/ready") || place.starts_with("swap/Forth/3") || place == "armed start"
}

/// A failover that was armed and shown; production is lost since. It is kept so, to be begun many times.
struct Stage<'a> {
    lab: &'a Lab,
    operator: Operator,
    /// What the plan's screen says to type.
    confirmed: Command,
    since: u64,
    at: Instant,
}

impl<'a> Stage<'a> {
    async fn set(lab: &'a Lab, name: &str) -> Self {
        lab.reset();
        // As a release leaves it behind: the standby answers users' names.
        lab.post("/_lab/set", &json!({ "sites": { TO: { "as_production": true } } }));
        let operator = Operator::new(lab, name);
        operator.order("engineer-a", Command::Init).await.unwrap();
        operator.order("engineer-a", Command::Arm).await.unwrap();
        kill(lab, LOST, "ap-east-1");
        let confirmed = shown(&operator).await;
        lab.post("/_lab/keep", &json!({}));
        Self { lab, operator, confirmed, since: last_call(lab), at: Instant::now() }
    }

    /// The same once more, with a journal of its own.
    fn again(&self, name: &str) -> Self {
        self.lab.post("/_lab/reset", &json!({ "only": "kept" }));
        let operator = Operator::new(self.lab, name);
        copy(&self.operator.state, &operator.state);
        let (confirmed, since) = (self.confirmed.clone(), last_call(self.lab));
        Stage { lab: self.lab, operator, confirmed, since, at: self.at }
    }

    fn screen(&self) -> (Life, StatusView) {
        let glance = app::glance(&self.operator.settings("reader"), &self.operator.system).unwrap();
        let view = view::status(&glance.look());
        (glance.life, view)
    }

    fn batches(&self) -> Vec<Value> {
        asked(self.lab, self.since, "/batch")
    }

    /// What holds at every moment.
    fn holds(&self) -> Result<(), String> {
        let (life, view) = self.screen();
        let world = self.lab.get("/_lab/world?only=records");
        zones_are_whole(&life.record, &world)?;
        moved_once(&self.batches())?;
        owed_is_told(&life.record, &view)?;
        let (settings, system) = (self.operator.settings("reader"), &self.operator.system);
        app::verify(&settings, system).map(drop).map_err(|it| it.to_string())
    }

    /// What holds when the failover is over.
    fn is_over(&self) -> Result<(), String> {
        self.holds()?;
        users_are_on(&self.operator, self.lab, TO);
        let glance = app::glance(&self.operator.settings("reader"), &self.operator.system).unwrap();
        let record = &glance.life.record;
        let mut life = Life::default();
        for line in &glance.lines {
            replay(&mut life, &line.entry(), &line.by.name).map_err(|it| format!("{it:?}"))?;
            one_writer(&life.record).map_err(|it| format!("line {}: {it}", line.seq))?;
        }
        let all_new = record.production().is_some_and(|it| it.as_str() == TO)
            && record.quarantined.as_ref().is_some_and(|it| it.as_str() == LOST);
        if glance.life.state != State::Steady || !all_new || !record.intents.is_empty() {
            return Err(format!("{:?} {:?}", glance.life.state, record.intents));
        }
        if moves(&self.batches()).len() != 2 {
            return Err(format!("users were not moved once: {:?}", moves(&self.batches())));
        }
        Ok(())
    }
}

/// Looks at the plan and takes the command that it prints.
async fn shown(operator: &Operator) -> Command {
    let shown = operator.dry("engineer-a", failover(TO, MayLose::Unknown)).await.unwrap();
    let Command::Failover(mut it) = failover(TO, MayLose::Unknown) else { unreachable!() };
    it.plan = Some(shown.plan.as_ref().unwrap().digest.short());
    Command::Failover(it)
}

/// Files and folders; a socket that nobody listens at is left out.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &to);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The order that a command of a screen is.
fn typed(command: &str) -> Command {
    let next = |confirm: Option<&str>| Command::Next {
        auto: false,
        confirm: confirm.map(Into::into),
        waive: vec![],
    };
    match command.strip_prefix("changeover -s gigadb ").unwrap_or(command) {
        "run retry" => Command::Retry,
        "run resume" => Command::Resume,
        "release accept" | "release accept --reason TEXT" => Command::Accept,
        "release next" => next(None),
        "release next --confirm sydney" => next(Some(TO)),
        other => panic!("the screen names {other}"),
    }
}

/// What the operator types next, and the scene that it belongs to; none when the failover is over. Before the
/// consent is in the journal that is what the plan's screen said.
fn turn(stage: &Stage<'_>) -> Option<(Command, &'static str)> {
    let (life, view) = stage.screen();
    if life.state == State::Steady {
        let begun = life.record.incident.is_some();
        return (!begun).then(|| (stage.confirmed.clone(), ARMED));
    }
    let late = matches!(life.state.at(), Some(at) if matches!(at.phase, Phase::Soak | Phase::Lift));
    Some((typed(&view.next.command.unwrap()), if late { "lift" } else { "move" }))
}

/// Takes the failover to its end; at each break it goes on as a fresh process would.
async fn walk(stage: &Stage<'_>, breaker: &Arc<Breaker>) {
    let (mut tries, mut hits) = (0, 0);
    while let Some((command, scene)) = turn(stage) {
        let said = format!("last break {}: {command:?}", breaker.last());
        {
            let mut watch = breaker.watch.lock().unwrap();
            tries = if watch.hit.len() > hits { 1 } else { tries + 1 };
            (hits, watch.scene) = (watch.hit.len(), scene);
        }
        assert!(tries <= TRIES, "{said}: no end\n{}", stage.operator.last_lines());
        let work = stage.operator.order_in("engineer-a", command, breaker.hooks());
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = breaker.stop.notified() => Ok(stage.operator.broken_reply()),
        };
        let broke = breaker.mend();
        let met = !breaker.watch.lock().unwrap().hit.is_empty();
        if let (Err(fault), false) = (&outcome, met) {
            panic!("{said}: {fault}\n{}", stage.operator.last_lines());
        }
        let durable = broke || !breaker.waits();
        assert!(
            durable,
            "{said}: answered before its lines were durable: {outcome:?}\n{}",
            stage.operator.last_lines()
        );
        stage.holds().unwrap_or_else(|it| panic!("{said}: {it}\n{}", stage.operator.last_lines()));
    }
}

/// The lost site is back: what is owed is what the screen said, and the command that it names pays it.
async fn fenced_at_last(stage: &Stage<'_>) {
    raise(stage.lab, LOST);
    let (life, view) = stage.screen();
    assert_eq!(life.record.unfenced().len(), PARTS.len(), "{}", view.says);
    let again = view.allowed.iter().find(|it| it.name == "retry").unwrap();
    stage.operator.order("engineer-a", typed(&again.command)).await.unwrap();
    assert!(stage.operator.life().record.unfenced().is_empty());
    stage.is_over().unwrap();
}

/// What one run breaks: once what is done from the armed plan, and elsewhere a few that keep their meaning when
/// something broke before.
fn together(left: &BTreeSet<Point>, turn: usize) -> BTreeSet<Point> {
    let mut places: BTreeMap<&str, Vec<&Point>> = BTreeMap::new();
    for point in left {
        let from_plan = point.0.starts_with(ARMED) && !begins_again(point);
        places.entry(if from_plan { ARMED } else { &point.0 }).or_default().push(point);
    }
    let some = places.into_iter().flat_map(|(place, points)| {
        let most = if place == ARMED { 1 } else { BREAKS_IN_A_PLACE };
        let from = turn % points.len();
        points.into_iter().cycle().skip(from).take(most).cloned().collect::<Vec<_>>()
    });
    some.collect()
}

/// Nothing is in the journal: the same command is given again, from the same plan.
fn begins_again((place, kind, what, _): &Point) -> bool {
    place == "armed start" && (*kind != "after line" || what != "decided start")
}

/// One shard of the points, so that the shards can run side by side.
async fn break_every(shard: usize, shards: usize) {
    let lab = Lab::start();
    let mut first = Stage::set(&lab, "unbroken").await;
    let stage = first.again("none");
    let breaker = Breaker::armed(BTreeSet::new(), NAMES, stage.operator.journal());
    walk(&stage, &breaker).await;
    stage.is_over().unwrap();
    fenced_at_last(&stage).await;
    let (points, lines, soft) = {
        let watch = breaker.watch.lock().unwrap();
        (watch.seen.clone(), watch.lines, watch.soft)
    };
    let calls = points.iter().filter(|it| it.1 == "before call").count() as u64;
    assert_eq!(points.len() as u64, 2 * (lines + calls) + soft);
    println!(
        "{} points = 2 × ({lines} lines + {calls} outside calls) + {soft} power cuts",
        points.len()
    );
    assert!(points.len() >= POINTS && soft >= 8, "{} points, {soft} power cuts", points.len());
    let mine = points.iter().enumerate().filter(|(i, _)| i % shards == shard);
    let mut left: BTreeSet<Point> = mine.map(|(_, it)| it.clone()).collect();
    let (mine, mut runs, mut idle) = (left.len(), 0, 0);
    while !left.is_empty() {
        if first.at.elapsed() > SHOWN {
            first = Stage::set(&lab, &format!("armed anew {runs}")).await;
        }
        let stage = first.again(&format!("run-{runs}"));
        let armed = together(&left, idle);
        let breaker = Breaker::armed(armed, NAMES, stage.operator.journal());
        walk(&stage, &breaker).await;
        let hit = breaker.watch.lock().unwrap().hit.clone();
        stage.is_over().unwrap_or_else(|it| panic!("{it}; broken at {hit:#?}"));
        idle = if hit.is_empty() { idle + 1 } else { 0 };
        hit.iter().for_each(|point| assert!(left.remove(point)));
        runs += 1;
        eprintln!("run {runs} hit {} left {}", hit.len(), left.len());
        assert!(idle < 8, "these points of the unbroken run were not met again: {left:#?}");
        std::fs::remove_dir_all(stage.operator.state.parent().unwrap()).unwrap();
    }
    println!("shard {shard} of {shards}: {mine} points broken in {runs} runs");
    assert!(mine * shards + shards > points.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_armed_failover_broken_at_every_even_point_ends_on_the_new_production() {
    break_every(0, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_armed_failover_broken_at_every_odd_point_ends_on_the_new_production() {
    break_every(1, 2).await;
}

/// Each assertion is seen to fail: with the transaction broken, with what keeps a batch from being sent twice
/// taken away, with a screen that says less, with a journal that says more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_broken_failover_is_held_to_can_fail() {
    let lab = Lab::start();
    let first = Stage::set(&lab, "kept").await;
    let stage = first.again("half");
    let half = json!({ "service": "cloudflare", "method": "POST", "path": "/batch", "action": "half",
        "body_contains": "_changeover-gigadb.gigadb.host" });
    lab.post("/_lab/faults", &half);
    // However it ends: the zone is torn.
    let _ = stage.operator.order("engineer-a", stage.confirmed.clone()).await;
    let noticed = stage.holds().unwrap_err();
    assert!(noticed.contains("gigadb.host has half of a batch"), "{noticed}");

    let stage = first.again("twice");
    stage.operator.order("engineer-a", stage.confirmed.clone()).await.unwrap();
    stage.holds().unwrap();
    let (life, view) = stage.screen();
    let silent = StatusView { owed: vec![], ..view };
    let noticed = owed_is_told(&life.record, &silent).unwrap_err();
    assert!(noticed.contains("told false"), "{noticed}");
    let loose = Record { quarantined: None, ..life.record };
    assert!(one_writer(&loose).unwrap_err().contains("two sites are writable"));

    // The journal forgets: the marks refuse the second batch. The marks are gone too: users are moved twice.
    let forget = || {
        std::fs::remove_dir_all(&stage.operator.state).unwrap();
        copy(&first.operator.state, &stage.operator.state);
    };
    forget();
    let _ = stage.operator.order("engineer-a", stage.confirmed.clone()).await;
    assert_eq!((moved_once(&stage.batches()), moves(&stage.batches()).len()), (Ok(()), 2));
    forget();
    lab.post("/_lab/reset", &json!({ "only": "kept" }));
    stage.operator.order("engineer-a", stage.confirmed.clone()).await.unwrap();
    let noticed = stage.holds().unwrap_err();
    assert!(noticed.contains("was accepted 2 times"), "{noticed}");
}
