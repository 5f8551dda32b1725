//! What tells how many users each site still has, and the columns of the status table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::RecordId;

/// What prints how many requests for production's names a site has got so far: a number, or JSON that is
/// one or has one as `requests`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Counter {
    /// A command on a host of the site.
    Command(CountingCommand),
    /// A page.
    Page(CountingPage),
}

/// A command that prints a count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountingCommand {
    /// The host.
    pub host: String,
    /// Program and arguments, with `{{ site.… }}`; never a shell string.
    pub argv: Vec<String>,
}

/// A page that holds a count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountingPage {
    /// Its URL, with `{{ site.… }}`.
    pub url: String,
    /// Asked at the site's own address of this record instead of where DNS leads.
    #[serde(default)]
    pub at: Option<RecordId>,
}

/// A column of the status table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its head.
    pub column: String,
    /// What stands in it, with `{{ site.… }}`.
    pub value: String,
}
