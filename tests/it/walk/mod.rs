//! A life driven through the machine's own doors: what tests of pictures and commands look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use changeover::app::Glance;
use changeover::machine::{
    Begin, Body, Effect, Embargo, Ended, Entry, Fact, GateRule, Input, Intent, Life, Owed,
    PhaseRule, Rules, State, Told, replay, resume, step,
};
use changeover::model::{
    Actor, Change, Digest, Evidence, Identity, Kind, OpId, Phase, SiteName, StepId, SystemName,
    Time, Verb, Way,
};
use changeover::port::Line;
use changeover::workflow::{NotWho, Workflow};

/// One system, from before its journal.
pub(crate) struct Walk {
    pub(crate) life: Life,
    pub(crate) lines: Vec<Line>,
    pub(crate) now: Time,
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) holder: Option<String>,
}

pub(crate) fn workflow() -> Workflow {
    let data: serde_json::Value = serde_yaml::from_str(include_str!("sample.yaml")).unwrap();
    serde_json::from_value(data).unwrap()
}

/// What a workflow means for the machine, as the conductor has it.
pub(crate) fn rules(workflow: &Workflow) -> Rules {
    let phases = Phase::ALL.into_iter().filter(|phase| workflow.phase(*phase).is_some());
    let phases = phases.map(|phase| {
        let steps: Vec<_> = workflow.steps(phase).iter().filter(|it| !it.is_gate()).collect();
        let all = (1_u64 << steps.len()) - 1;
        let one_by_one = (0..steps.len()).map(|bit| 1 << bit).collect();
        let groups = if phase == Phase::Preflight { vec![all] } else { one_by_one };
        let skippable = steps.iter().enumerate().filter(|it| it.1.skippable);
        let skippable = skippable.map(|(bit, _)| 1_u64 << bit).sum();
        let steps = steps.iter().map(|it| it.id.clone()).collect();
        PhaseRule { phase, steps, groups, skippable }
    });
    let gate = &workflow.gates["validate"];
    let requester_may = gate.not != Some(NotWho::Requester);
    let gate =
        GateRule { approvers: gate.approvers.clone(), requester_may, lasts_seconds: 24 * 3600 };
    let soak_seconds = workflow.release.soak.planned.as_seconds();
    Rules { phases: phases.collect(), gate: Some(gate), soak_seconds, failover_soak_seconds: None }
}

fn site(name: &str) -> SiteName {
    SiteName::from(name)
}

fn evidence(at: Time, source: &str, says: &str) -> Evidence {
    let source = source.to_owned();
    Evidence { source, at, says: says.to_owned(), data: serde_json::Value::Null }
}

/// How steps end when nothing goes wrong.
pub(crate) fn well(_: &str) -> Ended {
    Ended::Done
}

impl Walk {
    /// Before `init`.
    pub(crate) fn new() -> Self {
        let now = Time::parse("2026-11-21T08:00:00Z").unwrap();
        let (life, workflow) = (Life::default(), Arc::new(workflow()));
        Self { life, lines: vec![], now, workflow, holder: None }
    }

    /// After `init`: hk is production, both sites have v4.3.0.
    pub(crate) fn steady() -> Self {
        let mut walk = Self::new();
        let releases = ["hk", "sydney"].map(|name| (site(name), "v4.3.0".to_owned()));
        let fact = Fact::Initialised {
            journal: "9f86d081884c7d65".to_owned(),
            production: site("hk"),
            releases: releases.into(),
        };
        let read = evidence(walk.now, "cloudflare gigadb.org", "1 of 1 records leads to hk");
        walk.note("initialised: hk is production", vec![read], vec![fact]);
        walk.wait(7 * 86_400 + 1_800);
        walk
    }

    /// A release is open and preflight is done.
    pub(crate) fn started() -> Self {
        let mut walk = Self::steady();
        walk.start("v4.4.0");
        walk.work(well);
        walk
    }

    /// Every phase up to validate is done and people are asked.
    pub(crate) fn asking() -> Self {
        let mut walk = Self::started();
        for _ in 0..6 {
            walk.next();
            walk.work(well);
        }
        walk.ask();
        walk
    }

    /// Both groups have approved.
    pub(crate) fn approved() -> Self {
        let mut walk = Self::asking();
        walk.wait(600);
        walk.approve("curator-a", "business");
        walk.wait(300);
        walk.approve("engineer-b", "tech");
        walk
    }

