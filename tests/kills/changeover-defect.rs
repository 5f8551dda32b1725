//! The command of a deliberately wrong build, which acts before it writes its intent: the kills must catch it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(changeover::cli::main(&std::env::args_os().collect::<Vec<_>>()))
}
