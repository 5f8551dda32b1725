//! Several processes: one writes, the others are told who it is or read; a writer whose disk fails ends.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use changeover::journal::{Disk, NotOpened, Syncer, fold, holder, open, open_with, read, verify};
use changeover::machine::Life;
use changeover::port::Journal;

use super::walk::Walk;
use super::{claim, opened, system};

/// `examples/journal-writer.rs`, which cargo builds beside the tests.
fn writer() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join("examples/journal-writer");
    assert!(built.exists(), "{} is missing: cargo build --example journal-writer", built.display());
    built
}

fn spawn(verb: &str, dir: &Path, more: &[&str]) -> Child {
    let mut command = Command::new(writer());
    command.arg(verb).arg(dir).args(more).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the next line that a writer says.
fn next_line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn the_second_writer_learns_who_is_the_first() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(holder(dir.path()), None);
    let mut child = spawn("hold", dir.path(), &[]);
    let mut said = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(next_line(&mut said), "held");
    let Err(NotOpened::Busy(Some(busy))) = open(dir.path(), &system(), &claim()) else {
        panic!("two writers");
    };
    assert_eq!((busy.pid, busy.command.as_str(), busy.alive), (child.id(), "journal-writer", true));
    assert_eq!((busy.host.is_empty(), busy.since), (false, claim().since));
    let fault = changeover::fault::Fault::from(NotOpened::Busy(Some(busy.clone())));
    assert_eq!((fault.code.id, fault.exit().status()), ("E4002", 5));
    assert!(fault.message.contains(&format!("pid {} on {}", busy.pid, busy.host)), "{fault}");
    assert_eq!(holder(dir.path()), Some(busy.clone()));
    // Killed: the lock goes with the process, its name stays and is seen to be dead.
    child.kill().unwrap();
    child.wait().unwrap();
    let dead = holder(dir.path()).unwrap();
    assert_eq!((dead.pid, dead.alive), (busy.pid, false));
    let mine = opened(dir.path()).unwrap();
    assert_eq!(holder(dir.path()).unwrap().pid, std::process::id());
    let Err(NotOpened::Busy(Some(busy))) = open(dir.path(), &system(), &claim()) else {
        panic!("two writers in one process");
    };
    assert_eq!(busy.pid, std::process::id());
    drop(mine);
    assert_eq!(holder(dir.path()), None, "given back");
}

#[test]
fn readers_see_a_true_prefix_while_lines_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn("write", dir.path(), &["600"]);
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let (mut seen, mut looks) = (0, 0);
    while seen < 600 {
        let acknowledged: usize = next_line(&mut said).parse().unwrap();
        if acknowledged.is_multiple_of(40) || acknowledged == 600 {
            let lines = read(dir.path()).unwrap();
            assert!(lines.len() >= acknowledged, "{} of {acknowledged}", lines.len());
            fold(&lines).unwrap();
            looks += 1;
        }
        seen = acknowledged;
    }
    assert!(child.wait().unwrap().success());
    assert!(looks >= 15);
    assert_eq!(verify(dir.path()).unwrap().lines, 600);
}

#[test]
fn a_killed_writer_loses_nothing_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..8 {
        let mut child = spawn("write", dir.path(), &["100000"]);
        let mut said = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..=round * 7 {
            acknowledged = next_line(&mut said).parse().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in said.lines() {
            acknowledged = line.unwrap().parse().unwrap();
        }
        let verified = verify(dir.path()).unwrap();
        assert!(verified.lines >= acknowledged, "{} of {acknowledged}", verified.lines);
        assert_eq!(opened(dir.path()).unwrap().life, verified.life);
    }
    assert!(acknowledged > 100);
}

#[test]
fn a_full_disk_ends_the_writer_and_the_next_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    super::filled(dir.path(), 30);
    let before = read(dir.path()).unwrap().len();
    // A file may not grow beyond this: what a full disk does to the segment, without touching the disk.
    // The store's own file is larger already, so the limit is put between the two by its size.
    let size = std::fs::metadata(super::segment(dir.path(), 1)).unwrap().len();
    let store = std::fs::metadata(dir.path().join("store/db")).unwrap().len();
    let limit = store.max(size).div_ceil(512) + 8;
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" write \"$1\" 100000");
    let output =
        Command::new("sh").args(["-c", &script]).arg(writer()).arg(dir.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error[E4001]: cannot append to"), "{stderr}");
    let acknowledged = String::from_utf8(output.stdout).unwrap().lines().count();
    let verified = verify(dir.path()).unwrap();
    assert!(verified.torn > 0, "a part of the last line was written");
    assert_eq!(verified.lines as usize, before + acknowledged);
    let Ok(again) = opened(dir.path()) else {
        panic!("the store knows the line before the torn one")
    };
    assert_eq!(again.cut.map(|it| it.bytes), Some(verified.torn));
    let mut walk = Walk::new(again.life);
    let mut journal = again.journal;
    walk.fill(&mut journal, verified.lines + 5, &mut |_| ()).unwrap();
    assert_eq!(verify(dir.path()).unwrap().lines, verified.lines + 5);
}

/// Fails from one sync on.
#[derive(Debug)]
struct Failing(std::sync::atomic::AtomicU32);

impl Syncer for Failing {
    fn data(&self, file: &File) -> io::Result<()> {
        let left = self.0.load(std::sync::atomic::Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other("the disk says no"));
        }
        self.0.store(left - 1, std::sync::atomic::Ordering::Relaxed);
        Disk.data(file)
    }

    fn folder(&self, folder: &File) -> io::Result<()> {
        Disk.folder(folder)
    }
}

#[test]
fn after_a_failed_sync_nothing_is_appended() {
    let dir = tempfile::tempdir().unwrap();
    let sync = Box::new(Failing(5.into()));
    let mut journal = open_with(dir.path(), &system(), &claim(), sync).unwrap().journal;
    let mut walk = Walk::new(Life::default());
    for _ in 0..5 {
        let (draft, life) = walk.next();
        journal.append(draft).unwrap();
        walk.life = life;
        journal.remember(&walk.life);
    }
    let fault = journal.append(walk.next().0).unwrap_err();
    assert_eq!(fault.code.id, "E4001");
    assert!(fault.cause.unwrap().contains("the disk says no"));
    assert_eq!(journal.head().seq, 5);
    for _ in 0..2 {
        assert_eq!(journal.append(walk.next().0).unwrap_err().code.id, "E4007");
    }
    drop(journal);
    // The line is there all the same and nobody was told of it.
    let again = opened(dir.path()).unwrap();
    assert_eq!((again.journal.head().seq, again.beyond), (6, true));
}

#[test]
fn a_kept_text_is_whole_or_absent() {
    let dir = tempfile::tempdir().unwrap();
    let sync = Box::new(Failing(0.into()));
    let mut journal = open_with(dir.path(), &system(), &claim(), sync).unwrap().journal;
    assert_eq!(journal.keep("a workflow").unwrap_err().code.id, "E4001");
    drop(journal);
    assert_eq!(verify(dir.path()).unwrap().blobs, 0);
    let mut journal = opened(dir.path()).unwrap().journal;
    let digest = journal.keep("a workflow").unwrap();
    assert_eq!(journal.kept(&digest).unwrap(), "a workflow");
    let mut file = File::create(dir.path().join("blobs").join(digest.to_string())).unwrap();
    file.write_all(b"changed").unwrap();
    assert_eq!(journal.kept(&digest).unwrap_err().code.id, "E4008");
}
