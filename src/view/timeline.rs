//! One run as phases against time.

use serde::Serialize;

use crate::model::Time;
use crate::view::Look;
use crate::view::embargo::{embargoes, overdue};
use crate::view::incident::{Lost, lost};
use crate::view::rto::{Rto, rto};
use crate::view::story::{Story, stories};
use crate::view::way_back::{WayBack, measured, way_back};
use crate::view::words::Mark;

/// One phase's or step's part of the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// The phase, or `phase/step`.
    pub name: String,
    /// How it stands or ended.
    pub mark: Mark,
    /// When it began.
    pub began: Time,
    /// When it ended, or now.
    pub ended: Time,
    /// How often it was begun.
    pub tried: u32,
    /// What was seen last.
    pub says: Option<String>,
    /// Its steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Self>,
}

/// One run's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// The run.
    pub run: Story,
    /// Its phases in the order walked.
    pub bars: Vec<Bar>,
    /// The end of the picture: the run's end, or now.
    pub until: Time,
    /// Embargoes that nobody lifted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// What was lost, if it was a failover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// How long users were without production, if it was a failover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto: Option<Rto>,
    /// What going back would cost now, while the run is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way_back: Option<WayBack>,
}

/// The timeline of a run of this system, the last one when no number is given.
pub fn run(look: &Look<'_>, number: Option<u32>) -> Option<Timeline> {
    let told = stories(look.lines);
    let mut found = told.into_iter().rev();
    let run = found.find(|story| number.is_none_or(|number| story.number == number))?;
    let until = run.ended.unwrap_or(look.now);
    let bars = run.passages.iter().map(|passage| {
        let steps = passage.steps.iter().map(|step| Bar {
            name: format!("{}/{}", passage.phase.name(), step.id),
            mark: step.mark,
            began: step.began,
            ended: step.ended.unwrap_or(until),
            tried: step.tried,
            says: step.says.clone(),
            steps: vec![],
        });
        Bar {
            name: passage.phase.name().to_owned(),
            mark: passage.mark,
            began: passage.entered,
            ended: passage.ended.unwrap_or(until),
            tried: 1,
            says: None,
            steps: steps.collect(),
        }
    });
    let bars = bars.collect();
    let target = look.workflow.and_then(|it| it.failover.as_ref()?.target);
    let target = target.map(crate::workflow::Lasting::as_seconds);
    let rto = rto(look.lines, Some(run.number), target);

    let faults = overdue(look, &embargoes(look));
    let way_back = run.end.is_none().then(|| way_back(look.life, None, &measured(look.lines)));
    let lost = lost(look.lines, run.number);
    Some(Timeline { run, bars, until, faults, lost, rto, way_back })
}
