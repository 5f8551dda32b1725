//! `why-not`: what stands in the way of a command, on one screen, by the guards of the real conductor.

use std::collections::BTreeMap;
use std::sync::Arc;

use changeover::app::Glance;
use changeover::conductor::{Command, GivenUp, MayLose, Order, WhyNot, why_not};
use changeover::fault::Fault;
use changeover::model::{Phase, SystemName, Verdict};
use changeover::view::Look;
use serde_json::{Value, json};

use crate::cli::desk::{Fake, Typing};
use crate::conductor::rig::{Rig, approve, person, plain};
use crate::conductor::world::{Bad, Wrong};
use crate::walk::Walk;

/// The real conductor, asked from where the rig stands, over the rig's world.
pub(crate) async fn asked(rig: &Rig, glance: &Glance, order: &Order) -> Result<WhyNot, Fault> {
    let look = Look { differs: &[], holder: None, ..glance.look() };
    let before =
        (rig.world.journal.lines().len(), rig.truth(|it| (it.so.clone(), it.sent.clone())));
    let make = || Ok(rig.parts_thrown_away());
    let found = Box::pin(why_not(&make, order, &person("rob"), &look)).await;
    let after = (rig.world.journal.lines().len(), rig.truth(|it| (it.so.clone(), it.sent.clone())));
    assert_eq!(before, after, "asking changes nothing and writes nothing");
    found
}

/// A rig that walked, as the commands see it.
fn desk(walked: impl AsyncFnOnce(&Rig)) -> Fake {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rig = Rig::new();
    runtime.block_on(walked(&rig));
    let glance = Glance {
        system: SystemName::from("gigadb"),
        workflow: Some(Arc::new(rig.workflow())),
        life: rig.life(),
        lines: rig.world.journal.lines().into_iter().map(|it| it.line).collect(),
        holder: None,
        differs: vec![],
        armed: None,
        now: rig.now(),
    };
    Fake::of_rig(glance, rig)
}

fn screen(name: &str, desk: &Fake, line: &str, status: u8) {
    let ran = Typing::at(desk).run(&format!("why-not {line}"));
    assert_eq!(ran.status, status, "{}{}", ran.out, ran.err);
    let data = Typing::at(desk).run(&format!("why-not {line} --json"));
    let data: Value = serde_json::from_str(&data.out).unwrap();
    assert_eq!(data["schema"], "changeover.why-not/v1");
    assert_eq!((data["exit"] == 0, data["free"] == true), (status == 0, status == 0), "{data}");
    let blockers = data["blockers"].as_array().unwrap();
    assert_eq!(blockers.is_empty(), status == 0, "{data}");
    for it in blockers {
        let read = it["evidence"].as_array().unwrap();
        assert!(!read.is_empty() && read.iter().all(|it| it["age_seconds"].is_i64()), "{it}");
        assert!(it["who"] != "" && !it["commands"].as_array().unwrap().is_empty(), "{it}");
    }
    assert!(desk.told().is_empty(), "asking orders nothing");
    insta::assert_snapshot!(name, ran.out);
}

fn bad(rig: &Rig, all: Vec<(&'static str, Verdict, &'static str, i64, Value)>) {
    let all =
        all.into_iter().map(|(of, verdict, says, age, data)| (of, (verdict, says, age, data)));
    let all: Bad = all.collect::<BTreeMap<_, _>>();
    rig.truth(|truth| truth.bad = all);
}

async fn failed_over(rig: &Rig) {
    rig.started().await;
    rig.tell(Command::Abort).await.unwrap();
    rig.truth(|truth| truth.so.insert("lost".to_owned(), "hk".to_owned()));
    let given = GivenUp {
        confirm: Some("sydney".into()),
        accept_data_loss: Some(MayLose::Unknown),
        ..GivenUp::default()
    };
    rig.tell(Command::Failover(given)).await.unwrap();
    rig.tell(Command::Accept).await.unwrap();
    rig.wait(600);
}

#[test]
fn a_gate_that_asks() {
    let desk = desk(async |rig| {
        rig.to(Phase::Validate).await;
        rig.next().await.unwrap();
        rig.wait(600);
        rig.give("cora", &plain(approve())).await.unwrap().unwrap();
        rig.wait(1_200);
    });
    screen("why_not_asking", &desk, "release next", 3);
    screen("why_not_may_not_approve", &desk, "release approve", 3);
}

#[test]
fn guards_that_fail_or_cannot_be_made_are_all_told() {
    let desk = desk(async |rig| {
        rig.approved().await;
        bad(
            rig,
            vec![
                ("jobs.off", Verdict::Fail, "s3backup runs on hk: pid 411", 2, Value::Null),
                ("switch.whole", Verdict::Unknown, "no answer within 20s", 4, Value::Null),
            ],
        );
    });
    screen("why_not_guards", &desk, "release next", 3);
}

