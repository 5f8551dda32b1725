//! All integration tests in one binary; one module for each theme.

mod actuator_net;
mod actuator_site;
mod cli;
mod clock;
mod conductor;
mod crash;
mod faults;
mod journal;
mod machine;
mod practice;
mod swap;
mod tidy;
mod view;
mod walk;
mod workflow;
