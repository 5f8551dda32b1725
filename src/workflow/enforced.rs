//! How an embargo is enforced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How writes are refused where an embargo lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enforced {
    /// The database role with which the site writes: it only reads while an embargo lies. The programs of
    /// `database.host` are this role too.
    pub role: String,
    /// The FTP server that takes uploads.
    #[serde(default)]
    pub ftp: Option<Ftp>,
}

/// An FTP server that can be stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ftp {
    /// The host it runs on.
    pub host: String,
    /// Program and arguments that stop it.
    pub stop: Vec<String>,
    /// Program and arguments that start it.
    pub start: Vec<String>,
    /// Program and arguments that print something while it runs, and nothing when it does not.
    pub running: Vec<String>,
}
