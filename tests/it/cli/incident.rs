//! A failover is typed with the name and the figure, after both were shown.

use changeover::conductor::{Command, GivenUp, MayLose, Preview};
use changeover::machine::{Diagnosis, Incident};
use changeover::model::{About, Says, Seer, SiteName, Time, Witness};

use crate::cli::desk::{Fake, Typing};
use crate::walk::Walk;

pub(super) fn preview() -> Preview {
    let at = Time::parse("2026-11-21T08:00:05Z").unwrap();
    let heard = |about, seer, says, source: &str, text: &str| Witness {
        about,
        seer,
        says,
        source: source.to_owned(),
        at,
        text: text.to_owned(),
    };
    Preview {
        armed: changeover::conductor::FromArmed::default(),
        lost: "hk".into(),
        to: "sydney".into(),
        diagnosis: Diagnosis::ProductionDead,
        says: Diagnosis::ProductionDead.made_by().to_owned(),
        refused: None,
        fence_first: false,
        witnesses: vec![
            heard(
                About::Users,
                Seer::Http,
                Says::Down,
                "http https://gigadb.org/",
                "no answer within 4s",
            ),
            heard(
                About::Machines,
                Seer::Provider,
                Says::Unknown,
                "aws rds ap-east-1",
                "no credentials",
            ),
            heard(
                About::Standby,
                Seer::Http,
                Says::Up,
                "http https://gigadb.org/ at sydney",
                "answers 200",
            ),
        ],
        data_of: Time::parse("2026-11-20T22:00:00Z"),
        loss_seconds: Some(36_005),
        writes: None,
        missing: vec!["files since the last file sync".to_owned()],
        release: Some("v4.3.0".to_owned()),
        expected_seconds: Some(41),
        asked: vec!["how many writes are at stake: no counter could be read".to_owned()],
        command:
            "changeover -s gigadb failover --confirm sydney --accept-data-loss 10h5m --plan 1234"
                .to_owned(),
    }
}

fn given(desk: &Fake) -> GivenUp {
    match desk.done().remove(0).command {
        Command::Failover(it) => it,
        other => panic!("{other:?}"),
    }
}

/// A failover has brought users to sydney.
fn given_up() -> Walk {
    let mut walk = Walk::soaking();
    let record = &mut walk.life.record;
    let (run, at) = (record.run.as_ref().unwrap().number, record.now);
    let consent = serde_json::from_value(serde_json::json!({
        "lost": "hk", "to": "sydney", "diagnosis": "production_dead", "fence_first": false, "data_of": null,
        "figure": null, "accepted": null, "writes": null, "missing": [], "acknowledged": null,
        "plan": changeover::model::Digest::default(), "asked": at,
    }));
    record.incident = Some(Incident {
        run,
        at,
        consent: consent.unwrap(),
        fence: [].into(),
        counts: [].into(),
        found: None,
        gone_back: false,
    });
    walk
}

#[test]
fn on_another_disk_a_failover_goes_on_and_another_one_is_another_one() {
    let line = "failover --journal /elsewhere --accept-data-loss 12h --plan 1234 --confirm";
    let desk = Fake::of(&given_up());
    let ran = Typing::at(&desk).run(&format!("{line} sydney"));
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(desk.done().remove(0).command, Command::Resume);
    // The site that it led to is lost as well.
    let desk = Fake::of(&given_up());
    Typing::at(&desk).run(&format!("{line} hk"));
    assert_eq!(given(&desk).confirm, Some("hk".into()));
}

#[test]
fn what_is_seen_and_lost_is_shown_before_anything_else() {
    let desk = Fake::of(&Walk::steady());
    let ran = Typing::at(&desk).run("failover --dry-run");
    assert_eq!(ran.status, 0, "{}", ran.err);
    insta::assert_snapshot!("failover_plan", ran.out);
    assert!(desk.done().is_empty());
}

#[test]
fn the_person_types_the_name_and_the_figure() {
    let desk = Fake::of(&Walk::steady());
    let ran = Typing::at(&desk).answering(&["sydney", "12h"]).run("failover");
    assert_eq!(ran.status, 0, "{}", ran.err);
    let it = given(&desk);
    assert_eq!(it.confirm, Some(SiteName::from("sydney")));
    assert_eq!(it.accept_data_loss, Some(MayLose::Seconds(12 * 3_600)));
    assert!(it.plan.is_some() && it.shown.is_some(), "bound to what was shown: {it:?}");
    let shown = ran.err.find("up to 10h").unwrap();
    assert!(shown < ran.err.find("Type how much may be lost").unwrap(), "{}", ran.err);
}

#[test]
fn another_name_or_no_figure_changes_nothing() {
    for answers in [&["hk"][..], &["sydney"], &["sydney", "a bit"], &[]] {
        let desk = Fake::of(&Walk::steady());
        let ran = Typing::at(&desk).answering(answers).run("failover");
        assert_eq!((ran.status, desk.done().len()), (2, 0), "{answers:?}: {}", ran.err);
    }
}

#[test]
fn a_script_says_both_on_the_line() {
    let desk = Fake::of(&Walk::steady());
    let line = "failover gigadb --confirm sydney --accept-data-loss unknown --plan 12ab --down-since 2026-11-21T07:58:00Z";
    let ran = Typing::at(&desk).run(line);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let it = given(&desk);
    assert_eq!((it.accept_data_loss, it.plan.as_deref()), (Some(MayLose::Unknown), Some("12ab")));
    assert!(it.down.is_some());
}

#[test]
fn the_other_three_ask_before_they_begin() {
    for line in ["switchover", "rejoin", "failback"] {
        let desk = Fake::of(&Walk::steady());
        assert_eq!(Typing::at(&desk).run(line).status, 2, "{line}");
        assert!(desk.done().is_empty());
        let ran = Typing::at(&desk).run(&format!("{line} --yes"));
        assert_eq!((ran.status, desk.done().len()), (0, 1), "{line}: {}", ran.err);
    }
}
