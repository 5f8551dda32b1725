//! A release in the way: what a failover does when one is asked for while a run is open.
//!
//! The table is phase × what is lost. Nothing on any way out loads data over the only whole copy there is.

use serde::Serialize;

use crate::model::{Phase, Way};

/// What an incident has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Affected {
    /// The site that is production, or that users are leaving.
    Production,
    /// The other site.
    Standby,
    /// Nobody can tell.
    CannotTell,
}

impl Affected {
    /// All, in the order of the table.
    pub const ALL: [Self; 3] = [Self::Production, Self::Standby, Self::CannotTell];

    /// Its name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production lost",
            Self::Standby => "standby lost",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Onward {
    /// The run is left and becomes a failover.
    FailOver,
    /// The same, if the other site's data is whole; else the load is waited for.
    FailOverIfWhole,
    /// Refused: the run goes on, it leads away from what is lost.
    GoOn,
    /// Refused: the run goes back, users stay on or return to what is left.
    GoBack,
    /// Refused: going back is given up, users stay where they are.
    Stay,
    /// Refused: nothing is moved before it can be told.
    Look,
    /// Refused: the run is ended with something owed; production serves.
    Close,
}

impl Onward {
    /// Its words in the table.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FailOver => "fail over",
            Self::FailOverIfWhole => "fail over if the data is whole, else wait for the load",
            Self::GoOn => "refuse: go on",
            Self::GoBack => "refuse: go back",
            Self::Stay => "refuse: give up going back",
            Self::Look => "refuse: look again",
            Self::Close => "refuse: close the run",
        }
    }

    /// The nearest way on when it is refused.
    pub const fn command(self, way: Way, phase: Phase) -> &'static str {
        match self {
            Self::FailOver => "changeover failover",
            Self::FailOverIfWhole => "changeover run retry",
            // The soak alone is ended by a person's word.
            Self::GoOn if matches!(phase, Phase::Soak) => "changeover release accept",
            Self::GoOn => "changeover release next",
            Self::GoBack => match (way, phase) {
                (Way::Forth, Phase::Swap | Phase::Sanity | Phase::Soak) => {
                    "changeover release rollback --reason TEXT"
                }
                (Way::Forth | Way::Back | Way::Abort, _) => {
                    "changeover release abort --reason TEXT"
                }
            },
            Self::Stay => "changeover release abort --reason TEXT",
            Self::Look => "changeover failover --dry-run",
            Self::Close => "changeover run close --reason TEXT",
        }
    }

    /// Why it is so.
    pub const fn why(self) -> &'static str {
        match self {
            Self::FailOver => "the other site holds a whole copy",
            Self::FailOverIfWhole => {
                "data is being replaced there: until the load has ended it holds no whole copy"
            }
            Self::GoOn => "users are, or will be, on the site that is left",
            Self::GoBack => "users would be moved to the site that is lost",
            Self::Stay => "users would be sent back to the site that is lost",
            Self::Look => "moving users on a guess could make two sites of one",
            Self::Close => "what is still to be done needs the site that is lost",
        }
    }
}

/// The cell of the table: a run walked this way stands in this phase, and this is lost.
pub const fn onward_of(phase: Phase, way: Way, lost: Affected) -> Onward {
    match (lost, way) {
        (Affected::Production, Way::Forth | Way::Back | Way::Abort) => match phase {
            Phase::Reset | Phase::Renew => Onward::FailOverIfWhole,
            Phase::Preflight
            | Phase::Deploy
            | Phase::Embargo
            | Phase::SyncOff
            | Phase::Backup
            | Phase::Validate
            | Phase::Assess
            | Phase::Fence
            | Phase::Swap
            | Phase::Sanity
            | Phase::Soak
            | Phase::Lift
            | Phase::SyncOn => Onward::FailOver,
        },
        (Affected::Standby, Way::Forth) => match phase {
            Phase::Preflight
            | Phase::Deploy
            | Phase::Embargo
            | Phase::SyncOff
            | Phase::Backup
            | Phase::Reset
            | Phase::Validate
            | Phase::Assess
            | Phase::Fence
            | Phase::Swap => Onward::GoBack,
            Phase::Sanity | Phase::Soak | Phase::Lift => Onward::GoOn,
            Phase::Renew | Phase::SyncOn => Onward::Close,
        },
        // Going back, users are still to be moved to it: they stay.
        (Affected::Standby, Way::Back) if matches!(phase, Phase::Swap) => Onward::Stay,
        // Back or given up: users are on the site that is left.
        (Affected::Standby, Way::Back | Way::Abort) => match phase {
            Phase::Renew | Phase::SyncOn => Onward::Close,
            Phase::Preflight
            | Phase::Deploy
            | Phase::Embargo
            | Phase::SyncOff
            | Phase::Backup
            | Phase::Reset
            | Phase::Validate
            | Phase::Assess
            | Phase::Fence
            | Phase::Swap
            | Phase::Sanity
            | Phase::Soak
            | Phase::Lift => Onward::GoOn,
        },
        (Affected::CannotTell, Way::Forth | Way::Back | Way::Abort) => Onward::Look,
    }
}
