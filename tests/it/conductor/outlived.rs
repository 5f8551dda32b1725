//! What is left when the site that a failover led to is lost as well, or the one that users were to go back to.

use changeover::conductor::{Command, GivenUp, MayLose, Order};
use changeover::fault::Exit;
use changeover::machine::{Input, State};
use changeover::model::{Kind, Phase, Roles, Verdict, Way};

use super::rig::{Rig, person};
use super::world::Wrong;

fn to(site: &str, acknowledge: Option<&str>) -> Command {
    Command::Failover(GivenUp {
        confirm: Some(site.into()),
        accept_data_loss: Some(MayLose::Unknown),
        acknowledge: acknowledge.map(str::to_owned),
        ..GivenUp::default()
    })
}

fn lost(rig: &Rig, what: &str) {
    rig.truth(|truth| truth.so.insert("lost".to_owned(), what.to_owned()));
}

fn soaks(rig: &Rig) -> bool {
    matches!(rig.state(), State::Ready { at } if (at.way, at.phase) == (Way::Forth, Phase::Soak))
}

/// hk was lost, users are on sydney.
async fn moved() -> Rig {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    lost(&rig, "hk");
    rig.tell(to("sydney", None)).await.unwrap();
    assert!(soaks(&rig));
    rig
}

async fn dry(rig: &Rig, command: Command) -> changeover::conductor::Reply {
    let order = Order { command, reason: None, dry_run: true };
    rig.give("rob", &order).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_new_production_dies_in_the_soak_and_users_go_on_to_the_other_site() {
    let rig = moved().await;
    let number = rig.life().record.run.unwrap().number;
    // The same once more is not another one.
    let same = rig.tell(to("sydney", Some("again"))).await.unwrap_err();
    assert_eq!((same.code.id, same.exit()), ("E2061", Exit::Conflict), "{same}");
    assert!(
        same.hint.unwrap().contains("if sydney is lost as well: changeover failover --dry-run")
    );
    // All is well there: nothing is given up.
    lost(&rig, "nobody");
    let well = rig.tell(to("hk", Some("a feeling"))).await.unwrap_err();
    assert_eq!(well.code.id, "E2062", "{well}");

    lost(&rig, "sydney");
    let shown = dry(&rig, to("hk", None)).await;
    assert_eq!(shown.exit, Exit::Done, "{shown:?}");
    assert!(
        shown.next.contains("--confirm hk") && shown.next.contains("--acknowledge"),
        "{shown:?}"
    );
    // One failover, then a person.
    let soon = rig.tell(to("hk", None)).await.unwrap_err();
    assert_eq!((soon.code.id, soon.exit()), ("E2064", Exit::Refused), "{soon}");
    assert!(soaks(&rig), "nothing was ended by asking");
    let reply = rig.tell(to("hk", Some("hk is back, sydney is not"))).await.unwrap();
    assert!(soaks(&rig), "{reply:?}");
    assert_eq!(rig.so("production"), "hk");
    let record = rig.life().record;
    let run = record.run.clone().unwrap();
    assert_eq!(
        (run.kind, run.number, run.production.as_str()),
        (Kind::Failover, number + 1, "sydney")
    );
    assert_eq!(record.quarantined, Some("sydney".into()));
    assert_eq!(record.incident.unwrap().consent.acknowledged.unwrap(), "hk is back, sydney is not");
    // And so to its end.
    lost(&rig, "nobody");
    rig.tell(Command::Accept).await.unwrap();
    while rig.state() != State::Steady {
        rig.next().await.unwrap();
    }
    rig.tell(Command::Rejoin { auto: true, waive: vec![] }).await.unwrap();
    assert_eq!(rig.state(), State::Steady);
    assert!(rig.life().record.owed.is_empty() && rig.life().record.quarantined.is_none());
}

#[tokio::test]
async fn it_dies_before_its_first_check() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    lost(&rig, "hk");
    rig.truth(|truth| truth.verdicts.insert("front".to_owned(), Verdict::Fail));
    rig.tell(to("sydney", None)).await.unwrap();
    assert!(matches!(rig.state(), State::Halted { at, .. } if at.phase == Phase::Sanity));
    lost(&rig, "sydney");
    rig.truth(|truth| truth.verdicts.clear());
    rig.tell(to("hk", Some("hk is back"))).await.unwrap();
    assert!(soaks(&rig));
    assert_eq!(rig.so("production"), "hk");
}

