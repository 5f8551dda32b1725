//! The doors to everything that is not pure: the journal, the world, the clock.

mod clock;
mod journal;
mod outside;
mod world;

pub use crate::machine::Line;
pub use clock::Clock;
pub use journal::{Draft, Head, Journal};
pub use outside::{ConnectTo, NoTap, Outside, Tap};
pub use world::{
    Action, Asked, ByHand, Call, Check, Finding, RunFacts, Seen, Sent, Survey, Testimony, World,
};
