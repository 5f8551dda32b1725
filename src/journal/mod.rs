//! The append-only log of one system: segments of lines, the store beside them, the lock, and readers.
//!
//! `docs/journal.md` describes the files. One writer ([`open`]) holds the lock; readers ([`read`],
//! [`verify`], [`holder`]) lock nothing, never open the store and may run at any time.

mod append;
mod blobs;
mod elsewhere;
mod encode;
mod file;
mod layout;
mod lock;
mod memory;
mod open;
mod ready;
mod scan;
mod shelf;
mod store;
mod sync;
mod verify;

pub use blobs::kept;
pub use elsewhere::{begun, go_on, join};
pub use file::FileJournal;
pub use lock::{Claim, Holder, NotOpened, holder};
pub use memory::MemoryJournal;
pub use open::{Cut, Opened, cut_tail, open, open_ready, open_with};
pub use scan::Read;
pub use shelf::{shelve, shelved};
pub use sync::{Disk, Syncer};
pub use verify::{Verified, fold, read, verify};
