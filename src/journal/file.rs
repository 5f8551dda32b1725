//! The journal on a disk.

use std::path::{Path, PathBuf};

use crate::fault::Fault;
use crate::journal::append::Segments;
use crate::journal::blobs;
use crate::journal::encode::{Tail, encode};
use crate::journal::layout::{self, Mark};
use crate::journal::lock::Lock;
use crate::journal::ready::Ready;
use crate::journal::scan::{Read, find, lost, scan};
use crate::journal::shelf;
use crate::journal::store::{SNAPSHOT_LINES, Snapshot, Store};
use crate::machine::Life;
use crate::model::{Digest, SystemName};
use crate::port::{Draft, Head, Journal, Line};

/// The one writer of a system's journal. Holds the lock until it is dropped.
#[derive(Debug)]
pub struct FileJournal {
    pub(super) dir: PathBuf,
    pub(super) system: SystemName,
    pub(super) tail: Tail,
    /// Where the last line begins; `START` when there is none.
    pub(super) last: layout::Place,
    pub(super) segments: Segments,
    /// The number of the line after which the last snapshot was taken.
    pub(super) snapshot: u64,
    /// The run whose beginning the store was last told.
    pub(super) indexed: Option<u32>,
    pub(super) store: Store,
    // The last field: the lock is given back after the store is closed.
    pub(super) _lock: Lock,
}

impl FileJournal {
    /// The state folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The lines from the first of this run on; the store's index says where that is, and when it does
    /// not know or is wrong, all lines are read.
    ///
    /// # Errors
    /// E4001, E4003, E4011.
    pub fn since_run(&self, run: u32) -> Result<Vec<Read>, Fault> {
        let indexed = match self.store.begin_of(run) {
            Some(mark) => find(&self.dir, mark)?.filter(|(read, _)| read.line.run == Some(run)),
            None => None,
        };
        let (mut lines, from, tail) = match indexed {
            Some((read, next)) => (vec![read.clone()], next, read.tail()),
            None => (vec![], layout::START, Tail::default()),
        };
        scan(&self.dir, from, tail, |read, _| {
            if read.line.run == Some(run) || !lines.is_empty() {
                lines.push(read);
            }
            Ok(())
        })?;
        Ok(lines)
    }

    fn mark(&self) -> Mark {
        Mark { head: self.tail.head, place: self.last }
    }

    fn put(&mut self, draft: Draft, soft: bool) -> Result<Line, Fault> {
        if let Some(mark) = self.store.lost() {
            return Err(lost(&self.dir, mark));
        }
        let (line, bytes, head) = encode(&self.system, self.tail, draft)?;
        self.last = self.segments.append(&self.dir, &bytes, soft)?;
        self.tail = Tail { head, at: line.at };
        // The store is told of durable lines only: what it knows and the journal lacks is damage.
        if let Some(run) = line.run.filter(|run| !soft && self.indexed != Some(*run)) {
            self.store.run(run, self.mark());
            self.indexed = Some(run);
        }
        Ok(line)
    }

    pub(super) fn take_snapshot(&mut self, life: &Life) {
        self.snapshot = self.tail.head.seq;
        self.store.snapshot(Snapshot::new(self.mark(), life));
    }
}

impl Journal for FileJournal {
    fn head(&self) -> Head {
        self.tail.head
    }

    fn append(&mut self, draft: Draft) -> Result<Line, Fault> {
        self.put(draft, false)
    }

    fn append_soft(&mut self, draft: Draft) -> Result<Line, Fault> {
        self.put(draft, true)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.segments.flush(&self.dir)
    }

    fn shelve(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        shelf::shelve_with(&self.dir, name, text, self.segments.sync())
    }

    fn shelved(&self, name: &str) -> Option<String> {
        shelf::shelved(&self.dir, name)
    }

    fn ready(&mut self, life: &Life) -> Result<(), Fault> {
        self.flush()?;
        let (next, rolls) = self.segments.end();
        let ready = Ready::new(self.mark(), next, rolls, self.snapshot, life);
        ready.write(&self.dir, self.segments.sync())
    }

    fn remember(&mut self, life: &Life) {
        self.store.catch_up();
        self.store.head(self.mark());
        if self.tail.head.seq >= self.snapshot + SNAPSHOT_LINES {
            self.take_snapshot(life);
        }
    }

    fn keep(&mut self, text: &str) -> Result<Digest, Fault> {
        blobs::keep(&self.dir, text, self.segments.sync())
    }

    fn kept(&self, digest: &Digest) -> Result<String, Fault> {
        blobs::kept(&self.dir, digest)
    }

    fn page(&mut self, name: &str, text: &str) -> Result<Option<PathBuf>, Fault> {
        blobs::page(&self.dir, name, text, self.segments.sync()).map(Some)
    }

    fn roll(&mut self) {
        self.segments.roll();
    }
}
