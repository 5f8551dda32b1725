//! A desk that shows a walked life and remembers what it was told to do.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use changeover::app::{Drift, Glance, LintFinding, LintReport, Looked, Verified};
use changeover::cli::{Aside, Cli, Desk, Prompt, Streams};
use changeover::conductor::{Command, Order, Plan, PlannedStep, Progress, Reply, Watcher, WhyNot};
use changeover::drift::{Known, adoption, compare};
use changeover::fault::{E1001, E2012, E4001, E4003, Exit, Fault};
use changeover::machine::{At, Ended};
use changeover::model::{
    Change, Digest, Evidence, Kind, Phase, Sight, SystemName, Time, Verb, Way,
};
use changeover::port::Head;
use changeover::view::render::Paper;
use changeover::view::{Heard, LedgerRow, Loses, WayBack};

use crate::cli::whynot::asked;
use crate::conductor::rig::Rig;
use crate::walk::Walk;

/// Shows one system and takes orders for it.
pub(crate) struct Fake {
    glances: Mutex<Vec<Glance>>,
    pub(crate) orders: Mutex<Vec<Order>>,
    pub(crate) reply: Reply,
    pub(crate) damaged: bool,
    /// What looks at the world see, one after the other; the last one for ever.
    pub(crate) looks: Mutex<Vec<Sight>>,
    heard: Result<Heard, String>,
    /// Answers what stands in the way.
    rig: Option<Rig>,
}

impl Fake {
    pub(crate) fn of(walk: &Walk) -> Self {
        let reply = Reply {
            exit: Exit::Done,
            sentence: "deploy is done".to_owned(),
            next: "`embargo` refuses writes on production: changeover release next".to_owned(),
            state: walk.life.state,
            code: None,
            plan: None,
        };
        let glances = Mutex::new(vec![walk.glance()]);
        Self {
            glances,
            orders: Mutex::default(),
            reply,
            damaged: false,
            looks: Mutex::new(vec![Sight::default()]),
            heard: Err("nobody is asked here".to_owned()),
            rig: None,
        }
    }

    /// Shows where a rig stands.
    pub(crate) fn of_rig(glance: Glance, rig: Rig) -> Self {
        let desk = Self::of(&Walk::new());
        Self { glances: Mutex::new(vec![glance]), rig: Some(rig), ..desk }
    }

    /// What the witnesses of an incident say.
    pub(crate) fn hearing(self, heard: Heard) -> Self {
        Self { heard: Ok(heard), ..self }
    }

    /// What later looks see.
    pub(crate) fn then(self, walk: &Walk) -> Self {
        self.glances.lock().unwrap().push(walk.glance());
        self
    }

    pub(crate) fn told(&self) -> Vec<Order> {
        self.orders.lock().unwrap().clone()
    }

    /// What was really ordered, plans left out.
    pub(crate) fn done(&self) -> Vec<Order> {
        self.told().into_iter().filter(|order| !order.dry_run).collect()
    }
}

fn plan(at: Time) -> Plan {
    let change = Change {
        verb: Verb::Change,
        key: "cloudflare/gigadb.org/A".to_owned(),
        old: Some("18.163.10.4".to_owned()),
        new: Some("16.162.88.31".to_owned()),
        sentence: "users of gigadb.org are moved".to_owned(),
    };
    let read = Evidence {
        source: "cloudflare gigadb.org".to_owned(),
        at: at.plus_seconds(-2),
        says: "1 of 1 records leads to hk".to_owned(),
        data: serde_json::Value::Null,
    };
    let step = |phase: &str, id: &str, kind: &str, verdict: &str| PlannedStep {
        phase: phase.to_owned(),
        id: id.into(),
        kind: kind.to_owned(),
        verdict: verdict.to_owned(),
        changes: vec![],
        evidence: vec![],
    };
    Plan {
        command: "release next".to_owned(),
        sentence: "`release next` would do swap".to_owned(),
        steps: vec![
            PlannedStep {
                changes: vec![change],
                evidence: vec![read],
                ..step("swap", "switch", "switch", "todo")
            },
            step("swap", "confirm", "switch.confirm", "unknown"),
            step("sanity", "front", "http", "later"),
        ],
        way_back: WayBack {
            possible: true,
            seconds: Some(65),
            loses: Loses::Nothing,
            because: "no write was allowed since".to_owned(),
            until: Some(Phase::Lift),
            says: "free: no write was allowed since the swap; users go back to hk".to_owned(),
        },
        preview: None,
        digest: Digest::of(b"plan"),
    }
}

