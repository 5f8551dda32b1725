//! The loop: input in, decide, write, adopt, start what is missing.
//!
//! Nothing here is a task of its own: dropping the future of [`Conductor::order`] stops everything at
//! once, and what was under way is an open intent, as after a crash.

mod arm;
mod armed;
mod book;
mod call;
mod command;
mod consent;
mod drill;
mod drive;
mod exempt;
mod failover;
mod fence;
mod guard;
mod interlock;
mod leave;
mod naming;
mod once;
mod orders;
mod outlived;
mod packet;
mod plan;
mod preview;
mod proven;
mod reality;
mod rehearsal;
mod resolve;
mod roles;
mod runbook;
mod settle;
mod start;
mod still_on;
mod truth;
mod verdict;
mod whynot;
mod without;
mod work;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::fault::{E2012, Fault};
use crate::machine::Life;
use crate::model::{Actor, Digest, Kind, Phase, StepId, SystemName, Time};
use crate::port::{Clock, World};
use crate::workflow::Workflow;

pub use arm::ARMED;
pub use book::Book;
pub use command::{
    Command, FromArmed, GivenUp, MayLose, NoWatcher, Order, Plan, PlannedStep, Preview, Progress,
    Reply, Watcher,
};
pub use resolve::made_true;
pub use roles::meant;
pub use whynot::{Aged, Blocker, WhyNot, why_not};
pub use work::StepEnd;

/// An order handed over by a second command, with where its answer goes.
pub type Handed = (Order, Actor, oneshot::Sender<Result<Reply, Fault>>);

/// What a conductor is made of.
pub struct Parts {
    /// Which system.
    pub system: SystemName,
    /// Its journal, opened for writing, with what it folds to.
    pub book: Book,
    /// The actuators.
    pub world: Arc<dyn World>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The workflow as the file has it now; runs are pinned to the text of their start.
    pub workflow: Arc<Workflow>,
    /// That file's text.
    pub text: String,
    /// Outside addresses that are not the services' own.
    pub differs: Vec<String>,
    /// Is told how it goes on.
    pub watcher: Arc<dyn Watcher>,
    /// Orders of second commands.
    pub inbox: mpsc::Receiver<Handed>,
    /// Usual durations of steps, seconds, from earlier runs.
    pub expected: BTreeMap<StepId, i64>,
    /// How long steps took on the last way forth, seconds.
    pub measured: BTreeMap<StepId, i64>,
    /// When each step of the file was last proven as it is written now.
    pub proven: BTreeMap<StepId, Time>,
    /// A random id for a journal that has none yet.
    pub fresh_id: String,
    /// Reads a workflow's text; the conductor pins runs to texts.
    pub read: fn(&str, &str) -> Result<Workflow, Fault>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("system", &self.system).finish_non_exhaustive()
    }
}

/// A workflow read again, and by what: its text's digest, and the kind of run that walks it.
type Pinned = ((Digest, Kind), Arc<Workflow>);

/// One system's conductor. One at a time: the journal's lock says so.
pub struct Conductor {
    system: SystemName,
    book: Mutex<Book>,
    world: Arc<dyn World>,
    clock: Arc<dyn Clock>,
    workflow: Arc<Workflow>,
    text: String,
    /// The digest of that text.
    file: Digest,
    differs: Vec<String>,
    watcher: Arc<dyn Watcher>,
    inbox: tokio::sync::Mutex<mpsc::Receiver<Handed>>,
    expected: BTreeMap<StepId, i64>,
    measured: BTreeMap<StepId, i64>,
    proven: BTreeMap<StepId, Time>,
    fresh_id: String,
    read: fn(&str, &str) -> Result<Workflow, Fault>,
    pinned: Mutex<Option<Pinned>>,
    /// The last failed step had moved one zone and not the other.
    half: Mutex<bool>,
    /// The journal whose mark the last failed step met.
    foreign: Mutex<Option<String>>,
    /// What was last seen of each step that ended here.
    ends: Mutex<BTreeMap<(Phase, u8), String>>,
    /// The swap of a failover has begun: the lost site is fenced beside it.
    to_fence: tokio::sync::Notify,
    /// The armed plan that the failover of this command is carried out from, until users are moved.
    from: Mutex<Option<Arc<armed::From>>>,
    /// Where the page was written, or why it was not.
    wrote: Mutex<Option<Result<String, Fault>>>,
    /// It is only asked what stands in the way.
    met: Option<Arc<rehearsal::Met>>,
}

impl fmt::Debug for Conductor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conductor").field("system", &self.system).finish_non_exhaustive()
    }
}

impl Conductor {
    /// A conductor of these parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            system: parts.system,
            book: Mutex::new(parts.book),
            world: parts.world,
            clock: parts.clock,
            workflow: parts.workflow,
            file: Digest::of(parts.text.as_bytes()),
            text: parts.text,
            differs: parts.differs,
            watcher: parts.watcher,
            inbox: tokio::sync::Mutex::new(parts.inbox),
            expected: parts.expected,
            measured: parts.measured,
            proven: parts.proven,
            fresh_id: parts.fresh_id,
            read: parts.read,
            pinned: Mutex::new(None),
            half: Mutex::new(false),
            foreign: Mutex::new(None),
            ends: Mutex::default(),
            to_fence: tokio::sync::Notify::new(),
            from: Mutex::default(),
            wrote: Mutex::new(None),
            met: None,
        }
    }

    /// A conductor that only finds out what stands in the way: it changes nothing outside, and its journal is
    /// to be thrown away.
    fn rehearsing(parts: Parts) -> Self {
        let met = Arc::new(rehearsal::Met::default());
        let world = Arc::new(rehearsal::Looking::new(Arc::clone(&parts.world), Arc::clone(&met)));
        Self { met: Some(met), ..Self::new(Parts { world, ..parts }) }
    }

    /// Refuses with this fault. Where it is only asked what stands in the way, it is noted instead, and what
    /// is demanded next is looked at too: so there is one list of guards.
    fn demand(&self, held: Result<(), Fault>) -> Result<(), Fault> {
        let Some(met) = &self.met else { return held };
        met.answered(held);
        Ok(())
    }

    /// What the journal folds to now.
    pub fn life(&self) -> Life {
        self.book().life().clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A panic while the book is held has not written half a line: appending is one call.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The workflow the open run is pinned to; the file's, when there is no run.
    fn run_workflow(&self) -> Result<Arc<Workflow>, Fault> {
        let Some((digest, kind)) = self.life().record.run.map(|run| (run.workflow, run.kind))
        else {
            return Ok(Arc::clone(&self.workflow));
        };
        if digest == self.file {
            return Ok(Arc::clone(&self.workflow));
        }
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, workflow)) = pinned.as_ref().filter(|(own, _)| *own == (digest, kind)) {
            return Ok(Arc::clone(workflow));
        }
        let text = self.book().kept(&digest)?;
        let workflow = (self.read)(&text, &format!("{}.yaml", self.system)).map_err(|fault| {
            let says = format!("the text this run is pinned to cannot be read: {}", fault.message);
            Fault::new(&E2012, says).hint("changeover run amend --workflow FILE --reason TEXT")
        })?;
        let workflow = Arc::new(workflow.walked_as(kind));
        *pinned = Some(((digest, kind), Arc::clone(&workflow)));
        Ok(workflow)
    }
}
