//! The embedded store beside the journal: the acknowledged head, the machine's snapshot, where runs begin.
//!
//! All of `sled` is here. Its `flush` is undone by a power cut without an error and its `flush_async`
//! deadlocks, so: nothing in it is trusted alone, one thread of ours writes, blocking, after the line was
//! acknowledged, and everything can be rebuilt from the lines.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::{E4010, Fault};
use crate::journal::layout::Mark;
use crate::journal::scan::find;
use crate::machine::Life;

/// A snapshot is taken when this many lines follow the last one: a start folds at most these.
pub(super) const SNAPSHOT_LINES: u64 = 64;

/// How often a store whose place is at fault is looked at again, 20 ms apart.
const PATIENCE: u32 = 50;

/// A snapshot of another version is not used: it may fold otherwise.
const MADE_BY: &str = env!("CARGO_PKG_VERSION");

/// What the machine was after a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    made_by: String,
    /// That line.
    pub(super) mark: Mark,
    /// The machine.
    pub(super) life: Life,
}

impl Snapshot {
    pub(super) fn new(mark: Mark, life: &Life) -> Self {
        Self { made_by: MADE_BY.to_owned(), mark, life: life.clone() }
    }
}

/// What the store knew when it was opened.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The last line acknowledged; absent when the store was.
    pub(super) head: Option<Mark>,
    /// The last snapshot.
    pub(super) snapshot: Option<Snapshot>,
    /// Where a store that could not be read was moved, and why.
    pub(super) moved: Option<(PathBuf, String)>,
}

enum Said {
    Head(Mark),
    Snapshot(Box<Snapshot>),
    Run(u32, Mark),
}

/// The store and the one thread that writes into it. It may be opened later than the journal is: what is said until
/// then waits.
pub(super) struct Store {
    /// Known of a store that was opened first.
    runs: Option<sled::Tree>,
    said: Option<Sender<Said>>,
    waiting: Option<(PathBuf, Receiver<Said>)>,
    writer: Option<JoinHandle<()>>,
    lost: Arc<OnceLock<Mark>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// Three trees, because a page is rewritten whole: the head changes with every line and is small.
struct Trees {
    db: sled::Db,
    snapshots: sled::Tree,
    runs: sled::Tree,
}

/// Why it cannot be read.
enum Unreadable {
    /// The place is at fault: full, not ours, held by somebody.
    Place(String),
    /// The content is.
    Content(String),
}

impl Store {
    /// Opens the store; one that cannot be read is moved aside and an empty one takes its place.
    ///
    /// # Errors
    /// E4010 when it is not the content that is at fault: a full disk, a right, a second holder.
    pub(super) fn open(dir: &Path) -> Result<(Self, Known), Fault> {
        let path = dir.join("store");
        let refused = |says: String| {
            Fault::new(&E4010, format!("cannot open {}", path.display())).because(says)
        };
        let (trees, known) = match read_patiently(&path) {
            Ok(read) => read,
            Err(Unreadable::Place(says)) => return Err(refused(says)),
            Err(Unreadable::Content(why)) => {
                let aside = move_aside(&path).map_err(|err| refused(err.to_string()))?;
                let (trees, known) = read(&path)
                    .map_err(|(Unreadable::Place(it) | Unreadable::Content(it))| refused(it))?;
                (trees, Known { moved: Some((aside, why)), ..known })
            }
        };
        let (said, heard) = channel();
        let runs = trees.runs.clone();
        let writer = Builder::new()
            .name("store".to_owned())
            .spawn(move || write(&trees, &heard))
            .map_err(|err| refused(err.to_string()))?;
        let (said, writer) = (Some(said), Some(writer));
        Ok((Self { runs: Some(runs), said, waiting: None, writer, lost: Arc::default() }, known))
    }

    /// A store that [`Self::catch_up`] opens, or its end at the latest.
    pub(super) fn later(dir: &Path) -> Self {
        let (said, heard) = channel();
        let waiting = Some((dir.to_owned(), heard));
        Self { runs: None, said: Some(said), waiting, writer: None, lost: Arc::default() }
    }

    /// Opens it beside whatever goes on, if it is not open. Nothing is written into one that knows a line which the
    /// journal does not have, nor into one that cannot be read: the next start says so.
    pub(super) fn catch_up(&mut self) {
        let Some((dir, heard)) = self.waiting.take() else { return };
        let lost = Arc::clone(&self.lost);
        let opened = Builder::new().name("store".to_owned()).spawn(move || {
            let Ok((trees, Known { head, .. })) = read_patiently(&dir.join("store")) else {
                return;
            };
            let missing = |it: &Mark| it.head.seq > 0 && matches!(find(&dir, *it), Ok(None));
            match head.filter(missing) {
                Some(mark) => drop(lost.set(mark)),
                None => write(&trees, &heard),
            }
        });
        self.writer = opened.ok();
    }

    /// The line that it knows and the journal does not have.
    pub(super) fn lost(&self) -> Option<Mark> {
        self.lost.get().copied()
    }

    /// This line is acknowledged.
    pub(super) fn head(&self, mark: Mark) {
        self.say(Said::Head(mark));
    }

