//! How a command goes on, off a terminal: a line a change, a heartbeat when nothing changes.

use changeover::cli::{Aside, Plain};
use changeover::conductor::{Progress, Watcher};
use changeover::machine::{At, Ended};
use changeover::model::{Kind, Phase, Time, Way};

use crate::cli::desk::Kept;

#[test]
fn a_line_a_change_and_a_heartbeat() {
    let kept = Kept::default();
    let plain = Plain::new(Aside::new(kept.clone()), false);
    let (kind, way, phase) = (Kind::Release, Way::Forth, Phase::Swap);
    let at = At { kind, way, phase, group: 0, tried: 1 };
    let time = Time::default();
    let kind = "switch".to_owned();
    plain.tell(&Progress::Phase { at, time });
    let step = "switch".into();
    plain.tell(&Progress::Started { at, step, kind, time, expected: Some(70) });
    (0..29).for_each(|_| plain.second());
    assert_eq!(kept.text().lines().count(), 1, "no heartbeat before 30 s");
    plain.tell(&Progress::Seen { step: "switch".into(), says: "3 of 8 records".to_owned() });
    (0..36).for_each(|_| plain.second());
    let says = "8 of 8 records".to_owned();
    let step = "switch".into();
    plain.tell(&Progress::Ended { at, step, ended: Ended::Done, says, time, took_ms: 65_400 });
    (0..90).for_each(|_| plain.second());
    insta::assert_snapshot!("telling", kept.text());
}
