//! Settings read once and checked whole, and the wiring of everything below for the faces above.

mod dead_disk;
mod drift;
mod expected;
mod handover;
mod kept;
mod ledger;
mod look;
mod order;
mod rehearse;
mod settings;
mod whynot;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::conductor::ARMED;
use crate::fault::{E1001, E2012, Fault};
use crate::journal;
use crate::machine::{Life, State};
use crate::model::{Digest, Kind, SystemName, Time};
use crate::port::Line;
use crate::view::{self, ArmedView};
use crate::workflow::{self, Rule, Severity, Workflow};

pub use crate::journal::Verified;
pub use drift::{Drift, drift};
pub use ledger::ledger;
pub use look::{Looked, look};
pub use order::{
    BeforeJournal, BeforeWorld, Hooks, cut_tail, elsewhere, join, looked_at_elsewhere, order,
    order_in,
};
pub use rehearse::{Happened, Moment, Rehearsed, Trouble, Wanted, rehearse};
pub use settings::{Flags, Settings};
pub use whynot::why_not;

/// One finding of the linter or the parser, for faces.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LintFinding {
    /// The rule, or the error's code.
    pub rule: String,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The file as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// Why there is this rule; empty for errors of the parser, which have pages by code.
    #[serde(skip)]
    pub why: &'static str,
    /// Another place that has to do with it.
    #[serde(skip)]
    pub related: Option<workflow::Related>,
}

/// What the linter found in one file.
#[derive(Clone, Debug)]
pub struct LintReport {
    /// The file's text.
    pub text: String,
    /// All findings.
    pub findings: Vec<LintFinding>,
    /// Whether it could be read as a workflow at all.
    pub readable: bool,
}

/// One look at a system; locks nothing.
#[derive(Clone, Debug)]
pub struct Glance {
    /// Which.
    pub system: SystemName,
    /// The workflow the open run is pinned to, or the file's.
    pub workflow: Option<Arc<Workflow>>,
    /// What the journal folds to.
    pub life: Life,
    /// Every line.
    pub lines: Vec<Line>,
    /// Who holds the lock: `pid 123 on host since …`.
    pub holder: Option<String>,
    /// Outside addresses that are not the services' own.
    pub differs: Vec<String>,
    /// When it was looked.
    pub now: Time,
    /// Whether a failover is armed, where the workflow knows one and no run is open.
    pub armed: Option<ArmedView>,
}

impl Glance {
    /// What pictures are made of.
    pub fn look(&self) -> view::Look<'_> {
        view::Look {
            system: &self.system,
            life: &self.life,
            workflow: self.workflow.as_deref(),
            lines: &self.lines,
            now: self.now,
            differs: &self.differs,
            holder: self.holder.as_deref(),
        }
    }
}

/// The folder of a system's journal and store.
pub fn folder(settings: &Settings, system: &SystemName) -> PathBuf {
    settings.state.join(system.as_str())
}

/// The systems that have a workflow file.
///
/// # Errors
/// The folder cannot be read.
pub fn systems(settings: &Settings) -> Result<Vec<SystemName>, Fault> {
    let entries = std::fs::read_dir(&settings.workflows).map_err(|error| {
        let says = format!("the folder {} cannot be read", settings.workflows.display());
        Fault::new(&E2012, says).because(error).hint("name it with --workflows DIR")
    })?;
    let mut found: Vec<SystemName> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .filter_map(|path| Some(SystemName(path.file_stem()?.to_str()?.to_owned())))
        .collect();
    found.sort();
    Ok(found)
}

/// The system meant: the verb's own argument, `-s`, or the only one there is.
///
/// # Errors
/// None or several could be meant, or there is no such system.
pub fn pick(settings: &Settings, named: Option<&str>) -> Result<SystemName, Fault> {
    let flag = settings.system.as_ref().map(SystemName::as_str);
    if let (Some(named), Some(flag)) = (named, flag)
        && named != flag
    {
        let says = format!("two systems are named: {named} and {flag}");
        return Err(Fault::new(&E2012, says));
    }
    let known = systems(settings)?;
    let list = || known.iter().map(|it| it.0.clone()).collect::<Vec<_>>().join(", ");
    match (named.or(flag), known.as_slice()) {
        (Some(name), known) => {
            known.iter().find(|it| it.as_str() == name).cloned().ok_or_else(|| {
                let says = format!("there is no system `{name}`");
                Fault::new(&E2012, says).hint(format!("there are: {}", list()))
            })
        }
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Fault::new(&E2012, "there is no workflow file")
            .hint(format!("put one into {}", settings.workflows.display()))),
        (None, _) => Err(Fault::new(&E2012, "there are several systems")
            .hint(format!("name one with -s: {}", list()))),
    }
}

/// The text of a system's workflow file.
fn text_of(settings: &Settings, system: &SystemName) -> Result<(String, String), Fault> {
    let path = settings.workflows.join(format!("{system}.yaml"));
    let file = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Fault::new(&E1001, format!("{file} cannot be read")).because(error))?;
    Ok((text, file))
}

/// Reads a workflow's text; the first error speaks for all.
fn read(text: &str, file: &str) -> Result<Workflow, Fault> {
    match workflow::parse(text, file) {
        Ok(parsed) => Ok(parsed.workflow),
        Err(faults) => {
            let more = faults.len().saturating_sub(1);
            let first = faults.into_iter().next();
            let first =
                first.unwrap_or_else(|| Fault::new(&E1001, format!("{file} cannot be read")));
            if more == 0 {
                return Err(first);
            }
            Err(first.hint(format!("{more} more: changeover lint {file}")))
        }
    }
}

