//! What a start does with what it finds: the rules of `docs/journal.md`, in their order.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::fault::{E4004, Fault};
use crate::journal::append::Segments;
use crate::journal::encode::Tail;
use crate::journal::file::FileJournal;
use crate::journal::layout::{self, Mark, Place, io_fault};
use crate::journal::lock::{Claim, Lock, NotOpened};
use crate::journal::ready::Ready;
use crate::journal::scan::{End, Read, Torn, at, damage, find, lost, scan};
use crate::journal::store::{Known, SNAPSHOT_LINES, Snapshot, Store};
use crate::journal::sync::{Disk, Syncer};
use crate::journal::verify::{diverged, fold_one};
use crate::machine::Life;
use crate::model::SystemName;
use crate::port::Head;

/// A journal that is ready for its one writer.
#[derive(Debug)]
pub struct Opened {
    /// The writer.
    pub journal: FileJournal,
    /// What the journal folds to.
    pub life: Life,
    /// There are lines that were perhaps never acknowledged to a person: the store did not know them, or
    /// there was no store. Stays so until `remember` is called.
    pub beyond: bool,
    /// Torn bytes that were cut off, if any were.
    pub cut: Option<Cut>,
    /// What else a person should know, one sentence each, without a full stop.
    pub warnings: Vec<String>,
}

/// Bytes that were cut off the end of a journal. They are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The last whole line, which is now the last.
    pub after: Head,
    /// How many bytes.
    pub bytes: u64,
    /// The file that has them now.
    pub kept: PathBuf,
}

/// What was read of the journal.
struct Folded {
    life: Life,
    end: End,
    /// Where the last line begins.
    last: Place,
    /// The line from which on it was folded.
    from: u64,
    /// The first line of each run that was met.
    runs: BTreeMap<u32, Mark>,
    /// The last line ended a run.
    ended: bool,
}

/// Opens the journal of a system in its state folder (`state/<system>`) for the one writer; makes the
/// folder when there is none.
///
/// # Errors
/// [`NotOpened::Busy`] when another process holds the lock; E4001, E4003 to E4006, E4010, E4011.
pub fn open(dir: &Path, system: &SystemName, claim: &Claim) -> Result<Opened, NotOpened> {
    open_with(dir, system, claim, Box::new(Disk))
}

/// [`open`], with another way to the disk.
///
/// # Errors
/// As there.
pub fn open_with(
    dir: &Path,
    system: &SystemName,
    claim: &Claim,
    sync: Box<dyn Syncer>,
) -> Result<Opened, NotOpened> {
    layout::make_folders(dir, &*sync)?;
    let lock = Lock::take(dir, claim)?;
    opened(dir, system, lock, sync)
}

/// [`open`] for who is in a hurry: without the store, when the journal ends where it did when it was last made ready
/// (`Journal::ready`). The store is opened beside the first line that is remembered, and compared then.
///
/// # Errors
/// As there.
pub fn open_ready(dir: &Path, system: &SystemName, claim: &Claim) -> Result<Opened, NotOpened> {
    let Some(ready) = Ready::read(dir) else { return open(dir, system, claim) };
    let lock = Lock::take(dir, claim)?;
    let Some(read) = ready.holds(dir, system) else {
        layout::make_folders(dir, &Disk)?;
        return opened(dir, system, lock, Box::new(Disk));
    };
    let Ready { mark, next, rolls, snapshot, life, .. } = ready;
    let journal = FileJournal {
        dir: dir.to_owned(),
        system: system.clone(),
        tail: read.tail(),
        last: mark.place,
        segments: Segments::at_rest(dir, next, rolls, Box::new(Disk))?,
        snapshot,
        indexed: None,
        store: Store::later(dir),
        _lock: lock,
    };
    Ok(Opened { journal, life, beyond: false, cut: None, warnings: vec![] })
}

fn opened(
    dir: &Path,
    system: &SystemName,
    lock: Lock,
    sync: Box<dyn Syncer>,
) -> Result<Opened, NotOpened> {
    let (store, known) = Store::open(dir)?;
    let Known { head: acknowledged, snapshot, moved } = known;
    let Folded { life, end, last, from, runs, ended } = load(dir, system, acknowledged, snapshot)?;
    let head = end.tail.head;
    let cut = match end.torn {
        None => None,
        // Whatever is torn was never acknowledged: the line before it was the last one that was.
        Some(torn) if acknowledged.is_some_and(|it| it.head == head) => {
            Some(cut(dir, head, torn, &*sync)?)
        }
        Some(torn) => return Err(torn_fault(dir, torn).into()),
    };
    let mut segments = Segments::resume(dir, end.next, sync)?;
    if ended {
        // The process that wrote the end of the run is gone, and with it what `roll` told it.
        segments.roll();
    }
    let mut journal = FileJournal {
        dir: dir.to_owned(),
        system: system.clone(),
        tail: end.tail,
        last,
        segments,
        snapshot: from,
        indexed: None,
        store,
        _lock: lock,
    };
    runs.into_iter().for_each(|(run, mark)| journal.store.run(run, mark));
    if head.seq == 0 {
        journal.store.head(Mark { head, place: layout::START });
    }
    if head.seq >= from + SNAPSHOT_LINES {
        journal.take_snapshot(&life);
    }
    let warnings = moved.map(|(to, why)| {
        format!("the store could not be read ({why}); it is now {} and was rebuilt", to.display())
    });
    let beyond = acknowledged.map_or(head.seq > 0, |it| it.head.seq < head.seq);
    Ok(Opened { journal, life, beyond, cut, warnings: warnings.into_iter().collect() })
}

