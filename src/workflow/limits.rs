//! How long things may take.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workflow::parts::Lasting;

/// All waits. Lint refuses small ones outside `practice: true`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Between two equal readings that settle an unknown outcome.
    pub settle: Lasting,
    /// Between two looks at something that takes time.
    pub poll: Lasting,
    /// One outside call.
    pub call: Lasting,
    /// How long requests are counted for a rate.
    pub counting: Lasting,
    /// One attempt of an action that says nothing else.
    pub action: Lasting,
    /// How long after its deadline a late request could still take effect.
    pub late: Lasting,
    /// The whole of preflight; a check that has not ended then is unknown.
    pub preflight: Lasting,
    /// The reading of all witnesses of an incident, side by side.
    pub witness: Lasting,
    /// Fencing a lost site, all parts side by side; what is not done by then is owed.
    pub fence: Lasting,
    /// After a failover: another one, and the way back, want a reason until this has passed.
    pub cooldown: Lasting,
    /// How old an armed failover may be and still be carried out without reading anything.
    pub armed: Lasting,
    /// How long a plan that was shown may be confirmed without asking the witnesses again.
    pub shown: Lasting,
    /// A release or a switchover is refused when one of its steps was not seen to work for so long; absent: it never is.
    pub proven: Option<Lasting>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            settle: Lasting::seconds(5),
            poll: Lasting::seconds(3),
            call: Lasting::seconds(20),
            counting: Lasting::seconds(10),
            action: Lasting::seconds(600),
            late: Lasting::seconds(60),
            preflight: Lasting::seconds(120),
            witness: Lasting::seconds(4),
            fence: Lasting::seconds(5),
            cooldown: Lasting::seconds(60 * 60),
            armed: Lasting::seconds(60 * 60),
            shown: Lasting::seconds(5 * 60),
            proven: None,
        }
    }
}
