//! One system over one world: every command is a process of its own, as after a start from the journal.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use changeover::conductor::{Book, Command, Conductor, NoWatcher, Order, Parts, Reply};
use changeover::fault::{E1001, E4001, Fault};
use changeover::journal::MemoryJournal;
use changeover::machine::{Entry, Life, State, replay};
use changeover::model::{Actor, Digest, Identity, SiteName, StepId, SystemName, Time};
use changeover::port::{Clock, Draft, Head, Journal, Line};
use changeover::workflow::Workflow;
use tokio::sync::mpsc;

use super::door::{Defect, Door, Lean};
use super::earth::Earth;
use super::time::VirtualClock;

/// The shipped file, byte for byte.
pub(crate) const TEXT: &str = include_str!("../../../workflows/gigadb.yaml");

fn shipped() -> &'static Workflow {
    static READ: OnceLock<Workflow> = OnceLock::new();
    READ.get_or_init(|| {
        let parsed = changeover::workflow::parse(TEXT, "gigadb.yaml");
        parsed.expect("the shipped workflow can be read").workflow
    })
}

fn read(text: &str, _: &str) -> Result<Workflow, Fault> {
    if text == TEXT { Ok(shipped().clone()) } else { Err(Fault::new(&E1001, "another text")) }
}

/// The journal in memory; each durable line is shown to the oracle, and a process may die at each.
#[derive(Debug)]
struct Watched {
    inner: MemoryJournal,
    door: Door,
}

impl Watched {
    fn dies(&self) -> bool {
        let dies = self.door.earth().faults.dies();
        if dies {
            self.door.dead.store(true, Ordering::SeqCst);
        }
        dies
    }
}

impl Journal for Watched {
    fn head(&self) -> Head {
        self.inner.head()
    }

    fn append(&mut self, draft: Draft) -> Result<Line, Fault> {
        let gone = || Fault::new(&E4001, "the process is gone");
        if self.dies() {
            return Err(gone());
        }
        let line = self.inner.append(draft)?;
        let mut life = self.door.life.lock().unwrap();
        let entry = Entry { at: line.at, body: line.body.clone() };
        let folded = replay(&mut life, &entry, &line.by.name);
        let mut earth = self.door.earth();
        if let Err(diverged) = folded {
            earth.broken(format!("the journal does not replay (V12): {diverged:?}"));
        }
        earth.judge_line(&line.body, &life);
        drop(earth);
        drop(life);
        if self.dies() { Err(gone()) } else { Ok(line) }
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

pub(crate) struct Rig {
    pub(crate) door: Door,
    journal: MemoryJournal,
}

impl Rig {
    /// Before `init`. The seed says which site is production.
    pub(crate) fn new(seed: u64, defect: Defect, lean: Lean) -> Self {
        let start = Time::parse("2026-11-24T06:05:00Z").unwrap();
        let production = usize::from(seed.is_multiple_of(2));
        let mut earth = Earth::new(shipped(), start, seed, production);
        earth.oracle.last_production = production;
        let door = Door {
            earth: Arc::new(Mutex::new(earth)),
            clock: VirtualClock::new(start),
            dead: Arc::new(AtomicBool::new(false)),
            life: Arc::default(),
            defect,
            lean,
        };
        Self { door, journal: MemoryJournal::new(SystemName::from("gigadb")) }
    }

    pub(crate) fn life(&self) -> Life {
        self.door.life.lock().unwrap().clone()
    }

    pub(crate) fn state(&self) -> State {
        self.door.life.lock().unwrap().state
    }

    /// One command by this person. `None`: the process died, or waits for ever.
    pub(crate) fn give(&self, who: &str, command: &Command) -> Option<Result<Reply, Fault>> {
        let order =
            Order { command: command.clone(), reason: Some("because".into()), dry_run: false };
        let who = Actor { name: who.to_owned(), identity: Identity::Os };
        self.door.dead.store(false, Ordering::SeqCst);
        let (_sender, inbox) = mpsc::channel(4);
        let journal = Watched { inner: self.journal.clone(), door: self.door.clone() };
        let clock: Arc<dyn Clock> = Arc::new(self.door.clock.clone());
        let conductor = Conductor::new(Parts {
            system: SystemName::from("gigadb"),
            book: Book::new(Box::new(journal), self.life(), Arc::clone(&clock)),
            world: Arc::new(self.door.clone()),
            clock,
            workflow: Arc::new(shipped().clone()),
            text: TEXT.to_owned(),
            differs: vec![],
            watcher: Arc::new(NoWatcher),
            inbox,
            expected: BTreeMap::<StepId, i64>::new(),
            measured: BTreeMap::new(),
            proven: BTreeMap::new(),
            fresh_id: "0123456789abcdef".to_owned(),
            read,
        });
        let reply = self.door.clock.run(&self.door.dead, conductor.order(&order, &who));
        let died = self.door.dead.load(Ordering::SeqCst);
        reply.filter(|_| !died)
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.door.clock.advance(seconds * 1000);
        drop(self.door.earth());
    }

    /// The site that would be production after the run's swap, or is before it.
    pub(crate) fn sites(&self) -> Option<(SiteName, SiteName)> {
        self.life().record.run.map(|run| (run.production, run.standby))
    }
}
