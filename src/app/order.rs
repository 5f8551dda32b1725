//! A command on its way to the conductor: here, or handed to the process that holds the lock.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::actuator::{Actuators, Wire};
use crate::app::{
    Settings, dead_disk, folder, handover, kept, ledger, pick, read, read_own, text_of, usual,
};
use crate::conductor::{Book, Command, Conductor, Order, Parts, Reply, Watcher};
use crate::fault::Fault;
use crate::journal::{self, Claim, NotOpened, Opened};
use crate::machine::{Fact, State};
use crate::model::{Phase, SystemName};
use crate::port::{Journal, NoTap, Tap, World};

/// Carries out one command; the lock is held only while it works.
///
/// # Errors
/// It was refused, could not be handed over, or the journal could not be read or written.
pub async fn order(
    settings: &Settings,
    system: &SystemName,
    order: Order,
    watcher: Arc<dyn Watcher>,
) -> Result<Reply, Fault> {
    let command = order.command.clone();
    let done = order_in(settings, system, order, watcher, Hooks::default()).await;
    done.map_err(|fault| dead_disk::way_on(fault, settings, system, &command))
}

/// Puts something before a journal.
pub type BeforeJournal = dyn FnOnce(Box<dyn Journal>) -> Box<dyn Journal> + Send;

/// Puts something before the world.
pub type BeforeWorld = dyn FnOnce(Arc<dyn World>) -> Arc<dyn World> + Send;

/// What a test puts between the conductor and the outside.
pub struct Hooks {
    /// Told before and after every outside call.
    pub tap: Arc<dyn Tap>,
    /// Stands before the journal.
    pub journal: Box<BeforeJournal>,
    /// Stands before the actuators.
    pub world: Box<BeforeWorld>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { tap: Arc::new(NoTap), journal: Box::new(|it| it), world: Box::new(|it| it) }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("tap", &self.tap).finish_non_exhaustive()
    }
}

/// As [`order`], with something between the conductor and the outside.
///
/// # Errors
/// As [`order`].
pub async fn order_in(
    settings: &Settings,
    system: &SystemName,
    order: Order,
    watcher: Arc<dyn Watcher>,
    hooks: Hooks,
) -> Result<Reply, Fault> {
    let dir = folder(settings, system);
    let (text, file) = text_of(settings, system)?;
    let (workflow, shelved) = match kept::workflow(&dir, &text) {
        Some((kept, digest)) => (kept, Some(digest)),
        None => (read_own(system, &text, &file)?, None),
    };
    let claim = Claim { since: settings.clock.now(), command: order.command.name().to_owned() };
    // A confirmed failover waits for nothing that it does not need: neither for the store nor for what earlier runs
    // took, which is told with plans and in progress.
    let hurried =
        matches!(&order.command, Command::Failover(it) if it.plan.is_some()) && !order.dry_run;
    let open = if hurried { journal::open_ready } else { journal::open };
    let opened = match open(&dir, system, &claim) {
        Ok(opened) => opened,
        Err(NotOpened::Busy(holder)) => {
            return handover::send(&dir, &order, &settings.actor, holder).await;
        }
        Err(NotOpened::Fault(fault)) => return Err(fault),
    };
    let lines = if hurried { vec![] } else { journal::read(&dir)? };
    let lines = lines.into_iter().map(|it| it.line).collect::<Vec<_>>();
    let Opened { journal, life, beyond, cut, warnings } = opened;
    let ours = shelved.is_none_or(|it| life.record.armed.is_some_and(|seal| seal.workflow == it));
    let workflow = Arc::new(if ours { workflow } else { read_own(system, &text, &file)? });
    let wire =
        Arc::new(Wire::new(settings.outside.clone(), Arc::clone(&settings.clock), hooks.tap));
    let world = (hooks.world)(Arc::new(Actuators::new(wire)));
    if hurried && life.state == State::Steady {
        world.ahead(&workflow, &life.record);
    }
    let mut book = Book::new((hooks.journal)(Box::new(journal)), life, Arc::clone(&settings.clock));
    if beyond {
        pause_beyond(&mut book, settings)?;
    }
    let cut =
        cut.map(|it| format!("{} torn bytes after line {} were cut off", it.bytes, it.after.seq));
    for text in warnings.into_iter().chain(cut) {
        book.note(&settings.actor, text, None, vec![], vec![])?;
    }
    let (kept_text, kept_workflow) = (text.clone(), Arc::clone(&workflow));
    let (sender, inbox) = mpsc::channel(16);
    let proven = ledger::proven(settings, system, &workflow, &lines);
    let conductor = Conductor::new(Parts {
        system: system.clone(),
        book,
        world,
        clock: Arc::clone(&settings.clock),
        workflow,
        text,
        differs: settings.outside.differs.clone(),
        watcher,
        inbox,
        expected: usual(&lines),
        measured: crate::view::measured(&lines),
        proven,
        fresh_id: fresh_id()?,
        read,
    });
    let door = handover::listen(&dir, sender)?;
    let reply = conductor.order(&order, &settings.actor);
    let arms = order.command == Command::Arm && !order.dry_run;
    tokio::select! {
        reply = reply => {
            if arms && reply.is_ok() {
                kept::keep(&dir, &kept_text, &kept_workflow)?;
            }
            reply
        }
        never = door.serve() => never,
    }
}