#[test]
fn an_embargo_that_has_expired_and_is_owed() {
    let desk = desk(async |rig| {
        rig.soaking().await;
        let fails = |truth: &mut crate::conductor::world::Truth| {
            truth.sends.insert("backup-on".to_owned(), [Wrong::Refused; 20].into());
        };
        rig.truth(fails);
        rig.tell(Command::Accept).await.unwrap();
        rig.tell(Command::Close).await.unwrap();
        rig.wait(13 * 3_600);
    });
    screen("why_not_expired", &desk, "release start v3", 3);
}

#[test]
fn a_closed_window() {
    let desk = desk(async |rig| {
        rig.tell(Command::Init).await.unwrap();
        let data = json!({ "code": "E3901", "ends_in_minutes": 42 });
        let says = "now is inside 03:00-06:00 UTC, for 42 more minutes";
        bad(rig, vec![("windows", Verdict::Fail, says, 0, data)]);
    });
    screen("why_not_window", &desk, "release start v2", 3);
}

#[test]
fn no_standby() {
    let desk = desk(async |rig| failed_over(rig).await);
    screen("why_not_no_standby", &desk, "release start v3", 3);
    screen("why_not_failover", &desk, "failover", 3);
}

/// The reasons that were given are in what is to be typed.
#[test]
fn reasons_that_were_given_are_printed() {
    let failed_over = desk(async |rig| failed_over(rig).await);
    let ran = Typing::at(&failed_over).wide(120).run("why-not failover --acknowledge it's");
    let line = r"changeover -s gigadb failover --dry-run --acknowledge 'it'\''s'";
    assert!(ran.out.contains(&format!("COMMAND     {line}\n")), "{}", ran.out);
    let started = desk(async |rig| rig.started().await);
    let ran = Typing::at(&started).run("why-not release abort --reason late");
    assert_eq!(ran.out, "nothing: changeover -s gigadb release abort --reason late\n");
    let ran = Typing::at(&started).run("why-not release abort");
    assert_eq!(ran.out, "nothing: changeover -s gigadb release abort --reason TEXT\n");
}

/// With all that a failover wants on the line it is still only asked.
#[test]
fn a_whole_failover_is_asked_about_and_not_ordered() {
    let desk = desk(async |rig| failed_over(rig).await);
    let line = "why-not failover --confirm hk --accept-data-loss unknown --plan 1234";
    for line in [line.to_owned(), format!("{line} --journal /elsewhere")] {
        let ran = Typing::at(&desk).run(&line);
        assert_eq!(ran.status, 3, "{}{}", ran.out, ran.err);
        assert!(ran.out.starts_with("WHY NOT gigadb") && ran.err.is_empty(), "{}", ran.err);
        assert!(desk.told().is_empty(), "asking orders nothing");
    }
}

#[test]
fn all_that_keeps_a_failover_from_being_armed() {
    let desk = desk(async |rig| {
        rig.started().await;
        bad(
            rig,
            vec![
                ("there", Verdict::Fail, "the certificate ends in 2 days", 3, Value::Null),
                ("switch", Verdict::Unknown, "no answer within 20s", 4, Value::Null),
            ],
        );
        rig.truth(|it| it.looks.insert("reset-off-f".to_owned(), [Wrong::Dark; 9].into()));
    });
    screen("why_not_arm", &desk, "arm", 3);
}

#[test]
fn a_run_that_halted() {
    let desk = desk(async |rig| {
        let says = "now is inside 03:00-06:00 UTC, for 42 more minutes";
        bad(rig, vec![("windows", Verdict::Fail, says, 0, json!({ "code": "E3901" }))]);
        rig.started().await;
        rig.wait(90);
    });
    screen("why_not_halted", &desk, "release next", 3);
}

#[test]
fn no_way_back_before_there_was_a_swap() {
    let desk = desk(async |rig| rig.started().await);
    screen("why_not_rollback", &desk, "release rollback", 3);
}

#[test]
fn the_soak_and_its_end() {
    let desk = desk(async |rig| rig.soaking().await);
    screen("why_not_accept", &desk, "release accept", 3);
}

#[test]
fn nothing() {
    let approved = desk(async |rig| rig.approved().await);
    screen("why_not_nothing", &approved, "release next", 0);
    let soaking = desk(async |rig| rig.soaking().await);
    screen("why_not_back", &soaking, "release rollback", 0);
}

#[test]
fn a_drill_that_has_no_names_to_drill_on() {
    let none = desk(async |rig| rig.approved().await);
    let ran = Typing::at(&none).run("why-not drill");
    assert_eq!(ran.status, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("no names to drill on"), "{}", ran.out);
}

#[test]
fn what_only_reads_is_not_asked_about() {
    let desk = Fake::of(&Walk::steady());
    for line in ["release list", "run show", "drift", "embargo show"] {
        let ran = Typing::at(&desk).run(&format!("why-not {line}"));
        assert_eq!(ran.status, 2, "{line}: {}", ran.out);
    }
}
