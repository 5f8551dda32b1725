//! What could happen next: every input of people, every turn of the conductor, as it writes them.

use std::collections::{BTreeMap, BTreeSet};

use changeover::machine::{
    At, Begin, Body, Closed, Embargo, Ended, Entry, Fact, GateRule, Input, Intent, Life, Owed,
    PhaseRule, Rules, State, Steps, Told, replay, step,
};
use changeover::model::{Digest, Kind, OpId, Phase, Roles, SiteName, Time, Way};

/// Who starts runs; may not approve them.
pub(crate) const REQUESTER: &str = "rob";
/// How long the gate waits.
pub(crate) const GATE_SECONDS: i64 = 60;

/// Small, with everything that is decided differently: two groups, two side by side, one skippable.
pub(crate) fn rules() -> Rules {
    let phase = |phase: Phase| {
        let (steps, groups, skippable): (&[&str], Vec<Steps>, Steps) = match phase {
            Phase::Preflight => (&["first", "second"], vec![0b11], 0b01),
            Phase::Swap => (&["switch", "confirm"], vec![0b01, 0b10], 0),
            Phase::Embargo
            | Phase::SyncOff
            | Phase::Backup
            | Phase::Reset
            | Phase::Validate
            | Phase::Deploy
            | Phase::Assess
            | Phase::Fence
            | Phase::Sanity
            | Phase::Soak
            | Phase::Lift
            | Phase::Renew
            | Phase::SyncOn => (&["only"], vec![0b1], 0),
        };
        let steps = steps.iter().map(|it| format!("{}-{it}", phase.name()).as_str().into());
        PhaseRule { phase, steps: steps.collect(), groups, skippable }
    };
    Rules {
        phases: Phase::ALL.into_iter().filter(|it| *it != Phase::Soak).map(phase).collect(),
        gate: Some(GateRule {
            approvers: BTreeMap::from([("team".to_owned(), 1), ("managers".to_owned(), 1)]),
            requester_may: false,
            lasts_seconds: GATE_SECONDS,
        }),
        soak_seconds: 60,
        failover_soak_seconds: None,
    }
}

/// A system just initialised.
pub(crate) fn initialised() -> (Life, Vec<(Entry, String)>) {
    let fact = Fact::Initialised {
        journal: "walk".to_owned(),
        production: "left".into(),
        releases: BTreeMap::new(),
    };
    let entry = Entry { at: Time::default(), body: note(vec![fact]) };
    let mut life = Life::default();
    replay(&mut life, &entry, REQUESTER).unwrap();
    (life, vec![(entry, REQUESTER.to_owned())])
}

/// One thing that could happen.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    /// An input, who gave it, how many seconds after the last entry, what came with it.
    Tell(Input, &'static str, i64, Vec<Fact>),
    /// A line that is no decision.
    Write(Body),
}

/// Whether a run that wants to end can rely on this: providers answer, people agree.
pub(crate) fn helps(input: &Input) -> bool {
    !matches!(
        input,
        Input::Step { ended: Ended::Failed | Ended::Unknown, .. } | Input::Reject | Input::Due
    )
}

/// The line a move becomes, where it leads; `None` if the machine refuses it.
pub(crate) fn turn(life: &Life, it: &Move) -> Option<(Life, Entry, &'static str)> {
    match it {
        Move::Tell(input, by, after, facts) => {
            let at = life.record.now.plus_seconds(*after);
            let told: Told = (None, vec![], facts.clone());
            let turned =
                step(&life.rules, &life.record, life.state, input.clone(), by, at, told).ok()?;
            let rules = if let Input::Start(begin) = input { &begin.rules } else { &life.rules };
            let after = Life { rules: rules.clone(), state: turned.state, record: turned.record };
            Some((after, turned.entry, by))
        }
        Move::Write(body) => {
            let entry = Entry { at: life.record.now, body: body.clone() };
            let record = life.record.after(&entry, REQUESTER);
            let after = Life { rules: life.rules.clone(), state: life.state, record };
            Some((after, entry, REQUESTER))
        }
    }
}

