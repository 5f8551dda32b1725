//! What chaos found, one by one and without chaos: no fault but the one that matters, users writing all the time.

use changeover::conductor::Command;
use changeover::machine::State;
use changeover::model::Phase;

use super::door::{Defect, Lean};
use super::people::{self, MANAGER};
use super::rig::Rig;

fn tell(rig: &Rig, command: &Command) {
    let reply = rig.give(MANAGER, command).unwrap();
    assert!(reply.is_ok(), "{command:?}: {reply:?}");
}

/// A release under way, users writing every few seconds.
fn started() -> Rig {
    let rig = Rig::new(2, Defect::None, Lean::Nothing);
    rig.door.earth().every = 5000;
    tell(&rig, &Command::Init);
    tell(&rig, &people::start("v4.3.1", true));
    rig
}

fn phase(rig: &Rig) -> Option<Phase> {
    rig.state().at().map(|it| it.phase)
}

/// On, as people go on, until this phase is done; to rest without one.
fn on(rig: &Rig, until: Option<Phase>) {
    for turn in 0..60 {
        let there = matches!(rig.state(), State::Ready { at } if Some(at.phase) == until);
        let Some((who, command)) = people::onward(rig, turn).filter(|_| !there) else { return };
        rig.give(who, &command).unwrap().unwrap();
        rig.wait(60);
    }
    panic!("does not come there: {:?}\n{}", rig.state(), rig.door.earth().diary.join("\n"));
}

fn at_rest(rig: &Rig) {
    on(rig, None);
    let life = rig.life();
    let mut earth = rig.door.earth();
    let wrong = earth.judge_rest(&life);
    assert!(life.record.owed.is_empty(), "{:?}", life.record.owed);
    assert_eq!(
        (wrong, earth.oracle.broken.clone()),
        (vec![], vec![]),
        "{}",
        earth.diary.join("\n")
    );
}

#[test]
fn a_standby_is_renewed_while_production_takes_writes() {
    let rig = started();
    at_rest(&rig);
    assert_eq!(rig.door.earth().oracle.moves_made(), 1);
}

#[test]
fn two_releases_in_a_row_go_there_and_back() {
    let rig = started();
    at_rest(&rig);
    tell(&rig, &people::start("v4.3.2", true));
    at_rest(&rig);
    assert_eq!(rig.door.earth().oracle.moves_made(), 2);
}

#[test]
fn going_back_after_lift_stops_writes_first_and_takes_the_dump_job_along() {
    let rig = started();
    on(&rig, Some(Phase::Soak));
    tell(&rig, &Command::Accept);
    rig.wait(600);
    let back = rig.sites().map(|it| it.0);
    tell(&rig, &Command::Rollback { confirm: back, accept_data_loss: true });
    at_rest(&rig);
}

#[test]
fn giving_up_before_all_jobs_are_off_comes_to_rest() {
    let rig = started();
    let mut left = 1;
    // Dies later and later until it is between the two holds of `deploy`.
    while rig.life().record.owed.len() < 2 {
        rig.door.earth().faults.fuse = Some(left);
        let _died = rig.give(MANAGER, &people::next(None));
        rig.door.earth().faults.fuse = None;
        left += 1;
    }
    assert_eq!(phase(&rig), Some(Phase::Deploy));
    tell(&rig, &Command::Abort);
    at_rest(&rig);
}

#[test]
fn a_swap_that_is_tried_again_hours_later_looks_at_the_data_again() {
    let rig = started();
    on(&rig, Some(Phase::Validate));
    // Dies later and later until the swap has been entered; then somebody lets writes in for a while.
    let mut left = 1;
    while phase(&rig) != Some(Phase::Swap) {
        rig.door.earth().faults.fuse = Some(left);
        let to = rig.sites().map(|it| it.1);
        let _died = rig.give(MANAGER, &people::next(to.as_ref()));
        rig.door.earth().faults.fuse = None;
        left += 1;
    }
    let production = rig.door.earth().production();
    rig.door.earth().sites[production].db.refuses = false;
    rig.wait(600);
    rig.door.earth().sites[production].db.refuses = true;
    tell(&rig, &Command::Retry);
    assert_eq!(rig.door.earth().oracle.moves_made(), 0, "{:?}", rig.state());
}

#[test]
fn going_back_asks_for_consent_after_somebody_let_writes_in() {
    let rig = started();
    on(&rig, Some(Phase::Soak));
    let production = rig.door.earth().production();
    rig.door.earth().sites[production].db.refuses = false;
    rig.wait(60);
    tell(&rig, &Command::Retry);
    assert!(rig.door.earth().sites[production].db.refuses, "it is laid again");
    let back = rig.sites().map(|it| it.0);
    let free = Command::Rollback { confirm: back, accept_data_loss: false };
    let refused = rig.give(MANAGER, &free).unwrap().unwrap_err();
    assert_eq!(refused.exit(), changeover::fault::Exit::Usage);
}
