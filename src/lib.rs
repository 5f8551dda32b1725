//! Changeover keeps two sites of a service apart and swaps their roles safely.
//!
//! The modules stand in rows; each names modules of lower rows only (a test holds this):
//! words (`model`), the file people write (`workflow`), the pure life cycle (`machine`), pictures of it
//! (`chart`, `view`) and of where the world differs from it (`drift`), the doors to the world (`port`), what stands behind them (`journal`, `actuator`,
//! `clock`), the loop that joins them (`conductor`), the wiring (`app`) and the commands (`cli`).

// Futures of a whole command hold those of each phase and step.
#![recursion_limit = "256"]

pub mod actuator;
pub mod app;
pub mod chart;
pub mod cli;
pub mod clock;
pub mod conductor;
pub mod drift;
pub mod fault;
pub mod journal;
pub mod machine;
pub mod model;
pub mod port;
pub mod view;
pub mod workflow;
