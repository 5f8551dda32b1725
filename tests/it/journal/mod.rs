//! The journal: its contract, its damage, its store, its lock.

mod contract;
mod damage;
mod processes;
mod ready;
mod store;
mod walk;

use std::path::{Path, PathBuf};

use changeover::fault::Fault;
use changeover::journal::{Claim, Opened, open};
use changeover::machine::Life;
use changeover::model::{SystemName, Time};

fn system() -> SystemName {
    SystemName::from("gigadb")
}

fn claim() -> Claim {
    Claim { since: Time(1_790_000_000_000_000), command: "release next".to_owned() }
}

fn opened(dir: &Path) -> Result<Opened, Fault> {
    open(dir, &system(), &claim()).map_err(Fault::from)
}

/// A journal of this many lines, closed. Runs are long enough that few lines mean one segment.
fn filled(dir: &Path, lines: u64) -> Life {
    let Opened { mut journal, life, .. } = opened(dir).unwrap();
    let mut walk = walk::Walk::new(life);
    walk.fill(&mut journal, lines, &mut |_| ()).unwrap();
    walk.life
}

fn segment(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("journal/{number:08}.jsonl"))
}

/// Copies a folder; what is open by nobody.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