/// A line that nobody was told of stands at the end: in the phases where going on by itself could harm,
/// a person goes on.
fn pause_beyond(book: &mut Book, settings: &Settings) -> Result<(), Fault> {
    let life = book.life();
    let State::Doing { at, .. } = life.state else { return Ok(()) };
    if life.record.paused || !matches!(at.phase, Phase::Swap | Phase::Reset | Phase::Fence) {
        return Ok(());
    }
    let text = "the last line was written but never acknowledged: paused until `run resume`";
    book.note(&settings.actor, text, None, vec![], vec![Fact::Paused { on: true }])
}

/// 16 random hexadecimal digits for a journal that has no id yet.
fn fresh_id() -> Result<String, Fault> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 8];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).map_err(
        |error| Fault::new(&crate::fault::E2015, "no random numbers can be had").because(error),
    )?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

/// The settings of a command whose journal goes on in this folder, because its own disk is dead.
///
/// # Errors
/// The journal cannot be read any more, or not be written there.
pub fn elsewhere(
    settings: &Settings,
    system: Option<&str>,
    state: PathBuf,
) -> Result<Settings, Fault> {
    let (there, from, to) = moved(settings, system, state)?;
    journal::go_on(&from, &to)?;
    Ok(there)
}

/// The settings with which is read what [`elsewhere`] would go on from; nothing is written.
///
/// # Errors
/// The journal cannot be read any more, or what is there is no copy of it.
pub fn looked_at_elsewhere(
    settings: &Settings,
    system: Option<&str>,
    state: PathBuf,
) -> Result<Settings, Fault> {
    let (there, from, to) = moved(settings, system, state)?;
    Ok(if journal::begun(&from, &to)?.is_some() { there } else { settings.clone() })
}

/// The same settings with another state folder, and the system's folder in both.
fn moved(
    settings: &Settings,
    system: Option<&str>,
    state: PathBuf,
) -> Result<(Settings, PathBuf, PathBuf), Fault> {
    let system = pick(settings, system)?;
    let there = Settings { state, ..settings.clone() };
    let (from, to) = (folder(settings, &system), folder(&there, &system));
    Ok((there, from, to))
}

/// Appends what was written elsewhere meanwhile, and writes who said so and why. Says what was done.
///
/// # Errors
/// The lock is held, or the two journals parted.
pub fn join(
    settings: &Settings,
    system: &SystemName,
    from: &Path,
    reason: String,
) -> Result<String, Fault> {
    let (dir, there) = (folder(settings, system), from.join(system.as_str()));
    let claim = Claim { since: settings.clock.now(), command: "run adopt".to_owned() };
    let lines = journal::join(&dir, &there, &claim)?;
    let says = format!("{lines} lines written in {} were joined", from.display());
    let Opened { journal, life, .. } = journal::open(&dir, system, &claim)?;
    let mut book = Book::new(Box::new(journal), life, Arc::clone(&settings.clock));
    book.note(&settings.actor, says.as_str(), Some(reason), vec![], vec![])?;
    Ok(says)
}

/// Cuts a torn tail that the start-up rules would not cut by themselves, and writes who said so and why.
/// Says what was done.
///
/// # Errors
/// The lock is held, or the journal is damaged elsewhere.
pub fn cut_tail(settings: &Settings, system: &SystemName, reason: String) -> Result<String, Fault> {
    let dir = folder(settings, system);
    let claim = Claim { since: settings.clock.now(), command: "run adopt".to_owned() };
    let Some(cut) = journal::cut_tail(&dir, &claim)? else {
        return Ok("there is nothing after the last line: nothing was cut".to_owned());
    };
    let says = format!("{} torn bytes after line {} were cut off", cut.bytes, cut.after.seq);
    let Opened { journal, life, .. } = journal::open(&dir, system, &claim)?;
    let mut book = Book::new(Box::new(journal), life, Arc::clone(&settings.clock));
    book.note(&settings.actor, says.as_str(), Some(reason), vec![], vec![])?;
    Ok(says)
}
