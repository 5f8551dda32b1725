//! All integration tests, in one binary.

mod clock;
mod journal;
