//! One test for each guard and each thing the record learns by itself.

use std::collections::BTreeMap;

use changeover::machine::{
    Body, Closed, Ended, Entry, Fact, GateRule, Input, Life, Owed, Rules, State, allowed,
};
use changeover::model::{Digest, Kind, Phase, Roles, SiteName, Way};
use changeover::workflow::Workflow;
use serde_json::json;

use crate::machine::world::{GATE_SECONDS, Move, REQUESTER, initialised, moves, turn};

fn tell(life: &Life, input: Input, by: &'static str) -> Option<Life> {
    Some(turn(life, &Move::Tell(input, by, 0, vec![]))?.0)
}

fn learn(life: &Life, fact: Fact) -> Life {
    let body =
        Body::Note { text: String::new(), reason: None, evidence: vec![], facts: vec![fact] };
    turn(life, &Move::Write(body)).unwrap().0
}

fn start(life: &Life, kind: Kind) -> Option<Life> {
    moves(life).iter().find_map(|it| match it {
        Move::Tell(Input::Start(begin), ..) if begin.kind == kind => Some(turn(life, it)?.0),
        Move::Tell(..) | Move::Write(_) => None,
    })
}

fn approve(by: &str, groups: &[&str]) -> Input {
    Input::Approve {
        packet: Digest::of(b"shown"),
        by: by.to_owned(),
        groups: groups.iter().map(|it| (*it).to_owned()).collect(),
    }
}

/// Goes on the shortest way, all steps done with their intents written, until the state is this.
fn until(mut life: Life, wanted: impl Fn(&State) -> bool) -> Life {
    for _ in 0..200 {
        if wanted(&life.state) {
            return life;
        }
        let forward = |it: &Move| match it {
            Move::Write(Body::Intent(_) | Body::Note { .. }) => true,
            Move::Tell(input, ..) => matches!(
                input,
                Input::Next
                    | Input::Accept
                    | Input::Approve { .. }
                    | Input::Settled
                    | Input::Step { ended: Ended::Done, .. }
            ),
            Move::Write(_) => false,
        };
        let possible = moves(&life);
        life = possible
            .iter()
            .filter(|it| forward(it))
            .filter_map(|it| turn(&life, it))
            // Who approves twice is heard and changes nothing.
            .find(|it| it.0.state != life.state || it.0.record != life.record)
            .unwrap_or_else(|| panic!("no way on from {:?}", life.state))
            .0;
    }
    panic!("never reached, now {:?}", life.state)
}

fn doing(phase: Phase) -> impl Fn(&State) -> bool {
    move |state| matches!(state, State::Doing { at, .. } if at.phase == phase)
}

fn ready(phase: Phase) -> impl Fn(&State) -> bool {
    move |state| matches!(state, State::Ready { at } if at.phase == phase)
}

fn asking(state: &State) -> bool {
    matches!(state, State::Asking { .. })
}

fn release() -> Life {
    start(&initialised().0, Kind::Release).unwrap()
}

#[test]
fn a_release_walks_to_its_end_and_owes_nothing() {
    let life = until(release(), |it| *it == State::Steady);
    assert_eq!(life.record.roles, Some(Roles::Settled { production: "right".into() }));
    assert!(life.record.owed.is_empty() && life.record.embargoes.is_empty());
    assert_eq!(
        allowed(&life.rules, &life.record, life.state),
        ["release", "switchover", "failover", "rejoin", "drill"]
    );
}

#[test]
fn somebody_in_two_groups_fills_one_place() {
    let life = until(release(), asking);
    let one = tell(&life, approve("ben", &["managers", "team"]), "ben").unwrap();
    assert!(asking(&one.state), "one person is not two");
    let again = tell(&one, approve("ben", &["managers", "team"]), "ben").unwrap();
    assert!(asking(&again.state) && again.record.approvals.len() == 1, "nor by asking twice");
    // Whichever place is left, the one in both groups makes room for it.
    for (by, group) in [("ann", "team"), ("mia", "managers")] {
        let two = tell(&one, approve(by, &[group]), by).unwrap();
        assert!(ready(Phase::Validate)(&two.state), "{by} and ben are enough");
    }
}