/// Folds the journal, from the snapshot on when it is true.
fn load(
    dir: &Path,
    system: &SystemName,
    acknowledged: Option<Mark>,
    snapshot: Option<Snapshot>,
) -> Result<Folded, Fault> {
    if let Some(mark) = acknowledged.filter(|it| it.head.seq > 0) {
        find(dir, mark)?.ok_or_else(|| lost(dir, mark))?;
    }
    let ours = |read: &Read, place| {
        let says = format!("this line is from the journal of {}", read.line.system);
        if read.line.system == *system { Ok(()) } else { Err(damage(dir, place, says)) }
    };
    let (mut life, mut tail, mut next, mut last) =
        (Life::default(), Tail::default(), layout::START, layout::START);
    let mut of_run = false;
    if let Some(Snapshot { mark, life: then, .. }) = snapshot {
        let (read, after) = find(dir, mark)?.ok_or_else(|| lost(dir, mark))?;
        ours(&read, mark.place)?;
        of_run = read.line.run.is_some();
        (life, tail, next, last) = (then, read.tail(), after, mark.place);
    }
    let (from, mut runs) = (tail.head.seq, BTreeMap::new());
    let end = scan(dir, next, tail, |read, place| {
        ours(&read, place)?;
        if let Some(run) = read.line.run {
            runs.entry(run).or_insert_with(|| Mark { head: read.tail().head, place });
        }
        (last, of_run) = (place, read.line.run.is_some());
        fold_one(&mut life, &read)
            .map_err(|says| at(diverged(says), dir, read.segment, read.number))
    })?;
    let ended = of_run && life.record.run.is_none();
    Ok(Folded { life, end, last, from, runs, ended })
}

fn torn_fault(dir: &Path, torn: Torn) -> Fault {
    let message = format!(
        "{} bytes after the last whole line, and nothing shows that that line was the last",
        torn.bytes
    );
    let hint = "look at them, then `changeover run adopt --cut-tail --reason TEXT`";
    at(Fault::new(&E4004, message).hint(hint), dir, torn.place.segment, torn.place.number)
}

/// Takes torn bytes off the last segment; a copy is durable first.
fn cut(dir: &Path, after: Head, torn: Torn, sync: &dyn Syncer) -> Result<Cut, Fault> {
    let Torn { place: Place { segment, offset, .. }, bytes } = torn;
    let path = layout::segment(dir, segment);
    let folder = dir.join("cut");
    let kept = folder.join(format!("{segment:08}-{offset}-{}", after.hash.short()));
    let copied = || -> io::Result<()> {
        fs::create_dir_all(&folder)?;
        let (mut from, mut tail) = (File::open(&path)?, vec![]);
        from.seek(SeekFrom::Start(offset))?;
        from.read_to_end(&mut tail)?;
        let mut to = File::create(&kept)?;
        to.write_all(&tail)?;
        sync.data(&to)
    };
    copied().map_err(|err| io_fault("keep the end of", &path, &err))?;
    layout::sync_folder(&folder, sync)?;
    layout::sync_folder(dir, sync)?;
    let shorten = |file: File| file.set_len(offset).and_then(|()| sync.data(&file));
    let segment = OpenOptions::new().write(true).open(&path);
    segment.and_then(shorten).map_err(|err| io_fault("cut the end of", &path, &err))?;
    Ok(Cut { after, bytes, kept })
}

/// Cuts torn bytes off the end of a journal because a person said so; nothing when there are none. The
/// next start writes that into the journal.
///
/// # Errors
/// As [`open`], except E4004.
pub fn cut_tail(dir: &Path, claim: &Claim) -> Result<Option<Cut>, NotOpened> {
    let _lock = Lock::take(dir, claim)?;
    Ok(cut_torn(dir)?)
}

/// The same for whoever holds the lock.
pub(super) fn cut_torn(dir: &Path) -> Result<Option<Cut>, Fault> {
    let end = scan(dir, layout::START, Tail::default(), |_, _| Ok(()))?;
    end.torn.map(|torn| cut(dir, end.tail.head, torn, &Disk)).transpose()
}
