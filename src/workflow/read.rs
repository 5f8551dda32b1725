//! Text to workflow: spans, types, steps, templates, and what holds between them; every fault at once.

use serde_json::Value;

use crate::fault::{self, Fault};
use crate::workflow::check;
use crate::workflow::draft::Draft;
use crate::workflow::path::{Path, Turn};
use crate::workflow::report::Report;
use crate::workflow::schema::schema;
use crate::workflow::secret::{self, Found};
use crate::workflow::shape::{self, Piece};
use crate::workflow::spans::Spans;
use crate::workflow::types::Workflow;
use crate::workflow::{tree, yaml};

/// A file without faults.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What it says.
    pub workflow: Workflow,
    /// Where it says it.
    pub spans: Spans,
}

/// Reads a workflow. `file` is its name, for people.
///
/// # Errors
/// Everything that is wrong with it (1xxx), each with line and column; first what cannot be read, then
/// what does not fit together, both in the order of the file. Values of secrets are never repeated.
pub fn parse(text: &str, file: &str) -> Result<Parsed, Vec<Fault>> {
    run(text, file, true)
}

/// As [`parse`], for the linter alone: what does not hold between places (debts, proofs, the switch's
/// whole) is left to its rules, which say it together with everything else. No run starts from this.
///
/// # Errors
/// What makes the file unreadable as a workflow.
pub fn inspect(text: &str, file: &str) -> Result<Parsed, Vec<Fault>> {
    run(text, file, false)
}

fn run(text: &str, file: &str, whole: bool) -> Result<Parsed, Vec<Fault>> {
    let root = tree::read(text, file)?;
    let value = yaml::data(text, file).map_err(|fault| vec![fault])?;
    let secrets = secret::scan(&root);
    let mut report = Report::new(Spans { file: file.to_owned(), root });
    let mut faults = vec![];
    let workflow = read(value, &mut report, &secrets, &mut faults, whole);
    match workflow {
        Some(workflow) if faults.is_empty() => Ok(Parsed { workflow, spans: report.spans }),
        Some(_) | None => {
            faults.iter_mut().for_each(|it| hide(it, &secrets));
            Err(faults)
        }
    }
}

fn read(
    value: Value,
    report: &mut Report,
    secrets: &[Found],
    faults: &mut Vec<Fault>,
    between: bool,
) -> Option<Workflow> {
    let mut repaired: Vec<Path> = vec![];
    let schema = schema();
    let none = serde_json::Map::new();
    let definitions = schema.get("definitions").and_then(Value::as_object).unwrap_or(&none);
    let mut whole = Piece { value, schema, definitions, base: Path::default() };
    let workflow = shape::read(&mut whole, report, &mut repaired, &|value| {
        Some(serde_path_to_error::deserialize::<_, Workflow>(value))
    });
    let Some(workflow) = workflow else {
        secret::tell(secrets, report);
        faults.extend(report.take());
        return None;
    };
    let mut more = vec![];
    let draft = Draft::of(&workflow, |path, step| {
        let broken = repaired.iter().any(|it| path.within(it) || *it == path.key("id"));
        if broken { None } else { check::step(report, path, step, &mut more) }
    });
    repaired.extend(more);
    secret::tell(secrets, report);
    faults.extend(report.take());
    // What names a broken definition would be reported too; nothing names what is inside a step.
    if repaired.iter().all(is_inside_step) {
        check::places(&draft, report);
        if between && report.is_empty() && faults.is_empty() {
            check::whole(&draft, report);
        }
        report.forget(&repaired);
        report.forget(&secrets.iter().map(|it| it.path.clone()).collect::<Vec<_>>());
        faults.extend(report.take());
    }
    drop(draft);
    Some(workflow)
}

/// Whether this is a step of a phase, or inside one.
fn is_inside_step(path: &Path) -> bool {
    matches!(path.turns(), [Turn::Key(_), Turn::Key(_), Turn::Index(_), ..])
}

/// Whatever was said, it does not repeat a secret.
fn hide(fault: &mut Fault, secrets: &[Found]) {
    if fault.code == &fault::E1018 {
        return;
    }
    for secret in secrets.iter().filter(|it| it.text.len() >= 4) {
        for text in [Some(&mut fault.message), fault.cause.as_mut(), fault.hint.as_mut()]
            .into_iter()
            .flatten()
        {
            *text = text.replace(&secret.text, "…");
        }
    }
}
