//! One system in memory: every command is a process of its own, as after a start from the journal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use changeover::clock::ManualClock;
use changeover::conductor::{Book, Command, Conductor, Handed, NoWatcher, Order, Parts, Reply};
use changeover::fault::{E1001, E4001, Fault};
use changeover::journal::MemoryJournal;
use changeover::machine::{Body, Entry, Life, State, replay};
use changeover::model::{Actor, Identity, Phase, SiteName, StepId, SystemName, Time};
use changeover::port::{Clock, Journal, Line};
use changeover::workflow::Workflow;
use tokio::sync::{Notify, mpsc};

use super::world::{Scripted, Truth};
use crate::frail::{Frail, Stops};

pub(crate) const TEXT: &str = include_str!("sample.yaml");

/// What the lines say.
pub(crate) fn fold(journal: &MemoryJournal) -> Life {
    let mut life = Life::default();
    for line in journal.lines().into_iter().map(|it| it.line) {
        let entry = Entry { at: line.at, body: line.body };
        replay(&mut life, &entry, &line.by.name).unwrap();
    }
    life
}

fn read(text: &str, _: &str) -> Result<Workflow, Fault> {
    let wrong = |error: String| Fault::new(&E1001, error);
    let data: serde_json::Value =
        serde_yaml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_value(data).map_err(|error| wrong(error.to_string()))
}

/// Fails at a line: before it is durable or just after.
#[derive(Debug)]
struct Fuse {
    left: Arc<Mutex<Option<(u32, bool)>>>,
    /// The line that is written now is durable once and never acknowledged; later lines fail before.
    blown: bool,
}

