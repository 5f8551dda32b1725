//! Each command: what it demands, what it leads to, what it leaves in the journal.

use changeover::conductor::{Command, Order};
use changeover::fault::Exit;
use changeover::machine::{Body, State};
use changeover::model::{Digest, Phase, SiteName, Verdict};
use tokio::sync::oneshot;

use super::rig::{Rig, TEXT, approve, next, person, plain, rollback, start};
use super::world::Wrong;

fn bare(command: Command) -> Order {
    Order { command, reason: None, dry_run: false }
}

#[tokio::test]
async fn a_release_walks_to_steady() {
    let rig = Rig::new();
    rig.soaking().await;
    rig.tell(Command::Accept).await.unwrap();
    while rig.state() != State::Steady {
        assert_eq!(rig.next().await.unwrap().exit, Exit::Done);
    }
    let record = rig.life().record;
    assert_eq!(record.production(), Some(&SiteName::from("sydney")));
    assert!(record.owed.is_empty(), "{:?}", record.owed);
    assert_eq!(record.releases.values().collect::<Vec<_>>(), ["v2", "v2"]);
}

#[tokio::test]
async fn a_refusal_is_an_entry_and_wrong_usage_is_not() {
    let rig = Rig::new();
    rig.started().await;
    assert_eq!(rig.tell(Command::Accept).await.unwrap_err().exit(), Exit::Refused);
    assert_eq!(rig.refusals(), 1);
    assert_eq!(rig.tell(start()).await.unwrap_err().exit(), Exit::Conflict);
    assert_eq!(rig.refusals(), 2);
    let usage = rig.give("rob", &bare(Command::Abort)).await.unwrap().unwrap_err();
    assert_eq!((usage.exit(), rig.refusals()), (Exit::Usage, 2));
}

#[tokio::test]
async fn an_abort_puts_back_what_was_changed() {
    for phase in [
        Phase::Preflight,
        Phase::Deploy,
        Phase::Embargo,
        Phase::SyncOff,
        Phase::Backup,
        Phase::Reset,
        Phase::Validate,
    ] {
        let rig = Rig::new();
        rig.to(phase).await;
        let reply = rig.tell(Command::Abort).await.unwrap();
        assert_eq!((rig.state(), reply.exit), (State::Steady, Exit::Done), "{phase:?}");
        assert_ne!(rig.so("embargo hk"), "on", "{phase:?}");
        assert_eq!((rig.so("reset"), rig.so("backup")), ("on".into(), "on".into()), "{phase:?}");
        let record = rig.life().record;
        assert!(record.owed.is_empty(), "{phase:?}: {:?}", record.owed);
        let spoiled = phase != Phase::Preflight;
        assert_eq!(rig.truth(|it| it.sent.contains_key("load-new")), spoiled, "{phase:?}");
        assert_eq!(record.releases.get(&"sydney".into()).map(String::as_str), Some("v1"));
    }
}

#[tokio::test]
async fn an_abort_after_a_half_done_sync_off_comes_to_rest() {
    let rig = Rig::new();
    rig.to(Phase::Embargo).await;
    rig.truth(|it| it.sends.insert("reset-off".to_owned(), vec![Wrong::Refused].into()));
    assert_eq!(rig.next().await.unwrap().exit, Exit::Failed);
    rig.truth(|it| it.verdicts.insert("guard".to_owned(), Verdict::Pass));
    rig.tell(Command::Abort).await.unwrap();
    assert_eq!(rig.state(), State::Steady);
}

#[tokio::test]
async fn a_pause_starts_nothing_and_resume_drives_on() {
    let rig = Rig::new();
    rig.to(Phase::Embargo).await;
    rig.truth(|it| it.fuse = Some(3));
    assert!(rig.give("rob", &plain(next(None))).await.is_none());
    rig.truth(|it| it.fuse = None);
    assert_eq!(rig.tell(Command::Pause).await.unwrap().exit, Exit::Refused);
    let sent = rig.truth(|it| it.sent.clone());
    assert_eq!(rig.next().await.unwrap_err().exit(), Exit::Refused);
    assert_eq!(rig.tell(Command::Retry).await.unwrap().exit, Exit::Refused);
    assert_eq!(rig.truth(|it| it.sent.clone()), sent);
    assert_eq!(rig.tell(Command::Resume).await.unwrap().exit, Exit::Done);
    assert!(matches!(rig.state(), State::Ready { at } if at.phase == Phase::SyncOff));
}

