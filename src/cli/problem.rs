//! What went wrong, for people and for programs.

use std::ffi::OsString;

use clap::error::ErrorKind;
use serde::Serialize;

use crate::cli::streams::Streams;
use crate::fault::{E2015, Exit, Fault, Place};

/// The document that `--json` puts on standard error.
#[derive(Serialize)]
struct Problem<'a> {
    schema: &'static str,
    code: &'a str,
    message: &'a str,
    cause: Option<&'a str>,
    hint: Option<&'a str>,
    place: Option<&'a Place>,
    exit: u8,
}

fn document(fault: &Fault) -> String {
    let problem = Problem {
        schema: "changeover.problem/v1",
        code: fault.code.id,
        message: &fault.message,
        cause: fault.cause.as_deref(),
        hint: fault.hint.as_deref(),
        place: fault.place.as_ref(),
        exit: fault.exit().status(),
    };
    serde_json::to_string_pretty(&problem).unwrap_or_else(|_| fault.to_string())
}

/// Tells what went wrong; gives the exit status.
pub(super) fn told(fault: &Fault, streams: &Streams) -> u8 {
    if streams.json {
        streams.aside.say(&document(fault));
    } else {
        streams.aside.say(&fault.to_string());
        streams.hint(&format!("  explain: changeover explain {}", fault.code.id));
    }
    fault.exit().status()
}

/// Help was asked for, or the words make no command.
pub(super) fn unparsed(error: &clap::Error, typed: &[OsString]) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that has gone has read enough.
        error.print().unwrap_or_default();
        return Exit::Done.status();
    }
    if typed.iter().any(|word| word == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let fault = Fault::new(&E2015, first).hint("changeover --help");
        crate::cli::streams::Aside::new(anstream::stderr()).say(&document(&fault));
    } else {
        error.print().unwrap_or_default();
    }
    Exit::Usage.status()
}
