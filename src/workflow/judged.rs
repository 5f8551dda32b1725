//! What a file declares for the linter alone: scripts on the hosts, warnings that somebody has judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A command that is installed on a host of each site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The host.
    pub host: String,
    /// Where it lies; absolute.
    pub path: String,
    /// A pattern for each argument; what it is given is not looked at when absent.
    #[serde(default)]
    pub arguments: Option<Vec<String>>,
}

/// What the linter need not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Warnings that somebody has looked at.
    #[serde(default)]
    pub allow: Vec<Allow>,
}

/// A warning that is right here and does no harm. Errors cannot be allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// The rule.
    pub rule: String,
    /// Where: keys from the top, `variables.HOME_URL`; it holds below them too.
    pub at: String,
    /// Why it does no harm here.
    pub reason: String,
}
