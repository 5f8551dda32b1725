//! One writer a system: a locked file that says who holds it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Pid, gethostname};
use serde::{Deserialize, Serialize};

use crate::fault::{E4001, E4002, Fault};
use crate::journal::layout::io_fault;
use crate::model::Time;

/// What the one who wants the lock says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Now.
    pub since: Time,
    /// The command, for example `release next`.
    pub command: String,
}

/// Who holds, or held, a system's lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// The machine it runs on.
    pub host: String,
    /// Since when.
    pub since: Time,
    /// What it does.
    pub command: String,
    /// False when this is that machine and there is no such process: it died without giving the lock
    /// back. True also when nobody can tell, on another machine.
    #[serde(skip, default)]
    pub alive: bool,
}

/// Why a journal was not opened.
#[derive(Debug)]
pub enum NotOpened {
    /// Another process works on it. Nothing is known of it in the moment between its locking and its writing.
    Busy(Option<Holder>),
    /// Anything else.
    Fault(Fault),
}

impl From<Fault> for NotOpened {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<NotOpened> for Fault {
    /// E4002 for a held lock, for callers that have no other way to the holder.
    fn from(not: NotOpened) -> Self {
        let holder = match not {
            NotOpened::Fault(fault) => return fault,
            NotOpened::Busy(holder) => holder,
        };
        let message = holder.map_or_else(
            || "another process holds the lock and has not yet said who it is".to_owned(),
            |it| {
                let Holder { pid, host, since, command, .. } = it;
                format!("`{command}` works on it: pid {pid} on {host} since {since}")
            },
        );
        Self::new(&E4002, message)
            .hint("wait until it ends, or end it; the lock goes with the process")
    }
}

/// The held lock; given back when dropped or when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn take(dir: &Path, claim: &Claim) -> Result<Self, NotOpened> {
        let path = dir.join("lock");
        let fault = |doing: &str, err: &std::io::Error| io_fault(doing, &path, err);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|err| fault("open", &err))?;
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => return Err(NotOpened::Busy(holder(dir))),
            Err(TryLockError::Error(err)) => return Err(fault("lock", &err).into()),
        }
        let Claim { since, command } = claim.clone();
        let held = Holder { pid: std::process::id(), host: host(), since, command, alive: true };
        let mut text = serde_json::to_vec(&held)
            .map_err(|err| Fault::new(&E4001, "the lock cannot be written").because(err))?;
        text.push(b'\n');
        // Written over, then cut: who reads meanwhile takes the first line, which is whole.
        file.write_all_at(&text, 0)
            .and_then(|()| file.set_len(text.len() as u64))
            .map_err(|err| fault("write", &err))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock itself goes with the file; an old name in it would only mislead.
        drop(self.file.set_len(0));
    }
}

fn host() -> String {
    gethostname().map_or_else(|_| String::new(), |it| it.to_string_lossy().into_owned())
}

fn alive(pid: u32) -> bool {
    i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH))
}

/// Who holds the lock of this state folder, or died holding it. Locks nothing.
pub fn holder(dir: &Path) -> Option<Holder> {
    let text = fs::read(dir.join("lock")).ok()?;
    let line = text.split(|byte| *byte == b'\n').next()?;
    let mut holder: Holder = serde_json::from_slice(line).ok()?;
    holder.alive = holder.host != host() || alive(holder.pid);
    Some(holder)
}
