//! The practice cloud from outside: its own binary, real sockets, real processes.

#![expect(
    clippy::disallowed_methods,
    reason = "tests wait, read the environment and measure; the rules are the product's"
)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on ends, and a skipped one says so"
)]

mod aws;
mod cloudflare;
mod control;
mod dns;
mod gitlab;
mod host;
mod support;
