//! `switch`: what is sent, what is believed, and that of two contrary moves one alone can land.

use std::sync::Arc;

use changeover::machine::{Fact, Record};
use changeover::model::{Change, Kind, Verb};
use changeover::port::{Action, Call, Seen, Sent, World};
use changeover::workflow::Lasting;
use serde_json::json;

use super::stand_in::{Cloudflare, HOST, Mishap, ORG};
use super::world::{
    JOURNAL, NAMES, Setting, TOKEN, back, call, outside, params, record, setting, text, workflow,
};

async fn ready() -> (Cloudflare, Setting) {
    let cloudflare = Cloudflare::start().await;
    let outside = changeover::port::Outside { cloudflare: cloudflare.url.clone(), ..outside() };
    (cloudflare, setting(outside))
}

fn forth() -> Call {
    call(params("switch", "{}"))
}

async fn todo(action: &dyn Action) -> Vec<Change> {
    match action.observe().await {
        Seen::Todo { changes, .. } => changes,
        other => panic!("{other:?}"),
    }
}

/// Looks, applies.
async fn go(setting: &Setting, call: Call) -> Sent {
    let action = setting.world.action(call);
    let changes = todo(action.as_ref()).await;
    action.apply(&changes).await
}

async fn done(setting: &Setting, call: Call) -> Vec<Fact> {
    match setting.world.action(call).observe().await {
        Seen::Done { facts, .. } => facts,
        other => panic!("{other:?}"),
    }
}

fn marks(number: u64) -> Vec<Fact> {
    let mark = |zone: &str| Fact::Mark { zone: zone.into(), number };
    vec![mark("gigadb.org"), mark("gigadb.host")]
}

#[tokio::test]
async fn every_record_moves_in_place_and_each_zone_gets_the_next_mark() {
    let (cloudflare, setting) = ready().await;
    let action = setting.world.action(forth());
    let changes = todo(action.as_ref()).await;
    assert_eq!(changes.iter().filter(|it| it.verb == Verb::Change).count(), 8);
    assert_eq!(changes.iter().filter(|it| it.verb == Verb::Create).count(), 2);
    assert_eq!(changes[0].old.as_deref(), Some("127.0.1.1"));
    assert_eq!(changes[0].new.as_deref(), Some("127.0.2.1"));
    assert!(
        changes[0].key.starts_with("cloudflare/gigadb.org/")
            && changes[0].key.ends_with("/gigadb.org")
    );
    let moving = Fact::RolesMoving { from: "hk".into(), to: "sydney".into() };
    assert_eq!(action.intends(), [moving]);

    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    assert!(matches!(action.observe().await, Seen::Done { facts, .. } if facts == marks(5)));
    assert_eq!(cloudflare.content("gigadb.org"), [NAMES[0].2]);
    assert_eq!(cloudflare.content("bastion.alt-live.gigadb.host"), [NAMES[3].1]);

    let batches = cloudflare.state(|it| it.batches.clone());
    assert_eq!(
        [batches[0].0.as_str(), batches[1].0.as_str()],
        [ORG, HOST],
        "production's zone first"
    );
    assert_eq!(batches.len(), 2);
    assert_eq!(
        batches[0].1["patches"][0],
        json!({ "id": format!("{:032x}", 1), "type": "A", "name": "gigadb.org",
            "content": "127.0.2.1", "ttl": 60, "proxied": false,
            "comment": "changeover gigadb web epoch 7" })
    );
    let comment = format!("changeover gigadb journal {JOURNAL} forth epoch 7 release 3");
    assert!(comment.len() <= 100);
    assert_eq!(
        batches[1].1["posts"],
        json!([{ "type": "TXT", "name": "_changeover-gigadb.gigadb.host", "content": "e=5",
            "ttl": 60, "comment": comment }])
    );
    assert!(batches[0].1.get("deletes").is_none());
    let calls = setting.calls.0.lock().unwrap().clone();
    assert!(calls.contains(&"cloudflare batch gigadb.org".to_owned()), "{calls:?}");
}

