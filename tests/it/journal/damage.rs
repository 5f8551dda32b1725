//! Every way to change, shorten or reorder a journal is seen, and named.

use std::fs;
use std::path::Path;

use changeover::fault::Fault;
use changeover::journal::{cut_tail, open, read, verify};
use changeover::machine::{Body, Life};
use changeover::model::Digest;
use changeover::port::Journal as _;
use proptest::prelude::*;

use super::walk::Walk;
use super::{claim, copy, filled, opened, segment};

/// The line a fault names.
fn named(fault: &Fault) -> usize {
    fault.place.as_ref().unwrap_or_else(|| panic!("names no line: {fault}")).line
}

/// Where line breaks are.
fn breaks(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect()
}

/// Changes one byte of one line and looks at what is said.
fn flip(dir: &Path, whole: &[u8], at: usize, to: u8) {
    let breaks = breaks(whole);
    let line = breaks.iter().filter(|it| **it < at).count() + 1;
    let mut bytes = whole.to_vec();
    bytes[at] = to;
    fs::write(segment(dir, 1), &bytes).unwrap();
    match verify(dir) {
        Err(fault) => {
            let named = named(&fault);
            assert!(named == line || named == line + 1, "byte {at} of line {line}: {fault}");
            assert!(["E4003", "E4006", "E4011"].contains(&fault.code.id), "{fault}");
        }
        // The last line is followed by none that says its digest: its head tells.
        Ok(verified) => {
            assert_eq!(line, breaks.len(), "byte {at} of line {line} to {to} was not seen");
            assert_ne!(verified.head.hash, Digest::of(last_line(whole)));
        }
    }
}

fn last_line(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_end().split(|byte| *byte == b'\n').next_back().unwrap()
}

#[test]
fn every_byte_of_a_short_journal_is_protected() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 3);
    let whole = fs::read(segment(dir.path(), 1)).unwrap();
    for at in 0..whole.len() {
        for to in [whole[at] ^ 1, b'\n'] {
            if to != whole[at] {
                flip(dir.path(), &whole, at, to);
            }
        }
    }
}

/// At a start the store knows the last line too.
fn refused_at_start(dir: &Path) -> Fault {
    match opened(dir) {
        Err(fault) => fault,
        Ok(opened) => panic!("a damaged journal was opened: {:?}", opened.journal),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn any_byte_changed_anywhere_is_seen(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), 30);
        let whole = fs::read(segment(dir.path(), 1)).unwrap();
        let at = at.index(whole.len());
        prop_assume!(whole[at] != to);
        flip(dir.path(), &whole, at, to);
        refused_at_start(dir.path());
    }

    #[test]
    fn any_truncation_is_seen_at_a_start_and_cuts_nothing(at in any::<prop::sample::Index>()) {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), 30);
        let path = segment(dir.path(), 1);
        let whole = fs::read(&path).unwrap();
        let at = at.index(whole.len());
        fs::write(&path, &whole[..at]).unwrap();
        let left = breaks(&whole[..at]).len();
        prop_assert_eq!(read(dir.path()).unwrap().len(), left);
        prop_assert_eq!(refused_at_start(dir.path()).code.id, "E4005");
        prop_assert_eq!(fs::read(&path).unwrap(), &whole[..at]);
        // Without the store nobody knows which line was the last.
        fs::remove_dir_all(dir.path().join("store")).unwrap();
        let torn = at > 0 && whole[at - 1] != b'\n';
        if torn {
            let fault = refused_at_start(dir.path());
            prop_assert_eq!((fault.code.id, named(&fault)), ("E4004", left + 1));
            prop_assert!(fault.hint.unwrap().contains("run adopt --cut-tail --reason"));
            let cut = cut_tail(dir.path(), &claim()).unwrap().unwrap();
            prop_assert_eq!(&whole[..at], [fs::read(&path).unwrap(), fs::read(cut.kept).unwrap()].concat());
        }
        let opened = opened(dir.path()).unwrap();
        prop_assert_eq!((opened.beyond, opened.cut), (left > 0, None));
    }
}

/// Does something to the lines and says what `verify` answers.
fn with_lines(lines: u64, change: impl FnOnce(&mut Vec<String>)) -> Fault {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), lines);
    let path = segment(dir.path(), 1);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let fault = verify(dir.path()).unwrap_err();
    refused_at_start(dir.path());
    fault
}

#[test]
fn a_line_dropped_doubled_or_moved_is_named() {
    for at in 0..9 {
        let dropped = with_lines(10, |lines| drop(lines.remove(at)));
        assert_eq!((dropped.code.id, named(&dropped)), ("E4003", at + 1));
        let swapped = with_lines(10, |lines| lines.swap(at, at + 1));
        assert_eq!((swapped.code.id, named(&swapped)), ("E4003", at + 1));
    }
    for at in 0..10 {
        let doubled = with_lines(10, |lines| lines.insert(at, lines[at].clone()));
        assert_eq!((doubled.code.id, named(&doubled)), ("E4003", at + 2));
    }
    let emptied = with_lines(10, |lines| lines.insert(4, String::new()));
    assert_eq!((emptied.code.id, named(&emptied)), ("E4003", 5));
}

