//! Files of their own beside the journal: whole or absent, replaced at once, never half written.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::fault::Fault;
use crate::journal::layout::{self, io_fault};
use crate::journal::sync::{Disk, Syncer};

/// Puts a text into the state folder under this name: a temporary file, a sync, a rename, a sync of the folder.
pub(super) fn shelve_with(
    dir: &Path,
    name: &str,
    text: &str,
    sync: &dyn Syncer,
) -> Result<(), Fault> {
    let (path, temporary) = (dir.join(name), dir.join(format!(".{name}")));
    File::create(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| sync.data(&file)))
        .and_then(|()| fs::rename(&temporary, &path))
        .map_err(|err| io_fault("write", &path, &err))?;
    layout::sync_folder(dir, sync)
}

/// The same, by the way to the disk that the product has.
///
/// # Errors
/// E4001.
pub fn shelve(dir: &Path, name: &str, text: &str) -> Result<(), Fault> {
    shelve_with(dir, name, text, &Disk)
}

/// What was put there. Locks nothing.
pub fn shelved(dir: &Path, name: &str) -> Option<String> {
    fs::read_to_string(dir.join(name)).ok()
}
