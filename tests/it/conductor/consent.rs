//! A failover that stood still before users were moved: what was agreed to is old when it is tried again.

use std::collections::BTreeMap;

use changeover::conductor::{Command, GivenUp, MayLose, Reply};
use changeover::fault::{Exit, Fault};
use changeover::journal::Read;
use changeover::machine::{Body, State};
use changeover::model::{Phase, SiteName, Verdict};
use changeover::view::{self, Loses};

use super::rig::{Rig, next};
use super::world::Wrong;

/// A failover from hk to sydney that halted in this phase, after which so many seconds passed.
async fn halted(phase: Phase, acknowledge: Option<&str>, seconds: u64) -> Rig {
    let seen = if acknowledge.is_some() { "nobody knows" } else { "hk" };
    halted_seeing(seen, phase, acknowledge, seconds).await
}

/// The same, after this was seen of what is lost.
async fn halted_seeing(seen: &str, phase: Phase, acknowledge: Option<&str>, seconds: u64) -> Rig {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    lost(&rig, seen);
    rig.truth(|it| match phase {
        Phase::Swap => drop(it.sends.insert("switch".to_owned(), [Wrong::Refused; 20].into())),
        _ => drop(it.verdicts.insert("there".to_owned(), Verdict::Fail)),
    });
    rig.truth(|it| it.verdicts.insert("gone".to_owned(), Verdict::Fail));
    let given = GivenUp {
        confirm: Some("sydney".into()),
        accept_data_loss: Some(MayLose::Unknown),
        acknowledge: acknowledge.map(str::to_owned),
        ..GivenUp::default()
    };
    rig.tell(Command::Failover(given)).await.unwrap();
    let state = rig.state();
    assert!(matches!(state, State::Halted { at, .. } if at.phase == phase), "{state:?}");
    rig.truth(|it| {
        it.sends.clear();
        it.verdicts.remove("there");
    });
    rig.wait(seconds);
    rig
}

fn lost(rig: &Rig, what: &str) {
    rig.truth(|it| it.so.insert("lost".to_owned(), what.to_owned()));
}

async fn retry(rig: &Rig) -> Result<Reply, Fault> {
    rig.tell(Command::Retry).await
}

fn users_moved(rig: &Rig) -> bool {
    rig.so("production") != "hk"
}

fn soaks(rig: &Rig) -> bool {
    matches!(rig.state(), State::Ready { at } if at.phase == Phase::Soak)
}

#[tokio::test]
async fn what_came_back_meanwhile_is_not_given_up_by_an_old_word() {
    let rig = halted(Phase::Assess, None, 301).await;
    lost(&rig, "");
    let fault = retry(&rig).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2062", Exit::Refused), "{fault}");
    let said = format!("{fault} {:?}", fault.hint);
    assert!(said.contains("healthy") && said.contains("release abort"), "{said}");
    assert!(!users_moved(&rig));
    rig.tell(Command::Abort).await.unwrap();
    assert_eq!(rig.state(), State::Steady);
    assert!(!users_moved(&rig));
}

#[tokio::test]
async fn what_is_still_lost_is_given_up_and_the_journal_says_that_it_was_looked_at_again() {
    let rig = halted(Phase::Assess, None, 301).await;
    retry(&rig).await.unwrap();
    assert!(soaks(&rig) && users_moved(&rig), "{:?}", rig.state());
    let lines = rig.world.journal.lines();
    let again = |it: &&Read| {
        matches!(&it.line.body, Body::Note { text, evidence, .. }
            if text.ends_with("old; now: production_dead") && !evidence.is_empty())
    };
    assert_eq!(lines.iter().filter(again).count(), 1, "{lines:#?}");
}

#[tokio::test]
async fn a_fresh_word_is_taken_as_it_is() {
    let rig = halted(Phase::Assess, None, 200).await;
    lost(&rig, "");
    retry(&rig).await.unwrap();
    assert!(soaks(&rig), "{:?}", rig.state());
}

#[tokio::test]
async fn what_a_person_knew_better_they_still_know() {
    let rig = halted(Phase::Assess, Some("it burns"), 301).await;
    retry(&rig).await.unwrap();
    assert!(soaks(&rig), "{:?}", rig.state());
}

/// The reason was given for something else: that nobody can tell is asked for the first time.
#[tokio::test]
async fn a_reason_that_was_given_for_another_question_does_not_answer_this_one() {
    let rig = halted_seeing("hk", Phase::Assess, Some("the second alarm"), 301).await;
    lost(&rig, "nobody knows");
    let fault = retry(&rig).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2062", Exit::Refused), "{fault}");
    let said = fault.to_string();
    assert!(said.contains("cannot_tell") && said.contains("release abort"), "{said}");
    assert!(!users_moved(&rig));
    // What is seen again as it was then goes on.
    lost(&rig, "hk");
    rig.tell(next(None)).await.unwrap();
    assert!(soaks(&rig) && users_moved(&rig), "{:?}", rig.state());
}

#[tokio::test]
async fn a_switch_tried_again_later_moves_nobody_from_a_site_that_serves() {
    let rig = halted(Phase::Swap, None, 301).await;
    lost(&rig, "");
    let reply = retry(&rig).await.unwrap();
    assert!(
        matches!(rig.state(), State::Halted { at, .. } if at.phase == Phase::Swap),
        "{reply:?}"
    );
    assert!(reply.sentence.contains("switch"), "{reply:?}");
    assert_eq!(rig.so("production"), "hk");
    // Half-way nothing refuses writes where users are moved to: the way back is not called free.
    let told = view::way_back(&rig.life(), None, &BTreeMap::new());
    assert!(
        matches!(told.loses, Loses::Writes { .. }) && told.says.starts_with("costs"),
        "{told:?}"
    );
    let back = Command::Rollback { confirm: Some("hk".into()), accept_data_loss: true };
    rig.tell(back).await.unwrap();
    assert_eq!(rig.life().record.production().map(SiteName::as_str), Some("hk"));
}

#[tokio::test]
async fn a_switch_tried_again_later_goes_on_while_production_is_lost() {
    let rig = halted(Phase::Swap, None, 301).await;
    retry(&rig).await.unwrap();
    assert!(soaks(&rig) && users_moved(&rig), "{:?}", rig.state());
}

#[tokio::test]
async fn production_is_not_down_since_a_time_to_come() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    lost(&rig, "hk");
    let since = |seconds| {
        let down = Some(rig.now().plus_seconds(seconds));
        let accept_data_loss = Some(MayLose::Unknown);
        let confirm = Some("sydney".into());
        Command::Failover(GivenUp { confirm, accept_data_loss, down, ..GivenUp::default() })
    };
    let fault = rig.tell(since(60)).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2015", Exit::Usage), "{fault}");
    assert!(!users_moved(&rig) && rig.state() == State::Steady, "{:?}", rig.state());
    rig.truth(|it| it.verdicts.insert("gone".to_owned(), Verdict::Fail));
    rig.tell(since(-60)).await.unwrap();
    assert!(soaks(&rig), "{:?}", rig.state());
}