    /// Users are on sydney, the soak runs.
    pub(crate) fn soaking() -> Self {
        let mut walk = Self::approved();
        walk.next();
        walk.work(well);
        walk.next();
        walk.work(well);
        walk.next();
        walk.wait(120);
        walk
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now = self.now.plus_seconds(seconds);
    }

    fn append(&mut self, by: &str, body: Body) {
        replay(&mut self.life, &Entry { at: self.now, body: body.clone() }, by).unwrap();
        let bytes = self.lines.last().map(|line| serde_json::to_vec(line).unwrap());
        let open = self.life.record.run.as_ref().map(|run| run.number);
        let ending = self.life.record.runs;
        let decided = matches!(body, Body::Decided { .. });
        self.lines.push(Line {
            v: 1,
            seq: self.lines.len() as u64 + 1,
            at: self.now,
            wall: None,
            system: SystemName::from("gigadb"),
            epoch: self.life.record.epoch,
            run: open.or(decided.then_some(ending)),
            by: Actor { name: by.to_owned(), identity: Identity::Os },
            body,
            prev: bytes.map(|it| Digest::of(&it)).unwrap_or_default(),
        });
    }

    pub(crate) fn note(&mut self, text: &str, evidence: Vec<Evidence>, facts: Vec<Fact>) {
        self.append("mira", Body::Note { text: text.to_owned(), reason: None, evidence, facts });
    }

    pub(crate) fn tell(&mut self, by: &str, input: Input, told: Told) {
        let rules = match &input {
            Input::Start(begin) => begin.rules.clone(),
            _ => self.life.rules.clone(),
        };
        let (record, state) = (&self.life.record, self.life.state);
        let turned = step(&rules, record, state, input, by, self.now, told).unwrap();
        self.append(by, turned.entry.body);
    }

    pub(crate) fn start(&mut self, version: &str) {
        let begin = Begin {
            kind: Kind::Release,
            version: Some(version.to_owned()),
            production: self.life.record.production().unwrap().clone(),
            standby: site("sydney"),
            workflow: Digest::of(b"the workflow"),
            rules: rules(&self.workflow),
            outside: vec![],
            loss_accepted: false,
        };
        self.tell("mira", Input::Start(Box::new(begin)), Told::default());
    }

    pub(crate) fn next(&mut self) {
        self.wait(60);
        self.tell("mira", Input::Next, Told::default());
    }

    /// People are asked about what lies there now.
    pub(crate) fn ask(&mut self) {
        let parts = ["backup", "release", "switch"];
        let values = ["live_202611280810.backup, 412 MiB", "v4.4.0", "gigadb.org: hk → sydney"];
        let parts = parts.into_iter().zip(values).map(|(a, b)| (a.to_owned(), b.to_owned()));
        let (digest, parts) = (Digest::of(b"packet"), parts.collect::<BTreeMap<_, _>>());
        self.note("approval is asked for", vec![], vec![Fact::Packet { digest, parts }]);
        self.next();
    }

    pub(crate) fn approve(&mut self, by: &str, group: &str) {
        let packet = self.life.record.packet.unwrap();
        let input = Input::Approve { packet, by: by.to_owned(), groups: vec![group.to_owned()] };
        self.tell(by, input, Told::default());
    }

    /// People say something with a reason.
    pub(crate) fn say(&mut self, input: Input, reason: &str) {
        self.wait(60);
        self.tell("mira", input, (Some(reason.to_owned()), vec![], vec![]));
    }

    /// What the conductor does: every wanted step, until nothing is wanted.
    pub(crate) fn work(&mut self, ends: impl Fn(&str) -> Ended) {
        while self.work_one(&ends) {}
    }

