//! One line: from a draft to bytes.

use crate::fault::{E4001, E4009, Fault};
use crate::model::{Digest, SystemName, Time};
use crate::port::{Draft, Head, Line};

/// The version of the line format that this program writes.
pub(super) const VERSION: u32 = 1;

/// What the next line must follow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    /// The last line.
    pub(super) head: Head,
    /// Its time.
    pub(super) at: Time,
}

/// Gives a draft its place after `tail`: the line, its bytes with the line break, and its digest.
///
/// # Errors
/// E4009 when the draft is earlier than the last line.
pub(super) fn encode(
    system: &SystemName,
    tail: Tail,
    draft: Draft,
) -> Result<(Line, Vec<u8>, Head), Fault> {
    let Draft { at, wall, epoch, run, by, body } = draft;
    let seq = tail.head.seq + 1;
    if at < tail.at {
        let message =
            format!("line {seq} would be of {at}, and line {} is of {}", seq - 1, tail.at);
        return Err(Fault::new(&E4009, message));
    }
    let system = system.clone();
    let line =
        Line { v: VERSION, seq, at, wall, system, epoch, run, by, body, prev: tail.head.hash };
    let mut bytes = serde_json::to_vec(&line)
        .map_err(|err| Fault::new(&E4001, "an entry cannot be written as JSON").because(err))?;
    let hash = Digest::of(&bytes);
    bytes.push(b'\n');
    Ok((line, bytes, Head { seq, hash }))
}
