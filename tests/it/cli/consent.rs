//! Confirmation grows with danger, and a script is told the exact line.

use changeover::conductor::Command;
use changeover::machine::Input;
use changeover::model::SiteName;

use crate::cli::desk::{Fake, Typing};
use crate::walk::{Walk, well};

fn site(name: &str) -> Option<SiteName> {
    Some(SiteName::from(name))
}

/// Users are on sydney and writes were allowed there.
fn lifted() -> Walk {
    let mut walk = Walk::soaking();
    walk.tell("mira", Input::Accept, Default::default());
    walk.work(well);
    walk
}

#[test]
fn a_question_off_a_terminal_is_wrong_usage_with_the_line_to_run() {
    let desk = Fake::of(&Walk::steady());
    let ran = Typing::at(&desk).run("release start v4.4.0");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("error[E2005]"), "{}", ran.err);
    assert!(ran.err.contains("run: changeover release start v4.4.0 --yes"), "{}", ran.err);
    assert_eq!(ran.out, "");
    assert!(desk.told().is_empty(), "nothing may be ordered");
}

#[test]
fn yes_answers_a_question() {
    let desk = Fake::of(&Walk::steady());
    let ran = Typing::at(&desk).run("release start v4.4.0 --yes");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(desk.done().len(), 1);
}

#[test]
fn only_a_clear_yes_is_a_yes() {
    for (answer, goes) in [("y", true), ("yes", true), ("", false), ("n", false), ("sure", false)] {
        let desk = Fake::of(&Walk::steady());
        let ran = Typing::at(&desk).answering(&[answer]).run("release start v4.4.0");
        assert_eq!(desk.done().len(), usize::from(goes), "{answer}");
        assert_eq!(ran.status, if goes { 0 } else { 2 });
        assert!(ran.err.contains("Start release v4.4.0? [y/N]"), "{}", ran.err);
    }
}

#[test]
fn an_end_of_input_is_no_answer() {
    let desk = Fake::of(&Walk::steady());
    let ran = Typing::at(&desk).answering(&[]).run("release start v4.4.0");
    assert_eq!((ran.status, desk.told().len()), (2, 0));
}

#[test]
fn no_input_asks_nobody() {
    let desk = Fake::of(&Walk::steady());
    let ran = Typing::at(&desk).answering(&["y"]).run("release start v4.4.0 --no-input");
    assert_eq!((ran.status, desk.told().len()), (2, 0));
}

#[test]
fn a_swap_wants_the_name_and_yes_is_no_name() {
    let desk = Fake::of(&Walk::approved());
    let ran = Typing::at(&desk).run("release next --yes");
    assert_eq!(ran.status, 2);
    let line = "run: changeover release next --yes --confirm sydney";
    assert!(ran.err.contains(line), "{}", ran.err);
    assert!(desk.told().is_empty());
}

#[test]
fn a_swap_with_its_name_on_the_line_goes() {
    let desk = Fake::of(&Walk::approved());
    let ran = Typing::at(&desk).run("release next --confirm sydney");
    assert_eq!(ran.status, 0, "{}", ran.err);
    let Command::Next { confirm, .. } = &desk.done()[0].command else { panic!("not next") };
    assert_eq!(*confirm, site("sydney"));
}

#[test]
fn the_wrong_name_changes_nothing() {
    let desk = Fake::of(&Walk::approved());
    let ran = Typing::at(&desk).run("release next --confirm hk");
    assert_eq!((ran.status, desk.told().len()), (2, 0));
    let typed = Typing::at(&desk).answering(&["green"]).run("release next");
    assert_eq!((typed.status, desk.done().len()), (2, 0));
}

#[test]
fn before_the_name_is_typed_the_plan_is_shown() {
    let desk = Fake::of(&Walk::approved());
    let ran = Typing::at(&desk).answering(&["sydney"]).run("release next");
    assert_eq!(ran.status, 0, "{}", ran.err);
    insta::assert_snapshot!("swap_typed", ran.err);
    let told = desk.told();
    assert!(told[0].dry_run && !told[1].dry_run, "plan first, then the act");
    let Command::Next { confirm, .. } = &told[1].command else { panic!("not next") };
    assert_eq!(*confirm, site("sydney"));
}