/// Everything that could be tried here, allowed or not.
pub(crate) fn moves(life: &Life) -> Vec<Move> {
    let mut moves = people(life);
    moves.extend([Input::Voided, Input::Settled].map(|it| Move::Tell(it, "conductor", 0, vec![])));
    moves.push(Move::Tell(Input::Due, "conductor", GATE_SECONDS, vec![]));
    moves.push(Move::Tell(Input::Due, "conductor", 0, vec![]));
    match life.state {
        State::Steady => moves.extend(starts(life)),
        State::Doing { at, left, .. } => {
            for position in (0..8).filter(|bit| left >> bit & 1 == 1) {
                conductor(life, at, position, &mut moves);
            }
        }
        State::Settling { .. } => {
            for (phase, position) in life.record.intents.keys() {
                let at = At { phase: *phase, ..life.state.at().unwrap() };
                for (ended, mut facts) in
                    [(Ended::Done, done_facts(life, at, *position)), (Ended::Failed, vec![])]
                {
                    let closed = Closed { phase: *phase, step: *position, ended };
                    facts.push(Fact::Settled(closed));
                    moves.push(Move::Write(note(facts)));
                }
            }
        }
        State::Ready { .. } | State::Asking { .. } | State::Halted { .. } => (),
    }
    // A step that is not left, or not there at all.
    let foreign = Input::Step { step: 70, ended: Ended::Done };
    moves.push(Move::Tell(foreign, "conductor", 0, vec![]));
    moves
}

fn people(life: &Life) -> Vec<Move> {
    let packet = Fact::Packet { digest: Digest::of(b"shown"), parts: BTreeMap::new() };
    let asks = matches!(life.state, State::Ready { at } if at.phase == Phase::Validate);
    let facts = if asks && life.record.packet.is_none() { vec![packet] } else { vec![] };
    let approve = |by: &'static str, groups: &[&str], shown: &[u8]| {
        let groups = groups.iter().map(|it| (*it).to_owned()).collect();
        let input = Input::Approve { packet: Digest::of(shown), by: by.to_owned(), groups };
        Move::Tell(input, by, 0, vec![])
    };
    let mut moves = vec![
        Move::Tell(Input::Next, REQUESTER, 0, facts),
        approve("ann", &["team"], b"shown"),
        approve("mia", &["managers"], b"shown"),
        // In both groups: fills one place, whichever helps.
        approve("ben", &["managers", "team"], b"shown"),
        approve("ann", &["team"], b"something else"),
        approve(REQUESTER, &["team", "managers"], b"shown"),
        approve("eve", &["strangers"], b"shown"),
    ];
    let (failed, unknown) = match life.state {
        State::Halted { failed, unknown, .. } => (failed, unknown),
        State::Steady
        | State::Doing { .. }
        | State::Ready { .. }
        | State::Asking { .. }
        | State::Settling { .. } => (0, 0),
    };
    let mut inputs = vec![
        Input::Reject,
        Input::Accept,
        Input::Abort,
        Input::Rollback { loss_accepted: true },
        Input::Rollback { loss_accepted: false },
        Input::Failover { loss_accepted: true },
        Input::Failover { loss_accepted: false },
        Input::Retry,
        Input::Skip { steps: 0 },
        Input::Skip { steps: failed },
        Input::Skip { steps: failed & 0b01 },
        Input::Amend { rules: Box::new(life.rules.clone()), workflow: Digest::default() },
        Input::Close,
    ];
    for position in (0..8).filter(|bit| unknown >> bit & 1 == 1) {
        inputs.push(Input::Resolve { step: position, done: false });
        let facts = life.state.at().map(|at| done_facts(life, at, position)).unwrap_or_default();
        let resolve = Input::Resolve { step: position, done: true };
        moves.push(Move::Tell(resolve, REQUESTER, 0, facts));
    }
    moves.extend(inputs.into_iter().map(|it| Move::Tell(it, REQUESTER, 0, vec![])));
    moves
}

fn starts(life: &Life) -> Vec<Move> {
    let Some(production) = life.record.production() else { return vec![] };
    let begin = |kind| Begin {
        kind,
        version: None,
        production: production.clone(),
        standby: other(production),
        workflow: Digest::default(),
        rules: rules(),
        outside: vec![],
        loss_accepted: true,
    };
    [Kind::Release, Kind::Switchover, Kind::Failover, Kind::Rejoin, Kind::Drill]
        .into_iter()
        .map(|kind| Move::Tell(Input::Start(Box::new(begin(kind))), REQUESTER, 0, vec![]))
        .collect()
}

/// The other of the two sites.
pub(crate) fn other(site: &SiteName) -> SiteName {
    if site.as_str() == "left" { "right".into() } else { "left".into() }
}

/// A step is observed and found done, or its intent is written, then it ends one way or another.
fn conductor(life: &Life, at: At, position: u8, moves: &mut Vec<Move>) {
    let open = life.record.intents.contains_key(&(at.phase, position));
    if acts(at.phase, position) && !open {
        let facts = match at.phase {
            Phase::Swap if at.kind != Kind::Drill => {
                let to = target(life, at);
                vec![Fact::RolesMoving { from: other(&to), to }]
            }
            Phase::SyncOff => vec![Fact::Owe { owed: job() }],
            _ => vec![],
        };
        moves.push(Move::Write(Body::Intent(intent(at, position, facts))));
    }
    let tell =
        |ended, facts| Move::Tell(Input::Step { step: position, ended }, "conductor", 0, facts);
    moves.push(tell(Ended::Done, done_facts(life, at, position)));
    moves.push(tell(Ended::Failed, vec![]));
    moves.push(tell(Ended::Unknown, vec![]));
}