#[tokio::test]
async fn nothing_is_paused_without_a_run() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    assert_eq!(rig.tell(Command::Pause).await.unwrap_err().exit(), Exit::Refused);
    assert!(!rig.life().record.paused);
}

#[tokio::test]
async fn the_swap_wants_its_site_typed_and_people_who_agreed() {
    let rig = Rig::new();
    rig.to(Phase::Validate).await;
    let auto = Command::Next { auto: true, confirm: Some("sydney".into()), waive: vec![] };
    assert_eq!(rig.tell(auto.clone()).await.unwrap().exit, Exit::Waiting);
    assert_eq!(rig.so("production"), "hk");
    for who in ["cora", "tom"] {
        rig.give(who, &plain(approve())).await.unwrap().unwrap();
    }
    assert_eq!(rig.next().await.unwrap_err().exit(), Exit::Usage);
    assert_eq!(rig.tell(next(Some("hk"))).await.unwrap_err().exit(), Exit::Usage);
    assert_eq!(rig.tell(auto).await.unwrap().exit, Exit::Done);
    assert_eq!((rig.so("production"), rig.phase()), ("sydney".into(), Some(Phase::Soak)));
}

#[tokio::test]
async fn a_verdict_or_a_plan_that_changed_voids_the_approvals() {
    for changed in ["verdict", "switch"] {
        let rig = Rig::new();
        rig.approved().await;
        if changed == "verdict" {
            rig.truth(|it| it.verdicts.insert("home".to_owned(), Verdict::Fail));
        } else {
            rig.truth(|it| it.so.insert("production".to_owned(), "elsewhere".to_owned()));
        }
        let fault = rig.tell(next(Some("sydney"))).await.unwrap_err();
        assert_eq!(fault.exit(), Exit::Conflict, "{changed}");
        assert!(rig.life().record.approvals.is_empty(), "{changed}");
        assert_eq!(rig.phase(), Some(Phase::Validate), "{changed}");
        assert!(rig.truth(|it| !it.sent.contains_key("switch")), "{changed}");
    }
}

#[tokio::test]
async fn approvals_are_of_what_was_shown_by_who_may_and_in_time() {
    let rig = Rig::new();
    rig.to(Phase::Validate).await;
    rig.next().await.unwrap();
    let stale = Command::Approve { comment: None, packet: Some(Digest::of(b"other")) };
    let fault = rig.give("cora", &plain(stale)).await.unwrap().unwrap_err();
    assert_eq!(fault.exit(), Exit::Conflict);
    let fault = rig.tell(approve()).await.unwrap_err();
    assert_eq!(fault.exit(), Exit::NotAllowed);
    rig.wait(25 * 3600);
    let fault = rig.give("cora", &plain(approve())).await.unwrap().unwrap_err();
    assert_eq!(fault.exit(), Exit::Refused);
    assert!(matches!(rig.state(), State::Halted { failed: 0, unknown: 0, .. }));
    assert_eq!(rig.tell(Command::Retry).await.unwrap().exit, Exit::Waiting);
}

#[tokio::test]
async fn accepting_early_wants_a_reason_and_going_back_a_name() {
    let rig = Rig::new();
    rig.soaking().await;
    let early = rig.give("rob", &bare(Command::Accept)).await.unwrap().unwrap_err();
    assert_eq!((early.exit(), rig.phase()), (Exit::Usage, Some(Phase::Soak)));
    let unnamed = Command::Rollback { confirm: None, accept_data_loss: false };
    assert_eq!(rig.tell(unnamed).await.unwrap_err().exit(), Exit::Usage);
    let wrong = Command::Rollback { confirm: Some("sydney".into()), accept_data_loss: false };
    assert_eq!(rig.tell(wrong).await.unwrap_err().exit(), Exit::Usage);
    rig.tell(rollback()).await.unwrap();
    assert_eq!((rig.so("production"), rig.phase()), ("hk".into(), Some(Phase::Lift)));
}

