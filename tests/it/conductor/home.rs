//! After a failover and the rejoin users are still away: what is next is the way home, as it has to be typed.

use changeover::conductor::{Command, GivenUp, MayLose, Order, Reply};
use changeover::machine::State;
use changeover::model::{Phase, SystemName, Verdict};
use changeover::view::{self, Look};

use super::rig::{Rig, approve, next, plain};

/// What `status` says is next.
fn status(rig: &Rig) -> (String, Vec<String>) {
    let (life, workflow) = (rig.life(), rig.workflow());
    let lines: Vec<_> = rig.world.journal.lines().into_iter().map(|it| it.line).collect();
    let look = Look {
        system: &SystemName::from("gigadb"),
        life: &life,
        workflow: Some(&workflow),
        lines: &lines,
        now: rig.now(),
        differs: &[],
        holder: None,
    };
    let status = view::status(&look);
    let may = status.allowed.into_iter().map(|it| it.command).collect();
    (status.next.command.unwrap_or_default(), may)
}

fn given(acknowledge: Option<&str>) -> Command {
    Command::Failover(GivenUp {
        confirm: Some("sydney".into()),
        accept_data_loss: Some(MayLose::Unknown),
        acknowledge: acknowledge.map(str::to_owned),
        ..GivenUp::default()
    })
}

/// Users were moved from hk to sydney; hk is back, but quarantined.
async fn away() -> Rig {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    rig.truth(|it| it.so.insert("lost".to_owned(), "hk".to_owned()));
    rig.truth(|it| it.verdicts.insert("gone".to_owned(), Verdict::Fail));
    rig.tell(given(None)).await.unwrap();
    rig.tell(Command::Accept).await.unwrap();
    rig.truth(|it| {
        it.so.remove("lost");
        it.verdicts.clear();
    });
    rig
}

async fn to_the_end(rig: &Rig, to: &str) -> Reply {
    for _ in 0..40 {
        let reply = match rig.state() {
            State::Asking { .. } => {
                rig.give("cora", &plain(approve())).await.unwrap().unwrap();
                rig.give("tom", &plain(approve())).await.unwrap()
            }
            State::Ready { at } if at.phase == Phase::Soak => rig.tell(Command::Accept).await,
            _ => rig.tell(next(Some(to))).await,
        };
        let reply = reply.unwrap();
        if rig.state() == State::Steady {
            return reply;
        }
    }
    panic!("the run did not end: {:?}", rig.state());
}

fn rejoin() -> Command {
    Command::Rejoin { auto: false, waive: vec![] }
}

fn failback(acknowledge: Option<&str>) -> Command {
    Command::Failback { auto: false, waive: vec![], acknowledge: acknowledge.map(str::to_owned) }
}

#[tokio::test]
async fn next_names_the_way_home_until_it_was_gone() {
    let rig = away().await;
    assert_eq!(status(&rig).0, "changeover -s gigadb rejoin");
    // Its first half, the rejoin, wants no reason.
    assert!(status(&rig).1.contains(&"changeover -s gigadb failback".to_owned()));
    rig.tell(rejoin()).await.unwrap();
    let reply = to_the_end(&rig, "sydney").await;
    let soon = "changeover -s gigadb failback --acknowledge REASON";
    let (next, may) = status(&rig);
    assert_eq!(next, soon);
    assert!(may.contains(&"changeover -s gigadb release start VERSION".to_owned()), "{may:?}");
    assert!(reply.next.ends_with("changeover failback --acknowledge REASON"), "{}", reply.next);
    assert!(reply.next.contains("go home to hk"), "{}", reply.next);
    // It is refused without, and a blank word is none.
    for none in [None, Some(" ")] {
        assert_eq!(rig.tell(failback(none)).await.unwrap_err().code.id, "E2064");
    }
    rig.wait(3_601);
    assert_eq!(status(&rig).0, "changeover -s gigadb failback");
    rig.tell(failback(None)).await.unwrap();
    to_the_end(&rig, "hk").await;
    assert_eq!(rig.so("production"), "hk");
    let start = "changeover -s gigadb release start VERSION";
    assert_eq!(status(&rig).0, start);

    // A planned move to where the failover had led is none.
    let command = Command::Switchover { auto: false, confirm: None, waive: vec![] };
    rig.tell(command).await.unwrap();
    to_the_end(&rig, "sydney").await;
    assert_eq!(rig.so("production"), "sydney");
    let (next, may) = status(&rig);
    assert_eq!(next, start);
    assert!(!may.iter().any(|it| it.contains("failback")), "{may:?}");
    assert_eq!(rig.tell(failback(None)).await.unwrap_err().code.id, "E2001");
}

/// The command that a dry run prints.
async fn printed(rig: &Rig, acknowledge: Option<&str>) -> String {
    let order = Order { dry_run: true, ..plain(given(acknowledge)) };
    let reply = rig.give("rob", &order).await.unwrap().unwrap();
    reply.plan.unwrap().preview.unwrap().command
}

#[tokio::test]
async fn the_reason_that_was_given_is_printed_as_a_shell_reads_it() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    rig.truth(|it| it.so.insert("lost".to_owned(), "nobody knows".to_owned()));
    let line = printed(&rig, None).await;
    assert!(line.ends_with(" --acknowledge REASON"), "{line}");
    let line = printed(&rig, Some("it's on fire")).await;
    assert!(line.ends_with(r" --acknowledge 'it'\''s on fire'"), "{line}");
}
