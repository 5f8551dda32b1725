//! What the journal folds to and where it ends, in a file of its own: so that a failover whose plan was shown begins
//! without the store, whose opening takes longer than the move. Whoever wrote it had the store open and had compared;
//! it holds only while the journal ends with the very line it names.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::journal::layout::{self, Mark, Place};
use crate::journal::scan::{Read, find};
use crate::journal::shelf;
use crate::journal::sync::Syncer;
use crate::machine::Life;
use crate::model::{Digest, SystemName};

/// Its name in the state folder.
pub(super) const READY: &str = "ready.json";

/// One of another version is not used: it may fold otherwise.
const MADE_BY: &str = env!("CARGO_PKG_VERSION");

/// The journal at rest.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    made_by: String,
    /// The last line.
    pub(super) mark: Mark,
    /// Where the next line will begin, in the same segment.
    pub(super) next: Place,
    /// The next line begins a new segment.
    pub(super) rolls: bool,
    /// The line after which the store's snapshot was taken.
    pub(super) snapshot: u64,
    /// What it folds to.
    pub(super) life: Life,
}

impl Ready {
    pub(super) fn new(mark: Mark, next: Place, rolls: bool, snapshot: u64, life: &Life) -> Self {
        let (made_by, life) = (MADE_BY.to_owned(), life.clone());
        Self { made_by, mark, next, rolls, snapshot, life }
    }

    /// Writes it. All lines must be durable.
    pub(super) fn write(&self, dir: &Path, sync: &dyn Syncer) -> Result<(), Fault> {
        // One that cannot be written as JSON is not there: the next start opens the store.
        let Ok(body) = serde_json::to_string(self) else { return Ok(()) };
        let text = format!("{}\n{body}", Digest::of(body.as_bytes()));
        shelf::shelve_with(dir, READY, &text, sync)
    }

    /// What was written, whole and by this version.
    pub(super) fn read(dir: &Path) -> Option<Self> {
        let text = shelf::shelved(dir, READY)?;
        let (digest, body) = text.split_once('\n')?;
        if Digest::parse(digest)? != Digest::of(body.as_bytes()) {
            return None;
        }
        serde_json::from_str::<Self>(body).ok().filter(|it| it.made_by == MADE_BY)
    }

    /// The journal's last line, if it is the one named here and nothing at all stands behind it. Asked under the lock.
    pub(super) fn holds(&self, dir: &Path, system: &SystemName) -> Option<Read> {
        let last = layout::segments(dir).ok()?;
        let length = fs::metadata(layout::segment(dir, last)).ok()?.len();
        if last != self.next.segment || length != self.next.offset {
            return None;
        }
        let (read, next) = find(dir, self.mark).ok()??;
        (next == self.next && read.line.system == *system).then_some(read)
    }
}
