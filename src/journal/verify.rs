//! What readers do: all lines, what they fold to, and the proof that nothing was changed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::fault::{E4006, Fault};
use crate::journal::encode::Tail;
use crate::journal::scan::{End, Read, at, scan};
use crate::journal::{blobs, layout};
use crate::machine::{Body, Input, Life, replay};
use crate::model::{Digest, Time};
use crate::port::Head;

/// What a complete verification found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many lines.
    pub lines: u64,
    /// In how many segments.
    pub segments: u32,
    /// The last line; compare it with one noted earlier to see that none was taken off the end.
    pub head: Head,
    /// When it was written.
    pub at: Time,
    /// How many kept texts.
    pub blobs: u64,
    /// Bytes after the last line: being written at this moment, or torn.
    pub torn: u64,
    /// What the journal folds to.
    pub life: Life,
}

/// Folds one more line.
///
/// # Errors
/// The sentence for E4006.
pub(super) fn fold_one(life: &mut Life, read: &Read) -> Result<(), String> {
    let line = &read.line;
    replay(life, &line.entry(), &line.by.name).map_err(|diverged| {
        let recorded = format!("{:?}", diverged.recorded);
        diverged.computed.map_or_else(
            || format!("line {} says {recorded}, which its input does not lead to", line.seq),
            |computed| format!("line {} says {recorded}, the machine says {computed:?}", line.seq),
        )
    })
}

pub(super) fn diverged(says: String) -> Fault {
    Fault::new(&E4006, says)
        .hint("the line is whole: this program decides otherwise than the one that wrote it")
}

/// All lines; none when there is no journal. Locks nothing. A last line that is being written is left out.
///
/// # Errors
/// E4001, E4003, E4011.
pub fn read(dir: &Path) -> Result<Vec<Read>, Fault> {
    let mut lines = vec![];
    scan(dir, layout::START, Tail::default(), |read, _| {
        lines.push(read);
        Ok(())
    })?;
    Ok(lines)
}

/// What these lines, from the first on, fold to.
///
/// # Errors
/// E4006.
pub fn fold(lines: &[Read]) -> Result<Life, Fault> {
    let mut life = Life::default();
    for read in lines {
        fold_one(&mut life, read).map_err(|says| {
            diverged(says).because(format!("segment {}, line {}", read.segment, read.number))
        })?;
    }
    Ok(life)
}

/// Verifies all there is: every line's place in the chain, its number and time, that the machine says
/// what the lines say, and every kept text. Locks nothing.
///
/// A change of the last line, or lines taken off the end, can only be seen by comparing [`Verified::head`]
/// with what was known before.
///
/// # Errors
/// E4001, E4003, E4006, E4008, E4011.
pub fn verify(dir: &Path) -> Result<Verified, Fault> {
    let (mut life, mut lines, mut texts) = (Life::default(), 0, BTreeSet::new());
    let End { tail, torn, .. } = scan(dir, layout::START, Tail::default(), |read, _| {
        lines += 1;
        texts.extend(text_of(&read.line.body));
        fold_one(&mut life, &read)
            .map_err(|says| at(diverged(says), dir, read.segment, read.number))
    })?;
    for text in &texts {
        blobs::kept(dir, text)?;
    }
    Ok(Verified {
        lines,
        segments: layout::segments(dir)?,
        head: tail.head,
        at: tail.at,
        blobs: blobs::verify(dir)?,
        torn: torn.map_or(0, |it| it.bytes),
        life,
    })
}

/// The kept text a line relies on.
fn text_of(body: &Body) -> Option<Digest> {
    let Body::Decided { input, .. } = body else { return None };
    if let Input::Start(begin) = input {
        Some(begin.workflow)
    } else if let Input::Amend { workflow, .. } = input {
        Some(*workflow)
    } else {
        None
    }
}