#[tokio::test]
async fn a_refused_second_zone_is_a_half_move_that_the_next_attempt_finishes() {
    let (cloudflare, setting) = ready().await;
    cloudflare.mishap(&[Mishap::None, Mishap::Answer(400, 9005)]);
    let Sent::Accepted { evidence, .. } = go(&setting, forth()).await else { panic!() };
    assert!(evidence[0].says.starts_with("half done: gigadb.org moved, gigadb.host not"));
    assert_eq!(evidence[0].data["half"], true);
    let action = setting.world.action(forth());
    let rest = todo(action.as_ref()).await;
    assert!(rest.iter().all(|it| it.key.starts_with("cloudflare/gigadb.host/")), "{rest:?}");
    assert_eq!(rest.len(), 6);
    assert!(matches!(action.apply(&rest).await, Sent::Accepted { .. }));
    assert_eq!(done(&setting, forth()).await, marks(5));
    let zones: Vec<String> =
        cloudflare.state(|it| it.batches.iter().map(|it| it.0.clone()).collect());
    assert_eq!(zones, [ORG, HOST, HOST], "nothing was sent twice where it had landed");
}

#[tokio::test]
async fn what_may_have_landed_is_unknown_and_stops_the_second_zone() {
    for mishap in [Mishap::LostAfter, Mishap::SlowAfter, Mishap::ErrorAfter] {
        let (cloudflare, setting) = ready().await;
        cloudflare.mishap(&[mishap]);
        assert!(matches!(go(&setting, forth()).await, Sent::Unknown { .. }), "{mishap:?}");
        assert_eq!(cloudflare.state(|it| it.batches.len()), 1, "one attempt, {mishap:?}");
        let rest = todo(setting.world.action(forth()).as_ref()).await;
        assert_eq!(rest.len(), 6, "{mishap:?}: {rest:?}");
        assert!(rest.iter().all(|it| it.key.starts_with("cloudflare/gigadb.host/")));
    }
}

#[tokio::test]
async fn a_refusal_of_the_first_zone_changes_nothing() {
    let (cloudflare, setting) = ready().await;
    cloudflare.mishap(&[Mishap::Answer(403, 10000)]);
    let before = cloudflare.state(|it| it.records.clone());
    assert!(matches!(go(&setting, forth()).await, Sent::Refused { .. }));
    assert_eq!(cloudflare.state(|it| (it.batches.len(), it.records == before)), (1, true));
}

#[tokio::test]
async fn a_dead_provider_is_unknown_and_a_dead_one_at_apply_is_refused() {
    let (cloudflare, setting) = ready().await;
    let dead = super::world::setting(outside());
    assert!(matches!(dead.world.action(forth()).observe().await, Seen::Unknown { .. }));
    cloudflare.state(|it| it.reads.extend([503; 9]));
    assert!(matches!(setting.world.action(forth()).observe().await, Seen::Unknown { .. }));
    assert_eq!(cloudflare.state(|it| it.batches.len()), 0);
}

#[tokio::test]
async fn reads_are_asked_again_as_the_provider_says_and_within_the_deadline() {
    let (cloudflare, setting) = ready().await;
    cloudflare.state(|it| it.reads.extend([502]));
    todo(setting.world.action(forth()).as_ref()).await;
    assert_eq!((cloudflare.state(|it| it.seen), setting.clock.slept()), (5, 250_000));

    cloudflare.state(|it| it.reads.extend([429]));
    let seen = setting.world.action(forth()).observe().await;
    assert!(matches!(seen, Seen::Unknown { .. }), "2 s are longer than a call may take: {seen:?}");

    let mut patient = workflow();
    patient.limits.call = Lasting::seconds(5);
    let patient = Call { workflow: Arc::new(patient), ..forth() };
    cloudflare.state(|it| it.reads.extend([429]));
    todo(setting.world.action(patient).as_ref()).await;
    assert_eq!(setting.clock.slept(), 2_250_000);
}

