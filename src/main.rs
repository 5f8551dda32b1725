//! The command: parse, run, print, exit status. All of it is in `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(changeover::cli::main(&std::env::args_os().collect::<Vec<_>>()))
}
