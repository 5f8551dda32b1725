//! Entries of a system that goes through one release after the other, as the machine decides them.
//! Shared by tests, the power-cut writer and the bench.

use changeover::fault::Fault;
use changeover::machine::{
    At, Begin, Body, Ended, Fact, Input, Intent, Life, PhaseRule, Rules, State, Told, step,
};
use changeover::model::{
    Actor, Change, Digest, Evidence, Identity, Kind, OpId, Phase, Roles, SiteName, StepId, Time,
    Verb, Way,
};
use changeover::port::{Draft, Journal};

/// The text that every run of the walk is pinned to.
pub(crate) const WORKFLOW: &str = "version: 1\nsystem: gigadb\n";

/// A machine that is told what leads it on.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    /// After the last entry that was adopted.
    pub(crate) life: Life,
}

fn who() -> Actor {
    Actor { name: "rija".to_owned(), identity: Identity::Os }
}

fn rules() -> Rules {
    let phase = |&phase: &Phase| PhaseRule {
        phase,
        steps: vec![
            StepId(format!("{}-first", phase.name())),
            StepId(format!("{}-second", phase.name())),
        ],
        groups: vec![0b01, 0b10],
        skippable: 0,
    };
    let walked: Vec<Phase> =
        Phase::ALL.into_iter().filter(|it| !matches!(it, Phase::Assess | Phase::Fence)).collect();
    Rules {
        phases: walked.iter().map(phase).collect(),
        gate: None,
        soak_seconds: 60,
        failover_soak_seconds: None,
    }
}

impl Walk {
    pub(crate) fn new(life: Life) -> Self {
        Self { life }
    }

    fn at(&self) -> Time {
        Time(self.life.record.now.0.max(1_790_000_000_000_000) + 1_234_567)
    }

    fn draft(&self, body: Body) -> Draft {
        let record = &self.life.record;
        let run = record.run.as_ref().map(|it| it.number);
        Draft { at: self.at(), wall: None, epoch: record.epoch, run, by: who(), body }
    }

    /// The draft that leads on, decided on a copy, with the machine after it.
    pub(crate) fn next(&self) -> (Draft, Life) {
        let site = SiteName::from;
        let record = &self.life.record;
        let Some(roles) = &record.roles else {
            let releases = [(site("hk"), "v1".to_owned()), (site("paris"), "v1".to_owned())].into();
            let init =
                Fact::Initialised { journal: "j1".to_owned(), production: site("hk"), releases };
            let text = "the system was put under this journal".to_owned();
            return self.told(Body::Note {
                text,
                reason: None,
                evidence: vec![],
                facts: vec![init],
            });
        };
        match self.life.state {
            State::Steady => {
                let Roles::Settled { production } = roles else {
                    panic!("roles settle before the end")
                };
                let standby = site(if production.as_str() == "hk" { "paris" } else { "hk" });
                self.decided(
                    Input::Start(Box::new(Begin {
                        kind: Kind::Release,
                        version: Some(format!("v{}", record.runs + 2)),
                        production: production.clone(),
                        standby,
                        workflow: Digest::of(WORKFLOW.as_bytes()),
                        rules: rules(),
                        outside: vec![],
                        loss_accepted: false,
                    })),
                    vec![],
                )
            }
            State::Ready { at } if at.phase == Phase::Soak => self.decided(Input::Accept, vec![]),
            State::Ready { .. } => self.decided(Input::Next, vec![]),
            State::Doing { at, left, .. } => {
                self.work(at, u8::try_from(left.trailing_zeros()).unwrap())
            }
            State::Asking { .. } | State::Settling { .. } | State::Halted { .. } => {
                panic!("nothing fails in this walk")
            }
        }
    }

    fn work(&self, at: At, step: u8) -> (Draft, Life) {
        let run = self.life.record.run.as_ref().unwrap();
        let (from, to) = (run.production.clone(), run.standby.clone());
        let swapping = at.phase == Phase::Swap && at.way == Way::Forth && step == 0;
        if self.life.record.intents.contains_key(&(at.phase, step)) {
            let settled = Fact::RolesSettled { production: to };
            return self.decided(
                Input::Step { step, ended: Ended::Done },
                if swapping { vec![settled] } else { vec![] },
            );
        }
        let id = self.life.rules.step(at.phase, step).unwrap().clone();
        let op = OpId::of("j1", run.number, at.phase.name(), id.as_str(), "command", "done");
        let change = Change {
            verb: Verb::Change,
            key: format!("practice/{id}"),
            old: Some("before".to_owned()),
            new: Some("wanted".to_owned()),
            sentence: format!("make {id} true on {to}"),
        };
        let facts = if swapping { vec![Fact::RolesMoving { from, to }] } else { vec![] };
        self.told(Body::Intent(Intent {
            phase: at.phase,
            step,
            id,
            action: "command".to_owned(),
            op,
            attempt: 1,
            changes: vec![change],
            observed: vec![self.evidence()],
            facts,
        }))
    }

    fn evidence(&self) -> Evidence {
        let data =
            serde_json::json!({"status": 200, "marker": "v1", "body": "it works, ünïcode and all"});
        Evidence {
            source: "https gigadb.org".to_owned(),
            at: self.at(),
            says: "it answers".to_owned(),
            data,
        }
    }

    fn told(&self, body: Body) -> (Draft, Life) {
        let draft = self.draft(body);
        let entry = changeover::machine::Entry { at: draft.at, body: draft.body.clone() };
        let record = self.life.record.after(&entry, &draft.by.name);
        let life = Life { record, ..self.life.clone() };
        (draft, life)
    }

    fn decided(&self, input: Input, facts: Vec<Fact>) -> (Draft, Life) {
        let Life { rules, state, record } = &self.life;
        let rules =
            if let Input::Start(begin) = &input { begin.rules.clone() } else { rules.clone() };
        let told: Told = (None, vec![self.evidence()], facts);
        let turned = step(&rules, record, *state, input, &who().name, self.at(), told)
            .expect("the walk goes on");
        let mut draft = self.draft(turned.entry.body);
        draft.epoch = turned.record.epoch;
        draft.run = draft.run.or(turned.record.run.as_ref().map(|it| it.number));
        (draft, Life { rules, state: turned.state, record: turned.record })
    }

    /// Appends lines until the journal has `upto`; each is acknowledged, adopted and remembered, and the
    /// end of a run begins a segment.
    pub(crate) fn fill(
        &mut self,
        journal: &mut dyn Journal,
        upto: u64,
        acknowledge: &mut dyn FnMut(u64),
    ) -> Result<(), Fault> {
        if journal.head().seq < upto {
            journal.keep(WORKFLOW)?;
        }
        while journal.head().seq < upto {
            let (draft, life) = self.next();
            let over = life.state == State::Steady && self.life.state != State::Steady;
            let line = journal.append(draft)?;
            acknowledge(line.seq);
            self.life = life;
            journal.remember(&self.life);
            if over {
                journal.roll();
            }
        }
        Ok(())
    }
}
