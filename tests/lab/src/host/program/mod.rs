//! The programs of a practice host: the small part that runs there, and the part that knows.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{CONTROL_VARIABLE, HOST_VARIABLE, crontab, files, process};
use crate::call::{Arrival, Service};
use crate::client::Client;
use crate::lab::Lab;
use crate::profile::Site;
use crate::{aws, database, text};

mod data;
mod system;
mod tools;

/// What a program prints and how it ends, or how it goes on.
#[derive(Debug, Default)]
pub(super) struct Output {
    status: u8,
    stdout: String,
    stderr: String,
    applied: bool,
    next: Option<&'static str>,
    wait_s: f64,
}

impl Output {
    /// Ended well.
    pub(super) fn ok(stdout: &str) -> Self {
        Self { stdout: stdout.to_owned(), ..Self::default() }
    }

    /// Ended badly.
    pub(super) fn failed(status: u8, stderr: &str) -> Self {
        Self { status, stderr: stderr.to_owned(), ..Self::default() }
    }

    /// Whether it changed state.
    pub(super) fn applied(self, applied: bool) -> Self {
        Self { applied, ..self }
    }

    /// Goes on with another step after a while.
    fn then(self, next: &'static str, wait_s: f64) -> Self {
        Self { next: Some(next), wait_s, ..self }
    }
}

/// What libpq reads of the environment.
#[derive(Debug)]
struct Server<'a> {
    host: &'a str,
    /// Connected to instead of what `host` resolves to.
    address: &'a str,
    options: &'a str,
}

/// One step of a program, as the small part asks for it.
#[derive(Debug)]
struct Step<'a> {
    site: Site,
    alias: &'a str,
    program: &'a str,
    args: Vec<String>,
    part: &'a str,
    stdin: &'a str,
    server: Server<'a>,
    environment: &'a str,
}

/// The small part: asks the practice cloud what to print, step by step.
pub(crate) async fn main(program: &str, args: &[String]) -> ExitCode {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let alias = variable(HOST_VARIABLE);
    match program {
        "ps" => return process::ps(&alias, args),
        "pgrep" => return process::pgrep(&alias, args),
        _ => {}
    }
    let Ok(control) = variable(CONTROL_VARIABLE).parse::<SocketAddr>() else {
        return report("", "the practice cloud is not known here\n", 127);
    };
    let wanted = program == "sha256sum"
        || program == "crontab" && args.iter().all(|arg| arg == "-")
        || program == "psql" && !args.iter().any(|arg| arg.starts_with('-') && arg.ends_with('c'));
    let mut stdin = String::new();
    if wanted && !std::io::stdin().is_terminal() {
        drop(std::io::stdin().read_to_string(&mut stdin)); // what is no text is no input
    }
    let home = variable("HOME");
    let environment = std::fs::read_to_string(format!("{home}/.env")).unwrap_or_default();
    let mut ask = json!({
        "alias": alias, "program": program, "args": args, "step": "start", "stdin": stdin,
        "pghost": variable("PGHOST"), "pghostaddr": variable("PGHOSTADDR"),
        "pgoptions": variable("PGOPTIONS"), "environment": environment, "pid": std::os::unix::process::parent_id(),
    });
    let client = Client::new();
    loop {
        let Ok(said) = client.post(control, "/_host/run", &ask).await else {
            return report("", "the practice cloud does not answer\n", 126);
        };
        let part = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let status = said.get("status").and_then(Value::as_u64).unwrap_or(126);
        let ended = report(part("stdout"), part("stderr"), u8::try_from(status).unwrap_or(126));
        if part("next").is_empty() {
            return ended;
        }
        let wait = said.get("wait_s").and_then(Value::as_f64).unwrap_or(0.0);
        tokio::time::sleep(text::seconds(wait)).await;
        ask["step"] = said["next"].clone();
        ask["n"] = said["n"].clone();
        ask["generation"] = said["generation"].clone();
    }
}

