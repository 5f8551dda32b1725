//! `completions`: print completions for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::args::Cli;
use crate::cli::{Outcome, Scene, done};

/// For example: `changeover completions bash > /etc/bash_completion.d/changeover`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Completions, scene: &mut Scene<'_>) -> Outcome {
    let mut text = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "changeover", &mut text);
    scene.streams.answer(&String::from_utf8_lossy(&text))?;
    done()
}
