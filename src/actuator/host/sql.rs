//! Questions to a site's database, asked on the site's own host with the settings that its programs use:
//! several in one connection to the host.

use crate::actuator::Wire;
use crate::actuator::host::Machine;
use crate::actuator::trouble::Trouble;
use crate::fault::{E3702, E3801};
use crate::model::SiteName;
use crate::workflow::{Database, Workflow};

/// The script; its first comment says what it does.
const SQL: &str = include_str!("sql.sh");

/// How something is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::actuator) enum How {
    /// All values that the settings file has of this key, separated by spaces.
    Values,
    /// As any program of the host would.
    Own,
    /// In a connection that may write, whatever the role's default is.
    Writable,
    /// In the database `postgres` of the server that the settings lead to.
    Server,
    /// In the database `postgres` of the server with this name.
    At(String),
}

/// What one question came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::actuator) struct Said {
    /// The client's exit status.
    pub code: i32,
    /// Its answer, or its complaint, on one line.
    pub text: String,
}

impl Said {
    /// The answer of a question that was answered.
    pub(in crate::actuator) fn good(&self, source: &str) -> Result<&str, Trouble> {
        match self.rows(source)? {
            "" => Err(Trouble::new(&E3702, source, "the database gave no answer")),
            text => Ok(text),
        }
    }

    /// The same where no row at all is an answer too.
    pub(in crate::actuator) fn rows(&self, source: &str) -> Result<&str, Trouble> {
        match (self.code, self.text.as_str()) {
            (0, text) => Ok(text),
            (code, text) => {
                Err(Trouble::harmless(&E3702, source, format!("status {code}: {text}")))
            }
        }
    }
}

/// The workflow's database.
pub(in crate::actuator) fn declared(workflow: &Workflow) -> Result<&Database, Trouble> {
    let missing = || Trouble::harmless(&E3801, "workflow", "the workflow declares no database");
    workflow.database.as_ref().ok_or_else(missing)
}

/// Asks a site's database on this host, with the settings of this file, one answer for each question.
///
/// # Errors
/// The host did not answer, or not as the script does.
pub(in crate::actuator) async fn ask(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    (host, file): (&str, &str),
    verb: &str,
    questions: &[(How, &str)],
) -> Result<Vec<Said>, Trouble> {
    let client = &declared(workflow)?.client;
    let machine = Machine::of(workflow, site, host)?;
    let count = client.len().to_string();
    let mut args = vec![machine.cwd.as_str(), file, &count];
    args.extend(client.iter().map(String::as_str));
    let hows: Vec<String> = questions.iter().map(|(how, _)| word(how)).collect();
    for (how, (_, text)) in hows.iter().zip(questions) {
        args.extend([how.as_str(), text]);
    }
    let output = machine.run(wire, workflow, verb, SQL, &args).await?;
    let source = machine.source();
    let text = output.good(&source)?;
    let said: Option<Vec<Said>> = text.lines().map(line).collect();
    said.filter(|it| it.len() == questions.len())
        .ok_or_else(|| Trouble::new(&E3702, &source, "an odd answer"))
}

fn word(how: &How) -> String {
    match how {
        How::Values => "values".to_owned(),
        How::Own => "own".to_owned(),
        How::Writable => "writable".to_owned(),
        How::Server => "server".to_owned(),
        How::At(host) => format!("at={host}"),
    }
}

fn line(line: &str) -> Option<Said> {
    let (code, text) = line.split_once(' ')?;
    Some(Said { code: code.parse().ok()?, text: text.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{Said, line};

    #[test]
    fn reads_answers() {
        let said = |code, text: &str| Some(Said { code, text: text.to_owned() });
        assert_eq!(line("0 12"), said(0, "12"));
        assert_eq!(line("2 psql: error: no "), said(2, "psql: error: no"));
        assert_eq!(line("0 "), said(0, ""));
        assert_eq!(line("Welcome!"), None);
    }
}