#[tokio::test]
async fn a_person_may_also_end_it_as_it_stands() {
    let rig = moved().await;
    let owed = rig.life().record.owed;
    rig.tell(Command::Close).await.unwrap();
    let life = rig.life();
    assert_eq!((life.state, &life.record.owed), (State::Steady, &owed));
    assert_eq!(life.record.quarantined, Some("hk".into()));
    // A release does not end so.
    let rig = Rig::new();
    rig.soaking().await;
    let fault = rig.tell(Command::Close).await.unwrap_err();
    assert_eq!(fault.code.id, "E2001", "{fault}");
    // What it names instead can be given.
    let hint = fault.hint.unwrap();
    assert!(
        hint.contains("changeover release accept") && hint.contains("release rollback"),
        "{hint}"
    );
    assert!(!hint.contains("run close") && !hint.contains("release next"), "{hint}");
}

/// Going back was begun, half of it is done, and the site it leads to is lost.
async fn half_way_back(rig: &Rig) {
    rig.truth(|truth| truth.sends.insert("switch".to_owned(), [Wrong::Refused; 9].into()));
    let back = Command::Rollback { confirm: Some("hk".into()), accept_data_loss: true };
    let reply = rig.tell(back).await.unwrap();
    let halted = matches!(rig.state(), State::Halted { at, .. } if (at.way, at.phase) == (Way::Back, Phase::Swap));
    assert!(halted, "{reply:?}");
    assert!(matches!(rig.life().record.roles, Some(Roles::Moving { .. })));
    rig.truth(|truth| {
        truth.sends.clear();
        // Some of the records lead there already.
        truth.so.insert("production".to_owned(), "hk".to_owned());
    });
    lost(rig, "hk");
}

#[tokio::test]
async fn half_way_back_to_a_site_that_is_lost_users_are_moved_forth_again() {
    for failed_over in [true, false] {
        let rig = if failed_over {
            let rig = moved().await;
            lost(&rig, "nobody");
            rig
        } else {
            let rig = Rig::new();
            rig.soaking().await;
            rig
        };
        half_way_back(&rig).await;
        // It is not another failover's to mend; both say what is.
        let fault = rig.tell(to("hk", Some("why"))).await.unwrap_err();
        let shown = dry(&rig, to("sydney", None)).await;
        assert!(shown.next.contains("changeover release abort"), "{shown:?}");
        assert!(fault.hint.unwrap().contains("release abort") || !failed_over);
        let reply = rig.tell(Command::Abort).await.unwrap();
        assert_eq!(rig.so("production"), "sydney", "{reply:?}");
        let life = rig.life();
        assert_eq!(life.record.roles, Some(Roles::Settled { production: "sydney".into() }));
        let forth = life.state.at().unwrap();
        assert_eq!(forth.way, Way::Forth, "{reply:?}");
        while !soaks(&rig) {
            rig.next().await.unwrap();
        }
        if failed_over {
            assert_eq!(rig.life().record.quarantined, Some("hk".into()));
        }
    }
}

#[tokio::test]
async fn going_back_leads_to_a_site_that_dies_right_there() {
    let rig = moved().await;
    lost(&rig, "nobody");
    rig.truth(|truth| truth.verdicts.insert("front".to_owned(), Verdict::Fail));
    let back = Command::Rollback { confirm: Some("hk".into()), accept_data_loss: true };
    rig.tell(back).await.unwrap();
    let here = matches!(rig.state(), State::Halted { at, .. } if (at.way, at.phase) == (Way::Back, Phase::Sanity));
    assert!(here, "{:?}", rig.state());
    lost(&rig, "hk");
    rig.truth(|truth| truth.verdicts.clear());
    rig.tell(to("sydney", Some("hk died again"))).await.unwrap();
    assert_eq!(rig.so("production"), "sydney");
    // Nothing was closed by anybody but the failover itself.
    let by = person("rob").name;
    let closed = rig.world.journal.lines().into_iter().filter(|it| {
        it.line.by.name == by
            && matches!(
                &it.line.body,
                changeover::machine::Body::Decided { input: Input::Close, .. }
            )
    });
    assert_eq!(closed.count(), 1);
}
