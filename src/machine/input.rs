//! The only things that move the machine: people, results, and time given to it.

use serde::{Deserialize, Serialize};

use crate::machine::rules::Rules;
use crate::machine::state::Steps;
use crate::model::{Digest, Kind, SiteName};

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Its end was seen to be true.
    Done,
    /// It failed in a known state.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// The first input of a run: what it is for and what binds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// What the run is for.
    pub kind: Kind,
    /// The release to bring into production; only for releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Production when the run starts, as the switch says.
    pub production: SiteName,
    /// The other site.
    pub standby: SiteName,
    /// The digest of the workflow's text; the text is kept as a blob.
    pub workflow: Digest,
    /// What the workflow means for the machine.
    pub rules: Rules,
    /// Outside addresses that are not the services' own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<String>,
    /// A loss accepted by a typed consent; failover only.
    #[serde(default)]
    pub loss_accepted: bool,
}

/// What can be told to the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// People: open a run.
    Start(Box<Begin>),
    /// People: do the next phase.
    Next,
    /// People: one approval, bound to what was shown.
    Approve {
        /// The digest of what was shown.
        packet: Digest,
        /// Who approves.
        by: String,
        /// The groups they belong to.
        groups: Vec<String>,
    },
    /// People: no.
    Reject,
    /// People: the release stays.
    Accept,
    /// People: give up before the swap.
    Abort,
    /// People: go back.
    Rollback {
        /// Whether the loss of writes made since was consented to.
        loss_accepted: bool,
    },
    /// People: production is lost.
    Failover {
        /// Whether the loss shown was consented to.
        loss_accepted: bool,
    },
    /// People: look again, try again.
    Retry,
    /// People: go on without these steps.
    Skip {
        /// The steps.
        steps: Steps,
    },
    /// People: they found out how a step ended.
    Resolve {
        /// Which step.
        step: u8,
        /// Whether its end is true.
        done: bool,
    },
    /// People: new rules; only steps not yet begun may differ.
    Amend {
        /// The new rules.
        rules: Box<Rules>,
        /// The digest of the new workflow's text.
        workflow: Digest,
    },
    /// People: end the run with something owed.
    Close,
    /// Conductor: a step ended.
    Step {
        /// Which step.
        step: u8,
        /// How.
        ended: Ended,
    },
    /// Conductor: no intent is open any more (or the failover's bound has passed).
    Settled,
    /// Conductor: what was approved is no longer what would be done.
    Voided,
    /// Clock: the time that was asked for has come.
    Due,
}

impl Input {
    /// Its name on screens and in refusals.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::Next => "next",
            Self::Approve { .. } => "approve",
            Self::Reject => "reject",
            Self::Accept => "accept",
            Self::Abort => "abort",
            Self::Rollback { .. } => "rollback",
            Self::Failover { .. } => "failover",
            Self::Retry => "retry",
            Self::Skip { .. } => "skip",
            Self::Resolve { .. } => "resolve",
            Self::Amend { .. } => "amend",
            Self::Close => "close",
            Self::Step { .. } => "step",
            Self::Settled => "settled",
            Self::Voided => "voided",
            Self::Due => "due",
        }
    }
}
