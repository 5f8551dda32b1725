//! Stops everything once at points that are named: before and after each journal line and each outside call,
//! and a power cut after each line that waits for the next one's sync.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use changeover::app::Hooks;
use changeover::fault::{E4001, Fault};
use changeover::machine::{Body, State};
use changeover::port::{Line, Tap};
use futures_util::FutureExt as _;
use tokio::sync::Notify;

use crate::frail::{Frail, Stops};

/// Where the machine stands, what happens, and which one of its kind there.
pub(crate) type Point = (String, &'static str, String, u32);

/// What a point is named by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// The place, from the scene, where the machine stands and what happens.
    pub(crate) place: fn(&str, &str, &str) -> String,
    /// Whether a fresh process begins its looks at this place again.
    pub(crate) looks_again: fn(&str) -> bool,
}

#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// What a test says of the command that is carried out.
    pub(crate) scene: &'static str,
    pub(crate) place: String,
    counts: BTreeMap<(String, &'static str, String), u32>,
    pub(crate) seen: Vec<Point>,
    armed: BTreeSet<Point>,
    pub(crate) broken: Option<Point>,
    pub(crate) hit: Vec<Point>,
    pub(crate) lines: u64,
    /// Of those, how many a power cut could have taken when they were written.
    pub(crate) soft: u64,
    /// How long each segment was at the last sync, while lines wait for the next.
    durable: Option<Lengths>,
}

type Lengths = BTreeMap<PathBuf, u64>;

/// Counts points, and stops everything at those it is armed with.
#[derive(Debug)]
pub(crate) struct Breaker {
    pub(crate) watch: Mutex<Watch>,
    pub(crate) stop: Notify,
    names: Names,
    /// The journal's segments.
    folder: PathBuf,
}

impl Breaker {
    pub(crate) fn armed(points: BTreeSet<Point>, names: Names, folder: PathBuf) -> Arc<Self> {
        let watch = Watch { armed: points, place: "start".to_owned(), ..Watch::default() };
        Arc::new(Self { watch: Mutex::new(watch), stop: Notify::new(), names, folder })
    }

    /// Whether everything stops here. Once it has stopped, nothing goes on until it is mended.
    fn point(&self, kind: &'static str, what: &str) -> bool {
        let mut watch = self.watch.lock().unwrap();
        if watch.broken.is_some() {
            return true;
        }
        let place = (self.names.place)(watch.scene, &watch.place, what);
        let count = watch.counts.entry((place.clone(), kind, what.to_owned())).or_insert(0);
        *count += 1;
        let point = (place, kind, what.to_owned(), *count);
        watch.seen.push(point.clone());
        if watch.armed.remove(&point) {
            watch.hit.push(point.clone());
            watch.broken = Some(point);
            self.stop.notify_one();
            return true;
        }
        false
    }

    fn moved(&self, to: &State) {
        let mut watch = self.watch.lock().unwrap();
        watch.place = match to.at() {
            None => "steady".to_owned(),
            Some(at) => format!("{}/{:?}/{}/{}", at.phase.name(), at.way, at.group, to.mode()),
        };
    }

    /// A fresh process: what was broken is gone. Where it only looks, it begins again with the first look.
    /// Says whether anything was.
    pub(crate) fn mend(&self) -> bool {
        let mut watch = self.watch.lock().unwrap();
        let Some((_, kind, _, _)) = watch.broken.take() else { return false };
        // A command that ended by its line's error did not hear of the stop; the next one is not meant.
        self.stop.notified().now_or_never();
        if let Some(lengths) = watch.durable.take().filter(|_| kind == POWER_CUT) {
            shorten(&self.folder, &lengths);
        }
        let place = (self.names.place)(watch.scene, &watch.place, "");
        if (self.names.looks_again)(&place) {
            watch.counts.retain(|(at, kind, _), _| *at != place || !kind.ends_with("call"));
        }
        true
    }

    /// Whether lines were written that are not durable yet.
    pub(crate) fn waits(&self) -> bool {
        self.watch.lock().unwrap().durable.is_some()
    }

    pub(crate) fn last(&self) -> String {
        format!("{:?}", self.watch.lock().unwrap().hit.last())
    }

    pub(crate) fn hooks(self: &Arc<Self>) -> Hooks {
        let stops = Arc::clone(self);
        Hooks {
            tap: Arc::new(BreakingTap(Arc::clone(self))),
            journal: Box::new(move |inner| Box::new(Frail { inner, stops })),
            ..Hooks::default()
        }
    }
}

/// Lines that were not synced are gone with the power.
const POWER_CUT: &str = "power cut";

fn lengths(folder: &Path) -> Lengths {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    entries.map(|it| (it.path(), it.metadata().unwrap().len())).collect()
}

fn shorten(folder: &Path, to: &Lengths) {
    for path in lengths(folder).into_keys() {
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(to.get(&path).copied().unwrap_or(0)).unwrap();
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

/// What a line is, without what changes from run to run.
fn name_of(body: &Body) -> String {
    match body {
        Body::Decided { input, .. } => format!("decided {}", input.name()),
        Body::Refused { command, .. } => format!("refused {command}"),
        Body::Intent(intent) => format!("intent {}", intent.id),
        Body::Note { text, .. } => format!("note {}", text.chars().take(12).collect::<String>()),
    }
}

impl Stops for Arc<Breaker> {
    fn before(&mut self, body: &Body) -> Result<(), Fault> {
        if self.point("before line", &name_of(body)) {
            return Err(Fault::new(&E4001, "broken before the line"));
        }
        Ok(())
    }

    fn after(&mut self, line: &Line) -> Result<(), Fault> {
        let (name, soft) = (name_of(&line.body), self.watch.lock().unwrap().durable.is_some());
        self.watch.lock().unwrap().lines += 1;
        let mut broken = self.point("after line", &name);
        if soft {
            self.watch.lock().unwrap().soft += 1;
            broken = self.point(POWER_CUT, &name);
        }
        if let Body::Decided { to, .. } = &line.body {
            self.moved(to);
        }
        if broken { Err(Fault::new(&E4001, "broken after the line")) } else { Ok(()) }
    }

    fn soft(&mut self) {
        let mut watch = self.watch.lock().unwrap();
        if watch.durable.is_none() {
            watch.durable = Some(lengths(&self.folder));
        }
    }

    fn synced(&mut self) {
        self.watch.lock().unwrap().durable = None;
    }
}