#[test]
fn the_requester_and_strangers_do_not_count() {
    let life = until(release(), asking);
    assert!(tell(&life, approve(REQUESTER, &["team"]), REQUESTER).is_none());
    assert!(tell(&life, approve("eve", &["strangers"]), "eve").is_none());
}

#[test]
fn a_gate_that_names_nobody_lets_nobody_through() {
    let mut life = until(release(), ready(Phase::Validate));
    life.rules.gate =
        Some(GateRule { approvers: BTreeMap::new(), requester_may: true, lasts_seconds: 60 });
    let shown = Fact::Packet { digest: Digest::of(b"shown"), parts: BTreeMap::new() };
    let asked = tell(&learn(&life, shown), Input::Next, REQUESTER).unwrap();
    assert!(asking(&asked.state));
    assert!(tell(&asked, approve("ann", &["team"]), "ann").is_none());
}

#[test]
fn a_gate_expires_at_its_time_and_leaves_no_approval() {
    let life = tell(&until(release(), asking), approve("ann", &["team"]), "ann").unwrap();
    let due = |after| turn(&life, &Move::Tell(Input::Due, "clock", after, vec![]));
    assert!(due(GATE_SECONDS - 1).is_none(), "not before");
    let late = Move::Tell(approve("mia", &["managers"]), "mia", GATE_SECONDS, vec![]);
    assert!(turn(&life, &late).is_none(), "nobody approves an expired gate");
    let expired = due(GATE_SECONDS).unwrap().0;
    assert!(expired.record.approvals.is_empty() && expired.record.packet.is_none());
    let again = tell(&expired, Input::Retry, REQUESTER).unwrap();
    assert!(doing(Phase::Validate)(&again.state), "retry makes the checks again");
}

#[test]
fn the_same_packet_keeps_its_approvals_and_another_voids_them() {
    let life = tell(&until(release(), asking), approve("ann", &["team"]), "ann").unwrap();
    let packet = |of: &[u8]| Fact::Packet { digest: Digest::of(of), parts: BTreeMap::new() };
    assert_eq!(learn(&life, packet(b"shown")).record.approvals.len(), 1);
    assert!(learn(&life, packet(b"other")).record.approvals.is_empty());
}

#[test]
fn amending_changes_nothing_begun_and_no_gate() {
    let life = until(release(), ready(Phase::Embargo));
    let amend = |change: &dyn Fn(&mut Rules)| {
        let mut rules = life.rules.clone();
        change(&mut rules);
        tell(&life, Input::Amend { rules: Box::new(rules), workflow: Digest::default() }, REQUESTER)
    };
    let without =
        |phase: Phase| move |rules: &mut Rules| rules.phases.retain(|it| it.phase != phase);
    assert!(amend(&without(Phase::Backup)).is_some(), "not begun");
    assert!(amend(&without(Phase::Deploy)).is_none(), "done");
    assert!(amend(&without(Phase::Embargo)).is_none(), "where it stands");
    assert!(amend(&|rules| rules.gate = None).is_none(), "who must agree");
}

#[test]
fn until_its_first_intent_the_swap_can_be_left_for_validate() {
    let life = until(release(), doing(Phase::Swap));
    let back = tell(&life, Input::Voided, "conductor").unwrap();
    assert!(doing(Phase::Validate)(&back.state) && back.record.approvals.is_empty());
    let intent = moves(&life).into_iter().find(|it| matches!(it, Move::Write(Body::Intent(_))));
    let sent = turn(&life, &intent.unwrap()).unwrap().0;
    assert!(tell(&sent, Input::Voided, "conductor").is_none(), "forward or back only");
    assert!(tell(&sent, Input::Abort, REQUESTER).is_none());
    assert!(tell(&sent, Input::Rollback { loss_accepted: false }, REQUESTER).is_some());
}

#[test]
fn what_a_dump_held_bounds_nothing_of_another_run() {
    let held = |it: u64| Fact::Held { rows: [("count".to_owned(), it)].into() };
    let life = learn(&until(release(), |it| *it == State::Steady), held(7));
    assert_eq!(life.record.held.get("count"), Some(&7));
    let next = start(&life, Kind::Switchover).unwrap();
    assert!(next.record.held.is_empty(), "{:?}", next.record.held);
    // Within a run a later dump says all there is to say, even when nothing could be counted for it.
    let again = learn(&learn(&next, held(8)), Fact::Held { rows: BTreeMap::new() });
    assert!(again.record.held.is_empty());
}