/// What a command that does one step tells.
fn one_step() -> [Progress; 3] {
    let (kind, way, phase) = (Kind::Release, Way::Forth, Phase::Deploy);
    let at = At { kind, way, phase, group: 0, tried: 1 };
    let (time, step, kind) = (Time::default(), "vars".into(), "gitlab.variables".to_owned());
    let (says, ended, took_ms) = ("4 variables".to_owned(), Ended::Done, 400);
    [
        Progress::Phase { at, time },
        Progress::Started { at, step, kind, time, expected: Some(3) },
        Progress::Ended { at, step: "vars".into(), ended, says, time, took_ms },
    ]
}

#[async_trait]
impl Desk for Fake {
    fn systems(&self) -> Result<Vec<SystemName>, Fault> {
        Ok(vec![SystemName::from("gigadb")])
    }

    fn pick(&self, named: Option<&str>) -> Result<SystemName, Fault> {
        match named {
            None | Some("gigadb") => Ok(SystemName::from("gigadb")),
            Some(other) => Err(Fault::new(&E2012, format!("there is no system `{other}`"))
                .hint("there are: gigadb")),
        }
    }

    fn file(&self, system: &SystemName) -> PathBuf {
        PathBuf::from(format!("workflows/{system}.yaml"))
    }

    fn glance(&self, _: &SystemName) -> Result<Glance, Fault> {
        let mut glances = self.glances.lock().unwrap();
        let next = if glances.len() > 1 { glances.remove(0) } else { glances[0].clone() };
        Ok(next)
    }

    async fn look(&self, system: &SystemName) -> Result<Looked, Fault> {
        Ok(Looked { glance: self.glance(system)?, heard: self.heard.clone() })
    }

    async fn drift(&self, _: &SystemName, _: Option<Duration>) -> Result<Drift, Fault> {
        let mut looks = self.looks.lock().unwrap();
        let sight = if looks.len() > 1 { looks.remove(0) } else { looks[0].clone() };
        let glance = self.glances.lock().unwrap()[0].clone();
        let workflow = glance.workflow.clone().unwrap();
        let (life, working, now) = (&glance.life, glance.holder.is_some(), glance.now);
        let known = Known { workflow: &workflow, life, working, now };
        let (report, adoption) = (compare(&known, &sight), adoption(&known, &sight));
        Ok(Drift { glance, sight, report, adoption })
    }

    fn ledger(&self, _: &SystemName) -> Result<(Vec<LedgerRow>, Time), Fault> {
        let glance = self.glances.lock().unwrap()[0].clone();
        let workflow = glance.workflow.clone().unwrap();
        Ok((changeover::view::ledger(&workflow, &glance.lines, &|_| None), glance.now))
    }

    fn rehearse(
        &self,
        _: &SystemName,
        wanted: &changeover::app::Wanted,
    ) -> Result<changeover::app::Rehearsed, Fault> {
        panic!("nobody rehearses a {} here", wanted.kind.name())
    }

    async fn order(
        &self,
        _: &SystemName,
        order: Order,
        watcher: Arc<dyn Watcher>,
    ) -> Result<Reply, Fault> {
        if self.damaged {
            return Err(Fault::new(&E4003, "line 7 is damaged").hint("bring it back from a copy"));
        }
        if !order.dry_run {
            one_step().iter().for_each(|progress| watcher.tell(progress));
        }
        let mut plan = order.dry_run.then(|| plan(self.glances.lock().unwrap()[0].now));
        if let (Command::Failover(_), Some(plan)) = (&order.command, &mut plan) {
            plan.preview = Some(Box::new(super::incident::preview()));
        }
        self.orders.lock().unwrap().push(order);
        Ok(Reply { plan, ..self.reply.clone() })
    }

    async fn why_not(&self, _: &SystemName, order: &Order) -> Result<WhyNot, Fault> {
        let glance = self.glances.lock().unwrap()[0].clone();
        asked(self.rig.as_ref().unwrap(), &glance, order).await
    }