#[tokio::test]
async fn a_rollback_after_a_move_nobody_knows_of_kills_the_late_request() {
    let (cloudflare, setting) = ready().await;
    cloudflare.mishap(&[Mishap::LostBefore]);
    assert!(matches!(go(&setting, forth()).await, Sent::Unknown { .. }));
    // No record moved, and still the way back takes the number that the lost batch would take.
    let fence = todo(setting.world.action(back(forth())).as_ref()).await;
    let verbs: Vec<(Verb, Option<&str>)> =
        fence.iter().map(|it| (it.verb, it.new.as_deref())).collect();
    assert_eq!(verbs, [(Verb::Create, Some("e=5")), (Verb::Create, Some("e=5"))]);
    assert!(matches!(go(&setting, back(forth())).await, Sent::Accepted { .. }));
    assert_eq!(cloudflare.late(0), Err(81058), "the late forward batch is dead");
    assert_eq!(cloudflare.content("gigadb.org"), [NAMES[0].1]);
    assert_eq!(done(&setting, back(forth())).await, marks(5));
}

#[tokio::test]
async fn a_rollback_that_lost_the_race_is_refused_and_then_moves_back() {
    let (cloudflare, setting) = ready().await;
    cloudflare.mishap(&[Mishap::LostBefore]);
    assert!(matches!(go(&setting, forth()).await, Sent::Unknown { .. }));
    let action = setting.world.action(back(forth()));
    let fence = todo(action.as_ref()).await;
    assert_eq!(cloudflare.late(0), Ok(()), "it arrives between look and apply");
    let Sent::Refused { evidence } = action.apply(&fence).await else { panic!() };
    assert!(text(&evidence).contains("E3104") && text(&evidence).contains("somebody else moved"));
    assert_eq!(
        cloudflare.content("gigadb.org"),
        [NAMES[0].2],
        "nothing of the refused batch landed"
    );
    assert!(matches!(go(&setting, back(forth())).await, Sent::Accepted { .. }));
    assert_eq!(cloudflare.content("gigadb.org"), [NAMES[0].1]);
    assert_eq!(cloudflare.content("_changeover-gigadb.gigadb.org"), ["e=4", "e=5", "e=6"]);
}

#[tokio::test]
async fn of_two_conductors_that_saw_the_same_world_one_moves_it() {
    let (cloudflare, setting) = ready().await;
    let (one, two) = (setting.world.action(forth()), setting.world.action(forth()));
    let (first, second) = (todo(one.as_ref()).await, todo(two.as_ref()).await);
    let (one, two) = tokio::join!(one.apply(&first), two.apply(&second));
    let landed = [&one, &two].iter().filter(|it| matches!(it, Sent::Accepted { .. })).count();
    assert_eq!(landed, 1, "{one:?} {two:?}");
    assert!(cloudflare.content("_changeover-gigadb.gigadb.org") == ["e=4", "e=5"]);
}

#[tokio::test]
async fn a_failover_fences_zones_side_by_side_even_when_records_are_right() {
    let (cloudflare, setting) = ready().await;
    assert!(matches!(go(&setting, forth()).await, Sent::Accepted { .. }));
    let mut lost = forth();
    lost.at.kind = Kind::Failover;
    cloudflare.mishap(&[Mishap::LostAfter]);
    assert!(matches!(go(&setting, lost.clone()).await, Sent::Unknown { .. }));
    assert_eq!(cloudflare.state(|it| it.batches.len()), 4, "the other zone was sent too");
    assert_eq!(done(&setting, lost).await, marks(6));
}

