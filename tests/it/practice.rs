//! The practice cloud as a child process, and an operator who takes a release to its end from any state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use changeover::app::{self, Flags, Hooks, Settings};
use changeover::conductor::{Command, NoWatcher, Order, Reply};
use changeover::fault::Fault;
use changeover::machine::{Life, State};
use changeover::model::{Phase, SiteName, SystemName};
use serde_json::Value;

/// Small waits for a copy of the shipped workflow; everything else stays as shipped.
const PRACTICE: &str = "\npractice: true\nlimits: { settle: 60ms, poll: 20ms, call: 5s, counting: 50ms, action: 30s, late: 1s }\n";

/// The practice cloud, stopped when dropped.
pub(crate) struct Lab {
    child: Child,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) env: BTreeMap<String, String>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = Process::new(program("changeover-lab"))
            .args(["down", "--dir"])
            .arg(self.dir.path())
            .status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program built in the same folder as the one under test.
pub(crate) fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_changeover")).with_file_name(name)
}

impl Lab {
    /// Starts one; everything takes next to no time.
    pub(crate) fn start() -> Self {
        let none =
            ["--job-seconds", "0", "--rds-seconds", "0", "--dns-delay", "0", "--host-seconds", "0"];
        let lab = Self::start_with(&none);
        lab.settle();
        lab
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        let moto = std::env::var("CHANGEOVER_MOTO")
            .expect("CHANGEOVER_MOTO names moto_server; scripts/test sets it");
        let dir = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(dir.path().join("lab.log")).unwrap();
        let child = Process::new(program("changeover-lab"))
            .args(["up", "--moto", &moto, "--dir"])
            .arg(dir.path())
            .args(options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("changeover-lab stands beside the tests: cargo build --workspace");
        let mut lab = Self { child, dir, env: BTreeMap::new() };
        for _ in 0..2_400 {
            if lab.dir.path().join("ready").exists() {
                lab.env = exports(&std::fs::read_to_string(lab.dir.path().join("env.sh")).unwrap());
                return lab;
            }
            assert!(
                lab.child.try_wait().unwrap().is_none(),
                "the practice cloud ended: {}",
                lab.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the practice cloud did not start: {}", lab.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("lab.log")).unwrap_or_default()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.env["CHANGEOVER_LAB_URL"])
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.curl(&["-sS", "--fail-with-body", &self.url(path)])
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        self.curl(&[
            "-sS",
            "--fail-with-body",
            "-H",
            "content-type: application/json",
            "-d",
            &body,
            &self.url(path),
        ])
    }

    pub(crate) fn delete(&self, path: &str) -> Value {
        self.curl(&["-sS", "--fail-with-body", "-X", "DELETE", &self.url(path)])
    }

    pub(crate) fn reset(&self) {
        self.post("/_lab/reset", &serde_json::json!({}));
        self.settle();
    }

    /// No cache of a resolver and no budget of requests stands in the way of many quick runs.
    fn settle(&self) {
        let set = serde_json::json!({ "resolver_cache_s": 0, "cloudflare_limit": 1_000_000 });
        self.post("/_lab/set", &set);
    }

    /// Everything but ids and times.
    pub(crate) fn world(&self) -> Value {
        self.get("/_lab/world")
    }

    /// State-changing requests that took effect, by service and operation.
    pub(crate) fn applied(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for call in self.get("/_lab/calls?changes=true").as_array().unwrap() {
            if call["applied"] == true && call["service"] != "webhook" {
                let key = format!(
                    "{} {} {}",
                    text(&call["service"]),
                    text(&call["operation"]),
                    normal(&text(&call["path"]))
                );
                *counts.entry(key).or_insert(0) += 1;
            }
        }
        counts
    }

    fn curl(&self, args: &[&str]) -> Value {
        let out = Process::new("curl").args(args).output().expect("curl is installed");
        let body = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success(), "{args:?}: {body} {}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_str(&body).unwrap_or(Value::String(body))
    }
}

/// Looks of `drift` since this request that have listed the records of both zones.
pub(crate) fn looks(lab: &Lab, since: u64) -> usize {
    let calls = lab.get(&format!("/_lab/calls?service=cloudflare&since={since}"));
    let lists = |it: &&Value| it["method"] == "GET" && text(&it["path"]).ends_with("/dns_records");
    calls.as_array().unwrap().iter().filter(lists).count() / 2
}

/// The number of the last request so far.
pub(crate) fn last_call(lab: &Lab) -> u64 {
    lab.get("/_lab/calls").as_array().unwrap().last().map_or(0, |it| it["n"].as_u64().unwrap())
}

/// Stops the program, and comes back when every thread of it stands still: the system's own letter for that is
/// behind the name in parentheses.
pub(crate) fn stop(child: &Child) {
    let pid = child.id().to_string();
    assert!(Process::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    let still = |task: &Path| {
        let stat = std::fs::read_to_string(task.join("stat"));
        stat.is_ok_and(|it| it.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')))
    };
    let tasks = || std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    while !tasks().all(|it| still(&it.path())) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// And lets it go on.
pub(crate) fn go_on(child: &Child) {
    let pid = child.id().to_string();
    assert!(Process::new("kill").args(["-CONT", &pid]).status().unwrap().success());
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `export NAME=VALUE` lines, quotes taken off.
fn exports(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
        .collect()
}

/// One operator with a state folder of their own.
pub(crate) struct Operator {
    pub(crate) state: PathBuf,
    pub(crate) workflows: PathBuf,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) system: SystemName,
}

impl Operator {
    /// An operator of this practice cloud, with small waits.
    pub(crate) fn new(lab: &Lab, name: &str) -> Self {
        let base = lab.dir.path().join(name);
        let workflows = base.join("workflows");
        std::fs::create_dir_all(&workflows).unwrap();
        let shipped = std::fs::read_to_string("workflows/gigadb.yaml").unwrap();
        let copy =
            shipped.replacen("\nsystem: gigadb\n", &format!("\nsystem: gigadb{PRACTICE}"), 1);
        // Counting for five minutes is for people.
        let copy = copy.replacen(" for: 5m ", " for: 60ms ", 1);
        assert_ne!(shipped, copy, "the shipped workflow names its system on a line of its own");
        std::fs::write(workflows.join("gigadb.yaml"), copy).unwrap();
        Self { state: base.join("state"), workflows, env: lab.env.clone(), system: "gigadb".into() }
    }

    pub(crate) fn settings(&self, who: &str) -> Settings {
        let flags = Flags {
            state: Some(self.state.clone()),
            workflows: Some(self.workflows.clone()),
            system: None,
            as_name: Some(who.to_owned()),
        };
        let mut env = self.env.clone();
        env.insert("PATH".to_owned(), std::env::var("PATH").unwrap());
        let mut settings = Settings::of(flags, &env).unwrap();
        settings.outside.folder = self.state.clone();
        settings
    }

    /// The folder of the journal's segments.
    pub(crate) fn journal(&self) -> PathBuf {
        self.state.join("gigadb/journal")
    }

    pub(crate) fn life(&self) -> Life {
        app::glance(&self.settings("reader"), &self.system).unwrap().life
    }

    /// The program itself on this operator's folders, and in the state folder: what it writes for people,
    /// like the table of sites, it writes there and not into the clone.
    pub(crate) fn program(&self) -> Process {
        std::fs::create_dir_all(&self.state).unwrap();
        let mut process = Process::new(env!("CARGO_BIN_EXE_changeover"));
        process.env_clear().envs(&self.env).env("PATH", std::env::var("PATH").unwrap());
        process.args(["--state".as_ref(), self.state.as_os_str()]);
        process.args(["--workflows".as_ref(), self.workflows.as_os_str()]);
        process.stdin(Stdio::null()).current_dir(&self.state);
        process
    }

    pub(crate) async fn order(&self, who: &str, command: Command) -> Result<Reply, Fault> {
        self.order_in(who, command, Hooks::default()).await
    }

    pub(crate) async fn order_in(
        &self,
        who: &str,
        command: Command,
        hooks: Hooks,
    ) -> Result<Reply, Fault> {
        let order = Order { command, reason: Some("practice".to_owned()), dry_run: false };
        let settings = self.settings(who);
        let work = app::order_in(&settings, &self.system, order, Arc::new(NoWatcher), hooks);
        // A test that gives many orders would hold them all in its own future, on a small stack.
        Box::pin(work).await
    }

    /// What a command would do.
    pub(crate) async fn dry(&self, who: &str, command: Command) -> Result<Reply, Fault> {
        let order = Order { command, reason: Some("practice".to_owned()), dry_run: true };
        app::order(&self.settings(who), &self.system, order, Arc::new(NoWatcher)).await
    }

    /// The command that brings this release nearer to its end, from whatever state it is in; `None` when
    /// the release is over.
    pub(crate) fn turn(&self, release: &str, to: &str) -> Option<(&'static str, Command)> {
        let life = self.life();
        let next = |confirm: Option<&str>| Command::Next {
            auto: false,
            confirm: confirm.map(SiteName::from),
            waive: vec![],
        };
        let waive = vec!["windows".into()];
        Some(match life.state {
            _ if life.record.roles.is_none() => ("engineer-a", Command::Init),
            _ if life.record.paused => ("engineer-a", Command::Resume),
            State::Steady
                if life
                    .record
                    .releases
                    .get(&SiteName::from(to))
                    .is_some_and(|it| it == release) =>
            {
                return None;
            }
            State::Steady => (
                "engineer-a",
                Command::Start { version: release.to_owned(), auto: false, confirm: None, waive },
            ),
            State::Doing { .. } | State::Settling { .. } => ("engineer-a", next(None)),
            State::Ready { at } if at.phase == Phase::Soak => ("engineer-a", Command::Accept),
            State::Ready { .. } => ("engineer-a", next(Some(to))),
            State::Asking { .. } if life.record.approvals.is_empty() => ("curator-a", approve()),
            State::Asking { .. } => ("engineer-b", approve()),
            State::Halted { .. } => ("engineer-a", Command::Retry),
        })
    }

    /// Takes a release to its end.
    pub(crate) async fn release(&self, release: &str, to: &str) {
        for _ in 0..60 {
            let Some((who, command)) = self.turn(release, to) else { return };
            let shown = format!("{command:?}");
            match self.order(who, command).await {
                Ok(reply) => assert!(
                    !matches!(reply.state, State::Halted { .. }),
                    "{shown}: {reply:?}\n{}",
                    self.last_lines()
                ),
                Err(fault) => panic!("{shown}: {fault}\n{}", self.last_lines()),
            }
        }
        panic!("the release did not end: {:?}", self.life().state);
    }

    /// Stands for the answer of a process that was broken.
    pub(crate) fn broken_reply(&self) -> Reply {
        let state = self.life().state;
        let exit = changeover::fault::Exit::Unknown;
        Reply { exit, sentence: String::new(), next: String::new(), state, code: None, plan: None }
    }

    /// The last lines of the journal, for failures of tests.
    pub(crate) fn last_lines(&self) -> String {
        let lines = app::glance(&self.settings("reader"), &self.system)
            .map(|it| it.lines)
            .unwrap_or_default();
        let from = lines.len().saturating_sub(6);
        lines[from..].iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
    }
}

pub(crate) fn approve() -> Command {
    Command::Approve { comment: None, packet: None }
}

/// A world without what differs from run to run: stamps, the journal's id, counts of readers, and
/// announcements, which may repeat.
pub(crate) fn comparable(world: &Value) -> Value {
    match world {
        Value::Object(map) => map
            .iter()
            .filter(|(name, _)| {
                !["announcements", "requests", "users", "running"].contains(&name.as_str())
            })
            .map(|(name, value)| (name.clone(), comparable(value)))
            .collect(),
        Value::Array(items) => items.iter().map(comparable).collect(),
        Value::String(text) => Value::String(normal(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => world.clone(),
    }
}

/// Runs of digits and hexadecimal digits of the length of a stamp or of an id are replaced by their kind.
fn normal(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
            continue;
        }
        let hex = word.chars().all(|it| it.is_ascii_hexdigit());
        let digits = word.chars().all(|it| it.is_ascii_digit());
        match word.len() {
            12 if digits => out.push_str("STAMP"),
            8 | 16 if hex && !digits => out.push_str("JOURNAL"),
            8 | 16 if hex && digits && text.contains("changeover") => out.push_str("JOURNAL"),
            // A nightly copy's; midnight may lie between two runs.
            8 if digits && word.starts_with("20") => out.push_str("DAY"),
            _ => out.push_str(&word),
        }
        word.clear();
        out.push(letter);
    }
    out.pop();
    out
}
