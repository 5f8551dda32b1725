//! The store is a convenience: absent, behind, ahead, another's or unreadable, it never decides alone.

use std::fs;
use std::io::Write;
use std::path::Path;

use changeover::journal::{Opened, read, verify};
use changeover::port::Journal;

use super::walk::{WORKFLOW, Walk};
use super::{copy, filled, opened, segment};

/// Replaces the store by another folder's.
fn with_store_of(dir: &Path, other: &Path) {
    fs::remove_dir_all(dir.join("store")).unwrap();
    copy(&other.join("store"), &dir.join("store"));
}

/// A journal of `lines` and beside it the store that it had after `known`.
fn behind(dir: &Path, known: u64, lines: u64) {
    filled(dir, known);
    let then = tempfile::tempdir().unwrap();
    copy(dir, then.path());
    filled(dir, lines);
    with_store_of(dir, then.path());
}

#[test]
fn absent_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let life = filled(dir.path(), 200);
    fs::remove_dir_all(dir.path().join("store")).unwrap();
    let mut again = opened(dir.path()).unwrap();
    assert_eq!((again.life.clone(), again.beyond), (life.clone(), true));
    // Not seen by a person, so still beyond at the next start, although there is a snapshot again.
    drop(again);
    again = opened(dir.path()).unwrap();
    assert_eq!((again.life.clone(), again.beyond), (life.clone(), true));
    again.journal.remember(&life);
    drop(again);
    let last = opened(dir.path()).unwrap();
    assert_eq!((last.life, last.beyond, last.warnings), (life, false, vec![]));
}

#[test]
fn behind_is_caught_up_and_says_so() {
    for (known, lines) in [(3, 4), (10, 200), (130, 131), (130, 300)] {
        let dir = tempfile::tempdir().unwrap();
        behind(dir.path(), known, lines);
        let opened = opened(dir.path()).unwrap();
        assert!(opened.beyond);
        assert_eq!(opened.life, verify(dir.path()).unwrap().life);
        assert_eq!(opened.journal.head().seq, lines);
    }
}

#[test]
fn ahead_or_another_hash_is_refused() {
    // A journal brought back from an old copy.
    let (dir, then) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled(dir.path(), 150);
    copy(dir.path(), then.path());
    filled(dir.path(), 160);
    with_store_of(then.path(), dir.path());
    let fault = opened(then.path()).map(|_| ()).unwrap_err();
    assert_eq!(fault.code.id, "E4005");
    assert!(fault.message.contains("line 160"), "{fault}");
    // A journal that went another way: same length, other lines.
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled(one.path(), 10);
    let Opened { mut journal, life, .. } = opened(two.path()).unwrap();
    journal.keep(WORKFLOW).unwrap();
    let mut walk = Walk::new(life);
    while journal.head().seq < 10 {
        let (mut draft, life) = walk.next();
        draft.by.name.push('a');
        journal.append(draft).unwrap();
        walk.life = life;
        journal.remember(&walk.life);
    }
    drop(journal);
    with_store_of(two.path(), one.path());
    assert_eq!(opened(two.path()).map(|_| ()).unwrap_err().code.id, "E4005");
}

#[test]
fn unreadable_is_moved_aside_and_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let life = filled(dir.path(), 100);
    for number in 1..=2 {
        let store = dir.path().join("store");
        fs::remove_dir_all(&store).unwrap();
        fs::write(&store, "not a store").unwrap();
        let again = opened(dir.path()).unwrap();
        assert_eq!((&again.life, again.beyond, again.warnings.len()), (&life, true, 1));
        let aside = format!("store.unreadable-{number}");
        assert!(again.warnings[0].contains(&aside), "{:?}", again.warnings);
        assert_eq!(fs::read(dir.path().join(aside)).unwrap(), b"not a store");
    }
    // A damaged journal is not opened for a store that cannot say anything.
    let path = segment(dir.path(), 1);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("https", "httpz", 1)).unwrap();
    fs::remove_dir_all(dir.path().join("store")).unwrap();
    fs::write(dir.path().join("store"), "not a store").unwrap();
    assert_eq!(opened(dir.path()).map(|_| ()).unwrap_err().code.id, "E4003");
}

