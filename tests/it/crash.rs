//! A release through the real actuators, broken once before and after every journal line and every
//! outside call: each time it is taken up again and ends in the same world.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use changeover::app::Hooks;
use changeover::fault::{E4001, Fault};
use changeover::machine::Life;
use changeover::model::Digest;
use changeover::port::{Draft, Head, Journal, Line, Tap};
use serde_json::Value;
use tokio::sync::Notify;

use crate::practice::{Lab, Operator};

/// Counts points and stops everything at one of them.
#[derive(Debug)]
struct Breaker {
    seen: AtomicU64,
    at: u64,
    broken: AtomicBool,
    stop: Notify,
    what: Mutex<String>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Breaker {
    fn new(at: u64) -> Arc<Self> {
        Arc::new(Self {
            seen: AtomicU64::new(0),
            at,
            broken: AtomicBool::new(false),
            stop: Notify::new(),
            what: Mutex::default(),
            counts: Mutex::default(),
        })
    }

    /// Whether this point is where it breaks. Once broken, everything is.
    fn point(&self, kind: &'static str, what: &str) -> bool {
        if self.broken.load(Ordering::SeqCst) {
            return true;
        }
        *self.counts.lock().unwrap().entry(kind).or_insert(0) += 1;
        let breaks = self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at;
        if breaks {
            *self.what.lock().unwrap() = format!("{kind}: {what}");
            self.broken.store(true, Ordering::SeqCst);
            self.stop.notify_one();
        }
        breaks
    }

    fn hooks(self: &Arc<Self>) -> Hooks {
        let breaker = Arc::clone(self);
        Hooks {
            tap: Arc::new(BreakingTap(Arc::clone(self))),
            journal: Box::new(move |inner| Box::new(BreakingJournal { inner, breaker })),
        }
    }
}

#[derive(Debug)]
struct BreakingTap(Arc<Breaker>);

#[async_trait]
impl Tap for BreakingTap {
    async fn before(&self, call: &str) {
        if self.0.point("before call", call) {
            std::future::pending::<()>().await;
        }
    }

    async fn after(&self, call: &str) {
        if self.0.point("after call", call) {
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Debug)]
struct BreakingJournal {
    inner: Box<dyn Journal>,
    breaker: Arc<Breaker>,
}

impl Journal for BreakingJournal {
    fn head(&self) -> Head {
        self.inner.head()
    }

    fn append(&mut self, draft: Draft) -> Result<Line, Fault> {
        let what = format!("{:?}", draft.body).chars().take(60).collect::<String>();
        if self.breaker.point("before line", &what) {
            return Err(Fault::new(&E4001, "broken before the line"));
        }
        let line = self.inner.append(draft)?;
        if self.breaker.point("after line", &what) {
            return Err(Fault::new(&E4001, "broken after the line"));
        }
        Ok(line)
    }

    fn remember(&mut self, life: &Life) {
        self.inner.remember(life);
    }

    fn keep(&mut self, text: &str) -> Result<Digest, Fault> {
        self.inner.keep(text)
    }

    fn kept(&self, digest: &Digest) -> Result<String, Fault> {
        self.inner.kept(digest)
    }

    fn roll(&mut self) {
        self.inner.roll();
    }
}

/// Takes the release to its end; when the breaker breaks, goes on with a fresh process's eyes.
async fn walk(operator: &Operator, breaker: &Arc<Breaker>) {
    for _ in 0..120 {
        let Some((who, command)) = operator.turn("v4.3.4", "sydney") else { return };
        let broken_before = breaker.broken.load(Ordering::SeqCst);
        if broken_before {
            // After the break the operator goes on without it.
            let shown = format!("{command:?}");
            if let Err(fault) = operator.order(who, command).await {
                panic!(
                    "after {}: {shown}: {fault}\n{}",
                    breaker.what.lock().unwrap(),
                    operator.last_lines()
                );
            }
            continue;
        }
        let work = operator.order_in(who, command, breaker.hooks());
        tokio::select! {
            _ = work => (),
            () = breaker.stop.notified() => (),
        }
    }
    panic!("after {}: did not end: {:?}", breaker.what.lock().unwrap(), operator.life().state);
}

fn end_of(lab: &Lab) -> (Value, BTreeMap<String, u64>) {
    (lab.world(), lab.applied())
}

/// One shard of the points, so that the shards can run side by side.
async fn break_every(shard: u64, shards: u64) {
    let lab = Lab::start();
    let unbroken = Operator::new(&lab, "unbroken");
    let counter = Breaker::new(0);
    walk(&unbroken, &counter).await;
    let wanted = end_of(&lab);
    let counts = counter.counts.lock().unwrap().clone();
    let points = counter.seen.load(Ordering::SeqCst);
    let lines = unbroken_lines(&unbroken);
    let calls = counts["before call"];
    assert_eq!(counts["before line"], lines, "every line passes the breaker");
    assert_eq!(points, 2 * (lines + calls), "points = 2 × (lines + outside calls)");
    println!(
        "shard {shard} of {shards}: {points} points = 2 × ({lines} lines + {calls} outside calls)"
    );
    let mut tried = 0;
    for at in (1..=points).filter(|at| at % shards == shard) {
        lab.reset();
        let operator = Operator::new(&lab, &format!("at-{at}"));
        let breaker = Breaker::new(at);
        walk(&operator, &breaker).await;
        let what = breaker.what.lock().unwrap().clone();
        let (world, applied) = end_of(&lab);
        assert_eq!(world, wanted.0, "point {at} ({what}): another world");
        assert_eq!(applied, wanted.1, "point {at} ({what}): other state-changing requests");
        std::fs::remove_dir_all(operator.state.parent().unwrap()).unwrap();
        tried += 1;
    }
    println!("shard {shard}: {tried} points broken, each ended in the same world");
    assert!(tried > 50);
}

fn unbroken_lines(operator: &Operator) -> u64 {
    let settings = operator.settings("reader");
    changeover::app::verify(&settings, &operator.system).unwrap().lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_broken_at_every_even_point_ends_alike() {
    break_every(0, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_broken_at_every_odd_point_ends_alike() {
    break_every(1, 2).await;
}