/// Prints what a program says; a reader that has gone away ends it.
pub(super) fn report(stdout: &str, stderr: &str, status: u8) -> ExitCode {
    let mut out = std::io::stdout();
    let printed = out.write_all(stdout.as_bytes()).and_then(|()| out.flush());
    let complained = std::io::stderr().write_all(stderr.as_bytes());
    if printed.and(complained).is_err() { ExitCode::from(141) } else { ExitCode::from(status) }
}

/// The part that knows: carries out one step.
pub(crate) async fn answer(lab: &Lab, body: &Value) -> Value {
    let text_of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(site) = Site::of_alias(text_of("alias")) else {
        return json!({"status": 126, "stderr": "this is no practice host\n"});
    };
    let args = body.get("args").and_then(Value::as_array).cloned().unwrap_or_default();
    let args: Vec<String> = args.iter().filter_map(|a| a.as_str().map(str::to_owned)).collect();
    let step = Step {
        site,
        alias: text_of("alias"),
        program: text_of("program"),
        args,
        part: text_of("step"),
        stdin: text_of("stdin"),
        server: Server {
            host: text_of("pghost"),
            address: text_of("pghostaddr"),
            options: text_of("pgoptions"),
        },
        environment: text_of("environment"),
    };
    let number = |name: &str| body.get(name).and_then(Value::as_u64);
    let (n, generation) = lab.with(|world| {
        if let Some(n) = number("n") {
            return (n, number("generation").unwrap_or(0));
        }
        let n = world.calls.begin(Service::Host, &step.arrival());
        let pid = number("pid").and_then(|pid| u32::try_from(pid).ok());
        world.programs.insert(n, pid.unwrap_or(0));
        (n, world.generation)
    });
    if lab.with(|world| world.generation) != generation {
        return json!({"status": 137, "stderr": "Killed\n"});
    }
    let output = step.run(lab).await;
    lab.with(|world| {
        if world.generation != generation {
            return;
        }
        if output.next.is_none() {
            let said = format!("{}{}", output.stdout, output.stderr);
            world.calls.end(n, output.status.into(), said.as_bytes(), output.applied);
            world.programs.remove(&n);
        } else if output.applied {
            world.calls.update(n, |call| call.applied = true);
        }
    });
    json!({
        "n": n, "generation": generation, "status": output.status, "stdout": output.stdout,
        "stderr": output.stderr, "next": output.next, "wait_s": output.wait_s,
    })
}

impl Step<'_> {
    fn arrival(&self) -> Arrival {
        let changes = match self.program {
            "crontab" => crontab::changes(&self.args),
            "s3backup" | "databaseReset" | "site_stop" => true,
            "sync_dropbox" => self.args.iter().any(|arg| arg == "--apply"),
            "psql" => database::changes(&tools::query_of(self)),
            "docker" => tools::compose(self).is_some_and(|verb| verb != "ps"),
            _ => false,
        };
        Arrival {
            operation: self.program.to_owned(),
            place: Some(self.alias.to_owned()),
            method: "RUN".to_owned(),
            path: format!("/{}/{}", self.alias, self.program),
            query: self.args.join(" "),
            body: self.stdin.as_bytes().to_vec(),
            changes,
            ..Arrival::default()
        }
    }

    async fn run(&self, lab: &Lab) -> Output {
        match self.program {
            "crontab" => crontab::run(&lab.fixed.dir, self.site, &self.args, self.stdin),
            "docker" => tools::docker(lab, self),
            "psql" => tools::psql(lab, self),
            "sync_dropbox" => tools::sync_dropbox(lab, self),
            "site_stop" => tools::site_stop(lab, self),
            "site_requests" => tools::site_requests(lab, self),
            "df" => system::df(lab, self),
            "mount" => system::mount(lab, self),
            "sha256sum" => system::sha256sum(self),
            "s3backup" => data::backup(lab, self).await,
            "databaseReset" => data::reset(lab, self).await,
            other => Output::failed(127, &format!("{other}: command not found\n")),
        }
    }

    /// A variable of the host's `.env`.
    fn dotenv(&self, name: &str) -> &str {
        let lines = self.environment.lines().filter_map(|line| line.split_once('='));
        lines
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .next_back()
            .unwrap_or_default()
    }
}
