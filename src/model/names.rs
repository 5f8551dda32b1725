//! Names people give, and the people.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

name! {
    /// One service made of two sites, for example `gigadb`.
    SystemName
}
name! {
    /// One complete infrastructure, for example `hk`.
    SiteName
}
name! {
    /// One entry of a phase, unique in a workflow.
    StepId
}
name! {
    /// One record of the switch's group, for example `web`.
    RecordId
}

/// How sure we are that a person is who they say.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// They said so (`--as`, `CHANGEOVER_USER`).
    Claimed,
    /// The operating system's user.
    Os,
    /// The operating system's user on the other end of the system's socket.
    SocketPeer,
    /// An identity provider signed it.
    Oidc,
}

/// Who gave a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The name counted at gates.
    pub name: String,
    /// How it is known.
    pub identity: Identity,
}