impl Stops for Fuse {
    fn before(&mut self, _: &Body) -> Result<(), Fault> {
        let mut left = self.left.lock().unwrap();
        match &mut *left {
            Some((count, after)) if *count <= 1 => {
                self.blown = *after;
                *left = Some((1, false));
                if self.blown { Ok(()) } else { Err(full()) }
            }
            Some((count, _)) => {
                *count -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn after(&mut self, _: &Line) -> Result<(), Fault> {
        if std::mem::take(&mut self.blown) { Err(full()) } else { Ok(()) }
    }
}

fn full() -> Fault {
    Fault::new(&E4001, "the disk is full")
}

/// Time does not run out while a step is watched.
#[derive(Debug)]
struct Patient(Scripted);

#[async_trait::async_trait]
impl Clock for Patient {
    fn now(&self) -> Time {
        self.0.clock.now()
    }
    fn monotonic(&self) -> Duration {
        self.0.clock.monotonic()
    }
    async fn sleep(&self, lasting: Duration) {
        let watched = self.0.truth.lock().unwrap().wakes.is_some();
        if watched {
            std::future::pending::<()>().await;
        }
        self.0.clock.sleep(lasting).await;
    }
}

pub(crate) struct Rig {
    pub(crate) world: Scripted,
    pub(crate) fuse: Arc<Mutex<Option<(u32, bool)>>>,
}

pub(crate) fn person(name: &str) -> Actor {
    Actor { name: name.to_owned(), identity: Identity::Os }
}

pub(crate) fn plain(command: Command) -> Order {
    Order { command, reason: Some("because".to_owned()), dry_run: false }
}

impl Rig {
    /// Before `init`.
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(Time::parse("2026-11-21T08:00:00Z").unwrap());
        let mut truth = Truth::default();
        for (key, value) in [("production", "hk"), ("reset", "on"), ("backup", "on")] {
            truth.so.insert(key.to_owned(), value.to_owned());
        }
        let world = Scripted {
            truth: Arc::new(Mutex::new(truth)),
            clock,
            journal: MemoryJournal::new(SystemName::from("gigadb")),
            stop: Arc::new(Notify::new()),
            woken: Arc::new(Notify::new()),
        };
        Self { world, fuse: Arc::default() }
    }

    pub(crate) fn life(&self) -> Life {
        fold(&self.world.journal)
    }

    pub(crate) fn state(&self) -> State {
        self.life().state
    }

    pub(crate) fn phase(&self) -> Option<Phase> {
        self.state().at().map(|at| at.phase)
    }

    pub(crate) fn truth<T>(&self, change: impl FnOnce(&mut Truth) -> T) -> T {
        change(&mut self.world.truth.lock().unwrap())
    }

    pub(crate) fn so(&self, key: &str) -> String {
        self.truth(|it| it.so.get(key).cloned().unwrap_or_default())
    }

    pub(crate) fn workflow(&self) -> Workflow {
        read(TEXT, "").unwrap()
    }

    pub(crate) fn now(&self) -> Time {
        self.world.clock.now()
    }

    /// The parts of a conductor whose journal is thrown away.
    pub(crate) fn parts_thrown_away(&self) -> Parts {
        let mut journal = MemoryJournal::new(SystemName::from("gigadb"));
        journal.keep(TEXT).unwrap();
        self.parts(Box::new(journal), mpsc::channel(1).1)
    }

    fn parts(&self, journal: Box<dyn Journal>, inbox: mpsc::Receiver<Handed>) -> Parts {
        let clock: Arc<dyn Clock> = Arc::new(Patient(self.world.clone()));
        Parts {
            system: SystemName::from("gigadb"),
            book: Book::new(journal, self.life(), Arc::clone(&clock)),
            world: Arc::new(self.world.clone()),
            clock,
            workflow: Arc::new(self.workflow()),
            text: TEXT.to_owned(),
            differs: vec![],
            watcher: Arc::new(NoWatcher),
            inbox,
            expected: BTreeMap::<StepId, i64>::new(),
            measured: BTreeMap::new(),
            proven: BTreeMap::new(),
            fresh_id: "0123456789abcdef".to_owned(),
            read,
        }
    }

    pub(crate) fn conductor(&self) -> (Arc<Conductor>, mpsc::Sender<Handed>) {
        let inner = Box::new(self.world.journal.clone());
        let stops = Fuse { left: Arc::clone(&self.fuse), blown: false };
        let journal = Box::new(Frail { inner, stops });
        let (sender, inbox) = mpsc::channel(4);
        let conductor = Conductor::new(self.parts(journal, inbox));
        (Arc::new(conductor), sender)
    }

    /// One command by this person. `None`: the process died.
    pub(crate) async fn give(&self, who: &str, order: &Order) -> Option<Result<Reply, Fault>> {
        let (conductor, _sender) = self.conductor();
        let who = person(who);
        tokio::select! {
            biased;
            () = self.world.stop.notified() => None,
            reply = conductor.order(order, &who) => Some(reply),
        }
    }

    pub(crate) async fn tell(&self, command: Command) -> Result<Reply, Fault> {
        self.give("rob", &plain(command)).await.unwrap()
    }

    pub(crate) async fn next(&self) -> Result<Reply, Fault> {
        self.tell(next(None)).await
    }

    /// Released until this phase is ready (validate: people are asked).
    pub(crate) async fn to(&self, phase: Phase) {
        self.started().await;
        while self.phase() != Some(phase) {
            self.next().await.unwrap();
        }
    }

    pub(crate) async fn started(&self) {
        self.tell(Command::Init).await.unwrap();
        self.tell(start()).await.unwrap();
    }

    pub(crate) async fn approved(&self) {
        self.to(Phase::Validate).await;
        self.next().await.unwrap();
        for who in ["cora", "tom"] {
            self.give(who, &plain(approve())).await.unwrap().unwrap();
        }
    }

    /// Users are on sydney, the soak runs.
    pub(crate) async fn soaking(&self) {
        self.approved().await;
        self.tell(next(Some("sydney"))).await.unwrap();
        while self.phase() != Some(Phase::Soak) {
            self.next().await.unwrap();
        }
    }

    /// How often this was refused with an entry.
    pub(crate) fn refusals(&self) -> usize {
        let lines = self.world.journal.lines();
        lines.iter().filter(|it| matches!(it.line.body, Body::Refused { .. })).count()
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }
}

pub(crate) fn start() -> Command {
    Command::Start { version: "v2".to_owned(), auto: false, confirm: None, waive: vec![] }
}

pub(crate) fn next(confirm: Option<&str>) -> Command {
    Command::Next { auto: false, confirm: confirm.map(SiteName::from), waive: vec![] }
}

pub(crate) fn approve() -> Command {
    Command::Approve { comment: None, packet: None }
}

pub(crate) fn rollback() -> Command {
    Command::Rollback { confirm: Some(SiteName::from("hk")), accept_data_loss: false }
}
