//! What `scripts` says of a command: which one it is, and which commands a file runs.

use crate::workflow::draft::Draft;
use crate::workflow::judged::Script;
use crate::workflow::path::Path;
use crate::workflow::types::Workflow;

use super::deed::Deed;

/// The declared script that these words run.
pub(super) fn script_of<'a>(
    workflow: &'a Workflow,
    argv: &[String],
) -> Option<(&'a str, &'a Script)> {
    let program = argv.first()?;
    let mut scripts = workflow.scripts.iter();
    scripts.find(|(_, it)| it.path == *program).map(|(name, it)| (name.as_str(), it))
}

/// One command that the file runs.
pub(super) struct Command {
    /// Where it stands.
    pub(super) place: Path,
    /// The host it runs on.
    pub(super) host: String,
    /// Program and arguments.
    pub(super) argv: Vec<String>,
}

/// Every command of steps and of jobs' crontab lines.
pub(super) fn commands(draft: &Draft<'_>) -> Vec<Command> {
    let mut all = vec![];
    for (name, job) in &draft.workflow.jobs {
        let place = Path::of("jobs").key(name).key("line");
        all.push(Command { place, host: job.host.clone(), argv: of_line(&job.line) });
    }
    for (placed, deed) in draft.deeds() {
        if let Deed::Runs(run) = deed {
            let place = placed.path.key("with").key("argv");
            all.push(Command { place, host: run.host.clone(), argv: run.argv.clone() });
        }
    }
    all.retain(|it| !it.argv.is_empty());
    all
}

/// The command of a crontab line: behind five fields or one `@word`, and behind settings such as `TZ=UTC`.
fn of_line(line: &str) -> Vec<String> {
    let fields = if line.trim_start().starts_with('@') { 1 } else { 5 };
    let words = line.split_whitespace().skip(fields);
    words.skip_while(|it| it.contains('=')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::of_line;

    #[test]
    fn a_line_names_its_command() {
        assert_eq!(of_line("5 10 * * * /bin/a latest"), ["/bin/a", "latest"]);
        assert_eq!(of_line("@daily TZ=UTC a"), ["a"]);
        assert_eq!(of_line("5 10"), [""; 0]);
    }
}
