//! One system over one world: every command is a process of its own, as after a start from the journal.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;

use changeover::conductor::{Book, Command, Conductor, Handed, NoWatcher, Order, Parts, Reply};
use changeover::fault::{E1001, E4001, Fault};
use changeover::journal::MemoryJournal;
use changeover::machine::{Entry, Life, State, replay};
use changeover::model::{Actor, Digest, Identity, SiteName, StepId, SystemName, Time};
use changeover::port::{Clock, Draft, Head, Journal, Line};
use changeover::workflow::Workflow;
use tokio::sync::{mpsc, oneshot};

use super::door::{Defect, Door, Lean};
use super::earth::Earth;
use super::time::VirtualClock;

/// The shipped file, byte for byte.
pub(crate) const TEXT: &str = include_str!("../../../workflows/gigadb.yaml");

pub(crate) fn shipped() -> &'static Workflow {
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
    disk: Arc<Mutex<Disk>>,
    second: bool,
}

/// What is beside the journal, and which of its lines a power cut would leave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    shelf: BTreeMap<String, String>,
    drafts: Vec<Draft>,
    durable: usize,
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
        let line = self.append_soft(draft)?;
        self.flush()?;
        Ok(line)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        let mut disk = self.disk.lock().unwrap();
        disk.durable = disk.drafts.len();
        Ok(())
    }

    fn shelve(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        self.disk.lock().unwrap().shelf.insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    fn shelved(&self, name: &str) -> Option<String> {
        self.disk.lock().unwrap().shelf.get(name).cloned()
    }

    fn append_soft(&mut self, draft: Draft) -> Result<Line, Fault> {
        let gone = || Fault::new(&E4001, "the process is gone");
        if self.dies() {
            return Err(gone());
        }
        let line = self.inner.append(draft.clone())?;
        self.disk.lock().unwrap().drafts.push(draft);
        let mut life = self.door.life.lock().unwrap();
        let entry = Entry { at: line.at, body: line.body.clone() };
        let folded = replay(&mut life, &entry, &line.by.name);
        let mut earth = self.door.earth();
        if let Err(diverged) = folded {
            earth.broken(format!("the journal does not replay (V12): {diverged:?}"));
        }
        if !self.second {
            earth.judge_line(&line.body, &life);
        }
        earth.judge_incident(&line.body, &life, self.second);
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
    disk: Arc<Mutex<Disk>>,
    /// The journal's id, if it has none yet.
    id: &'static str,
    /// Another operator's: what the oracle asks of one journal is asked of the first.
    second: bool,
}

/// A world and a journal at one moment, from which many seeds begin.
pub(crate) struct Base {
    earth: Mutex<Earth>,
    disk: Disk,
    life: Life,
    lean: Lean,
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
        let journal = MemoryJournal::new(SystemName::from("gigadb"));
        let (disk, id) = (Arc::default(), "0123456789abcdef");
        Self { door, journal, disk, id, second: false }
    }

    /// This moment, to begin from; `None` while something is on its way that cannot be copied.
    pub(crate) fn base(&self) -> Option<Base> {
        let earth = Mutex::new(self.door.earth().copy(0)?);
        let disk = self.disk.lock().unwrap().clone();
        Some(Base { earth, disk, life: self.life(), lean: self.door.lean })
    }

    /// From there on, with what this seed brings.
    pub(crate) fn from(base: &Base, seed: u64, defect: Defect) -> Self {
        let earth = base.earth.lock().unwrap().copy(seed).unwrap();
        let clock = VirtualClock::new(earth.start);
        clock.advance(earth.now);
        let door = Door {
            earth: Arc::new(Mutex::new(earth)),
            clock,
            dead: Arc::default(),
            life: Arc::new(Mutex::new(base.life.clone())),
            defect,
            lean: base.lean,
        };
        let disk = Arc::new(Mutex::new(base.disk.clone()));
        let journal = written(&base.disk.drafts);
        Self { door, journal, disk, id: "0123456789abcdef", second: false }
    }

    /// Another operator over the same world: with a copy of the journal, or with one that is new.
    pub(crate) fn other(&self, copied: bool) -> Self {
        let (life, disk, id) = if copied {
            (self.life(), self.disk.lock().unwrap().clone(), self.id)
        } else {
            (Life::default(), Disk::default(), "fedcba9876543210")
        };
        let (dead, life) = (Arc::default(), Arc::new(Mutex::new(life)));
        let door = Door { dead, life, ..self.door.clone() };
        let journal = written(&disk.drafts);
        Self { door, journal, disk: Arc::new(Mutex::new(disk)), id, second: true }
    }

    /// This one goes on: what is asked of one journal is asked of this one.
    pub(crate) fn first(self) -> Self {
        let life = self.life();
        self.door.earth().oracle.goes_on_with(life.record.roles);
        Self { second: false, ..self }
    }

    /// The operator's machine loses power: what was not durable is gone.
    pub(crate) fn power_cut(&mut self) {
        let mut disk = self.disk.lock().unwrap();
        let durable = disk.durable;
        if durable == disk.drafts.len() {
            return;
        }
        disk.drafts.truncate(durable);
        self.journal = written(&disk.drafts);
        let mut life = Life::default();
        for line in self.journal.lines() {
            let line = line.line;
            let entry = Entry { at: line.at, body: line.body.clone() };
            replay(&mut life, &entry, &line.by.name).expect("what is durable replays");
        }
        *self.door.life.lock().unwrap() = life;
    }

    pub(crate) fn life(&self) -> Life {
        self.door.life.lock().unwrap().clone()
    }

    pub(crate) fn state(&self) -> State {
        self.door.life.lock().unwrap().state
    }

    /// One command by this person. `None`: the process died, or waits for ever.
    pub(crate) fn give(&self, who: &str, command: &Command) -> Option<Result<Reply, Fault>> {
        self.ordered(who, command, false)
    }

    /// What it would do.
    pub(crate) fn dry(&self, who: &str, command: &Command) -> Option<Result<Reply, Fault>> {
        self.ordered(who, command, true)
    }

    fn ordered(&self, who: &str, command: &Command, dry: bool) -> Option<Result<Reply, Fault>> {
        let told = self.told(who, command, dry);
        self.door.clock.run(told).flatten()
    }

    /// The same as something to be awaited beside others.
    pub(crate) async fn told(
        &self,
        who: &str,
        command: &Command,
        dry_run: bool,
    ) -> Option<Result<Reply, Fault>> {
        let (conductor, _sender) = self.conductor();
        let (order, who) = ordering(who, command, dry_run);
        self.alive(conductor.order(&order, &who)).await
    }

    /// Two people over one journal: the second speaks to the first one's conductor, and works alone if that
    /// has ended before it was heard.
    pub(crate) async fn beside(
        &self,
        (one, first): (&str, &Command),
        (two, second): (&str, &Command),
        after: u64,
    ) -> [Option<Result<Reply, Fault>>; 2] {
        let (conductor, sender) = self.conductor();
        let (order, who) = ordering(one, first, false);
        let (handed, by) = ordering(two, second, false);
        let works = async move {
            let reply = self.alive(conductor.order(&order, &who)).await;
            drop(conductor);
            reply
        };
        let asks = async move {
            self.door.clock.pause(after).await;
            let (answer, heard) = oneshot::channel();
            sender.send((handed, by, answer)).await.ok()?;
            heard.await.ok()
        };
        let (one, heard) = futures_util::join!(works, asks);
        let two = if heard.is_some() { heard } else { self.told(two, second, false).await };
        [one, two]
    }

    /// What this comes to, unless the process dies.
    async fn alive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.door.dead.store(false, Ordering::SeqCst);
        let mut work = Box::pin(work);
        let done = std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if self.door.dead.load(Ordering::SeqCst) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let done = done.await;
        done.filter(|_| !self.door.dead.load(Ordering::SeqCst))
    }

    fn conductor(&self) -> (Conductor, mpsc::Sender<Handed>) {
        let (sender, inbox) = mpsc::channel(4);
        let (door, disk) = (self.door.clone(), Arc::clone(&self.disk));
        let journal = Watched { inner: self.journal.clone(), door, disk, second: self.second };
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
            fresh_id: self.id.to_owned(),
            read,
        });
        (conductor, sender)
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

fn ordering(who: &str, command: &Command, dry_run: bool) -> (Order, Actor) {
    let order = Order { command: command.clone(), reason: Some("because".into()), dry_run };
    (order, Actor { name: who.to_owned(), identity: Identity::Os })
}

/// A journal with these lines.
fn written(drafts: &[Draft]) -> MemoryJournal {
    let mut journal = MemoryJournal::new(SystemName::from("gigadb"));
    journal.keep(TEXT).unwrap();
    drafts.iter().for_each(|it| drop(journal.append(it.clone()).unwrap()));
    journal
}