#[test]
fn any_damage_of_the_store_never_changes_what_is_true() {
    let dir = tempfile::tempdir().unwrap();
    let life = filled(dir.path(), 100);
    let bytes = fs::read(dir.path().join("store/db")).unwrap();
    let used = bytes.iter().rposition(|it| *it != 0).unwrap();
    let mut forgot = 0;
    for round in 0..40 {
        let other = tempfile::tempdir().unwrap();
        copy(dir.path(), other.path());
        let mut damaged = bytes.clone();
        let at = used * round / 40;
        if round % 4 == 3 {
            damaged.truncate(at);
        } else {
            damaged[at] ^= 0x10;
        }
        fs::write(other.path().join("store/db"), damaged).unwrap();
        let opened = opened(other.path()).unwrap();
        assert_eq!(opened.life, life, "round {round}");
        forgot += u32::from(opened.beyond);
    }
    // It says nothing of all that: it opens, and knows less than it did.
    assert!(forgot > 0, "the damage was too weak to show anything");
}

#[test]
fn a_torn_tail_is_cut_when_the_store_knows_the_line_before() {
    let dir = tempfile::tempdir().unwrap();
    let life = filled(dir.path(), 20);
    let path = segment(dir.path(), 1);
    let whole = fs::read(&path).unwrap();
    let torn = br#"{"v":1,"seq":21,"at":"2026"#;
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(torn).unwrap();
    assert_eq!(read(dir.path()).unwrap().len(), 20, "readers leave it out");
    assert_eq!(verify(dir.path()).unwrap().torn, torn.len() as u64);
    let again = opened(dir.path()).unwrap();
    let cut = again.cut.clone().unwrap();
    assert_eq!((cut.bytes, cut.after), (torn.len() as u64, again.journal.head()));
    assert_eq!((fs::read(&path).unwrap(), fs::read(cut.kept).unwrap()), (whole, torn.to_vec()));
    assert_eq!((again.life, again.beyond), (life, false));
}

#[test]
fn a_torn_first_line_is_cut_and_torn_behind_unknown_lines_is_not() {
    let dir = tempfile::tempdir().unwrap();
    drop(opened(dir.path()).unwrap());
    fs::write(segment(dir.path(), 1), "{\"v\"").unwrap();
    assert_eq!(opened(dir.path()).unwrap().cut.unwrap().bytes, 4);
    let dir = tempfile::tempdir().unwrap();
    behind(dir.path(), 10, 11);
    fs::OpenOptions::new()
        .append(true)
        .open(segment(dir.path(), 1))
        .unwrap()
        .write_all(b"{")
        .unwrap();
    assert_eq!(opened(dir.path()).map(|_| ()).unwrap_err().code.id, "E4004");
}

#[test]
fn the_index_gives_the_lines_of_a_run() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 250);
    let all = read(dir.path()).unwrap();
    let journal = opened(dir.path()).unwrap().journal;
    let runs = all.last().unwrap().line.run.unwrap();
    assert!(runs >= 3);
    for run in 1..=runs {
        let first = all.iter().position(|it| it.line.run == Some(run)).unwrap();
        assert_eq!(journal.since_run(run).unwrap(), all[first..]);
    }
    assert_eq!(journal.since_run(runs + 1).unwrap(), vec![]);
    drop(journal);
    fs::remove_dir_all(dir.path().join("store")).unwrap();
    let rebuilt = opened(dir.path()).unwrap().journal;
    assert_eq!(
        rebuilt.since_run(runs).unwrap().len(),
        all.iter().filter(|it| it.line.run == Some(runs)).count()
    );
}
