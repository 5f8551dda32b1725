//! Where the world differs from the journal: the disagreements by name, and what of the world may be adopted.
//!
//! Pure: [`compare`] is given what the journal says and what one look saw. What could not be read is never
//! "no drift": it is listed as unknown. Who is production is read from the switch, all records of it matched
//! to the addresses each site owns now; the journal's production only stands in where the switch is not whole.

mod adopt;
mod group;
mod jobs;
mod marks;
mod name;
mod records;
mod writes;

use serde::Serialize;

pub use adopt::{Adoption, adoption};
pub use name::Name;

use crate::machine::{At, Life, Record, State};
use crate::model::{Evidence, Phase, Roles, Sight, SiteName, Time};
use crate::workflow::Workflow;

/// What is known without looking.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The workflow the open run is pinned to, or the file's.
    pub workflow: &'a Workflow,
    /// What the journal folds to.
    pub life: &'a Life,
    /// A conductor holds the lock: what it is changing is not drift.
    pub working: bool,
    /// Now.
    pub now: Time,
}

/// One disagreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is called.
    pub name: Name,
    /// The site it is about, if it is one.
    pub site: Option<SiteName>,
    /// What it is about: a record, a job, a zone.
    pub subject: String,
    /// What the journal or the workflow says.
    pub declared: String,
    /// What was seen.
    pub observed: String,
    /// Since when, if anybody says so.
    pub since: Option<Time>,
    /// What was read, each with its time.
    pub evidence: Vec<Evidence>,
    /// What settles it, for people.
    pub settle: String,
    /// The command that settles it, if one does.
    pub command: Option<String>,
}

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The site that is production by every record of the switch.
    pub production: Option<SiteName>,
    /// Disagreements, worst first.
    pub differences: Vec<Difference>,
    /// What could not be read.
    pub unknown: Vec<Evidence>,
    /// What people must know of how it was read.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether there is a difference of this name.
    pub fn has(&self, name: Name) -> bool {
        self.differences.iter().any(|it| it.name == name)
    }
}

/// Compares what the journal says with what one look saw.
pub fn compare(known: &Known<'_>, sight: &Sight) -> Report {
    let group = group::Group::of(known, sight);
    let mut differences = records::differences(known, sight, &group);
    differences.extend(writes::differences(known, sight, &group));
    differences.extend(jobs::differences(known, sight, &group));
    differences.extend(marks::differences(known, sight));
    differences.sort_by(|a, b| (a.name, &a.site, &a.subject).cmp(&(b.name, &b.site, &b.subject)));
    let notes =
        sight.addresses.iter().filter(|(_, part)| part.known().is_none()).map(|(site, _)| {
            format!(
                "the addresses of {site} could not be read: those the journal last had are used"
            )
        });
    Report {
        production: group.whole().cloned(),
        differences,
        unknown: sight.unread(),
        notes: notes.chain(writes::notes(known, sight, &group)).collect(),
    }
}

impl<'a> Known<'a> {
    /// What the journal says is true.
    const fn record(&self) -> &'a Record {
        &self.life.record
    }

    /// The site that the journal calls production, when no users are being moved.
    fn settled(&self) -> Option<&'a SiteName> {
        match &self.record().roles {
            Some(Roles::Settled { production }) => Some(production),
            Some(Roles::Moving { .. }) | None => None,
        }
    }

    /// The other site.
    fn other(&self, site: &SiteName) -> Option<&'a SiteName> {
        self.workflow.other(site)
    }

    fn at(&self) -> Option<At> {
        self.life.state.at()
    }

    /// A step of this kind may be changing this very thing: its intent has no outcome, and its change's key
    /// ends so.
    fn in_flux(&self, action: &str, ending: &str) -> bool {
        self.record().intents.values().any(|it| {
            it.intent.action.starts_with(action)
                && it.intent.changes.iter().any(|change| change.key.ends_with(ending))
        })
    }

    /// This phase is being worked on, or stopped half-way.
    fn inside(&self, phases: &[Phase]) -> bool {
        let place = self.at().filter(|at| phases.contains(&at.phase));
        place.is_some() && !matches!(self.life.state, State::Ready { .. })
    }

    /// The command that goes on with the open run from where it stands.
    fn go_on(&self) -> Option<String> {
        let command = match self.life.state {
            State::Steady => return None,
            State::Doing { .. } | State::Settling { .. } => "run resume",
            State::Halted { .. } => "run retry",
            State::Ready { at } if at.phase == Phase::Swap => "run retry",
            State::Ready { .. } => "release next",
            State::Asking { .. } => "release approve",
        };
        Some(format!("changeover {command}"))
    }
}

/// The command that records that the world is right.
fn adopt(production: &SiteName) -> String {
    format!("changeover drift adopt --confirm {production} --reason TEXT")
}
