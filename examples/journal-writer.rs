//! Appends lines to a journal and says each one's number when it is acknowledged; for the checks that
//! kill it, cut its power, limit its disk or watch its system calls (`scripts/suites/power-cut`, `tests/it/journal`).

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "the walk is a test's")]

#[path = "../tests/it/journal/walk.rs"]
mod walk;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use changeover::fault::Fault;
use changeover::journal::{Claim, Disk, Opened, Syncer, open_with, verify};
use changeover::model::{SystemName, Time};
use changeover::port::Journal as _;

const USAGE: &str = "usage: journal-writer (write | write-unsynced | hold | check) DIR [LINES]";

/// The control: says that it has synced. Whoever counts lost lines must find some with this.
#[derive(Debug)]
struct Unsynced;

impl Syncer for Unsynced {
    fn data(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn folder(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

fn start(dir: &Path, sync: Box<dyn Syncer>) -> Result<Opened, Fault> {
    let claim = Claim { since: Time(1_790_000_000_000_000), command: "journal-writer".to_owned() };
    Ok(open_with(dir, &SystemName::from("gigadb"), &claim, sync)?)
}

/// One acknowledgement: one write, straight to standard output. Who does not listen need not be told.
fn say(text: &str) {
    drop(io::stdout().lock().write_all(format!("{text}\n").as_bytes()));
}

fn write(dir: &Path, lines: u64, sync: Box<dyn Syncer>) -> Result<(), Fault> {
    let Opened { mut journal, life, .. } = start(dir, sync)?;
    walk::Walk::new(life).fill(&mut journal, lines, &mut |seq| say(&seq.to_string()))
}

/// Holds the lock until standard input ends.
fn hold(dir: &Path) -> Result<(), Fault> {
    let _opened = start(dir, Box::new(Disk))?;
    say("held");
    drop(io::stdin().lock().read(&mut [0]));
    Ok(())
}

/// What a reader finds, and what a start makes of it.
fn check(dir: &Path) -> Result<(), Fault> {
    let verified = verify(dir)?;
    say(&format!("verified {} torn {}", verified.head.seq, verified.torn));
    let opened = start(dir, Box::new(Disk))?;
    let same = opened.life == verified.life;
    say(&format!("opened {} same {same} beyond {}", opened.journal.head().seq, opened.beyond));
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let lines = |text: &str| text.parse().unwrap_or(u64::MAX);
    let done = match args[..] {
        ["write", dir, upto] => write(dir.as_ref(), lines(upto), Box::new(Disk)),
        ["write-unsynced", dir, upto] => write(dir.as_ref(), lines(upto), Box::new(Unsynced)),
        ["hold", dir] => hold(dir.as_ref()),
        ["check", dir] => check(dir.as_ref()),
        _ => Err(Fault::new(&changeover::fault::E2015, USAGE)),
    };
    done.map_or_else(
        |fault| {
            drop(writeln!(io::stderr(), "{fault}"));
            ExitCode::from(fault.exit().status())
        },
        |()| ExitCode::SUCCESS,
    )
}
