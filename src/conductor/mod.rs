//! The loop: input in, decide, write, adopt, start what is missing.

mod command;

pub use command::{Command, NoWatcher, Order, Plan, PlannedStep, Progress, Reply, Watcher};