#[tokio::test]
async fn going_back_after_writes_wants_consent_to_their_loss() {
    let rig = Rig::new();
    rig.soaking().await;
    rig.tell(Command::Accept).await.unwrap();
    assert_eq!(rig.tell(rollback()).await.unwrap_err().exit(), Exit::Usage);
    let loss = Command::Rollback { confirm: Some("hk".into()), accept_data_loss: true };
    rig.tell(loss).await.unwrap();
    assert_eq!(rig.so("production"), "hk");
}

#[tokio::test]
async fn what_binds_is_not_waived_and_a_waiver_wants_a_reason() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    let with = |id: &str| Command::Start {
        version: "v2".to_owned(),
        auto: false,
        confirm: None,
        waive: vec![id.into()],
    };
    assert_eq!(rig.tell(with("group")).await.unwrap_err().exit(), Exit::Refused);
    let fault = rig.give("rob", &bare(with("windows"))).await.unwrap().unwrap_err();
    assert_eq!(fault.exit(), Exit::Usage);
    rig.truth(|it| it.verdicts.insert("windows".to_owned(), Verdict::Fail));
    assert_eq!(rig.tell(with("windows")).await.unwrap().exit, Exit::Done);
    let first = rig.world.journal.lines().into_iter().map(|it| it.line).find(|line| {
        matches!(&line.body, Body::Decided { reason: Some(reason), .. } if reason == "because")
    });
    assert_eq!(first.unwrap().by.name, "rob");
}

#[tokio::test]
async fn amending_voids_approvals_and_spares_what_has_begun() {
    let rig = Rig::new();
    rig.approved().await;
    let amend = |from: &str, to: &str| Command::Amend {
        text: TEXT.replace(from, to),
        file: "gigadb.yaml".to_owned(),
    };
    let begun = rig.tell(amend("name: dump", "name: other")).await.unwrap_err();
    assert_eq!(begun.exit(), Exit::Refused);
    rig.tell(amend("name: renew", "name: other")).await.unwrap();
    assert!(rig.life().record.approvals.is_empty());
    let lines = rig.world.journal.lines();
    let text: Vec<_> = lines.iter().map(|it| serde_json::to_string(&it.line).unwrap()).collect();
    let text = text.into_iter().find(|it| it.contains("\"input\":\"amend\"")).unwrap();
    assert!(text.contains("name: other"), "the diff is in the line: {text}");
}

#[tokio::test]
async fn adopting_raises_the_epoch() {
    let rig = Rig::new();
    rig.started().await;
    let before = rig.life().record.epoch;
    rig.tell(Command::Adopt).await.unwrap();
    assert_eq!(rig.life().record.epoch, before + 1);
}

#[tokio::test]
async fn close_ends_a_run_halted_in_closing_and_keeps_what_is_owed() {
    let rig = Rig::new();
    rig.soaking().await;
    assert_eq!(rig.tell(Command::Close).await.unwrap_err().exit(), Exit::Refused);
    rig.truth(|it| it.sends.insert("backup-on".to_owned(), vec![Wrong::Refused].into()));
    assert_eq!(rig.tell(Command::Accept).await.unwrap().exit, Exit::Failed);
    rig.tell(Command::Close).await.unwrap();
    assert_eq!(rig.state(), State::Steady);
    assert!(!rig.life().record.owed.is_empty());
    assert_eq!(rig.tell(start()).await.unwrap_err().exit(), Exit::Refused);
}

/// A run told to abort while a job's last request is open and nothing can be read.
async fn settling_in_the_dark() -> Rig {
    let rig = Rig::new();
    rig.to(Phase::Embargo).await;
    rig.truth(|it| it.fuse = Some(4));
    assert!(rig.give("rob", &plain(next(None))).await.is_none());
    rig.truth(|it| it.fuse = None);
    assert_eq!(rig.life().record.intents.len(), 1, "the fuse burns between intent and outcome");
    rig.truth(|it| it.looks.insert("reset-off".to_owned(), vec![Wrong::Dark; 9].into()));
    rig
}

