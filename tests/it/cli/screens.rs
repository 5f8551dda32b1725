//! Whole screens: `status` in each situation that people meet, at two widths, and as a document.

use changeover::machine::{Ended, Input};

use crate::cli::desk::{Fake, Typing};
use crate::walk::{Walk, well};

fn screens(name: &str, walk: &Walk) {
    let desk = Fake::of(walk);
    for width in [80, 120] {
        let ran = Typing::at(&desk).wide(width).run("status");
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        let longest = ran
            .out
            .lines()
            .filter(|line| !line.contains("changeover "))
            .map(|line| line.chars().count())
            .max();
        assert!(longest <= Some(width), "a line is wider than {width}: {}", ran.out);
        insta::assert_snapshot!(format!("{name}_{width}"), ran.out);
    }
    let ran = Typing::at(&desk).run("status --json");
    insta::assert_snapshot!(format!("{name}_json"), ran.out);
    let ascii = Typing::at(&desk).run("status --ascii");
    assert!(ascii.out.is_ascii(), "{}", ascii.out);
}

fn failing(step: &'static str, ended: Ended) -> impl Fn(&str) -> Ended {
    move |id| if id == step { ended } else { Ended::Done }
}

#[test]
fn before_init() {
    screens("new", &Walk::new());
}

#[test]
fn steady() {
    screens("steady", &Walk::steady());
}

#[test]
fn ready_after_preflight() {
    screens("ready", &Walk::started());
}

#[test]
fn doing() {
    let mut walk = Walk::started();
    walk.next();
    walk.work_one(&well);
    walk.begin_one();
    walk.wait(95);
    walk.holder = Some("pid 4711 on desk since 2026-11-28 08:31:04".to_owned());
    screens("doing", &walk);
}

#[test]
fn nobody_works() {
    let mut walk = Walk::started();
    walk.next();
    walk.begin_one();
    walk.wait(3_600);
    screens("nobody", &walk);
}

#[test]
fn asking_one_of_two() {
    let mut walk = Walk::asking();
    walk.wait(600);
    walk.approve("curator-a", "business");
    walk.wait(1_200);
    screens("asking", &walk);
}

#[test]
fn halted_failed() {
    let mut walk = Walk::steady();
    walk.start("v4.4.0");
    walk.work(failing("windows", Ended::Failed));
    screens("failed", &walk);
}

#[test]
fn halted_unknown() {
    let mut walk = Walk::approved();
    walk.next();
    walk.work(failing("switch", Ended::Unknown));
    walk.wait(30);
    screens("unknown", &walk);
}

#[test]
fn soak() {
    screens("soak", &Walk::soaking());
}

#[test]
fn after_rollback_before_renew() {
    let mut walk = Walk::soaking();
    walk.say(Input::Rollback { loss_accepted: false }, "search is broken");
    walk.work(well);
    walk.next();
    walk.work(well);
    walk.next();
    walk.work(well);
    screens("rolled_back", &walk);
}

#[test]
fn owed_after_close() {
    let mut walk = Walk::soaking();
    walk.tell("mira", Input::Accept, Default::default());
    walk.work(failing("backup-on", Ended::Failed));
    walk.say(Input::Close, "the host is gone, a new one comes tomorrow");
    walk.wait(13 * 3_600);
    screens("owed", &walk);
}

#[test]
fn one_run_against_time() {
    let desk = Fake::of(&Walk::soaking());
    insta::assert_snapshot!("run_80", Typing::at(&desk).run("run show").out);
    insta::assert_snapshot!("run_120", Typing::at(&desk).wide(120).run("release show 1").out);
    insta::assert_snapshot!("runs", Typing::at(&desk).run("run list").out);
}

#[test]
fn the_journal_as_a_list_and_one_entry() {
    let mut walk = Walk::approved();
    walk.next();
    walk.work_one(&well);
    let desk = Fake::of(&walk);
    insta::assert_snapshot!("log", Typing::at(&desk).run("audit log").out);
    let last = walk.lines.len();
    let intent = Typing::at(&desk).run(&format!("audit show {}", last - 1));
    insta::assert_snapshot!("entry", intent.out);
}
