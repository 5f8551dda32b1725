//! What each run did, folded from the journal's lines.

use serde::Serialize;

use crate::machine::{Body, Closed, Ended, Fact, Input, Line, Rules, State, Steps};
use crate::model::{Evidence, Kind, Phase, SiteName, StepId, Time, Way, telling};
use crate::view::words::Mark;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It came to its end.
    Finished,
    /// Users went back.
    RolledBack,
    /// It was given up before the swap.
    Aborted,
    /// It was ended with something owed.
    Closed,
}

/// One step of a passage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepStory {
    /// Which.
    pub id: StepId,
    /// How it stands.
    pub mark: Mark,
    /// When it was last begun.
    pub began: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// How often it was begun.
    pub tried: u32,
    /// What was seen last, or was going to be changed.
    pub says: Option<String>,
}

/// One phase walked through once, in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Passage {
    /// Which phase.
    pub phase: Phase,
    /// In which way.
    pub way: Way,
    /// How it stands.
    pub mark: Mark,
    /// When it was entered.
    pub entered: Time,
    /// When its work was done, or it was left.
    pub ended: Option<Time>,
    /// Its steps that have begun.
    pub steps: Vec<StepStory>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Its number.
    pub number: u32,
    /// What it is for.
    pub kind: Kind,
    /// The release it brings.
    pub version: Option<String>,
    /// Who started it.
    pub requester: String,
    /// Production when it started.
    pub from: SiteName,
    /// The other site.
    pub to: SiteName,
    /// When it started.
    pub started: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// How it ended.
    pub end: Option<End>,
    /// The phases it walked, in order.
    pub passages: Vec<Passage>,
    /// What its workflow means for the machine.
    #[serde(skip)]
    rules: Rules,
}

/// The runs of a journal, oldest first.
pub fn stories(lines: &[Line]) -> Vec<Story> {
    let mut told: Vec<Story> = vec![];
    for line in lines {
        if let Body::Decided { input: Input::Start(begin), .. } = &line.body {
            told.push(Story {
                number: u32::try_from(told.len() + 1).unwrap_or(u32::MAX),
                kind: begin.kind,
                version: begin.version.clone(),
                requester: line.by.name.clone(),
                from: begin.production.clone(),
                to: begin.standby.clone(),
                started: line.at,
                ended: None,
                end: None,
                passages: vec![],
                rules: begin.rules.clone(),
            });
        }
        if let Some(story) = told.last_mut().filter(|story| story.end.is_none()) {
            story.hear(line);
        }
    }
    told
}

impl Story {
    fn hear(&mut self, line: &Line) {
        match &line.body {
            Body::Decided { input, from, to, evidence, facts, reason } => {
                self.input(line, input, *from, evidence, reason.as_deref());
                facts.iter().for_each(|fact| self.fact(fact, line.at));
                self.moved(line.at, input, *from, *to);
            }
            Body::Intent(intent) => {
                let says = intent.changes.first().map(|change| change.sentence.clone());
                if let Some(step) = self.step(intent.phase, &intent.id) {
                    step.says = says;
                }
            }
            Body::Note { facts, .. } => facts.iter().for_each(|fact| self.fact(fact, line.at)),
            Body::Refused { .. } => (),
        }
    }

    fn input(
        &mut self,
        line: &Line,
        input: &Input,
        from: State,
        evidence: &[Evidence],
        reason: Option<&str>,
    ) {
        let Some(at) = from.at() else { return };
        if let Input::Amend { rules, .. } = input {
            self.rules = (**rules).clone();
        }
        if let Input::Step { step, ended } = input {
            let says = telling(evidence, *ended == Ended::Done).map(|it| it.says.clone());
            self.ended(at.phase, *step, mark_of(*ended), line.at, says);
        }
        if let Input::Resolve { step, done } = input {
            let mark = if *done { Mark::Done } else { Mark::Failed };
            let says = Some(format!("{} says so{}", line.by.name, because(reason)));
            self.ended(at.phase, *step, mark, line.at, says);
        }
        if let Input::Skip { steps } = input {
            for step in bits(*steps) {
                let says = Some(format!("skipped by {}{}", line.by.name, because(reason)));
                self.ended(at.phase, step, Mark::Skipped, line.at, says);
            }
        }
    }

    fn fact(&mut self, fact: &Fact, at: Time) {
        if let Fact::Settled(Closed { phase, step, ended }) = fact {
            self.ended(*phase, *step, mark_of(*ended), at, None);
        }
    }

