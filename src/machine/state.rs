//! Where a run stands: the leaf says the mode, the region above it is told by the phase.

use serde::{Deserialize, Serialize};

use crate::model::{Kind, Phase, Time, Way};

/// A set of steps of one phase; bit `i` is step `i` (lint: at most 64 steps a phase).
pub type Steps = u64;

/// The place on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct At {
    /// What the run is for.
    pub kind: Kind,
    /// In which direction it is walked.
    pub way: Way,
    /// The phase.
    pub phase: Phase,
    /// The group of steps within the phase, from 0.
    pub group: u8,
    /// How often this group has been tried, from 1.
    pub tried: u8,
}

/// The state of a system's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum State {
    /// No run.
    Steady,
    /// One group of steps is worked on, side by side.
    Doing {
        /// Where.
        at: At,
        /// Steps not ended yet.
        left: Steps,
        /// Steps that failed.
        failed: Steps,
        /// Steps of which nobody knows.
        unknown: Steps,
    },
    /// The phase is done; waits for `next`, in soak for `accept`.
    Ready {
        /// Where.
        at: At,
    },
    /// The gate waits for people.
    Asking {
        /// Where.
        at: At,
        /// When the gate expires.
        until: Time,
    },
    /// Starts nothing; waits until no intent is open, then leaves.
    Settling {
        /// Where it stood when it was told to leave.
        at: At,
        /// The way it will go.
        to: Way,
        /// Whether it leaves into a failover.
        failover: bool,
    },
    /// A step failed, or nobody knows.
    Halted {
        /// Where.
        at: At,
        /// Steps that failed.
        failed: Steps,
        /// Steps of which nobody knows.
        unknown: Steps,
    },
}

impl State {
    /// The place of the run, if there is one.
    pub const fn at(&self) -> Option<At> {
        match *self {
            Self::Steady => None,
            Self::Doing { at, .. }
            | Self::Ready { at }
            | Self::Asking { at, .. }
            | Self::Settling { at, .. }
            | Self::Halted { at, .. } => Some(at),
        }
    }

    /// The mode's name on screens.
    pub const fn mode(&self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Doing { .. } => "doing",
            Self::Ready { .. } => "ready",
            Self::Asking { .. } => "asking",
            Self::Settling { .. } => "settling",
            Self::Halted { .. } => "halted",
        }
    }
}

/// The superstate: which answers abort, rollback and failover get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// Before users are touched.
    Preparing(At),
    /// Users are moved.
    Cutover(At),
    /// Things are put back.
    Closing(At),
}
