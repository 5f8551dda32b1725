//! What commands are called in refusals, and which of them want a reason.

use crate::conductor::command::Command;

impl Command {
    /// Its name in refusals.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Start { .. } => "release start",
            Self::Next { .. } => "release next",
            Self::Approve { .. } => "release approve",
            Self::Reject => "release reject",
            Self::Accept => "release accept",
            Self::Rollback { .. } => "release rollback",
            Self::Abort => "release abort",
            Self::Retry => "run retry",
            Self::Skip { .. } => "run skip",
            Self::Resolve { .. } => "run resolve",
            Self::Pause => "run pause",
            Self::Resume => "run resume",
            Self::Amend { .. } => "run amend",
            Self::Adopt => "run adopt",
            Self::Close => "run close",
            Self::Without { .. } => "run without",
            Self::Extend { .. } => "embargo extend",
            Self::GiveUp { .. } => "keep release",
            Self::Switchover { .. } => "switchover",
            Self::Arm => "arm",
            Self::Failover(_) => "failover",
            Self::Rejoin { .. } => "rejoin",
            Self::Drill { .. } => "drill",
            Self::Failback { .. } => "failback",
            Self::DriftAdopt { .. } => "drift adopt",
            Self::Runbook => "runbook",
        }
    }

    /// Why users are moved again so soon, or in spite of what is not known, as the person says; a blank word is none.
    pub fn acknowledged(&self) -> Option<&str> {
        if let Self::Failback { acknowledge, .. } = self {
            return acknowledge.as_deref().filter(|it| !it.trim().is_empty());
        }
        if let Self::Failover(it) = self { it.acknowledged() } else { None }
    }

    /// Whether it wants a reason.
    pub const fn wants_reason(&self) -> bool {
        match self {
            Self::Start { waive, .. }
            | Self::Next { waive, .. }
            | Self::Switchover { waive, .. }
            | Self::Rejoin { waive, .. }
            | Self::Drill { waive, .. }
            | Self::Failback { waive, .. } => !waive.is_empty(),
            Self::Rollback { .. }
            | Self::Reject
            | Self::Abort
            | Self::Skip { .. }
            | Self::Resolve { .. }
            | Self::Amend { .. }
            | Self::Adopt
            | Self::Close
            | Self::Without { .. }
            | Self::Extend { .. }
            | Self::GiveUp { .. }
            | Self::DriftAdopt { .. } => true,
            Self::Init
            | Self::Approve { .. }
            | Self::Accept
            | Self::Retry
            | Self::Arm
            | Self::Failover(_)
            | Self::Pause
            | Self::Resume
            | Self::Runbook => false,
        }
    }
}