    /// One wanted step; false when nothing is wanted.
    pub(crate) fn work_one(&mut self, ends: &impl Fn(&str) -> Ended) -> bool {
        let wanted = resume(&self.life.rules, &self.life.record, self.life.state);
        for effect in wanted {
            match effect {
                Effect::Run { at, step } => {
                    let found = self.workflow.step(at.phase, step).unwrap().clone();
                    let ended = ends(found.id.as_str());
                    let back = at.way == Way::Back;
                    if !found.is_check() {
                        self.intend(at.phase, step, &found.id, found.kind(), back);
                    }
                    self.wait(lasts(found.kind()));
                    let facts =
                        if ended == Ended::Done { self.facts(&found.id, back) } else { vec![] };
                    let read = evidence(self.now, found.kind(), says(ended));
                    self.tell("mira", Input::Step { step, ended }, (None, vec![read], facts));
                    return true;
                }
                Effect::Settle => {
                    self.tell("mira", Input::Settled, Told::default());
                    return true;
                }
                Effect::Ask(_) | Effect::Wake(_) | Effect::Tell(_) => (),
            }
        }
        false
    }

    /// Begins the next wanted step and gets no further.
    pub(crate) fn begin_one(&mut self) {
        let State::Doing { at, left, .. } = self.life.state else { panic!("nothing is done") };
        let step = u8::try_from(left.trailing_zeros()).unwrap();
        let found = self.workflow.step(at.phase, step).unwrap().clone();
        self.intend(at.phase, step, &found.id, found.kind(), at.way == Way::Back);
    }

    fn intend(&mut self, phase: Phase, step: u8, id: &StepId, action: &str, back: bool) {
        let (from, to) = if back { ("sydney", "hk") } else { ("hk", "sydney") };
        let moving = Fact::RolesMoving { from: site(from), to: site(to) };
        let facts = if action == "switch" { vec![moving] } else { vec![] };
        let change = Change {
            verb: if action == "switch" { Verb::Change } else { Verb::Run },
            key: format!("{action}/{id}"),
            old: (action == "switch").then(|| from.to_owned()),
            new: (action == "switch").then(|| to.to_owned()),
            sentence: format!("{action} is carried out"),
        };
        let intent = Intent {
            phase,
            step,
            id: id.clone(),
            action: action.to_owned(),
            op: OpId::of("9f86", 1, phase.name(), id.as_str(), action, ""),
            attempt: 1,
            changes: vec![change],
            observed: vec![],
            facts,
        };
        self.append("mira", Body::Intent(intent));
    }

    fn facts(&self, id: &StepId, back: bool) -> Vec<Fact> {
        let old = site("hk");
        let new = if back { site("hk") } else { site("sydney") };
        let job = |job: &str, name: &str| Owed::Job { job: job.to_owned(), site: site(name) };
        match id.as_str() {
            "build" => vec![Fact::Release { site: site("sydney"), version: "v4.4.0".to_owned() }],
            "embargo" => vec![Fact::EmbargoOn {
                site: old,
                embargo: Embargo {
                    run: 1,
                    owner: String::new(),
                    scope: vec!["content".to_owned(), "schema".to_owned()],
                    reason: "release v4.4.0".to_owned(),
                    since: self.now,
                    until: self.now.plus_seconds(12 * 3600),
                },
            }],
            "reset-off" => vec![Fact::Owe { owed: job("databaseReset", "sydney") }],
            "backup-off" => vec![Fact::Owe { owed: job("s3backup", "hk") }],
            "confirm" => vec![Fact::RolesSettled { production: new }],
            "backup-on" => vec![Fact::Pay { owed: job("s3backup", "hk") }],
            "lift" => {
                let mut facts = vec![Fact::EmbargoOff { site: new }];
                facts.extend((!back).then_some(Fact::EmbargoOff { site: old }));
                facts
            }
            "reset-on" => vec![Fact::Pay { owed: job("databaseReset", "sydney") }],
            _ => vec![],
        }
    }

    /// What `app::glance` would give.
    pub(crate) fn glance(&self) -> Glance {
        Glance {
            armed: None,
            system: SystemName::from("gigadb"),
            workflow: Some(Arc::clone(&self.workflow)),
            life: self.life.clone(),
            lines: self.lines.clone(),
            holder: self.holder.clone(),
            differs: vec![],
            now: self.now,
        }
    }
}

fn lasts(kind: &str) -> i64 {
    match kind {
        "gitlab.play" => 402,
        "host.run" => 1_083,
        "switch" => 3,
        "switch.confirm" => 62,
        _ => 2,
    }
}

fn says(ended: Ended) -> &'static str {
    match ended {
        Ended::Done => "as wanted",
        Ended::Failed => "not as wanted: got 503 instead of 200",
        Ended::Unknown => "no answer within 20s",
    }
}
