//! Reading lines and checking that each follows from the one before.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use crate::fault::{E4003, E4005, E4011, Fault};
use crate::journal::encode::{Tail, VERSION};
use crate::journal::layout::{self, Mark, Place, io_fault};
use crate::model::{Digest, SystemName};
use crate::port::{Head, Line};

/// A line as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The line.
    pub line: Line,
    /// The digest of its bytes, without the line break.
    pub hash: Digest,
    /// The segment it is in, from 1.
    pub segment: u32,
    /// Its number in the segment, from 1.
    pub number: u64,
}

impl Read {
    /// What the next line must follow.
    pub(super) fn tail(&self) -> Tail {
        Tail { head: Head { seq: self.line.seq, hash: self.hash }, at: self.line.at }
    }
}

/// Bytes after the last line break of the last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Torn {
    /// Where they begin.
    pub(super) place: Place,
    /// How many.
    pub(super) bytes: u64,
}

/// Where a scan ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// The last whole line.
    pub(super) tail: Tail,
    /// Where the next line will begin.
    pub(super) next: Place,
    /// What is there instead of a line.
    pub(super) torn: Option<Torn>,
}

/// Names a line in a fault.
pub(super) fn at(fault: Fault, dir: &Path, segment: u32, number: u64) -> Fault {
    let file = layout::segment(dir, segment).display().to_string();
    fault.at(file, usize::try_from(number).unwrap_or(usize::MAX), 1)
}

pub(super) fn damage(dir: &Path, place: Place, says: impl Into<String>) -> Fault {
    let hint = "nothing was changed; compare it with a copy, see `changeover explain E4003`";
    at(Fault::new(&E4003, says).hint(hint), dir, place.segment, place.number)
}

/// Opens a segment at a place.
fn open(dir: &Path, place: Place) -> Result<BufReader<File>, Fault> {
    let path = layout::segment(dir, place.segment);
    let mut file = File::open(&path).map_err(|err| io_fault("open", &path, &err))?;
    file.seek(SeekFrom::Start(place.offset)).map_err(|err| io_fault("read", &path, &err))?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// The bytes up to the next line break; without one they are torn.
fn bytes(dir: &Path, place: Place, from: &mut BufReader<File>) -> Result<(Vec<u8>, bool), Fault> {
    let mut bytes = vec![];
    from.read_until(b'\n', &mut bytes)
        .map_err(|err| io_fault("read", &layout::segment(dir, place.segment), &err))?;
    let whole = bytes.pop_if(|last| *last == b'\n').is_some();
    Ok((bytes, whole))
}

/// Reads one line's envelope and body.
fn parse(dir: &Path, place: Place, bytes: &[u8]) -> Result<Line, Fault> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    serde_json::from_slice(bytes).map_err(|err| {
        let newer = serde_json::from_slice::<Versioned>(bytes).is_ok_and(|it| it.v > VERSION);
        if newer {
            newer_line(dir, place)
        } else {
            damage(dir, place, "this is not a line").because(err)
        }
    })
}

fn newer_line(dir: &Path, place: Place) -> Fault {
    let message =
        format!("this line has a format that this program does not know (it knows {VERSION})");
    at(Fault::new(&E4011, message), dir, place.segment, place.number)
}

/// The line that the store says is here, and where the next one begins; nothing when it is not.
pub(super) fn find(dir: &Path, mark: Mark) -> Result<Option<(Read, Place)>, Fault> {
    let Mark { head, place } = mark;
    if !layout::segment(dir, place.segment).try_exists().unwrap_or(true) {
        return Ok(None);
    }
    let (bytes, whole) = bytes(dir, place, &mut open(dir, place)?)?;
    if !whole || Digest::of(&bytes) != head.hash {
        return Ok(None);
    }
    let line = parse(dir, place, &bytes)?;
    let Place { segment, number, offset } = place;
    let next = Place { segment, number: number + 1, offset: offset + bytes.len() as u64 + 1 };
    let found = line.seq == head.seq;
    Ok(found.then_some((Read { line, hash: head.hash, segment, number }, next)))
}

/// The store knows a line that the journal does not have. If the journal itself is damaged, that says more.
pub(super) fn lost(dir: &Path, mark: Mark) -> Fault {
    let Head { seq, hash } = mark.head;
    match scan(dir, layout::START, Tail::default(), |_, _| Ok(())) {
        Err(fault) => fault,
        Ok(end) => Fault::new(
            &E4005,
            format!("line {seq} ({}) was written and is not there", hash.short()),
        )
        .because(format!(
            "the journal ends with line {}, or that line is another one",
            end.tail.head.seq
        ))
        .hint("bring the journal back from a copy; see `changeover explain E4005`"),
    }
}

/// Checks that a line follows from the one before.
fn follows(
    dir: &Path,
    place: Place,
    tail: Tail,
    line: &Line,
    system: Option<&SystemName>,
) -> Result<(), Fault> {
    let Tail { head, at } = tail;
    let number = head.seq + 1;
    if line.v != VERSION {
        return Err(if line.v > VERSION {
            newer_line(dir, place)
        } else {
            damage(dir, place, "the version of this line is not known")
        });
    }
    let says = if line.seq != number {
        format!("this should be line {number} of the journal and says it is line {}", line.seq)
    } else if line.prev != head.hash {
        format!("line {number} does not follow from the line before it: one of the two was changed")
    } else if line.at < at {
        format!("line {number} is of {}, earlier than the line before it", line.at)
    } else if system.is_some_and(|it| *it != line.system) {
        format!("this line is from the journal of {}", line.system)
    } else {
        return Ok(());
    };
    Err(damage(dir, place, says))
}

/// Reads all lines from `from` on, which must follow `tail`, and gives each to `each` with its place.
///
/// # Errors
/// The first line that does not follow, or what `each` says.
pub(super) fn scan(
    dir: &Path,
    mut from: Place,
    mut tail: Tail,
    mut each: impl FnMut(Read, Place) -> Result<(), Fault>,
) -> Result<End, Fault> {
    let last = layout::segments(dir)?;
    let mut system = None;
    while from.segment <= last {
        let mut reader = open(dir, from)?;
        loop {
            let (bytes, whole) = bytes(dir, from, &mut reader)?;
            let length = bytes.len() as u64;
            if !whole && from.segment == last {
                let torn = (length > 0).then_some(Torn { place: from, bytes: length });
                return Ok(End { tail, next: from, torn });
            }
            if !whole && length == 0 {
                break;
            }
            if !whole {
                return Err(damage(dir, from, "this line is torn, and another segment follows"));
            }
            let line = parse(dir, from, &bytes)?;
            follows(dir, from, tail, &line, system.as_ref())?;
            let hash = Digest::of(&bytes);
            tail = Tail { head: Head { seq: line.seq, hash }, at: line.at };
            system.get_or_insert_with(|| line.system.clone());
            each(Read { line, hash, segment: from.segment, number: from.number }, from)?;
            from = Place { number: from.number + 1, offset: from.offset + length + 1, ..from };
        }
        from = Place { segment: from.segment + 1, number: 1, offset: 0 };
    }
    Ok(End { tail, next: layout::START, torn: None })
}
