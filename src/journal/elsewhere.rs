//! A journal that goes on in another folder while its own disk takes nothing, and is joined again afterwards.
//!
//! The other folder begins as a copy of what can still be read; every line there follows from the last one here by
//! `prev`. So joining is no merging: the lines that are missing here are appended as they are, byte by byte, and
//! only if nothing was written here meanwhile.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek, SeekFrom, Write};
use std::path::Path;

use crate::fault::{E4012, Fault};
use crate::journal::layout::{self, io_fault};
use crate::journal::lock::{Claim, Lock, NotOpened};
use crate::journal::open::cut_torn;
use crate::journal::ready::READY;
use crate::journal::sync::{Disk, Syncer as _};
use crate::journal::verify::read;
use crate::model::Digest;

/// Files beside the journal that a failover can use.
const BESIDE: [&str; 4] = ["armed.json", "shown.json", "armed-workflow.json", READY];

/// How many lines the copy at `to` has, `None` before it is begun; what [`go_on`] would find. Writes nothing.
///
/// # Errors
/// E4001, E4012: the journal cannot be read any more, or what is at `to` is no copy of it.
pub fn begun(from: &Path, to: &Path) -> Result<Option<u64>, Fault> {
    if layout::segments(to)? > 0 {
        return gone_on(from, to).map(Some);
    }
    match layout::segments(from) {
        Ok(0) => Err(unreadable(from, "it has no lines")),
        Ok(_) => Ok(None),
        Err(why) => Err(unreadable(from, &why.message)),
    }
}

/// Begins the copy at `to`, if there is none yet. Writes nothing at `from`. Says how many lines it has.
///
/// # Errors
/// E4001, E4012: the journal cannot be read any more, or the copy cannot be written.
pub fn go_on(from: &Path, to: &Path) -> Result<u64, Fault> {
    if let Some(lines) = begun(from, to)? {
        return Ok(lines);
    }
    let count = layout::segments(from)?;
    layout::make_folders(to, &Disk)?;
    for number in 1..=count {
        let path = layout::segment(from, number);
        let bytes = fs::read(&path).map_err(|err| unreadable(&path, &err.to_string()))?;
        // Torn bytes were never acknowledged: they stay where they are.
        let whole = bytes.iter().rposition(|it| *it == b'\n').map_or(0, |at| at + 1);
        put(&layout::segment(to, number), bytes.get(..whole).unwrap_or_default())?;
    }
    copy_texts(from, to)?;
    for name in BESIDE {
        if let Ok(bytes) = fs::read(from.join(name)) {
            put(&to.join(name), &bytes)?;
        }
    }
    layout::sync_folder(&layout::journal_folder(to), &Disk)?;
    Ok(read(to)?.len() as u64)
}

/// A copy that was begun before: it must have every line that can still be read here.
fn gone_on(from: &Path, to: &Path) -> Result<u64, Fault> {
    let there = read(to)?;
    let here = read(from).unwrap_or_default();
    let same = here.iter().zip(&there).all(|(a, b)| a.hash == b.hash);
    if same && here.len() <= there.len() {
        return Ok(there.len() as u64);
    }
    let message = format!("{} holds another journal, or an older copy of this one", to.display());
    Err(Fault::new(&E4012, message)
        .because(format!("{} lines here and {} there", here.len(), there.len()))
        .hint("name an empty folder"))
}

/// Appends what was written at `from` to the journal here. Says how many lines that were.
///
/// # Errors
/// Busy, E4001, E4012: both went on, so that neither follows from the other.
pub fn join(dir: &Path, from: &Path, claim: &Claim) -> Result<u64, NotOpened> {
    let _lock = Lock::take(dir, claim)?;
    let (here, there) = (read(dir)?, read(from)?);
    let same = here.iter().zip(&there).all(|(a, b)| a.hash == b.hash);
    if !same || there.len() < here.len() {
        let message = format!("{} does not follow from the journal here", from.display());
        let fault = Fault::new(&E4012, message)
            .because(format!("{} lines here and {} there, and they part", here.len(), there.len()))
            .hint("`changeover audit log` of both shows where; keep both, and explain E4012");
        return Err(fault.into());
    }
    // A line that the disk took half of was never acknowledged; it is kept beside the journal.
    cut_torn(dir)?;
    copy_texts(from, dir)?;
    let (last, count) = (layout::segments(dir)?.max(1), layout::segments(from)?);
    for number in last..=count {
        let (to, from) = (layout::segment(dir, number), layout::segment(from, number));
        append_rest(&to, &from)?;
    }
    layout::sync_folder(&layout::journal_folder(dir), &Disk)?;
    Ok((there.len() - here.len()) as u64)
}

/// The bytes of `from` that `to` does not have yet; it begins with those it has.
fn append_rest(to: &Path, from: &Path) -> Result<(), Fault> {
    let fault = |err: std::io::Error| io_fault("append to", to, &err);
    let mut file = OpenOptions::new().append(true).create(true).open(to).map_err(fault)?;
    let has = file.metadata().map_err(fault)?.len();
    let (mut source, mut rest) = (fs::File::open(from).map_err(fault)?, vec![]);
    source.seek(SeekFrom::Start(has)).map_err(fault)?;
    source.read_to_end(&mut rest).map_err(fault)?;
    file.write_all(&rest).and_then(|()| Disk.data(&file)).map_err(fault)
}

fn copy_texts(from: &Path, to: &Path) -> Result<(), Fault> {
    let folder = from.join("blobs");
    let fault = |err: std::io::Error| io_fault("list", &folder, &err);
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(&folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let target = to.join("blobs").join(entry.file_name());
        let named = entry.file_name().to_str().and_then(Digest::parse);
        if named.is_some() && !target.exists() {
            put(&target, &fs::read(entry.path()).map_err(fault)?)?;
        }
    }
    layout::sync_folder(&to.join("blobs"), &Disk)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    fs::File::create(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| Disk.data(&file)))
        .map_err(|err| io_fault("write", path, &err))
}

fn unreadable(path: &Path, why: &str) -> Fault {
    Fault::new(&E4012, format!("nothing can be copied from {}: {why}", path.display()))
        .because("without the journal nobody knows who is production and what the marks are")
        .hint("bring a copy of the state folder back and name it with --state")
}
