//! People and how they are reached: gates and webhooks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Identity;
use crate::workflow::parts::{Lasting, Secret};

/// Who must agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// How many of each group.
    pub approvers: BTreeMap<String, u8>,
    /// Who may not.
    #[serde(default)]
    pub not: Option<NotWho>,
    /// How long it waits; 24 h when absent.
    #[serde(default)]
    pub expires: Option<Lasting>,
    /// The least sureness of identity that counts; `os` when absent.
    #[serde(default)]
    pub identity: Option<Identity>,
}

/// Who may not approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotWho {
    /// The person who started the run.
    Requester,
}

/// Where announcements go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address; a secret, since whoever knows it can post.
    pub url: Secret,
}
