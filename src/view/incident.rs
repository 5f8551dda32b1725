//! The last failover: what was accepted, how the lost site is fenced, how long it took.

use serde::Serialize;

use crate::machine::{Consent, Fact, Incident, Line};
use crate::model::{SiteName, StepId, Time};
use crate::view::Look;
use crate::view::rto::{Rto, rto};
use crate::view::status::facts;
use crate::view::words::lasting;

/// One part of the fence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FenceView {
    /// The step.
    pub part: StepId,
    /// `done`, `not reachable`, `refused`, or `not tried`.
    pub how: &'static str,
    /// Since when it stands so.
    pub at: Option<Time>,
    /// What was seen.
    pub says: String,
}

/// The last failover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentView {
    /// The run.
    pub run: u32,
    /// The site that was given up.
    pub lost: SiteName,
    /// When.
    pub at: Time,
    /// What the witnesses amounted to.
    pub diagnosis: String,
    /// What was accepted as lost, in one sentence.
    pub accepted: String,
    /// What was really lost, once somebody could see it.
    pub found: Option<String>,
    /// What else is missing.
    pub missing: Vec<String>,
    /// How the parts of the fence stand.
    pub fence: Vec<FenceView>,
    /// How long it took.
    pub rto: Option<Rto>,
}

/// What a failover cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// What was accepted, in one sentence.
    pub accepted: String,
    /// What was really lost, once somebody could see it.
    pub found: Option<String>,
}

/// What the failover that this run is cost, by the journal's lines; `None` where it is none.
pub(crate) fn lost(lines: &[Line], run: u32) -> Option<Lost> {
    let mut lost: Option<Lost> = None;
    for fact in lines.iter().flat_map(|line| facts(line).iter().map(move |it| (line.run, it))) {
        if let (own, Fact::Consented { consent }) = fact {
            if lost.is_some() {
                // The next failover: what is found from here on is its loss.
                break;
            }
            lost = (own == Some(run)).then(|| Lost { accepted: accepted(consent), found: None });
        } else if let ((_, Fact::LossFound { says }), Some(lost)) = (fact, &mut lost) {
            lost.found = Some(says.clone());
        }
    }
    lost
}

/// The last failover, as long as it is open, its site is quarantined, or a part of its fence is owed.
pub(crate) fn incident(look: &Look<'_>) -> Option<IncidentView> {
    let record = &look.life.record;
    let it = record.incident.as_ref()?;
    let shown = record.failing_over().is_some()
        || record.quarantined.as_ref() == Some(&it.consent.lost)
        || !record.unfenced().is_empty();
    let target = look.workflow.and_then(|it| it.failover.as_ref()?.target);
    shown.then(|| IncidentView {
        run: it.run,
        lost: it.consent.lost.clone(),
        at: it.at,
        diagnosis: it.consent.diagnosis.clone(),
        accepted: accepted(&it.consent),
        found: it.found.clone(),
        missing: it.consent.missing.clone(),
        fence: fence(look, it),
        rto: rto(look.lines, Some(it.run), target.map(crate::workflow::Lasting::as_seconds)),
    })
}

fn accepted(consent: &Consent) -> String {
    match (consent.figure, consent.accepted) {
        (Some(figure), Some(most)) => {
            format!("up to {} of writes, {} accepted", lasting(figure), lasting(most))
        }
        (None, _) => "an unknown amount of writes, accepted as unknown".to_owned(),
        (Some(figure), None) => format!("up to {} of writes", lasting(figure)),
    }
}

/// Parts that were tried, and those that are only owed.
fn fence(look: &Look<'_>, it: &Incident) -> Vec<FenceView> {
    let tried = it.fence.iter().map(|(part, fenced)| FenceView {
        part: part.clone(),
        how: fenced.how.name(),
        at: Some(fenced.at),
        says: fenced.says.clone(),
    });
    let owed = look.life.record.unfenced().into_iter();
    let untried = owed
        .filter(|(part, _)| !it.fence.contains_key(part))
        .map(|(part, _)| FenceView { part, how: "not tried", at: None, says: String::new() });
    tried.chain(untried).collect()
}
