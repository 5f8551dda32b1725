//! One step at work: time-outs, attempts, odd readings, unknown outcomes.

use changeover::conductor::Command;
use changeover::fault::Exit;
use changeover::machine::{Fact, State};
use changeover::model::{Phase, Verdict};

use super::rig::{Rig, next, plain};
use super::world::Wrong;

async fn failing(step: &str, before: Phase, looks: &[Wrong], sends: &[Wrong]) -> Rig {
    let rig = Rig::new();
    rig.to(before).await;
    rig.truth(|it| {
        it.looks.insert(step.to_owned(), looks.to_vec().into());
        it.sends.insert(step.to_owned(), sends.to_vec().into());
    });
    rig
}

#[tokio::test]
async fn a_hanging_check_ends_unknown_and_refuses() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    rig.truth(|it| it.looks.insert("ttl".to_owned(), vec![Wrong::Hangs].into()));
    let reply = rig.tell(super::rig::start()).await.unwrap();
    assert_eq!(reply.exit, Exit::Refused);
    assert!(reply.sentence.contains("ttl: no answer within 30 s"), "{}", reply.sentence);
    let verdicts = rig.life().record.verdicts;
    assert_eq!(verdicts.get(&"ttl".into()), Some(&Verdict::Unknown));
    assert_eq!(rig.tell(Command::Retry).await.unwrap().exit, Exit::Done);
}

#[tokio::test]
async fn a_check_that_waits_is_asked_again_until_it_passes() {
    let rig = failing("home", Phase::Reset, &[Wrong::Dark, Wrong::Dark], &[]).await;
    assert_eq!(rig.next().await.unwrap().exit, Exit::Waiting);
    let rig = failing("home", Phase::Reset, &[Wrong::Dark; 40], &[]).await;
    assert_eq!(rig.next().await.unwrap().exit, Exit::Refused);
}

#[tokio::test]
async fn a_refused_action_is_tried_as_often_as_the_step_says() {
    let rig = failing("dump", Phase::SyncOff, &[], &[Wrong::Refused]).await;
    assert_eq!(rig.next().await.unwrap().exit, Exit::Done);
    assert_eq!(rig.truth(|it| it.sent["dump"]), 2);
    let rig = failing("load", Phase::Backup, &[], &[Wrong::Refused]).await;
    let reply = rig.next().await.unwrap();
    assert_eq!((reply.exit, rig.truth(|it| it.sent["load"])), (Exit::Failed, 1));
    assert!(reply.sentence.contains("load: sent"), "{}", reply.sentence);
}

