//! What the journal costs: a durable transition over the bare disk, and a start after many lines.
//!
//! Ratios within one run, the two sides taking turns on the same disk; absolute figures say more about the
//! machine. `cargo bench --workspace --profile dev --bench journal`
//! (the profile of everything else here, so that nothing is compiled twice); the folder is `TMPDIR`'s. What was measured is in
//! `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench is no product"
)]

#[path = "../tests/it/journal/walk.rs"]
mod walk;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use changeover::fault::Fault;
use changeover::journal::{Claim, Disk, Opened, Syncer, open_with, read, verify};
use changeover::model::{SystemName, Time};
use changeover::port::Journal;

/// Fills journals whose filling is not measured.
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
    let claim = Claim { since: Time(1_790_000_000_000_000), command: "bench".to_owned() };
    Ok(open_with(dir, &SystemName::from("gigadb"), &claim, sync)?)
}

/// Median and 99th percentile, microseconds.
fn micros(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let micros = |at: usize| times[at].as_secs_f64() * 1e6;
    (micros(times.len() / 2), micros(times.len() * 99 / 100))
}

fn timed<T>(times: &mut Vec<Duration>, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let done = work();
    times.push(begin.elapsed());
    done
}

/// Decide, write, adopt, remember; against one write and one fdatasync of the same bytes.
fn transitions(dir: &Path, rounds: usize, pause: Duration) {
    let Opened { mut journal, life, .. } = start(&dir.join("gigadb"), Box::new(Disk)).unwrap();
    let mut walk = walk::Walk::new(life);
    let mut floor = OpenOptions::new().create(true).append(true).open(dir.join("floor")).unwrap();
    let (mut ours, mut bare, mut bytes) = (vec![], vec![], 0);
    for round in 0..rounds {
        let line = timed(&mut ours, || {
            let (draft, life) = walk.next();
            let line = journal.append(draft).unwrap();
            walk.life = life;
            journal.remember(&walk.life);
            line
        });
        sleep(pause);
        let mut same = serde_json::to_vec(&line).unwrap();
        same.push(b'\n');
        bytes += same.len();
        timed(&mut bare, || {
            assert_eq!(floor.write(&same).unwrap(), same.len());
            floor.sync_data().unwrap();
        });
        sleep(pause);
        if round < 20 {
            ours.clear();
            bare.clear();
        }
    }
    let ((ours, ours_99), (bare, bare_99)) = (micros(&mut ours), micros(&mut bare));
    println!(
        "transition, pause {pause:?}, {rounds} rounds of {} bytes: p50 {ours:.0} us over {bare:.0} us = {:.2}; \
         p99 {ours_99:.0} us over {bare_99:.0} us",
        bytes / rounds,
        ours / bare
    );
}

fn fill(dir: &Path, lines: u64) {
    let Opened { mut journal, life, .. } = start(dir, Box::new(Unsynced)).unwrap();
    walk::Walk::new(life).fill(&mut journal, lines, &mut |_| ()).unwrap();
}

fn starts(dir: &Path, few: u64, many: u64, rounds: usize) {
    let (short, long) = (dir.join("short"), dir.join("long"));
    let begin = Instant::now();
    fill(&short, few);
    fill(&long, many);
    println!("filled {many} lines without sync in {:.1} s", begin.elapsed().as_secs_f64());
    let (mut of_few, mut of_many) = (vec![], vec![]);
    for _ in 0..rounds {
        drop(timed(&mut of_few, || start(&short, Box::new(Disk)).unwrap()));
        drop(timed(&mut of_many, || start(&long, Box::new(Disk)).unwrap()));
    }
    let ((few_50, few_99), (many_50, many_99)) = (micros(&mut of_few), micros(&mut of_many));
    println!(
        "start, {rounds} rounds: {many} lines p50 {many_50:.0} us over {few} lines p50 {few_50:.0} us = {:.2}; \
         p99 {many_99:.0} us over {few_99:.0} us",
        many_50 / few_50
    );
    let mut times = vec![];
    timed(&mut times, || read(&long).unwrap());
    timed(&mut times, || verify(&long).unwrap());
    std::fs::remove_dir_all(long.join("store")).unwrap();
    timed(&mut times, || drop(start(&long, Box::new(Disk)).unwrap()));
    println!(
        "{many} lines: read {:.2?}, verified {:.2?}, started without the store {:.2?}",
        times[0], times[1], times[2]
    );
}

/// `status` as a whole process over journals of two lengths, against the same program printing its version.
fn whole_processes(dir: &Path, rounds: usize) {
    let program = |words: &[&str], state: &Path| {
        let done = Command::new(env!("CARGO_BIN_EXE_changeover"))
            .args(words)
            .arg("--state")
            .arg(state)
            .args(["--workflows", concat!(env!("CARGO_MANIFEST_DIR"), "/workflows")])
            .output()
            .unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let (release, year) = (dir.join("release"), dir.join("year"));
    fill(&release.join("gigadb"), 250);
    fill(&year.join("gigadb"), 10_000);
    let (mut bare, mut one, mut many) = (vec![], vec![], vec![]);
    for _ in 0..rounds {
        timed(&mut bare, || program(&["version"], &release));
        timed(&mut one, || program(&["status"], &release));
        timed(&mut many, || program(&["status"], &year));
    }
    let [bare, one, many] = [&mut bare, &mut one, &mut many].map(|it| micros(it).0 / 1e3);
    println!(
        "status as a process, {rounds} rounds: 250 lines p50 {one:.0} ms, 10000 lines {many:.0} ms, over `version` \
         {bare:.0} ms = {:.2} and {:.2}",
        one / bare,
        many / bare
    );
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    whole_processes(dir.path(), 20);
    transitions(dir.path(), 1_000, Duration::from_millis(3));
    transitions(dir.path(), 1_000, Duration::ZERO);
    starts(dir.path(), 100, 100_000, 40);
}
