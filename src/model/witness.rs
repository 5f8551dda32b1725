//! What a witness of an incident says: who was asked about what, and the answer. Never a secret.

use serde::{Deserialize, Serialize};

use crate::model::{Evidence, Time};

/// What a witness was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Production as users reach it: by its name.
    Users,
    /// Whether production itself serves, whatever the name says.
    Production,
    /// Whether production's machines or account answer; says nothing about its serving users.
    Machines,
    /// Whether the standby serves.
    Standby,
    /// Whether production's names lead to one of the two sites.
    Names,
    /// Whether the lever can be read.
    Lever,
}

impl About {
    /// Its name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Production => "production",
            Self::Machines => "machines",
            Self::Standby => "standby",
            Self::Names => "names",
            Self::Lever => "lever",
        }
    }
}

/// The kind of a witness; one kind alone never decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seer {
    /// HTTP from here.
    Http,
    /// DNS from here, at the authority.
    Dns,
    /// A provider's API.
    Provider,
    /// A command on a machine of the site.
    Host,
    /// A command somewhere else, given in the workflow.
    Elsewhere,
}

impl Seer {
    /// Its name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Dns => "dns",
            Self::Provider => "provider",
            Self::Host => "host",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Seen to work.
    Up,
    /// Seen not to work, or silent where it should have answered.
    Down,
    /// It could not be asked.
    Unknown,
}

impl Says {
    /// Its name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// What it was asked about.
    pub about: About,
    /// What kind of witness it is.
    pub seer: Seer,
    /// What it says.
    pub says: Says,
    /// Where it was read, for example `http https://gigadb.org/`.
    pub source: String,
    /// When.
    pub at: Time,
    /// One sentence for people.
    pub text: String,
}

impl From<&Witness> for Evidence {
    fn from(it: &Witness) -> Self {
        Self {
            source: it.source.clone(),
            at: it.at,
            says: format!("{} {}: {}", it.about.name(), it.says.name(), it.text),
            data: serde_json::json!({ "about": it.about, "seer": it.seer, "says": it.says }),
        }
    }
}