/// Numbers and chains the lines anew: what somebody does who can compute digests.
fn chained(lines: &mut [String]) {
    let mut prev = Digest::default();
    for (at, text) in lines.iter_mut().enumerate() {
        let mut line: serde_json::Value = serde_json::from_str(text).unwrap();
        line["seq"] = (at + 1).into();
        line["prev"] = prev.to_string().into();
        *text = line.to_string();
        prev = Digest::of(text.as_bytes());
    }
}

#[test]
fn a_chain_made_anew_still_has_to_be_what_the_machine_says() {
    let untouched = with_lines(10, |lines| {
        chained(lines);
        lines[9].push(' ');
        lines.push("{}".to_owned());
    });
    assert_eq!(named(&untouched), 11, "chaining anew alone changes nothing: {untouched}");
    let left_out = with_lines(10, |lines| {
        drop(lines.remove(3));
        chained(lines);
    });
    assert_eq!((left_out.code.id, named(&left_out)), ("E4006", 5));
    let earlier = with_lines(10, |lines| {
        lines[6] = lines[6].replace("\"at\":\"2026-", "\"at\":\"2025-");
        chained(lines);
    });
    assert_eq!((earlier.code.id, named(&earlier)), ("E4003", 7));
}

#[test]
fn segments_missing_or_swapped_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 250);
    let count = verify(dir.path()).unwrap().segments;
    assert!(count >= 3, "{count} segments");
    for gone in 1..=count {
        let other = tempfile::tempdir().unwrap();
        copy(dir.path(), other.path());
        fs::remove_file(segment(other.path(), gone)).unwrap();
        let fault = refused_at_start(other.path());
        if gone < count {
            assert_eq!(verify(other.path()).unwrap_err().code.id, "E4003");
            assert!(fault.message.contains(&format!("{gone:08}.jsonl is missing")), "{fault}");
        } else {
            assert_eq!(fault.code.id, "E4005", "the store knows the end");
        }
    }
    let (one, two) = (segment(dir.path(), 1), segment(dir.path(), 2));
    let aside = dir.path().join("aside");
    fs::rename(&one, &aside).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&aside, &two).unwrap();
    assert_eq!(verify(dir.path()).unwrap_err().code.id, "E4003");
}

#[test]
fn a_torn_line_in_the_middle_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 250);
    let path = segment(dir.path(), 1);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let fault = verify(dir.path()).unwrap_err();
    assert_eq!((fault.code.id, named(&fault)), ("E4003", breaks(&bytes).len()));
}

#[test]
fn an_empty_last_segment_is_gone_on_in() {
    // A process died after it made the file and before it wrote the line.
    let dir = tempfile::tempdir().unwrap();
    let life = filled(dir.path(), 5);
    fs::write(segment(dir.path(), 2), "").unwrap();
    assert_eq!(verify(dir.path()).unwrap().lines, 5);
    assert_eq!(opened(dir.path()).unwrap().life, life);
    filled(dir.path(), 7);
    assert_eq!(
        read(dir.path()).unwrap().iter().map(|it| (it.segment, it.number)).collect::<Vec<_>>()[4..],
        [(1, 5), (2, 1), (2, 2)]
    );
}

#[test]
fn a_segment_ends_at_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = opened(dir.path()).unwrap().journal;
    let mut walk = Walk::new(Life::default());
    for _ in 0..5 {
        let (mut draft, life) = walk.next();
        if draft.run.is_none() {
            walk.life = life;
        }
        draft.by.name = "x".repeat(6 << 20);
        draft.body =
            Body::Refused { command: "next".into(), code: "E2001".into(), message: "no".into() };
        journal.append(draft).unwrap();
    }
    let places: Vec<_> =
        read(dir.path()).unwrap().iter().map(|it| (it.segment, it.number)).collect();
    assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]);
}

#[test]
fn a_newer_format_and_another_system_are_refused() {
    let newer = with_lines(3, |lines| lines[1] = lines[1].replace(r#"{"v":1,"#, r#"{"v":2,"#));
    assert_eq!((newer.code.id, named(&newer)), ("E4011", 2));
    let older = with_lines(3, |lines| lines[1] = lines[1].replace(r#"{"v":1,"#, r#"{"v":0,"#));
    assert_eq!((older.code.id, named(&older)), ("E4003", 2));
    // With a snapshot of the last line, or without any.
    for lines in [3, 64] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), lines);
        let other = open(dir.path(), &"other".into(), &claim()).map(|_| ()).map_err(Fault::from);
        let fault = other.unwrap_err();
        assert_eq!(fault.code.id, "E4003");
        assert!(fault.message.contains("the journal of gigadb"), "{fault}");
    }
}

#[test]
fn a_changed_or_missing_text_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 3);
    let digest = Digest::of(super::walk::WORKFLOW.as_bytes()).to_string();
    let path = dir.path().join("blobs").join(digest);
    let text = fs::read(&path).unwrap();
    fs::write(&path, "another").unwrap();
    assert_eq!(verify(dir.path()).unwrap_err().code.id, "E4008");
    fs::remove_file(&path).unwrap();
    assert_eq!(verify(dir.path()).unwrap_err().code.id, "E4008");
    fs::write(&path, text).unwrap();
    assert_eq!(verify(dir.path()).unwrap().blobs, 1);
}