#[test]
fn an_earlier_phase_asks_what_it_is_about_to_do() {
    let desk = Fake::of(&Walk::started());
    let ran = Typing::at(&desk).answering(&["y"]).run("release next");
    assert_eq!(ran.status, 0);
    let asked = "Next: deploy puts the release onto the standby. Go on? [y/N]";
    assert!(ran.err.contains(asked), "{}", ran.err);
}

#[test]
fn rollback_names_the_site_users_return_to() {
    let desk = Fake::of(&Walk::soaking());
    let ran = Typing::at(&desk).run("release rollback --reason broken");
    assert_eq!(ran.status, 2);
    let line = "run: changeover release rollback --reason broken --confirm hk";
    assert!(ran.err.contains(line), "{}", ran.err);
    assert!(!ran.err.contains("--accept-data-loss"), "nothing is lost before writes were allowed");
}

#[test]
fn going_back_after_writes_wants_the_loss_accepted_too() {
    let desk = Fake::of(&lifted());
    let ran = Typing::at(&desk).run("release rollback --reason broken");
    assert!(ran.err.contains("--confirm hk --accept-data-loss"), "{}", ran.err);
    let named = Typing::at(&desk).run("release rollback --reason broken --confirm hk");
    assert_eq!((named.status, desk.told().len()), (2, 0), "{}", named.err);
    let all = "release rollback --reason broken --confirm hk --accept-data-loss";
    assert_eq!(Typing::at(&desk).run(all).status, 0);
    assert_eq!(desk.done().len(), 1);
}

#[test]
fn going_back_after_writes_asks_a_person_twice() {
    let desk = Fake::of(&lifted());
    let line = "release rollback --reason broken";
    let once = Typing::at(&desk).answering(&["hk", "yes"]).run(line);
    assert_eq!((once.status, desk.done().len()), (2, 0));
    let twice = Typing::at(&desk).answering(&["hk", "lose writes"]).run(line);
    assert_eq!(twice.status, 0, "{}", twice.err);
    let Command::Rollback { confirm, accept_data_loss } = &desk.done()[0].command else {
        panic!("not rollback")
    };
    assert_eq!((confirm.clone(), *accept_data_loss), (site("hk"), true));
}

#[test]
fn a_dry_run_asks_nothing_and_shows_the_plan() {
    let desk = Fake::of(&Walk::approved());
    let ran = Typing::at(&desk).run("release next --dry-run");
    assert_eq!(ran.status, 0, "{}", ran.err);
    insta::assert_snapshot!("plan", ran.out);
    assert!(desk.done().is_empty());
    let json = Typing::at(&desk).run("release rollback -n --json").out;
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "changeover.reply/v1");
    assert_eq!(document["plan"]["steps"][0]["verdict"], "todo");
}

#[test]
fn approval_is_bound_to_what_was_shown() {
    let walk = Walk::asking();
    let desk = Fake::of(&walk);
    let ran = Typing::at(&desk).answering(&["y"]).run("release approve --comment fine");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("switch     gigadb.org: hk → sydney"), "{}", ran.err);
    let Command::Approve { packet, comment } = &desk.done()[0].command else {
        panic!("not approve")
    };
    assert_eq!((*packet, comment.as_deref()), (walk.life.record.packet, Some("fine")));
    let short = walk.life.record.packet.unwrap().short();
    let named = Typing::at(&desk).run(&format!("release approve --yes --packet {short}"));
    assert_eq!(named.status, 0, "{}", named.err);
    let stale = Typing::at(&desk).run("release approve --yes --packet 0123456789ab");
    assert_eq!(stale.status, 5);
    assert_eq!(Typing::at(&desk).run("release approve --yes --packet 01").status, 2);
}

#[test]
fn a_run_number_must_be_the_open_runs() {
    let desk = Fake::of(&Walk::asking());
    let other = Typing::at(&desk).run("release abort 9 --reason late --yes");
    assert_eq!((other.status, desk.told().len()), (2, 0));
    assert!(other.err.contains("run 9 is not open: run 1 is"), "{}", other.err);
    assert_eq!(Typing::at(&desk).run("release abort 1 --reason late --yes").status, 0);
}