fn acts(phase: Phase, position: u8) -> bool {
    let closing = matches!(phase, Phase::Lift | Phase::Renew | Phase::SyncOn);
    let opening = matches!(phase, Phase::Deploy | Phase::Embargo | Phase::SyncOff | Phase::Reset);
    closing || opening || phase == Phase::Swap && position == 0
}

fn target(life: &Life, at: At) -> SiteName {
    let run = life.record.run.as_ref().unwrap();
    if at.way == Way::Forth { run.standby.clone() } else { run.production.clone() }
}

/// What becomes true when this step is done, however that comes to be known.
fn done_facts(life: &Life, at: At, position: u8) -> Vec<Fact> {
    let production = life.record.production().cloned().unwrap();
    match (at.phase, position) {
        (Phase::Swap, 1) if at.kind != Kind::Drill => {
            vec![Fact::RolesSettled { production: target(life, at) }]
        }
        (Phase::Embargo, _) => vec![Fact::EmbargoOn { site: production, embargo: embargo() }],
        (Phase::Lift, _) => vec![Fact::EmbargoOff { site: production }],
        (Phase::SyncOn, _) => vec![Fact::Pay { owed: job() }],
        _ => vec![],
    }
}

fn job() -> Owed {
    Owed::Job { job: "copy".to_owned(), site: "host".into() }
}

fn embargo() -> Embargo {
    Embargo {
        run: 1,
        owner: String::new(),
        scope: vec![],
        reason: String::new(),
        since: Time::default(),
        until: Time::default(),
    }
}

fn intent(at: At, position: u8, facts: Vec<Fact>) -> Intent {
    Intent {
        phase: at.phase,
        step: position,
        id: "only".into(),
        action: "act".to_owned(),
        op: OpId(String::new()),
        attempt: 1,
        changes: vec![],
        observed: vec![],
        facts,
    }
}

pub(crate) fn note(facts: Vec<Fact>) -> Body {
    Body::Note { text: String::new(), reason: None, evidence: vec![], facts }
}

/// The same life without what no handler looks at, so that what can be reached is finite.
pub(crate) fn plain(mut life: Life) -> Life {
    let shift = life.record.now;
    life.state = match life.state {
        State::Asking { at, until } => State::Asking {
            at: plain_at(at),
            until: Time::default().plus_seconds(until.seconds_since(shift)),
        },
        State::Doing { at, left, failed, unknown } => {
            State::Doing { at: plain_at(at), left, failed, unknown }
        }
        State::Halted { at, failed, unknown } => {
            State::Halted { at: plain_at(at), failed, unknown }
        }
        State::Ready { at } => State::Ready { at: plain_at(at) },
        State::Settling { at, to, failover } => State::Settling { at: plain_at(at), to, failover },
        State::Steady => State::Steady,
    };
    let record = &mut life.record;
    (record.now, record.runs, record.epoch) = (Time::default(), 0, 0);
    record.failures.clear();
    record.approvals.sort_by(|a, b| a.by.cmp(&b.by));
    if let Some(run) = &mut record.run {
        (run.number, run.started) = (0, Time::default());
        run.entered.clear();
    }
    for it in record.intents.values_mut() {
        it.since = Time::default();
    }
    for it in &mut record.approvals {
        it.at = Time::default();
    }
    mirrored(life)
}

/// The same life with the two sites' names exchanged if production is called `right`: neither is special.
fn mirrored(mut life: Life) -> Life {
    let run = life.record.run.as_ref().map(|it| &it.production);
    if run.or(life.record.production()).is_some_and(|it| it.as_str() == "right") {
        let text = serde_json::to_string(&life.record).unwrap();
        let text = text.replace("\"left\"", "\"?\"").replace("\"right\"", "\"left\"");
        life.record = serde_json::from_str(&text.replace("\"?\"", "\"right\"")).unwrap();
    }
    life
}

fn plain_at(at: At) -> At {
    At { tried: at.tried.min(2), ..at }
}

/// Sites on which the journal says that users' writes are accepted.
pub(crate) fn writable(life: &Life) -> BTreeSet<SiteName> {
    match &life.record.roles {
        Some(Roles::Settled { production }) if !life.record.embargoes.contains_key(production) => {
            BTreeSet::from([production.clone()])
        }
        Some(Roles::Settled { .. } | Roles::Moving { .. }) | None => BTreeSet::new(),
    }
}