    /// This is what the journal folds to.
    pub(super) fn snapshot(&self, snapshot: Snapshot) {
        self.say(Said::Snapshot(Box::new(snapshot)));
    }

    /// This run begins with this line, unless an earlier one is known.
    pub(super) fn run(&self, run: u32, mark: Mark) {
        self.say(Said::Run(run, mark));
    }

    /// The first line of a run, if it is known; to be compared with the line there.
    pub(super) fn begin_of(&self, run: u32) -> Option<Mark> {
        serde_json::from_slice(&self.runs.as_ref()?.get(run.to_be_bytes()).ok()??).ok()
    }

    /// A writer that died is no reason to stop: the next start finds a store that is behind.
    fn say(&self, said: Said) {
        drop(self.said.as_ref().map(|it| it.send(said)));
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.catch_up();
        drop(self.said.take());
        drop(self.writer.take().map(JoinHandle::join));
    }
}

/// Reads the store; one that this process has just closed is held a moment longer by sled's own threads.
/// Nobody else can hold it: the journal's lock is ours.
#[expect(
    clippy::disallowed_methods,
    reason = "a wait of a moment for threads that no clock drives"
)]
fn read_patiently(path: &Path) -> Result<(Trees, Known), Unreadable> {
    for _ in 0..PATIENCE {
        let read = read(path);
        if !matches!(read, Err(Unreadable::Place(_))) {
            return read;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    read(path)
}

fn move_aside(path: &Path) -> std::io::Result<PathBuf> {
    let free = (1..=u32::MAX)
        .map(|number| path.with_file_name(format!("store.unreadable-{number}")))
        .find(|it| !it.exists())
        .ok_or(ErrorKind::AlreadyExists)?;
    fs::rename(path, &free)?;
    Ok(free)
}

/// Opens and reads; a damaged store panics in places of `sled`.
fn read(path: &Path) -> Result<(Trees, Known), Unreadable> {
    // Smaller segments than its own 512 KiB: a start reads the last one.
    let config = sled::Config::new().path(path).cache_capacity(4 << 20).segment_size(128 << 10);
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let db = config.open()?;
        let (snapshots, runs) = (db.open_tree("snapshots")?, db.open_tree("runs")?);
        let (head, snapshot) = (db.get("head")?, snapshots.get("last")?);
        Ok((Trees { db, snapshots, runs }, head, snapshot))
    }));
    let (trees, head, snapshot) = match opened {
        Ok(Ok(read)) => read,
        Ok(Err(err)) => return Err(unreadable(&err)),
        Err(_) => return Err(Unreadable::Content("it panicked while it was read".to_owned())),
    };
    // Another version's snapshot may not even parse; the lines say it all again.
    let snapshot = snapshot
        .and_then(|it| serde_json::from_slice::<Snapshot>(&it).ok())
        .filter(|it| it.made_by == MADE_BY);
    let head = match head.map(|it| serde_json::from_slice(&it)).transpose() {
        Ok(head) => head,
        Err(err) => return Err(Unreadable::Content(err.to_string())),
    };
    Ok((trees, Known { head, snapshot, moved: None }))
}

fn unreadable(err: &sled::Error) -> Unreadable {
    let says = err.to_string();
    let place = match err {
        sled::Error::Io(io) => {
            matches!(
                io.kind(),
                ErrorKind::StorageFull
                    | ErrorKind::QuotaExceeded
                    | ErrorKind::PermissionDenied
                    | ErrorKind::ReadOnlyFilesystem
            ) || says.contains("could not acquire lock")
        }
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_)
        | sled::Error::Corruption { .. } => false,
    };
    if place { Unreadable::Place(says) } else { Unreadable::Content(says) }
}

/// The thread: writes what it hears, then hands it to the operating system.
fn write(trees: &Trees, heard: &Receiver<Said>) {
    while let Ok(first) = heard.recv() {
        let mut all = iter::once(first).chain(heard.try_iter());
        if all.try_for_each(|said| put(trees, said)).and_then(|()| trees.db.flush()).is_err() {
            return;
        }
    }
}

fn put(trees: &Trees, said: Said) -> sled::Result<()> {
    match said {
        Said::Head(mark) => trees.db.insert("head", json(&mark)?).map(drop),
        Said::Snapshot(it) => trees.snapshots.insert("last", json(&it)?).map(drop),
        Said::Run(run, mark) => {
            let absent: Option<&[u8]> = None;
            trees.runs.compare_and_swap(run.to_be_bytes(), absent, Some(json(&mark)?)).map(drop)
        }
    }
}

fn json(it: &impl Serialize) -> sled::Result<Vec<u8>> {
    serde_json::to_vec(it).map_err(|err| sled::Error::Unsupported(err.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::layout::START;
    use crate::port::Head;

    #[test]
    fn a_snapshot_of_another_version_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        for (made_by, used) in [(MADE_BY, true), ("0.0.0", false)] {
            let mark = Mark { head: Head::default(), place: START };
            let snapshot =
                Snapshot { made_by: made_by.to_owned(), ..Snapshot::new(mark, &Life::default()) };
            Store::open(dir.path()).unwrap().0.snapshot(snapshot);
            assert_eq!(Store::open(dir.path()).unwrap().1.snapshot.is_some(), used);
        }
    }
}
