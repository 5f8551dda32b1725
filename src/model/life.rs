//! Kinds of runs, their phases, and the roles of sites.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::SiteName;

/// What a site is to its users.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Users are here.
    Production,
    /// Ready to take over.
    Standby,
    /// Lost production in a failover; must rejoin before it may be standby.
    Quarantined,
}

/// Which site is production; `Moving` from a swap's intent to the authority's confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roles {
    /// One site is production.
    Settled {
        /// That site.
        production: SiteName,
    },
    /// Users are being moved.
    Moving {
        /// The site they leave.
        from: SiteName,
        /// The site they go to.
        to: SiteName,
    },
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new version goes into production.
    Release,
    /// The sites change roles; no new version.
    Switchover,
    /// Production is lost.
    Failover,
    /// A quarantined site becomes standby again.
    Rejoin,
    /// The same plan on the drill names.
    Drill,
}

/// In which direction a run is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Towards its end.
    Forth,
    /// Users go back to where they were: rollback.
    Back,
    /// Given up before the swap.
    Abort,
}

/// A stage of a run. The program fixes the phases and their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Every check of the whole walk that can be made now; changes nothing.
    Preflight,
    /// Release and production's role configuration go onto the standby.
    Deploy,
    /// Writes are refused on production.
    Embargo,
    /// No job writes into a site from here on.
    SyncOff,
    /// Production's data is copied, keyed by the run's stamp.
    Backup,
    /// Exactly that copy is loaded into the standby.
    Reset,
    /// Automatic checks, then people.
    Validate,
    /// What is lost, what is ready.
    Assess,
    /// The lost site is deprived of its power to act.
    Fence,
    /// Users are moved.
    Swap,
    /// Production's names are checked.
    Sanity,
    /// The old site stays warm; the way back is free.
    Soak,
    /// Writes are allowed on production.
    Lift,
    /// The standby gets production's release and data.
    Renew,
    /// Sync jobs run in the new direction.
    SyncOn,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 15] = [
        Self::Preflight,
        Self::Deploy,
        Self::Embargo,
        Self::SyncOff,
        Self::Backup,
        Self::Reset,
        Self::Validate,
        Self::Assess,
        Self::Fence,
        Self::Swap,
        Self::Sanity,
        Self::Soak,
        Self::Lift,
        Self::Renew,
        Self::SyncOn,
    ];

    /// Its name in files, on screens and in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Deploy => "deploy",
            Self::Embargo => "embargo",
            Self::SyncOff => "sync_off",
            Self::Backup => "backup",
            Self::Reset => "reset",
            Self::Validate => "validate",
            Self::Assess => "assess",
            Self::Fence => "fence",
            Self::Swap => "swap",
            Self::Sanity => "sanity",
            Self::Soak => "soak",
            Self::Lift => "lift",
            Self::Renew => "renew",
            Self::SyncOn => "sync_on",
        }
    }
}

impl Kind {
    /// Its name in files, on screens and in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Switchover => "switchover",
            Self::Failover => "failover",
            Self::Rejoin => "rejoin",
            Self::Drill => "drill",
        }
    }
}
