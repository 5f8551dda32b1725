//! The second pass: YAML text to plain data. The one place that names the YAML crate.

use std::borrow::Cow;

use serde_json::Value;

use crate::fault::{self, Fault};

/// The file as plain data, for schemas and tests. Says nothing about what the data means.
pub fn data(text: &str, file: &str) -> Result<Value, Fault> {
    serde_yaml::from_str(&ended(text)).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |it| (it.line(), it.column()));
        // Its own message may quote the file, and so a secret.
        Fault::new(&fault::E1002, "this cannot be read as YAML with text keys")
            .hint("put keys that look like numbers or dates in quotes")
            .at(file, line, column)
    })
}

/// The text with its last line ended: readers disagree on a block of text that the file's end cuts short.
pub(super) fn ended(text: &str) -> Cow<'_, str> {
    if text.ends_with('\n') { text.into() } else { format!("{text}\n").into() }
}
