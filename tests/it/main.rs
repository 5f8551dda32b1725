//! All integration tests in one binary; one module for each theme.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    clippy::format_collect,
    clippy::or_fun_call,
    clippy::let_underscore_must_use,
    clippy::unused_self,
    clippy::needless_pass_by_value,
    clippy::zombie_processes,
    clippy::cast_possible_truncation,
    clippy::assigning_clones,
    clippy::too_many_lines,
    clippy::float_cmp,
    clippy::unchecked_time_subtraction,
    clippy::unused_async,
    clippy::semicolon_if_nothing_returned,
    clippy::redundant_clone,
    reason = "a test stops where something is not as it must be, prints what it measured, and waits in real time"
)]

mod actuator_net;
mod actuator_site;
mod breaker;
mod chaos;
mod cli;
mod clock;
mod conductor;
mod crash;
mod directions;
mod drained;
mod drift;
mod drill;
mod failover;
mod faults;
mod frail;
mod hints;
mod interlock;
mod journal;
mod machine;
mod practice;
mod preflight;
mod rehearse;
mod runbook;
mod swap;
mod table;
mod tidy;
mod traps;
mod view;
mod walk;
mod workflow;