/// The same of a system's own file. Marks carry the name that stands in it: under another's journal they would fence
/// nobody.
fn read_own(system: &SystemName, text: &str, file: &str) -> Result<Workflow, Fault> {
    let workflow = read(text, file)?;
    if workflow.system == *system {
        return Ok(workflow);
    }
    let says = format!("{file} is the workflow of `{}`, not of `{system}`", workflow.system);
    Err(Fault::new(&E2012, says).hint("a file is named like the system that it describes"))
}

/// One look at a system; locks nothing and never opens the store.
///
/// # Errors
/// The journal is damaged.
pub fn glance(settings: &Settings, system: &SystemName) -> Result<Glance, Fault> {
    let dir = folder(settings, system);
    let read_lines = journal::read(&dir)?;
    let life = journal::fold(&read_lines)?;
    let lines: Vec<Line> = read_lines.into_iter().map(|it| it.line).collect();
    let pinned = life.record.run.as_ref().and_then(|run| journal::kept(&dir, &run.workflow).ok());
    let text = match pinned {
        Some(text) => Some(text),
        None => text_of(settings, system).ok().map(|(text, _)| text),
    };
    let kind = life.record.run.as_ref().map_or(Kind::Release, |run| run.kind);
    let workflow = text.and_then(|text| read(&text, system.as_str()).ok());
    let workflow = workflow.map(|it| Arc::new(it.walked_as(kind)));
    let holder = journal::holder(&dir)
        .filter(|it| it.alive)
        .map(|it| format!("pid {} on {} since {}", it.pid, it.host, it.since.screen()));
    // Asked at each look: who watches looks many times.
    let now = settings.clock.now();
    let (system, differs) = (system.clone(), settings.outside.differs.clone());
    let armed = armed_view(settings, &dir, &system, workflow.as_deref(), &life, now);
    Ok(Glance { system, workflow, life, lines, holder, differs, now, armed })
}

/// Whether a failover is armed: only said where one could be.
fn armed_view(
    settings: &Settings,
    dir: &Path,
    system: &SystemName,
    workflow: Option<&Workflow>,
    life: &Life,
    now: Time,
) -> Option<ArmedView> {
    let workflow = workflow.filter(|it| it.failover.is_some())?;
    let steady = life.state == State::Steady && life.record.production().is_some();
    let (text, _) = text_of(settings, system).ok().filter(|_| steady)?;
    let (file, limit) = (journal::shelved(dir, ARMED), workflow.limits.armed.as_seconds());
    let digest = Digest::of(text.as_bytes());
    Some(view::armed(file.as_deref(), &life.record, &digest, now, limit))
}

/// Everything the linter says of a file.
///
/// # Errors
/// The file cannot be read.
pub fn lint(file: &Path) -> Result<LintReport, Fault> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Fault::new(&E1001, format!("{name} cannot be read")).because(error))?;
    let (faults, warnings, readable) = match workflow::inspect(&text, &name) {
        Ok(parsed) => {
            let findings = workflow::lint(&parsed);
            (vec![], findings, true)
        }
        Err(faults) => (faults, vec![], false),
    };
    let mut findings: Vec<LintFinding> = faults.into_iter().map(of_fault).collect();
    findings.extend(warnings.into_iter().map(|it| LintFinding {
        why: Rule::find(it.rule).map_or("", Rule::why),
        related: it.related,
        rule: it.rule.to_owned(),
        severity: match it.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        file: it.file,
        line: it.line,
        column: it.column,
        message: it.message,
        help: it.help,
    }));
    Ok(LintReport { text, findings, readable })
}

/// A rule of the linter, for faces.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct RulePage {
    /// Its name.
    pub rule: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// Its page, in Markdown.
    pub page: &'static str,
}

/// The rule of this name.
pub fn rule(name: &str) -> Option<RulePage> {
    Rule::find(name).map(|it| RulePage { rule: it.id, severity: it.severity, page: it.page })
}

/// The rule that was meant by a name with a hyphen in it, most likely.
pub fn nearest_rule(name: &str) -> Option<&'static str> {
    let named = name.to_uppercase();
    let digits = named.contains(|it: char| it.is_ascii_digit());
    let near = |it: &&Rule| !digits && strsim::damerau_levenshtein(it.id, &named) <= 3;
    let rules = workflow::RULES.iter().filter(near);
    rules.min_by_key(|it| strsim::damerau_levenshtein(it.id, &named)).map(|it| it.id)
}

fn of_fault(fault: Fault) -> LintFinding {
    let place =
        fault.place.unwrap_or(crate::fault::Place { file: String::new(), line: 1, column: 1 });
    LintFinding {
        rule: fault.code.id.to_owned(),
        why: "",
        related: None,
        severity: "error",
        file: place.file,
        line: place.line,
        column: place.column,
        message: fault.message,
        help: fault.hint.or(fault.cause).unwrap_or_default(),
    }
}

/// The JSON Schema of workflow files.
pub fn schema() -> serde_json::Value {
    workflow::schema().clone()
}

/// Verifies everything of a system's journal.
///
/// # Errors
/// What is wrong, with the line's number.
pub fn verify(settings: &Settings, system: &SystemName) -> Result<Verified, Fault> {
    journal::verify(&folder(settings, system))
}

/// Usual durations of steps, seconds, from the journal's earlier runs.
fn usual(lines: &[Line]) -> BTreeMap<crate::model::StepId, i64> {
    expected::durations(lines)
}
