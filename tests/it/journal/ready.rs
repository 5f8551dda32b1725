//! Begun without the store: only where the journal ends as it did when it was made ready, and compared all the same.

use std::fs;
use std::path::Path;

use changeover::fault::Fault;
use changeover::journal::{NotOpened, Opened, open_ready, read, verify};
use changeover::machine::Life;
use changeover::port::Journal;

use super::walk::Walk;
use super::{claim, copy, filled, opened, segment, system};

fn hurried(dir: &Path) -> Result<Opened, Fault> {
    open_ready(dir, &system(), &claim()).map_err(Fault::from)
}

/// A journal of this many lines, made ready, closed.
fn readied(dir: &Path, lines: u64) -> Life {
    filled(dir, lines);
    let Opened { mut journal, life, .. } = opened(dir).unwrap();
    journal.ready(&life).unwrap();
    life
}

/// Whether it was begun without the store: then the store's folder need not even be there.
fn without_store(dir: &Path) -> bool {
    let aside = dir.join("store.aside");
    fs::rename(dir.join("store"), &aside).unwrap();
    let opened = hurried(dir).unwrap();
    let without = !dir.join("store").exists();
    drop(opened);
    fs::remove_dir_all(dir.join("store")).unwrap();
    fs::rename(aside, dir.join("store")).unwrap();
    without
}

#[test]
fn it_goes_on_as_from_any_other_start() {
    for lines in [1, 10, 63, 64, 65, 200] {
        let dir = tempfile::tempdir().unwrap();
        let life = readied(dir.path(), lines);
        assert!(without_store(dir.path()), "{lines} lines");
        let Opened { mut journal, life: begun, beyond, cut, warnings } =
            hurried(dir.path()).unwrap();
        assert_eq!((&begun, beyond, cut, warnings), (&life, false, None, vec![]));
        assert_eq!(journal.head().seq, lines);
        let mut walk = Walk::new(begun);
        walk.fill(&mut journal, lines + 90, &mut |_| ()).unwrap();
        drop(journal);
        // The store was told of every line, in its own time.
        let after = opened(dir.path()).unwrap();
        assert_eq!((&after.life, after.beyond), (&walk.life, false));
        drop(after);
        assert_eq!(verify(dir.path()).unwrap().life, walk.life);
        // What was made ready holds no more.
        assert!(!without_store(dir.path()), "{lines} lines");
    }
}

#[test]
fn what_it_does_not_know_sends_it_the_long_way() {
    let dir = tempfile::tempdir().unwrap();
    let life = readied(dir.path(), 20);
    let file = dir.path().join("ready.json");
    let text = fs::read_to_string(&file).unwrap();
    // Changed, or of another version.
    for changed in [text.replace("\"seq\":20", "\"seq\":21"), String::new(), text[..90].to_owned()]
    {
        fs::write(&file, changed).unwrap();
        assert!(!without_store(dir.path()));
        assert_eq!(hurried(dir.path()).unwrap().life, life);
    }
    fs::write(&file, &text).unwrap();
    assert!(without_store(dir.path()));
    // Torn bytes behind the last line: the long way's rules say what becomes of them.
    let whole = fs::read(segment(dir.path(), 1)).unwrap();
    fs::write(segment(dir.path(), 1), [&whole[..], b"{\"v\":1"].concat()).unwrap();
    let Opened { cut, .. } = hurried(dir.path()).unwrap();
    assert_eq!(cut.map(|it| it.bytes), Some(6));
    // Another last line of the same length.
    let mut other = whole.clone();
    let at = other.len() - 30;
    other[at] = if other[at] == b'0' { b'1' } else { b'0' };
    fs::write(segment(dir.path(), 1), other).unwrap();
    let fault = hurried(dir.path()).map(|_| ()).unwrap_err();
    assert_eq!(fault.code.id, "E4003", "{fault}");
}

#[test]
fn a_journal_brought_back_from_an_old_copy_is_found_out() {
    let (dir, then) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    readied(dir.path(), 30);
    copy(dir.path(), then.path());
    filled(dir.path(), 40);
    fs::remove_dir_all(then.path().join("store")).unwrap();
    copy(&dir.path().join("store"), &then.path().join("store"));
    let Opened { mut journal, life, .. } = hurried(then.path()).unwrap();
    let mut walk = Walk::new(life);
    let (draft, life) = walk.next();
    journal.append(draft).unwrap();
    walk.life = life;
    // The store is opened beside what goes on; from then on nothing is written any more.
    journal.remember(&walk.life);
    let refused = (0..3_000).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let (draft, life) = walk.next();
        let fault = journal.append(draft).err();
        walk.life = life;
        fault
    });
    assert_eq!(refused.map(|it| it.code.id), Some("E4005"));
    drop(journal);
    let fault = opened(then.path()).map(|_| ()).unwrap_err();
    assert_eq!(fault.code.id, "E4005", "{fault}");
}

#[test]
fn it_has_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    readied(dir.path(), 5);
    let first = hurried(dir.path()).unwrap();
    let second = open_ready(dir.path(), &system(), &claim());
    assert!(matches!(second, Err(NotOpened::Busy(Some(_)))), "{second:?}");
    drop(first);
    assert_eq!(read(dir.path()).unwrap().len(), 5);
    hurried(dir.path()).unwrap();
}
