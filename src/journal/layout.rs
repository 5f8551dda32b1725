//! Names and places of files in a system's state folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fault::{E4001, E4003, Fault};
use crate::journal::sync::Syncer;
use crate::model::Digest;
use crate::port::Head;

/// A segment is left when the next line would make it longer than this; bytes.
pub(super) const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Where a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The segment's number, from 1.
    pub(super) segment: u32,
    /// The line's number in its segment, from 1.
    pub(super) number: u64,
    /// The byte in its segment, from 0.
    pub(super) offset: u64,
}

/// Where the first line of a journal begins.
pub(super) const START: Place = Place { segment: 1, number: 1, offset: 0 };

/// A line and where it begins; what the store knows of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The line.
    pub(super) head: Head,
    /// Where it begins.
    pub(super) place: Place,
}

pub(super) fn journal_folder(dir: &Path) -> PathBuf {
    dir.join("journal")
}

pub(super) fn segment(dir: &Path, number: u32) -> PathBuf {
    journal_folder(dir).join(format!("{number:08}.jsonl"))
}

pub(super) fn blob(dir: &Path, digest: &Digest) -> PathBuf {
    dir.join("blobs").join(digest.to_string())
}

/// An error of the operating system on its way to a person.
pub(super) fn io_fault(doing: &str, path: &Path, err: &io::Error) -> Fault {
    Fault::new(&E4001, format!("cannot {doing} {}", path.display())).because(err)
}

/// How many segments there are.
///
/// # Errors
/// E4003 when one in between is missing.
pub(super) fn segments(dir: &Path) -> Result<u32, Fault> {
    let folder = journal_folder(dir);
    let fault = |err: io::Error| io_fault("list", &folder, &err);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(err) => return Err(fault(err)),
    };
    let mut numbers = vec![];
    for entry in entries {
        let name = entry.map_err(fault)?.file_name();
        numbers.extend(name.to_str().and_then(segment_number));
    }
    numbers.sort_unstable();
    let missing = (1..).zip(&numbers).find(|(wanted, found)| wanted != *found);
    if let Some((wanted, _)) = missing {
        let path = segment(dir, wanted);
        let message = format!("the segment {} is missing", path.display());
        return Err(Fault::new(&E4003, message).hint(
            "bring it back from a copy of the state folder; see `changeover explain E4003`",
        ));
    }
    Ok(numbers.last().copied().unwrap_or(0))
}

fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".jsonl")?;
    (digits.len() == 8).then(|| digits.parse().ok())?
}

/// Makes the folders of a system that are missing, and their names durable: also those of an earlier start
/// that died in between.
pub(super) fn make_folders(dir: &Path, sync: &dyn Syncer) -> Result<(), Fault> {
    for folder in [journal_folder(dir), dir.join("blobs")] {
        fs::create_dir_all(&folder).map_err(|err| io_fault("make", &folder, &err))?;
    }
    sync_folder(dir, sync)?;
    let above = dir.parent().filter(|it| !it.as_os_str().is_empty());
    sync_folder(above.unwrap_or_else(|| Path::new(".")), sync)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path, sync: &dyn Syncer) -> Result<(), Fault> {
    File::open(folder)
        .and_then(|it| sync.folder(&it))
        .map_err(|err| io_fault("sync the folder", folder, &err))
}
