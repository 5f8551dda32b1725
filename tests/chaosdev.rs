//! Chaos alone, for a quick build.
#[path = "it/chaos/mod.rs"]
mod chaos;
