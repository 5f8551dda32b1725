//! One contract, held by the journal on disk and by the one in memory.

use changeover::journal::{MemoryJournal, fold, read, verify};
use changeover::machine::Life;
use changeover::model::{Digest, Time};
use changeover::port::{Head, Journal};
use proptest::prelude::*;

use super::walk::{WORKFLOW, Walk};
use super::{opened, system};

fn contract(journal: &mut dyn Journal) -> Life {
    assert_eq!(journal.head(), Head::default());
    let mut walk = Walk::new(Life::default());
    let mut before = Head::default();
    for seq in 1..=40 {
        let (draft, life) = walk.next();
        let line = journal.append(draft.clone()).unwrap();
        assert_eq!((line.v, line.seq, line.prev), (1, seq, before.hash));
        assert_eq!((line.at, line.run, line.epoch), (draft.at, draft.run, draft.epoch));
        assert_eq!((&line.by, &line.body, &line.system), (&draft.by, &draft.body, &system()));
        let hash = Digest::of(&serde_json::to_vec(&line).unwrap());
        before = Head { seq, hash };
        assert_eq!(journal.head(), before);
        walk.life = life;
        journal.remember(&walk.life);
        if seq % 7 == 0 {
            journal.roll();
            journal.roll();
        }
    }
    let (mut early, _) = walk.next();
    early.at = Time(walk.life.record.now.0 - 1);
    assert_eq!(journal.append(early).unwrap_err().code.id, "E4009");
    assert_eq!(journal.head(), before, "a refused line leaves nothing");
    let (mut same, life) = walk.next();
    same.at = walk.life.record.now;
    journal.append(same).expect("the same time is not earlier");
    let digest = journal.keep(WORKFLOW).unwrap();
    assert_eq!(journal.keep(WORKFLOW).unwrap(), Digest::of(WORKFLOW.as_bytes()));
    assert_eq!(journal.kept(&digest).unwrap(), WORKFLOW);
    assert_eq!(journal.kept(&Digest::of(b"other")).unwrap_err().code.id, "E4008");
    life
}

#[test]
fn memory_keeps_the_contract() {
    let mut journal = MemoryJournal::new(system());
    contract(&mut journal);
    let lines = journal.lines();
    let places: Vec<_> = lines.iter().map(|it| (it.segment, it.number)).collect();
    assert_eq!((places[6], places[7], places[40]), ((1, 7), (2, 1), (6, 6)));
    fold(&lines).unwrap();
}

#[test]
fn disk_keeps_the_contract_and_both_read_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = opened(dir.path()).unwrap().journal;
    contract(&mut journal);
    let mut memory = MemoryJournal::new(system());
    contract(&mut memory);
    assert_eq!(read(dir.path()).unwrap(), memory.lines());
    let verified = verify(dir.path()).unwrap();
    assert_eq!((verified.lines, verified.segments, verified.head), (41, 6, journal.head()));
    assert_eq!((verified.blobs, verified.torn), (1, 0));
    assert_eq!(verified.life, fold(&memory.lines()).unwrap());
}

#[test]
fn memory_breaks_when_told_and_stays_broken() {
    let mut journal = MemoryJournal::new(system());
    journal.break_after(3);
    let mut walk = Walk::new(Life::default());
    walk.fill(&mut journal, 3, &mut |_| ()).unwrap();
    assert_eq!(journal.append(walk.next().0).unwrap_err().code.id, "E4001");
    assert_eq!(journal.append(walk.next().0).unwrap_err().code.id, "E4007");
    assert_eq!(journal.lines().len(), 3);
}

#[test]
fn the_line_on_disk_has_this_shape() {
    let dir = tempfile::tempdir().unwrap();
    super::filled(dir.path(), 2);
    let text = std::fs::read_to_string(super::segment(dir.path(), 1)).unwrap();
    let first = text.lines().next().unwrap();
    assert!(first.starts_with(
        r#"{"v":1,"seq":1,"at":"2026-09-21T14:13:21.234567Z","system":"gigadb","epoch":0,"by":{"name":"rija","identity":"os"},"body":{"kind":"note","#
    ), "{first}");
    assert!(first.ends_with(&format!(r#","prev":"{}"}}"#, "0".repeat(64))), "{first}");
    let second = text.lines().nth(1).unwrap();
    assert!(second.ends_with(&format!(r#","prev":"{}"}}"#, Digest::of(first.as_bytes()))));
    assert!(text.ends_with('\n'));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Any prefix is what the machine was then, and however often it is opened in between.
    #[test]
    fn any_prefix_folds_to_what_the_machine_was(stops in proptest::collection::vec(1_u64..40, 1..6)) {
        let dir = tempfile::tempdir().unwrap();
        let (mut upto, mut lives) = (0, vec![Life::default()]);
        for stop in stops {
            upto += stop;
            let opened = opened(dir.path()).unwrap();
            prop_assert!(!opened.beyond);
            let (mut journal, mut walk) = (opened.journal, Walk::new(opened.life));
            prop_assert_eq!(Some(&walk.life), lives.last());
            for seq in journal.head().seq + 1..=upto {
                walk.fill(&mut journal, seq, &mut |_| ()).unwrap();
                lives.push(walk.life.clone());
            }
        }
        let lines = read(dir.path()).unwrap();
        prop_assert_eq!(lines.len() as u64, upto);
        for (count, life) in lives.iter().enumerate() {
            prop_assert_eq!(&fold(&lines[..count]).unwrap(), life);
        }
        // The snapshot of the store is byte for byte what the lines fold to.
        let at_start = opened(dir.path()).unwrap().life;
        prop_assert_eq!(serde_json::to_string(&at_start).unwrap(), serde_json::to_string(lives.last().unwrap()).unwrap());
    }
}

#[test]
fn a_run_after_the_process_that_ended_the_last_one_begins_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let mut walk = Walk::new(Life::default());
    // Each line in a process of its own, and nobody calls `roll`.
    let append = |walk: &mut Walk| {
        let (draft, life) = walk.next();
        let mut journal = opened(dir.path()).unwrap().journal;
        journal.append(draft).unwrap();
        journal.remember(&life);
        walk.life = life;
    };
    opened(dir.path()).unwrap().journal.keep(WORKFLOW).unwrap();
    for run in 1..=2 {
        while walk.life.record.runs < run || walk.life.record.run.is_some() {
            append(&mut walk);
        }
    }
    append(&mut walk);
    let lines = read(dir.path()).unwrap();
    for line in &lines {
        assert_eq!(line.segment, line.line.run.unwrap_or(1), "line {}", line.line.seq);
    }
    assert_eq!(lines.iter().filter(|it| it.number == 1).count(), 3);
}
