//! The workflow file, from outside.

mod as_written;
mod broken;
mod examples;
mod mutants;
mod reading;
mod rules;
mod shipped;

/// The shipped workflow.
pub(crate) fn gigadb() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/workflows/gigadb.yaml")).unwrap()
}