#[test]
fn the_swap_is_left_when_users_have_arrived() {
    let life = until(release(), ready(Phase::Swap));
    let moving = Fact::RolesMoving { from: "left".into(), to: "right".into() };
    let between = learn(&life, moving);
    assert!(tell(&between, Input::Next, REQUESTER).is_none());
    let again = tell(&between, Input::Retry, REQUESTER).unwrap();
    assert!(doing(Phase::Swap)(&again.state), "look again");
    assert!(tell(&life, Input::Next, REQUESTER).is_some());
    assert!(tell(&life, Input::Retry, REQUESTER).is_none(), "nothing to look at again");
}

#[test]
fn a_freeze_stops_the_way_forth_and_no_way_out() {
    let frozen = |life: &Life| learn(life, Fact::Frozen { on: true });
    let steady = frozen(&initialised().0);
    assert_eq!(allowed(&steady.rules, &steady.record, steady.state), ["failover"]);
    let early = frozen(&until(release(), ready(Phase::Deploy)));
    assert!(tell(&early, Input::Next, REQUESTER).is_none());
    assert!(tell(&early, Input::Abort, REQUESTER).is_some());
    let soaking = frozen(&until(release(), ready(Phase::Soak)));
    assert!(tell(&soaking, Input::Accept, REQUESTER).is_some(), "closing goes on");
    assert!(tell(&soaking, Input::Rollback { loss_accepted: false }, REQUESTER).is_some());
    assert!(tell(&soaking, Input::Failover { loss_accepted: true }, REQUESTER).is_some());
}

#[test]
fn what_is_open_is_settled_before_a_way_out_but_not_before_a_failover() {
    let life = until(release(), doing(Phase::Deploy));
    let intent = moves(&life).into_iter().find(|it| matches!(it, Move::Write(Body::Intent(_))));
    let open = turn(&life, &intent.unwrap()).unwrap().0;
    let aborting = tell(&open, Input::Abort, REQUESTER).unwrap();
    assert!(tell(&aborting, Input::Settled, "conductor").is_none());
    assert!(tell(&aborting, Input::Abort, REQUESTER).is_none(), "told once");
    let urgent = tell(&aborting, Input::Failover { loss_accepted: true }, REQUESTER).unwrap();
    assert!(tell(&urgent, Input::Abort, REQUESTER).is_none(), "nothing calls it off");
    let failing = tell(&urgent, Input::Settled, "conductor").unwrap();
    assert!(doing(Phase::Assess)(&failing.state));
    assert!(!failing.record.intents.is_empty(), "still unknown");
}

#[test]
fn going_back_is_given_up_until_all_are_back() {
    let rollback = Input::Rollback { loss_accepted: false };
    let life = until(release(), ready(Phase::Soak));
    let back = tell(&tell(&life, rollback, REQUESTER).unwrap(), Input::Settled, "c").unwrap();
    let stays = tell(&tell(&back, Input::Abort, REQUESTER).unwrap(), Input::Settled, "c").unwrap();
    let at = stays.state.at().unwrap();
    assert!(doing(Phase::Sanity)(&stays.state) && at.way == Way::Forth, "{:?}", stays.state);
    assert_eq!(stays.record.roles, life.record.roles);
    let entered = |it: &Life| it.record.run.as_ref().unwrap().entered.contains_key(&Phase::Backup);
    assert!(entered(&life) && entered(&stays), "what was done on the way forth is still done");
    // From the intent of the switch on whoever was moved is moved forth again, when that is settled.
    let moved = moves(&back).into_iter().find_map(|it| match it {
        Move::Write(Body::Intent(_)) => {
            turn(&back, &it).map(|it| it.0).filter(|it| it.record.moving())
        }
        Move::Write(_) | Move::Tell(..) => None,
    });
    let leaving = tell(&moved.unwrap(), Input::Abort, REQUESTER).unwrap();
    assert!(tell(&leaving, Input::Settled, "c").is_none(), "how far it went is not known");
    let (phase, step) = *leaving.record.intents.keys().next().unwrap();
    let ended = |ended| Fact::Settled(Closed { phase, step, ended });
    let half = tell(&learn(&leaving, ended(Ended::Failed)), Input::Settled, "c").unwrap();
    assert!(doing(Phase::Swap)(&half.state) && half.state.at().unwrap().way == Way::Forth);
    // All are back: there is nothing to give up.
    let production = life.record.run.as_ref().unwrap().production.clone();
    let home = learn(&leaving, Fact::RolesSettled { production });
    let home = tell(&learn(&home, ended(Ended::Done)), Input::Settled, "c").unwrap();
    assert!(doing(Phase::Sanity)(&home.state) && home.state.at().unwrap().way == Way::Back);
}

