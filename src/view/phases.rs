//! The open run: every phase, walked or to come.

use serde::Serialize;

use crate::machine::{Owed, State, path};
use crate::model::{Kind, Phase, SiteName, Time, Way};
use crate::view::Look;
use crate::view::gate::gate;
use crate::view::story::{Passage, StepStory, Story};
use crate::view::words::{Mark, count, purpose};
use crate::workflow::PhaseSpec;

/// One phase of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseRow {
    /// Which.
    pub phase: Phase,
    /// In which way.
    pub way: Way,
    /// How it stands.
    pub mark: Mark,
    /// How long its work took or takes, seconds.
    pub seconds: Option<i64>,
    /// One sentence.
    pub says: String,
    /// Its steps; only of the phase the run is in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepStory>,
}

/// The open run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// Its number.
    pub number: u32,
    /// What it is for.
    pub kind: Kind,
    /// The release it brings.
    pub version: Option<String>,
    /// In which way it is walked.
    pub way: Way,
    /// Who started it.
    pub requester: String,
    /// When.
    pub started: Time,
    /// Users leave this site.
    pub from: SiteName,
    /// Users go to this site.
    pub to: SiteName,
    /// Checks waived by people, and sites gone without: which, by whom, why.
    pub waived: Vec<String>,
    /// Every phase, walked or to come.
    pub phases: Vec<PhaseRow>,
}

/// The open run, phase by phase.
pub(crate) fn open_run(look: &Look<'_>, story: &Story) -> Option<RunView> {
    let at = look.life.state.at()?;
    let way = match look.life.state {
        State::Settling { to, .. } => to,
        State::Steady
        | State::Doing { .. }
        | State::Ready { .. }
        | State::Asking { .. }
        | State::Halted { .. } => at.way,
    };
    let last = story.passages.len().saturating_sub(1);
    let walked = story.passages.iter().enumerate();
    let mut phases: Vec<_> = walked.map(|(i, it)| walked_row(look, it, i == last)).collect();
    let order = path(story.kind, way);
    let here = if way == at.way { order.iter().position(|it| *it == at.phase) } else { None };
    let rest = order.iter().skip(here.map_or(0, |here| here + 1));
    phases.extend(rest.map(|phase| row_to_come(look, *phase, way)));
    let waived = look.life.record.run.iter().flat_map(|run| run.waived.iter());
    let without = look.life.record.run.iter().flat_map(|run| run.without.iter());
    let without =
        without.map(|(site, it)| format!("what {site} does not tell, by {}: {}", it.by, it.reason));
    let waived = waived.map(|(check, waiver)| waiver.sentence(check)).chain(without).collect();
    Some(RunView {
        number: story.number,
        kind: story.kind,
        version: story.version.clone(),
        way,
        requester: story.requester.clone(),
        started: story.started,
        from: story.from.clone(),
        to: story.to.clone(),
        waived,
        phases,
    })
}

fn walked_row(look: &Look<'_>, passage: &Passage, last: bool) -> PhaseRow {
    let (phase, way) = (passage.phase, passage.way);
    let seconds = passage.ended.unwrap_or(look.now).seconds_since(passage.entered);
    let row = |mark, seconds, says, steps| PhaseRow { phase, way, mark, seconds, says, steps };
    if let Some(reason) = skipped(look, phase) {
        return row(Mark::Skipped, None, reason, vec![]);
    }
    let steps = if last && passage.mark != Mark::Done { passage.steps.clone() } else { vec![] };
    row(passage.mark, Some(seconds), passage_says(look, passage, last), steps)
}

fn passage_says(look: &Look<'_>, passage: &Passage, last: bool) -> String {
    let with = |mark| passage.steps.iter().filter(move |it| it.mark == mark);
    let ids = |mark| with(mark).map(|it| it.id.as_str()).collect::<Vec<_>>().join(", ");
    match passage.mark {
        Mark::Done if passage.phase == Phase::Soak => "over".to_owned(),
        Mark::Done => count(passage.steps.len(), "step"),
        Mark::Failed | Mark::Unknown => {
            let sure = ids(Mark::Failed);
            let unsure = ids(Mark::Unknown);
            match (sure.is_empty(), unsure.is_empty()) {
                (false, true) => format!("{sure} failed"),
                (true, false) => format!("nobody knows how {unsure} ended"),
                (false, false) => format!("{sure} failed; nobody knows how {unsure} ended"),
                (true, true) => "rejected or expired".to_owned(),
            }
        }
        Mark::Waiting if last && passage.phase == Phase::Soak => "waits for accept".to_owned(),
        Mark::Waiting => gate(look).map_or_else(String::new, |gate| {
            let (got, needed) = gate.tally();
            format!("{got} of {needed} approvals")
        }),
        Mark::Doing => {
            format!("{} of {} begun are done", with(Mark::Done).count(), passage.steps.len())
        }
        Mark::ToCome | Mark::Skipped => String::new(),
    }
}

fn skipped(look: &Look<'_>, phase: Phase) -> Option<String> {
    match look.workflow?.phase(phase)? {
        PhaseSpec::Skip(reason) => Some(reason.clone()),
        PhaseSpec::Steps(_) => None,
    }
}

fn row_to_come(look: &Look<'_>, phase: Phase, way: Way) -> PhaseRow {
    let untouched = way == Way::Abort
        && phase == Phase::Renew
        && !look.life.record.owed.contains(&Owed::Standby);
    let reason = skipped(look, phase)
        .or_else(|| untouched.then(|| "nothing went onto the standby".to_owned()));
    let mark = if reason.is_some() { Mark::Skipped } else { Mark::ToCome };
    let says = reason.unwrap_or_else(|| purpose(phase, way).to_owned());
    PhaseRow { phase, way, mark, seconds: None, says, steps: vec![] }
}
