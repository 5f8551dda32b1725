//! One state of every shape, one input of every name, one record for each side of every guard.

use std::collections::{BTreeMap, BTreeSet};

use crate::machine::{
    At, Begin, Ended, GateRule, Input, Intent, Owed, PhaseRule, Record, Remembered, Rules, Run,
    Standing, State, path,
};
use crate::model::{Digest, Kind, OpId, Phase, Roles, SiteName, StepId, Time, Way};

/// All kinds of runs.
pub(super) const KINDS: [Kind; 5] =
    [Kind::Release, Kind::Switchover, Kind::Failover, Kind::Rejoin, Kind::Drill];
/// All ways to walk.
pub(super) const WAYS: [Way; 3] = [Way::Forth, Way::Back, Way::Abort];

const UNTIL: Time = Time(60_000_000);
const LATE: Time = Time(61_000_000);

/// Every phase has two steps side by side, then a third; all may be skipped; one person must agree.
pub(super) fn rules() -> Rules {
    let steps: Vec<StepId> = ["one", "two", "three"].into_iter().map(StepId::from).collect();
    let filled = Phase::ALL.into_iter().filter(|it| *it != Phase::Soak);
    let phase =
        |phase| PhaseRule { phase, steps: steps.clone(), groups: vec![0b011, 0b100], skippable: 7 };
    Rules {
        phases: filled.map(phase).collect(),
        gate: Some(GateRule {
            approvers: BTreeMap::from([("team".to_owned(), 2)]),
            requester_may: false,
            lasts_seconds: 60,
        }),
        soak_seconds: 60,
        failover_soak_seconds: None,
    }
}

/// One state of every shape, at every phase of every path.
pub(super) fn states() -> Vec<State> {
    let mut states = vec![State::Steady];
    for (kind, way) in KINDS.into_iter().flat_map(|kind| WAYS.map(|way| (kind, way))) {
        for (position, &phase) in path(kind, way).iter().enumerate() {
            let at = At { kind, way, phase, group: 0, tried: 1 };
            let last = position + 1 == path(kind, way).len();
            at_phase(at, last && !(kind == Kind::Drill && way == Way::Forth), &mut states);
        }
    }
    states
}

fn at_phase(at: At, last: bool, states: &mut Vec<State>) {
    let then = At { group: 1, ..at };
    // The last phase of a walk ends in steady.
    if !last {
        states.push(State::Ready { at });
    }
    if at.phase != Phase::Soak {
        states.extend([(at, 0b011), (at, 0b001), (then, 0b100)].map(|(at, left)| State::Doing {
            at,
            left,
            failed: 0,
            unknown: 0,
        }));
        let bad = [(at, 1, 0), (at, 0, 1), (at, 1, 2), (then, 4, 0), (then, 0, 4)];
        states.extend(bad.map(|(at, failed, unknown)| State::Halted { at, failed, unknown }));
    }
    if at.way == Way::Forth {
        let leaving = [(Way::Abort, false), (Way::Back, false), (Way::Forth, true)];
        states.extend(leaving.map(|(to, failover)| State::Settling { at, to, failover }));
    }
    if at.way == Way::Back && at.phase == Phase::Swap && at.kind != Kind::Drill {
        states.push(State::Settling { at, to: Way::Forth, failover: false });
    }
    if at.phase == Phase::Validate {
        states.push(State::Asking { at, until: UNTIL });
        states.push(State::Halted { at, failed: 0, unknown: 0 });
    }
}