#[tokio::test]
async fn what_cannot_be_settled_is_resolved_with_all_that_follows() {
    for done in [true, false] {
        let rig = settling_in_the_dark().await;
        let reply = rig.tell(Command::Abort).await.unwrap();
        assert_eq!(reply.exit, Exit::Unknown);
        assert!(reply.sentence.contains("run resolve reset-off"), "{}", reply.sentence);
        rig.tell(Command::Resolve { step: "reset-off".into(), done }).await.unwrap();
        assert_eq!(rig.state(), State::Steady, "{done}");
        assert_eq!(rig.so("reset"), "on", "{done}");
        assert!(rig.life().record.owed.is_empty(), "{done}");
    }
}

#[tokio::test]
async fn the_world_has_the_last_word_where_it_can_be_read() {
    let rig = settling_in_the_dark().await;
    rig.tell(Command::Abort).await.unwrap();
    rig.truth(|it| it.looks.clear());
    let not = Command::Resolve { step: "reset-off".into(), done: false };
    assert_eq!(rig.tell(not).await.unwrap_err().exit(), Exit::Refused);
}

#[tokio::test]
async fn an_order_by_the_door_that_leads_elsewhere_drops_what_is_under_way() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    rig.truth(|it| it.wakes = Some("windows".to_owned()));
    let (conductor, door) = rig.conductor();
    let (answer, answered) = oneshot::channel();
    let (late_answer, nobody) = oneshot::channel();
    drop(nobody);
    let first = plain(start());
    let by = person("rob");
    let second = async {
        rig.world.woken.notified().await;
        // One that gave up waiting is not carried out; one that is refused is an entry.
        door.send((plain(Command::Pause), person("ann"), late_answer)).await.unwrap();
        let (refused, why) = oneshot::channel();
        door.send((plain(Command::Accept), person("ann"), refused)).await.unwrap();
        assert_eq!(why.await.unwrap().unwrap_err().exit(), Exit::Refused);
        door.send((plain(Command::Abort), person("ann"), answer)).await.unwrap();
        answered.await.unwrap().unwrap()
    };
    let (reply, _) = tokio::join!(conductor.order(&first, &by), second);
    assert_eq!(reply.unwrap().exit, Exit::Done);
    assert_eq!((rig.state(), rig.refusals()), (State::Steady, 1));
    assert!(!rig.life().record.paused);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    let lines = rig.world.journal.lines().len();
    let order = Order { dry_run: true, ..plain(start()) };
    let reply = rig.give("rob", &order).await.unwrap().unwrap();
    assert!(reply.plan.is_some());
    assert_eq!(rig.world.journal.lines().len(), lines);
}

#[tokio::test]
async fn the_line_of_a_waived_check_says_which_who_and_why() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    rig.truth(|it| it.verdicts.insert("windows".to_owned(), Verdict::Fail));
    let waive = vec!["windows".into()];
    let version = "v2".to_owned();
    rig.tell(Command::Start { version, auto: false, confirm: None, waive }).await.unwrap();
    let wanted = "windows waived by rob: because; windows was looked at";
    let lines = rig.world.journal.lines();
    let said = lines.iter().filter_map(|it| match &it.line.body {
        Body::Decided { evidence, .. } => evidence.last(),
        _ => None,
    });
    assert!(said.into_iter().any(|it| it.says == wanted), "the check's own line");
    let started = lines.iter().map(|it| serde_json::to_string(&it.line).unwrap());
    let fact = r#""check":"windows","by":"rob","reason":"because""#;
    assert!(started.into_iter().any(|it| it.contains(fact)), "the line of the waiver");
    let waived = rig.life().record.run.unwrap().waived;
    assert_eq!(
        waived[&"windows".into()].sentence(&"windows".into()),
        "windows waived by rob: because"
    );
}
