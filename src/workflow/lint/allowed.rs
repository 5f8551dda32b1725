//! ALLOWED: what the file allows is a warning that is really given, at a place that exists, for a reason.

use super::{Finding, Look, Rule, Severity};
use crate::workflow::path::Path;
use crate::workflow::spans::Spans;
use crate::workflow::suggest;
use crate::workflow::types::Workflow;

pub(super) fn look(look: &mut Look<'_>) {
    for (at, allow) in look.draft.workflow.lint.allow.iter().enumerate() {
        let place = place(at);
        if allow.reason.trim().is_empty() {
            look.say(&place.key("reason"), "this gives no reason", "say why it does no harm here");
        }
        match Rule::find(&allow.rule) {
            None => {
                let names: Vec<&str> = super::RULES.iter().map(|it| it.id).collect();
                let near = suggest::nearest(&allow.rule, names.iter().copied());
                let help = near.map_or_else(
                    || "all rules: docs/lint/README.md".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                look.say(&place.key("rule"), format!("there is no rule `{}`", allow.rule), help);
            }
            Some(rule) if rule.severity == Severity::Error => {
                let message = format!("`{}` is an error, and errors cannot be allowed", rule.id);
                look.say(&place.key("rule"), message, "correct what it finds");
            }
            Some(_) => (),
        }
    }
}

fn place(at: usize) -> Path {
    Path::of("lint.allow").index(at)
}

/// Leaves out the warnings that are allowed, and adds what allows nothing.
pub(super) fn apply(
    workflow: &Workflow,
    spans: &Spans,
    mut found: Vec<(Path, Finding)>,
) -> Vec<Finding> {
    let mut idle = vec![];
    for (at, allow) in workflow.lint.allow.iter().enumerate() {
        let before = found.len();
        let covers = |path: &Path, it: &Finding| {
            it.severity == Severity::Warning
                && it.rule.eq_ignore_ascii_case(&allow.rule)
                && (path.to_string() == allow.at || below(&path.to_string(), &allow.at))
        };
        found.retain(|(path, it)| !covers(path, it));
        let warns = Rule::find(&allow.rule).is_some_and(|it| it.severity == Severity::Warning);
        if warns && found.len() == before {
            let there = spans.value(&place(at).key("at"));
            idle.push(Finding {
                rule: "ALLOWED",
                severity: Severity::Error,
                file: there.file,
                line: there.line,
                column: there.column,
                message: format!("`{}` finds nothing at `{}`", allow.rule, allow.at),
                help: "remove it: what it was for has gone".to_owned(),
                related: None,
            });
        }
    }
    found.into_iter().map(|(_, it)| it).chain(idle).collect()
}

/// Whether a way lies below another one.
fn below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']))
}
