//! A release in the way of a failover: every cell of the table, by the whole conductor in memory.

use changeover::conductor::{Command, GivenUp, MayLose};
use changeover::fault::Exit;
use changeover::machine::{Affected, Onward, Owed, State, onward_of, path};
use changeover::model::{Kind, Phase, Roles, SiteName, Verdict, Way};

use super::rig::{Rig, next};
use super::world::Wrong;

/// The step that is made to fail so that a run halts in this phase.
const fn first_step(phase: Phase) -> &'static str {
    match phase {
        Phase::Preflight => "ttl",
        Phase::Deploy => "build",
        Phase::Embargo => "embargo",
        Phase::SyncOff => "reset-off",
        Phase::Backup => "dump",
        Phase::Reset => "load",
        Phase::Validate => "home",
        Phase::Swap => "switch",
        Phase::Sanity => "front",
        Phase::Lift => "backup-on",
        Phase::Renew => "load-new",
        Phase::SyncOn => "reset-on",
        Phase::Assess | Phase::Fence | Phase::Soak => "",
    }
}

fn fails(rig: &Rig, phase: Phase, on: bool) {
    let step = first_step(phase).to_owned();
    rig.truth(|truth| {
        if on {
            truth.verdicts.insert(step.clone(), Verdict::Fail);
            truth.sends.insert(step, [Wrong::Refused; 20].into());
        } else {
            truth.verdicts.clear();
            truth.sends.clear();
        }
    });
}

fn failover(to: &str) -> Command {
    Command::Failover(GivenUp {
        confirm: Some(to.into()),
        accept_data_loss: Some(MayLose::Unknown),
        ..GivenUp::default()
    })
}

/// A run that stands in this phase, walked this way; halted there, since its first step fails.
async fn standing(way: Way, phase: Phase) -> Rig {
    let rig = Rig::new();
    match way {
        Way::Forth => (),
        Way::Back => {
            rig.soaking().await;
            fails(&rig, phase, true);
            let command = Command::Rollback { confirm: Some("hk".into()), accept_data_loss: true };
            rig.tell(command).await.unwrap();
        }
        Way::Abort => {
            rig.to(Phase::Reset).await;
            fails(&rig, phase, true);
            rig.tell(Command::Abort).await.unwrap();
        }
    }
    if way == Way::Forth {
        if phase == Phase::Soak {
            rig.soaking().await;
            return rig;
        }
        if phase == Phase::Preflight {
            fails(&rig, phase, true);
            rig.started().await;
        }
        let late = path(Kind::Release, way).iter().position(|it| *it == phase)
            > path(Kind::Release, way).iter().position(|it| *it == Phase::Validate);
        if late {
            rig.approved().await;
            fails(&rig, phase, true);
        } else if phase != Phase::Preflight {
            rig.started().await;
            fails(&rig, phase, true);
        }
    }
    for _ in 0..20 {
        match rig.state() {
            State::Halted { at, .. } if (at.way, at.phase) == (way, phase) => return rig,
            State::Ready { at } if at.phase == Phase::Soak => {
                rig.tell(Command::Accept).await.unwrap();
            }
            _ => {
                rig.tell(next(Some("sydney"))).await.unwrap();
            }
        }
    }
    panic!("never halted in {way:?} {phase:?}: {:?}", rig.state());
}

/// Which site is production's, and which the other, as the run stands.
fn sides(rig: &Rig) -> (String, String) {
    let lost = match rig.life().record.roles.unwrap() {
        Roles::Settled { production } => production,
        Roles::Moving { from, .. } => from,
    };
    let other = if lost.as_str() == "hk" { "sydney" } else { "hk" };
    (lost.to_string(), other.to_owned())
}

fn lost(rig: &Rig, what: &str) {
    rig.truth(|truth| truth.so.insert("lost".to_owned(), what.to_owned()));
    // What looks whether production is gone wants to fail.
    rig.truth(|truth| truth.verdicts.insert("gone".to_owned(), Verdict::Fail));
}