#[test]
fn giving_up_costs_what_was_changed() {
    let untouched = tell(&release(), Input::Abort, REQUESTER).unwrap();
    let ended = tell(&untouched, Input::Settled, "conductor").unwrap();
    assert_eq!(ended.state, State::Steady, "preflight changes nothing");
    let mut life = until(release(), ready(Phase::Deploy));
    life = learn(&life, Fact::Pay { owed: Owed::Standby });
    life = learn(&life, Fact::Owe { owed: Owed::Job { job: "copy".into(), site: "host".into() } });
    life = tell(&tell(&life, Input::Abort, REQUESTER).unwrap(), Input::Settled, "c").unwrap();
    life = until(life, ready(Phase::Lift));
    let next = tell(&life, Input::Next, REQUESTER).unwrap();
    assert!(doing(Phase::SyncOn)(&next.state), "jobs on, nothing to renew");
}

#[test]
fn a_way_back_waits_before_renew_and_its_lift_is_another_entry() {
    let life = until(release(), doing(Phase::Lift));
    let first = life.record.run.as_ref().unwrap().entered[&Phase::Lift];
    assert!(tell(&life, Input::Rollback { loss_accepted: false }, REQUESTER).is_none());
    let rollback = Input::Rollback { loss_accepted: true };
    let (life, ..) = turn(&life, &Move::Tell(rollback, REQUESTER, 100, vec![])).unwrap();
    let life = until(life, |it| matches!(it, State::Ready { at } if at.phase == Phase::Lift));
    assert_eq!(life.state.at().unwrap().way, Way::Back);
    let run = life.record.run.as_ref().unwrap();
    assert!(run.entered[&Phase::Lift] > first && run.entered[&Phase::Deploy] <= first);
    assert_eq!(life.record.roles, Some(Roles::Settled { production: "left".into() }));
}

#[test]
fn retries_keep_the_first_entry() {
    let life = until(release(), doing(Phase::Backup));
    let first = life.record.run.as_ref().unwrap().entered[&Phase::Backup];
    let failed = Input::Step { step: 0, ended: Ended::Failed };
    let (life, ..) = turn(&life, &Move::Tell(failed, "conductor", 500, vec![])).unwrap();
    let life = tell(&life, Input::Retry, REQUESTER).unwrap();
    assert_eq!(life.record.run.as_ref().unwrap().entered[&Phase::Backup], first);
}

#[test]
fn a_failover_out_of_a_soak_gives_the_new_production_up() {
    let life = until(release(), ready(Phase::Soak));
    let life = tell(&life, Input::Failover { loss_accepted: true }, REQUESTER).unwrap();
    let life = tell(&life, Input::Settled, "conductor").unwrap();
    let run = life.record.run.as_ref().unwrap();
    assert_eq!((run.kind, run.production.as_str()), (Kind::Failover, "right"));
    let life = until(life, |it| *it == State::Steady);
    assert_eq!(life.record.roles, Some(Roles::Settled { production: "left".into() }));
    assert_eq!(life.record.quarantined, Some(SiteName::from("right")));
    assert!(start(&life, Kind::Release).is_none(), "not before the lost site has rejoined");
    let rejoined = until(start(&life, Kind::Rejoin).unwrap(), |it| *it == State::Steady);
    assert!(rejoined.record.quarantined.is_none() && rejoined.record.owed.is_empty());
    assert!(start(&rejoined, Kind::Release).is_some());
}

