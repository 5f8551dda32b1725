//! Machines of the sites: a fixed script of ours goes by standard input to `sh -s` there, its arguments quoted once.

pub(super) mod disk;
pub(super) mod file;
mod guard;
pub(super) mod image;
pub(super) mod mounted;
mod proof;
pub(super) mod run;
pub(super) mod sql;
mod status;

use std::process::Stdio;

use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::actuator::Wire;
use crate::actuator::trouble::Trouble;
use crate::fault::{E3701, E3702};
use crate::model::SiteName;
use crate::workflow::Workflow;

/// The most that is read of a script's output, in bytes. More is an error: half a list looks like a whole one.
const OUTPUT_MAX: u64 = 1 << 20;
/// What the wire puts in a secret's place.
pub(super) const STRUCK: &str = "[secret]";
/// How ssh says that it could not get there.
const SSH_FAILED: i32 = 255;

/// What a script came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    /// Its exit status.
    pub code: i32,
    /// What it wrote.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

impl Output {
    /// The output of a script that succeeded.
    pub(super) fn good(self, source: &str) -> Result<String, Trouble> {
        if self.code == 0 {
            return Ok(self.stdout);
        }
        let says = format!("status {}: {}", self.code, last_line(&self.stderr));
        Err(Trouble::harmless(&E3702, source, says))
    }
}

/// A machine of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// Its alias in the operator's ssh configuration, or `local`.
    pub alias: String,
    /// The folder in which commands run.
    pub cwd: String,
}

impl Machine {
    /// The machine that the workflow calls so, of this site.
    pub(super) fn of(workflow: &Workflow, on: &SiteName, host: &str) -> Result<Self, Trouble> {
        let known = |says: String| Trouble::harmless(&E3701, "workflow", says);
        let it =
            workflow.hosts.get(host).ok_or_else(|| known(format!("there is no host {host}")))?;
        let alias = workflow.host_alias(host, on).map_err(|it| known(it.to_string()))?;
        if alias.is_empty() || alias.starts_with('-') {
            return Err(known(format!("`{alias}` is not an alias of a host")));
        }
        Ok(Self { alias, cwd: it.cwd.clone() })
    }

    /// How evidence names it.
    pub(super) fn source(&self) -> String {
        format!("host {}", self.alias)
    }

    /// Runs a script there. `verb` names the call: `run`, `crontab`.
    ///
    /// # Errors
    /// It is not known that the script ran to its end.
    pub(super) async fn run(
        &self,
        wire: &Wire,
        workflow: &Workflow,
        verb: &str,
        script: &'static str,
        args: &[&str],
    ) -> Result<Output, Trouble> {
        let label = format!("{} {verb}", self.source());
        let deadline = workflow.limits.call.0;
        let work = self.spawn(wire, deadline.as_secs().max(1), script, args);
        let answer = wire.call(&label, deadline, work).await;
        let trouble = |says: String| Trouble::new(&E3701, &self.source(), says);
        match answer {
            Ok(Ok(output)) if output.code == SSH_FAILED && self.alias != "local" => {
                Err(trouble(format!("ssh: {}", last_line(&output.stderr))))
            }
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(trouble(error.to_string())),
            Err(late) => Err(trouble(format!("no answer within {:?}", late.0))),
        }
    }

    async fn spawn(
        &self,
        wire: &Wire,
        patience: u64,
        script: &'static str,
        args: &[&str],
    ) -> std::io::Result<Output> {
        let remote = command(args);
        let mut program = if self.alias == "local" {
            let mut program = Command::new("sh");
            program.arg("-c").arg(remote);
            program
        } else {
            let mut program = Command::new(&wire.outside.ssh);
            let patience = format!("ConnectTimeout={patience}");
            program.args(["-o", "BatchMode=yes", "-o", &patience, &self.alias]).arg(remote);
            program
        };
        program.env_clear().kill_on_drop(true);
        // What runs there or here needs no token of ours: what the wire would strike out stays here.
        for (name, value) in &wire.outside.env {
            if !wire.clean(value.expose_secret()).contains(STRUCK) {
                program.env(name, value.expose_secret());
            }
        }
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A script that ends early closes its input; its status tells the rest.
                drop(stdin.write_all(script.as_bytes()).await);
            }
        };
        let ((), stdout, stderr) = tokio::join!(feed, limited(stdout), limited(stderr));
        let status = child.wait().await?;
        let code = status.code().ok_or_else(|| std::io::Error::other("killed by a signal"))?;
        Ok(Output { code, stdout: stdout?, stderr: stderr? })
    }
}

async fn limited(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(OUTPUT_MAX + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() as u64 > OUTPUT_MAX {
        return Err(std::io::Error::other("it says more than can be read"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The command line that hands a script on standard input these arguments.
fn command(args: &[&str]) -> String {
    args.iter().fold("sh -s --".to_owned(), |line, arg| format!("{line} {}", quoted(arg)))
}

/// This text as one word of a POSIX shell, whatever is in it. The one place where arguments are quoted.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The last line that says something.
pub(super) fn last_line(text: &str) -> String {
    let line = text.lines().rev().map(str::trim).find(|it| !it.is_empty());
    line.unwrap_or("it said nothing").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::command;

    /// What a real shell makes of a command line: its arguments, each ended by a NUL.
    fn heard(args: &[&str]) -> Vec<u8> {
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(command(args))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let script = b"for arg; do printf '%s\\0' \"$arg\"; done\n";
        child.stdin.take().unwrap().write_all(script).unwrap();
        child.wait_with_output().unwrap().stdout
    }

    fn said(args: &[&str]) -> Vec<u8> {
        args.iter().flat_map(|arg| [arg.as_bytes(), &[0]].concat()).collect()
    }

    #[test]
    fn hostile_words_arrive_unharmed() {
        let args =
            ["", "'", "''", "a'b", "$HOME", "`id`", "$(id)", "-n", "--", "\\", "a\nb", "*", "\n"];
        assert_eq!(heard(&args), said(&args));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_words_arrive_unharmed(args in prop::collection::vec("[^\\x00]{0,20}", 0..6)) {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            prop_assert_eq!(heard(&args), said(&args));
        }
    }
}