    fn lint(&self, file: &Path) -> Result<LintReport, Fault> {
        let text = "format: 1\nswitch:\n  ttl_max: 30\nsites: {}\n".to_owned();
        let finding = |severity, line, column, message: &str, help: &str| LintFinding {
            rule: "TTL-UNIT".to_owned(),
            why: "",
            related: None,
            severity,
            file: file.display().to_string(),
            line,
            column,
            message: message.to_owned(),
            help: help.to_owned(),
        };
        let error = finding("error", 3, 12, "a duration needs a unit", "write `30s` or `30m`");
        let warning = finding("warning", 4, 1, "no site is declared", "");
        match file.to_str() {
            Some("clean.yaml") => Ok(LintReport { text, findings: vec![], readable: true }),
            Some("warned.yaml") => Ok(LintReport { text, findings: vec![warning], readable: true }),
            Some("unreadable.yaml") => {
                Ok(LintReport { text, findings: vec![error], readable: false })
            }
            Some("absent.yaml") => Err(Fault::new(&E1001, "absent.yaml cannot be read")),
            _ => Ok(LintReport { text, findings: vec![error, warning], readable: true }),
        }
    }

    fn cut_tail(&self, _: &SystemName, reason: String) -> Result<String, Fault> {
        Ok(format!("9 torn bytes after line 3 were cut off ({reason})"))
    }

    fn join(&self, _: &SystemName, from: &Path, reason: String) -> Result<String, Fault> {
        Ok(format!("4 lines written in {} were joined ({reason})", from.display()))
    }

    fn verify(&self, _: &SystemName) -> Result<Verified, Fault> {
        if self.damaged {
            return Err(Fault::new(&E4001, "line 7 does not follow from line 6"));
        }
        let glance = self.glances.lock().unwrap()[0].clone();
        let seq = glance.lines.len() as u64;
        Ok(Verified {
            lines: seq,
            segments: 1,
            head: Head { seq, hash: Digest::of(b"head") },
            at: glance.now,
            blobs: 1,
            torn: 0,
            life: glance.life,
        })
    }
}

/// Answers what it was told to answer.
struct Script(Vec<&'static str>, Aside);

impl Prompt for Script {
    fn ask(&mut self, question: &str) -> Option<String> {
        self.1.say(question);
        if self.0.is_empty() { None } else { Some(self.0.remove(0).to_owned()) }
    }
}

/// A writer that keeps what is written, without styles.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn text(&self) -> String {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        anstream::adapter::strip_str(&text).to_string()
    }
}

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// How a command is typed.
pub(crate) struct Typing<'a> {
    pub(crate) desk: &'a Fake,
    pub(crate) width: usize,
    /// What the person answers; `None`: nobody can be asked.
    pub(crate) answers: Option<Vec<&'static str>>,
    /// Standard error is a terminal.
    pub(crate) live: bool,
}

impl<'a> Typing<'a> {
    pub(crate) fn at(desk: &'a Fake) -> Self {
        Self { desk, width: 80, answers: None, live: false }
    }

    pub(crate) fn wide(self, width: usize) -> Self {
        Self { width, ..self }
    }

    pub(crate) fn answering(self, answers: &[&'static str]) -> Self {
        Self { answers: Some(answers.to_vec()), ..self }
    }

    /// Runs `changeover LINE`, words split at spaces.
    pub(crate) fn run(self, line: &str) -> Ran {
        let typed: Vec<String> =
            std::iter::once("changeover").chain(line.split(' ')).map(str::to_owned).collect();
        let cli = Cli::read(&typed).unwrap();
        let (out, err) = (Kept::default(), Kept::default());
        let aside = Aside::new(err.clone());
        let person = self.answers.filter(|_| !cli.global.no_input);
        let person = person.map(|it| Box::new(Script(it, aside.clone())) as Box<dyn Prompt>);
        let mut streams = Streams {
            out: Box::new(out.clone()),
            aside,
            person,
            paper: Paper { width: self.width, ascii: cli.global.ascii },
            screen: false,
            live: self.live,
            json: cli.global.json,
            quiet: cli.global.quiet,
            verbose: cli.global.verbose > 0,
            typed,
            gone: false,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let status = runtime.block_on(changeover::cli::run(cli, self.desk, &mut streams));
        Ran { status, out: out.text(), err: err.text() }
    }
}