#[tokio::test]
async fn an_unknown_outcome_that_worked_is_found_and_not_sent_again() {
    for wrong in [Wrong::UnknownDone, Wrong::Late, Wrong::Hangs] {
        let rig = failing("load", Phase::Backup, &[], &[wrong]).await;
        assert_eq!(rig.next().await.unwrap().exit, Exit::Done, "{wrong:?}");
        assert_eq!(rig.truth(|it| it.sent["load"]), 1, "{wrong:?}");
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_kept_open_while_the_world_is_dark() {
    // The first look sees what is to be done; after the request nothing can be read.
    let rig = Rig::new();
    rig.to(Phase::Backup).await;
    rig.truth(|it| {
        it.sends.insert("load".to_owned(), vec![Wrong::UnknownNot].into());
    });
    let looks = vec![Wrong::Dark; 6];
    rig.truth(|it| it.looks.insert("load".to_owned(), looks.into()));
    let reply = rig.next().await.unwrap();
    // Dark before anything was sent: nothing happened, and that is known.
    assert_eq!((reply.exit, rig.truth(|it| it.sent.contains_key("load"))), (Exit::Failed, false));
    assert_eq!(rig.tell(Command::Retry).await.unwrap().exit, Exit::Failed);
    assert_eq!(rig.truth(|it| it.sent["load"]), 1);
    assert_eq!(rig.tell(Command::Retry).await.unwrap().exit, Exit::Done);
}

#[tokio::test]
async fn a_dead_process_leaves_an_intent_that_retry_reads_first() {
    let rig = Rig::new();
    rig.to(Phase::Backup).await;
    for fuse in 1..8 {
        rig.truth(|it| it.fuse = Some(fuse));
        drop(rig.give("rob", &plain(next(None))).await);
        rig.truth(|it| it.fuse = None);
    }
    while rig.phase() == Some(Phase::Reset) && !matches!(rig.state(), State::Ready { .. }) {
        rig.next().await.unwrap();
    }
    assert_eq!(rig.truth(|it| it.once.values().copied().max()), Some(1));
}

#[tokio::test]
async fn one_odd_reading_after_a_request_settles_nothing() {
    let rig = Rig::new();
    rig.to(Phase::Backup).await;
    rig.truth(|it| it.fuse = Some(5));
    assert!(rig.give("rob", &plain(next(None))).await.is_none(), "died");
    rig.truth(|it| it.fuse = None);
    assert_eq!(rig.life().record.intents.len(), 1, "the fuse burns between intent and outcome");
    rig.truth(|it| it.looks.insert("load".to_owned(), vec![Wrong::Foreign].into()));
    assert_eq!(rig.next().await.unwrap().exit, Exit::Done);
}

#[tokio::test]
async fn foreign_twice_ends_the_step_and_changes_nothing() {
    let rig = failing("load", Phase::Backup, &[Wrong::Foreign; 3], &[]).await;
    assert_eq!(rig.next().await.unwrap().exit, Exit::Failed);
    assert!(rig.truth(|it| !it.sent.contains_key("load")));
}

#[tokio::test]
async fn accepted_and_never_seen_fails_at_its_deadline() {
    let rig = failing("load", Phase::Backup, &[], &[Wrong::Lost]).await;
    let before = rig.life().record.now;
    assert_eq!(rig.next().await.unwrap().exit, Exit::Failed);
    assert!(rig.life().record.now.seconds_since(before) >= 600);
}

#[tokio::test]
async fn a_skipped_last_step_of_deploy_does_not_lose_the_release() {
    let rig = Rig::new();
    rig.started().await;
    rig.truth(|it| it.verdicts.insert("answers".to_owned(), Verdict::Fail));
    assert_eq!(rig.next().await.unwrap().exit, Exit::Failed);
    rig.tell(Command::Skip { step: "answers".into() }).await.unwrap();
    assert_eq!(rig.life().record.releases.get(&"sydney".into()).map(String::as_str), Some("v2"));
}

#[tokio::test]
async fn a_freeze_holds_back_what_is_wanted_already() {
    let rig = Rig::new();
    rig.to(Phase::Embargo).await;
    rig.truth(|it| it.fuse = Some(3));
    assert!(rig.give("rob", &plain(next(None))).await.is_none(), "died in sync_off");
    rig.truth(|it| it.fuse = None);
    let sent = rig.truth(|it| it.sent.clone());
    let (conductor, _inbox) = rig.conductor();
    drop(conductor);
    let mut book = changeover::conductor::Book::new(
        Box::new(rig.world.journal.clone()),
        rig.life(),
        std::sync::Arc::new(rig.world.clock.clone()),
    );
    let by = super::rig::person("ann");
    book.note(&by, "frozen", None, vec![], vec![Fact::Frozen { on: true }]).unwrap();
    assert!(matches!(rig.state(), State::Doing { .. }));
    rig.next().await.unwrap();
    assert_eq!(rig.truth(|it| it.sent.clone()), sent, "nothing was sent");
    book = changeover::conductor::Book::new(
        Box::new(rig.world.journal.clone()),
        rig.life(),
        std::sync::Arc::new(rig.world.clock.clone()),
    );
    book.note(&by, "thawed", None, vec![], vec![Fact::Frozen { on: false }]).unwrap();
    assert_eq!(rig.next().await.unwrap().exit, Exit::Done);
}