#[test]
fn a_drill_goes_back_by_itself_and_owes_nothing() {
    let life = start(&initialised().0, Kind::Drill).unwrap();
    let life = until(life, ready(Phase::Sanity));
    let life = tell(&life, Input::Next, REQUESTER).unwrap();
    assert_eq!(life.state.at().map(|at| (at.way, at.phase)), Some((Way::Back, Phase::Swap)));
    let life = until(life, |it| *it == State::Steady);
    assert!(life.record.owed.is_empty());
    assert_eq!(life.record.roles, Some(Roles::Settled { production: "left".into() }));
}

#[test]
fn a_workflow_means_these_rules() {
    let step = |id: &str| json!({ "id": id, "check": "http" });
    let marked = |id: &str, together: &str| json!({ "id": id, "check": "http", "together": together, "skippable": true });
    let skip = json!({ "skip": "not here" });
    let site = json!({ "aws": { "profile": "p", "region": "r", "principal": "u" } });
    let workflow: Workflow = serde_json::from_value(json!({
        "format": 1, "system": "sample", "sites": { "left": site, "right": site },
        "switch": { "cloudflare": { "token": { "env": "T" }, "zones": [], "ttl_max": "60s", "proxied": false, "records": [] } },
        "gates": { "go": { "approvers": { "team": 2 }, "not": "requester" } },
        "release": {
            "preflight": [step("a"), step("b"), step("c")],
            "deploy": [marked("d", "x"), marked("e", "x"), marked("f", "y"), step("g"), step("h")],
            "embargo": [marked("i", "z")], "sync_off": skip, "backup": skip, "reset": skip,
            "validate": [step("j"), { "id": "people", "gate": "go" }, step("k")],
            "swap": [step("l")], "sanity": skip, "soak": { "planned": "30m", "at_most": "4h" }
        },
        "closing": { "lift": skip, "renew": skip, "sync_on": skip }
    }))
    .unwrap();
    let rules = Rules::of(&workflow);
    let groups = |phase| rules.phase(phase).map(|it| it.groups.clone());
    assert_eq!(groups(Phase::Preflight), Some(vec![0b111]), "side by side");
    assert_eq!(groups(Phase::Deploy), Some(vec![0b11, 0b100, 0b1000, 0b1_0000]));
    assert_eq!(groups(Phase::Reset), Some(vec![]), "skipped, and there");
    assert_eq!(groups(Phase::Assess), None, "absent");
    assert_eq!(rules.phase(Phase::Deploy).unwrap().skippable, 0b111);
    assert_eq!(rules.phase(Phase::Embargo).unwrap().skippable, 0, "whatever the file says");
    assert_eq!(rules.position(Phase::Validate, &"k".into()), Some(1), "a gate is no step");
    let gate = rules.gate.unwrap();
    assert_eq!((gate.requester_may, gate.lasts_seconds), (false, 86_400));
    assert_eq!((gate.approvers["team"], rules.soak_seconds), (2, 1800));
}

#[test]
fn closing_a_run_keeps_what_it_owes() {
    let life = until(release(), doing(Phase::Renew));
    let failed = Input::Step { step: 0, ended: Ended::Failed };
    let life = tell(&life, failed, "conductor").unwrap();
    assert!(tell(&life, Input::Rollback { loss_accepted: true }, REQUESTER).is_none());
    let owed = life.record.owed.clone();
    let life = tell(&life, Input::Close, REQUESTER).unwrap();
    assert!(life.record.owed == owed && owed.contains(&Owed::Standby));
    assert!(start(&life, Kind::Release).is_none(), "not while anything is owed");
    let mended = until(start(&life, Kind::Rejoin).unwrap(), |it| *it == State::Steady);
    assert!(mended.record.owed.is_empty());
}

#[test]
fn a_refused_line_moves_nothing_but_time() {
    let life = release();
    let body = Body::Refused { command: "next".into(), code: "E2001".into(), message: "no".into() };
    let entry = Entry { at: life.record.now.plus_seconds(1), body };
    let after = life.record.after(&entry, REQUESTER);
    assert_eq!(after.now, entry.at);
    assert_eq!(changeover::machine::Record { now: life.record.now, ..after }, life.record);
}