    fn step(&mut self, phase: Phase, id: &StepId) -> Option<&mut StepStory> {
        let passage = self.passages.iter_mut().rev().find(|it| it.phase == phase)?;
        passage.steps.iter_mut().find(|it| it.id == *id)
    }

    fn ended(&mut self, phase: Phase, step: u8, mark: Mark, at: Time, says: Option<String>) {
        let Some(id) = self.rules.step(phase, step).cloned() else { return };
        if let Some(story) = self.step(phase, &id) {
            story.mark = mark;
            story.ended = Some(at);
            story.says = says.or_else(|| story.says.take());
        }
    }

    fn moved(&mut self, now: Time, input: &Input, from: State, to: State) {
        if let State::Doing { at, .. } | State::Ready { at } = to {
            // A failover may have interrupted what it was opened for.
            self.kind = at.kind;
        }
        let Some(at) = to.at() else {
            self.leave(now);
            self.ended = Some(now);
            self.end = Some(how_it_ended(input, from));
            return;
        };
        let here = self.passages.last().is_some_and(|it| it.phase == at.phase && it.way == at.way);
        if !here {
            self.leave(now);
            let (phase, way) = (at.phase, at.way);
            let (mark, steps) = (Mark::Doing, vec![]);
            self.passages.push(Passage { phase, way, mark, entered: now, ended: None, steps });
        }
        let rules = &self.rules;
        let Some(passage) = self.passages.last_mut() else { return };
        passage.stands(now, to);
        if let State::Doing { left, .. } = to {
            let ids: Vec<_> =
                bits(left).filter_map(|step| rules.step(at.phase, step)).cloned().collect();
            ids.into_iter().for_each(|id| passage.begin(id, now));
        }
    }

    fn leave(&mut self, now: Time) {
        if let Some(passage) = self.passages.last_mut() {
            passage.ended.get_or_insert(now);
            let over = matches!(passage.mark, Mark::Doing | Mark::Waiting)
                && passage.steps.iter().all(|it| matches!(it.mark, Mark::Done | Mark::Skipped));
            if over {
                passage.mark = Mark::Done;
            }
        }
    }
}

impl Passage {
    /// A step that is being done stays as it is; one that has ended begins again.
    fn begin(&mut self, id: StepId, now: Time) {
        if let Some(step) = self.steps.iter_mut().find(|it| it.id == id) {
            if step.mark != Mark::Doing {
                (step.mark, step.began, step.ended) = (Mark::Doing, now, None);
                step.tried += 1;
            }
            return;
        }
        let (mark, ended, says) = (Mark::Doing, None, None);
        self.steps.push(StepStory { id, mark, began: now, ended, tried: 1, says });
    }

    fn stands(&mut self, now: Time, state: State) {
        (self.mark, self.ended) = match state {
            State::Ready { at } if at.phase == Phase::Soak => (Mark::Waiting, None),
            State::Steady | State::Ready { .. } => (Mark::Done, self.ended.or(Some(now))),
            State::Doing { .. } | State::Settling { .. } => (Mark::Doing, None),
            State::Asking { .. } => (Mark::Waiting, None),
            State::Halted { failed: 0, unknown, .. } if unknown != 0 => (Mark::Unknown, Some(now)),
            State::Halted { .. } => (Mark::Failed, Some(now)),
        };
    }
}

fn how_it_ended(input: &Input, from: State) -> End {
    if matches!(input, Input::Close) {
        return End::Closed;
    }
    let way = match from {
        State::Settling { to, .. } => to,
        State::Steady
        | State::Doing { .. }
        | State::Ready { .. }
        | State::Asking { .. }
        | State::Halted { .. } => from.at().map_or(Way::Forth, |at| at.way),
    };
    match way {
        Way::Forth => End::Finished,
        Way::Back => End::RolledBack,
        Way::Abort => End::Aborted,
    }
}

const fn mark_of(ended: Ended) -> Mark {
    match ended {
        Ended::Done => Mark::Done,
        Ended::Failed => Mark::Failed,
        Ended::Unknown => Mark::Unknown,
    }
}

/// The steps of a set.
pub(crate) fn bits(steps: Steps) -> impl Iterator<Item = u8> {
    (0..64_u8).filter(move |bit| steps >> bit & 1 == 1)
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}