/// One input of every name, and of every kind that is decided in another way.
pub(super) fn inputs(rules: &Rules, state: State) -> Vec<Input> {
    let (failed, unknown, left) = match state {
        State::Halted { failed, unknown, .. } => (failed, unknown, 0),
        State::Doing { left, .. } => (0, 0, left),
        State::Steady | State::Ready { .. } | State::Asking { .. } | State::Settling { .. } => {
            (0, 0, 0)
        }
    };
    let bit = |steps: u64| u8::try_from(steps.trailing_zeros()).unwrap_or(64);
    let approve = |by: &str| Input::Approve {
        packet: Digest::default(),
        by: by.to_owned(),
        groups: vec!["team".to_owned()],
    };
    let ends = [Ended::Done, Ended::Failed, Ended::Unknown];
    let mut inputs = vec![
        Input::Next,
        approve("ann"),
        approve("bea"),
        Input::Reject,
        Input::Accept,
        Input::Abort,
        Input::Rollback { loss_accepted: true },
        Input::Rollback { loss_accepted: false },
        Input::Failover { loss_accepted: true },
        Input::Retry,
        Input::Skip { steps: failed },
        Input::Resolve { step: bit(unknown), done: true },
        Input::Resolve { step: bit(unknown), done: false },
        Input::Amend { rules: Box::new(rules.clone()), workflow: Digest::default() },
        Input::Amend {
            rules: Box::new(Rules { gate: None, ..rules.clone() }),
            workflow: Digest::default(),
        },
        Input::Close,
        Input::Settled,
        Input::Voided,
        Input::Due,
    ];
    inputs.extend(ends.map(|ended| Input::Step { step: bit(left), ended }));
    inputs.extend(KINDS.map(|kind| Input::Start(Box::new(begin(rules, kind)))));
    inputs
}

fn begin(rules: &Rules, kind: Kind) -> Begin {
    Begin {
        kind,
        version: None,
        production: "left".into(),
        standby: "right".into(),
        workflow: Digest::default(),
        rules: rules.clone(),
        outside: vec![],
        loss_accepted: true,
    }
}

/// A plain record, then one for the other side of each guard.
pub(super) fn records() -> Vec<Record> {
    let left = SiteName::from("left");
    let plain = Record {
        journal: "sample".to_owned(),
        roles: Some(Roles::Settled { production: left.clone() }),
        run: Some(run()),
        packet: Some(Digest::default()),
        ..Record::default()
    };
    let there = Roles::Settled { production: "right".into() };
    let moving = Roles::Moving { from: left, to: "right".into() };
    let stands = |by: &str| Standing {
        by: by.to_owned(),
        groups: vec!["team".to_owned()],
        at: Time::default(),
    };
    let places = [Phase::Swap, Phase::Reset].map(|phase| ((phase, 0), remembered(phase)));
    vec![
        Record { approvals: vec![stands("ann")], ..plain.clone() },
        Record { approvals: vec![stands("ann"), stands("bea")], ..plain.clone() },
        Record { roles: Some(moving), ..plain.clone() },
        Record { roles: Some(there), ..plain.clone() },
        Record { owed: BTreeSet::from([Owed::Standby]), ..plain.clone() },
        Record { intents: BTreeMap::from(places), ..plain.clone() },
        Record { frozen: true, ..plain.clone() },
        Record { renewed: true, ..plain.clone() },
        Record { writes_since_swap: true, ..plain.clone() },
        Record { now: LATE, ..plain.clone() },
        plain,
    ]
}

fn run() -> Run {
    Run {
        number: 1,
        kind: Kind::Release,
        version: None,
        production: "left".into(),
        standby: "right".into(),
        from_version: None,
        requester: "rob".to_owned(),
        started: Time::default(),
        workflow: Digest::default(),
        outside: vec![],
        stamp: None,
        backup: None,
        entered: BTreeMap::new(),
        waived: BTreeMap::new(),
        without: BTreeMap::default(),
    }
}

fn remembered(phase: Phase) -> Remembered {
    let intent = Intent {
        phase,
        step: 0,
        id: "one".into(),
        action: "sample".to_owned(),
        op: OpId(String::new()),
        attempt: 1,
        changes: vec![],
        observed: vec![],
        facts: vec![],
    };
    Remembered { intent, since: Time::default() }
}
