//! What a failover writes down: what was accepted before it, and how the parts of the fence ended.

use serde::{Deserialize, Serialize};

use crate::model::{Digest, SiteName, Time};

/// How one part of the fence ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FenceEnd {
    /// The power is taken away.
    Done,
    /// The site did not answer; it may still act.
    NotReachable,
    /// The site answered and did not let it be done; it may still act.
    Refused,
}

impl FenceEnd {
    /// Its name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotReachable => "not reachable",
            Self::Refused => "refused",
        }
    }
}

/// How a part of the fence stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fenced {
    /// How.
    pub how: FenceEnd,
    /// Since when it stands so.
    pub at: Time,
    /// What was seen.
    pub says: String,
}

/// What lies on disk for a failover that was armed, by digest: files that are others were not made by `arm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The armed plan.
    pub plan: Digest,
    /// The workflow as it was read.
    pub workflow: Digest,
}

/// The plan on disk that a failover was carried out from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentArmed {
    /// The armed plan.
    pub plan: Digest,
    /// When it was made.
    pub at: Time,
    /// How old it was, seconds.
    pub age: i64,
}

/// What a person accepted before a failover, and when they were told what. Seconds unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The site that is given up.
    pub lost: SiteName,
    /// The site users are moved to.
    pub to: SiteName,
    /// What the witnesses amounted to.
    pub diagnosis: String,
    /// Whether the lost site is fenced before users are moved, and not beside it.
    #[serde(default)]
    pub fence_first: bool,
    /// What the standby's data is a copy of; absent when nothing proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_of: Option<Time>,
    /// How much was lost at most when the person was asked; absent when nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<i64>,
    /// How much the person accepted; absent when they accepted not to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<i64>,
    /// Writes at stake, where a counter said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<u64>,
    /// What else will be missing, in the workflow's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Why a second failover so soon, or one in spite of what is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<String>,
    /// The plan that was agreed to.
    pub plan: Digest,
    /// The armed plan it was carried out from; absent when the world was read first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<ConsentArmed>,
    /// Since when production is down, as a person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<Time>,
    /// When the plan was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Time>,
    /// When the command was given.
    pub asked: Time,
}
