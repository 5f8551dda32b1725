//! Pictures of a life for people and programs: pure, serialisable, the same for every face.
//!
//! [`story`] folds journal lines to what each run did; [`status`] says where a system stands, is it true,
//! what next; [`run`] is one run's timeline; [`log_line`] and [`entry`] show lines of the journal. [`render`]
//! turns them into text. Nothing here decides: what is allowed comes from [`crate::machine::allowed`].

mod armed;
mod commands;
mod embargo;
mod gate;
mod incident;
mod ledger;
mod log;
mod next;
mod phases;
pub mod render;
mod rto;
mod seen;
mod sentence;
mod status;
mod story;
mod table;
mod timeline;
mod way_back;
pub mod words;

pub use armed::{ArmedView, armed};
pub use commands::{Allowed, allowed, commands_for, soak_end};
pub use embargo::{EmbargoView, KeptView, embargoes, kept, overdue};
pub use gate::{Gate, GroupOfPeople};
pub use incident::{FenceView, IncidentView};
pub use ledger::{How, LedgerRow, Proof, ledger};
pub use log::{EntryView, entry, log_line, with_rules};
pub use next::{Next, Target, after_next, next, target, what_next};
pub use phases::{PhaseRow, RunView};
pub use rto::{Rto, rto};
pub use seen::{Heard, SeenView, Told};
pub use sentence::{says, sentence, users};
pub use status::{IntentView, SiteView, StatusView, facts, status};
pub use story::{End, Passage, StepStory, Story, stories};
pub use table::{OBSERVED, Observed, Table, table};
pub use timeline::{Bar, Timeline, run};
pub use way_back::{Loses, WayBack, measured, way_back};
pub use words::Mark;

use serde::Serialize;

use crate::machine::{Life, Line};
use crate::model::{SiteName, SystemName, Time};
use crate::workflow::Workflow;

/// All that a picture is made of.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Whose picture.
    pub system: &'a SystemName,
    /// What the journal folds to.
    pub life: &'a Life,
    /// The workflow, if its file can be read.
    pub workflow: Option<&'a Workflow>,
    /// The journal's lines, from the first.
    pub lines: &'a [Line],
    /// When the picture is taken.
    pub now: Time,
    /// Outside addresses that are not the services' own.
    pub differs: &'a [String],
    /// Who holds the lock: a conductor is at work.
    pub holder: Option<&'a str>,
}

/// Stands for a system whose name the commands need not say.
static UNNAMED: SystemName = SystemName(String::new());

impl<'a> Look<'a> {
    /// The look of the conductor at work on this life: it holds the lock, its last line is now.
    pub fn at_work(life: &'a Life) -> Self {
        let (system, now, holder) = (&UNNAMED, life.record.now, Some("this command"));
        Self { system, life, workflow: None, lines: &[], now, differs: &[], holder }
    }

    /// The site that is not production, as far as anybody has said.
    pub fn standby(&self) -> Option<&SiteName> {
        let production = self.life.record.production()?;
        let run = self.life.record.run.iter().flat_map(|run| [&run.production, &run.standby]);
        let named = self.workflow.into_iter().flat_map(|it| it.sites.keys());
        run.chain(named).chain(self.life.record.releases.keys()).find(|site| *site != production)
    }
}

/// A document for programs: its schema's name, whose it is, then what it says.
#[derive(Clone, Debug, Serialize)]
pub struct Document<T> {
    /// For example `changeover.status/v1`.
    pub schema: &'static str,
    /// What it says.
    #[serde(flatten)]
    pub says: T,
}