async fn cell(way: Way, phase: Phase, affected: Affected) {
    let what = format!("{way:?} {phase:?} {affected:?}");
    let rig = standing(way, phase).await;
    let (production, other) = sides(&rig);
    fails(&rig, phase, false);
    lost(
        &rig,
        match affected {
            Affected::Production => &production,
            Affected::Standby => &other,
            Affected::CannotTell => "nobody knows",
        },
    );
    let before = rig.life();
    let told = rig.tell(failover(&other)).await;
    let halved =
        before.record.loads.get(&SiteName::from(other.as_str())).is_some_and(|it| !it.whole);
    match onward_of(phase, way, affected) {
        Onward::FailOver | Onward::FailOverIfWhole if !halved => {
            let reply = told.unwrap_or_else(|fault| panic!("{what}: {fault}"));
            let life = rig.life();
            assert!(
                matches!(life.state, State::Ready { at } if at.phase == Phase::Soak),
                "{what}: {reply:?}"
            );
            let run = life.record.run.as_ref().unwrap();
            assert_eq!(
                (run.kind, run.standby.as_str()),
                (Kind::Failover, other.as_str()),
                "{what}"
            );
            assert_eq!(rig.so("production"), other, "{what}");
            assert_eq!(
                life.record.quarantined,
                Some(SiteName::from(production.as_str())),
                "{what}"
            );
        }
        cell => {
            let fault = told.expect_err(&what);
            assert_eq!((fault.code.id, fault.exit()), ("E2062", Exit::Refused), "{what}: {fault}");
            let hint = fault.hint.clone().unwrap_or_default();
            let loads = matches!(cell, Onward::FailOver | Onward::FailOverIfWhole);
            let cell = if loads { Onward::FailOverIfWhole } else { cell };
            assert!(hint.contains(cell.command(way, phase)), "{what}: {hint}");
            let after = rig.life();
            assert_eq!(
                (after.state, &after.record.roles),
                (before.state, &before.record.roles),
                "{what}"
            );
            // A switch that was refused has moved nobody.
            assert_eq!(rig.so("production"), production, "{what}");
        }
    }
    let loads = |it: &str| rig.truth(|truth| truth.sent.get(it).copied().unwrap_or(0));
    if affected == Affected::Production && (way, phase) == (Way::Forth, Phase::Reset) {
        assert!(halved && loads("load") > 0, "{what}: the load had begun");
    }
}

/// Every cell of the table is walked through; a phase that is added to a path has one here by itself, and one
/// that cannot be reached fails.
#[tokio::test]
async fn every_cell_is_done_as_the_table_says() {
    let mut cells = 0;
    for way in [Way::Forth, Way::Back, Way::Abort] {
        for phase in path(Kind::Release, way) {
            for affected in Affected::ALL {
                cell(way, *phase, affected).await;
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 63);
}

#[tokio::test]
async fn a_load_that_has_ended_is_a_whole_copy_and_one_that_has_not_is_waited_for() {
    let rig = Rig::new();
    rig.to(Phase::Reset).await;
    lost(&rig, "hk");
    let reply = rig.tell(failover("sydney")).await.unwrap();
    assert!(matches!(reply.state, State::Ready { at } if at.phase == Phase::Soak), "{reply:?}");
    let consent = rig.life().record.incident.unwrap().consent;
    assert!(consent.data_of.is_some() && consent.figure == Some(0), "{consent:?}");

    // Not ended: refused, and the load is waited for; then the same command goes through.
    let rig = standing(Way::Forth, Phase::Reset).await;
    lost(&rig, "hk");
    let refused = rig.tell(failover("sydney")).await.unwrap_err();
    assert!(refused.hint.clone().unwrap().contains("changeover run retry"), "{refused}");
    fails(&rig, Phase::Reset, false);
    lost(&rig, "hk");
    rig.tell(Command::Retry).await.unwrap();
    rig.tell(failover("sydney")).await.unwrap();
    assert_eq!(rig.so("production"), "sydney");
}

#[tokio::test]
async fn a_switchover_becomes_a_failover_in_mid_run() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    let command = Command::Switchover { auto: false, confirm: None, waive: vec![] };
    rig.tell(command).await.unwrap();
    while rig.phase() != Some(Phase::Backup) {
        rig.next().await.unwrap();
    }
    let number = rig.life().record.run.unwrap().number;
    assert_eq!(rig.life().record.run.unwrap().kind, Kind::Switchover);
    lost(&rig, "hk");
    rig.tell(failover("sydney")).await.unwrap();
    let run = rig.life().record.run.unwrap();
    assert_eq!((run.number, run.kind), (number, Kind::Failover));
    assert_eq!(rig.so("production"), "sydney");
}

#[tokio::test]
async fn a_part_that_cannot_be_fenced_is_owed_until_a_retry_has_done_it() {
    let rig = Rig::new();
    rig.tell(Command::Init).await.unwrap();
    lost(&rig, "hk");
    rig.truth(|truth| truth.looks.insert("backup-off-f".to_owned(), [Wrong::Dark; 3].into()));
    let reply = rig.tell(failover("sydney")).await.unwrap();
    assert_eq!(reply.exit, Exit::Done, "the swap does not wait for it: {reply:?}");
    let owed = || {
        rig.life()
            .record
            .unfenced()
            .into_iter()
            .map(|(part, _)| part.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(owed(), ["backup-off-f"]);
    let part = |it: &changeover::machine::Life| it.record.incident.clone().unwrap().fence;
    assert_eq!(part(&rig.life()).len(), 2, "both parts were tried");
    rig.truth(|truth| truth.looks.clear());
    rig.tell(Command::Retry).await.unwrap();
    assert_eq!(owed(), [""; 0]);
    assert_eq!(rig.so("backup-f"), "off");
    assert!(!rig.life().record.owed.iter().any(|it| matches!(it, Owed::Fence { .. })));
}