#[tokio::test]
async fn what_is_foreign_is_never_overwritten() {
    let (cloudflare, setting) = ready().await;
    cloudflare.set("files.gigadb.org", "content", json!("203.0.113.9"));
    let Seen::Foreign { evidence } = setting.world.action(forth()).observe().await else {
        panic!()
    };
    assert_eq!(evidence[0].data["names"]["files.gigadb.org"]["is"], "foreign");
    assert_eq!(evidence[0].data["names"]["gigadb.org"]["is"], "before");

    let (cloudflare, setting) = ready().await;
    cloudflare.mark("gigadb.host", 9, "another", "2026-11-21T11:00:00Z");
    let Seen::Foreign { evidence } = setting.world.action(forth()).observe().await else {
        panic!()
    };
    assert_eq!(evidence[1].data["foreign_mark"], "another");
    for change in [json!(true), json!("AAAA")] {
        let (cloudflare, setting) = ready().await;
        let key = if change.is_boolean() { "proxied" } else { "type" };
        cloudflare.set("gigadb.org", key, change);
        let seen = setting.world.action(forth()).observe().await;
        assert!(matches!(seen, Seen::Foreign { .. }), "{key}: {seen:?}");
    }
}

#[tokio::test]
async fn old_marks_go_with_a_later_batch_and_numbers_never_go_back() {
    let (cloudflare, setting) = ready().await;
    cloudflare.mark("gigadb.org", 2, JOURNAL, "2026-11-19T11:00:00Z");
    cloudflare.mark("gigadb.org", 3, JOURNAL, "2026-11-21T01:00:00Z");
    // Somebody's tool removed this zone's marks; the journal has seen 8.
    cloudflare.remove("_changeover-gigadb.gigadb.host");
    let known = Record { marks: [("gigadb.host".to_owned(), 8)].into(), ..record() };
    let call = Call { record: Arc::new(known), ..forth() };
    assert!(matches!(go(&setting, call).await, Sent::Accepted { .. }));
    assert_eq!(cloudflare.content("_changeover-gigadb.gigadb.org"), ["e=4", "e=3", "e=5"]);
    assert_eq!(cloudflare.content("_changeover-gigadb.gigadb.host"), ["e=9"]);
}

#[tokio::test]
async fn only_what_the_last_look_planned_is_sent() {
    let (cloudflare, setting) = ready().await;
    let action = setting.world.action(forth());
    let mut changes = todo(action.as_ref()).await;
    changes[0].new = Some("203.0.113.9".into());
    assert!(matches!(action.apply(&changes).await, Sent::Refused { .. }));
    assert!(matches!(setting.world.action(forth()).apply(&[]).await, Sent::Refused { .. }));
    assert_eq!(cloudflare.state(|it| it.batches.len()), 0);
}

#[tokio::test]
async fn a_drill_moves_its_own_names_and_numbers() {
    let (cloudflare, setting) = ready().await;
    cloudflare.add(json!({ "type": "A", "name": "drill.gigadb.org", "content": NAMES[0].1 }));
    cloudflare.add(json!({ "type": "A", "name": "drill.gigadb.host", "content": NAMES[0].2 }));
    let mut drill = forth();
    drill.at.kind = Kind::Drill;
    assert_eq!(setting.world.action(drill.clone()).intends(), []);
    assert!(matches!(go(&setting, drill.clone()).await, Sent::Accepted { .. }));
    assert_eq!(cloudflare.content("drill.gigadb.org"), [NAMES[0].2]);
    assert_eq!(cloudflare.content("gigadb.org"), [NAMES[0].1]);
    assert_eq!(cloudflare.content("_changeover-gigadb-drill.gigadb.org"), ["e=1"]);
    // Which way round its names were is in the intent from then on.
    let drilled = Some(drill.production.clone());
    drill.record = Arc::new(Record { drilled, ..(*drill.record).clone() });
    let facts = done(&setting, drill).await;
    assert_eq!(facts[0], Fact::Mark { zone: "gigadb.org/drill".into(), number: 1 });
}

#[tokio::test]
async fn the_token_is_in_no_evidence() {
    let (cloudflare, setting) = ready().await;
    cloudflare.set("gigadb.org", "content", json!(TOKEN));
    let seen = setting.world.action(forth()).observe().await;
    let Seen::Foreign { evidence } = seen else { panic!("{seen:?}") };
    assert!(text(&evidence).contains("[secret]") && !text(&evidence).contains(TOKEN));
}
