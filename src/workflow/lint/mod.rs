//! Rules of judgement on a file that can be read: what is allowed and was a mistake somewhere before.

mod announced;
mod eip_name;
mod fqdn_zone;
mod paired_step;
mod role_hardcoded;
mod shared_principal;
mod snapshot_id;
mod sync_direction;
mod tls_coverage;
mod var_dns_match;
mod version_name;

use std::fmt;

use serde::Serialize;

use crate::workflow::draft::Draft;
use crate::workflow::path::Path;
use crate::workflow::read::Parsed;
use crate::workflow::spans::Spans;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A release would go wrong.
    Error,
    /// A release could go wrong.
    Warning,
}

/// One rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name, for example `EIP-NAME`.
    pub id: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// The page that `changeover explain` prints, in Markdown.
    pub page: &'static str,
    look: fn(&mut Look<'_>),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// The file as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong, one sentence, without a full stop.
    pub message: String,
    /// What to write.
    pub help: String,
}

impl fmt::Display for Finding {
    /// `FILE:LINE:COLUMN: warning[RULE]: message`, then what to do on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, severity, file, line, column, message, help } = self;
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{file}:{line}:{column}: {severity}[{rule}]: {message}\n  hint: {help}")
    }
}

/// What a rule looks at, and where it puts what it finds.
struct Look<'a> {
    draft: Draft<'a>,
    spans: &'a Spans,
    rule: Rule,
    found: Vec<Finding>,
}

impl Look<'_> {
    /// The rule does not hold for the value at this way.
    fn say(&mut self, path: &Path, message: impl Into<String>, help: impl Into<String>) {
        let place = self.spans.value(path);
        self.found.push(Finding {
            rule: self.rule.id,
            severity: self.rule.severity,
            file: place.file,
            line: place.line,
            column: place.column,
            message: message.into(),
            help: help.into(),
        });
    }
}

/// Defines the list of rules: each file has `look`, each rule a page under `docs/lint/`.
macro_rules! rules {
    ($($id:literal $severity:ident $module:ident,)+) => {
        /// Every rule, by name.
        pub static RULES: &[Rule] = &[$(Rule {
            id: $id,
            severity: Severity::$severity,
            page: include_str!(concat!("../../../docs/lint/", $id, ".md")),
            look: $module::look,
        },)+];
    };
}

rules! {
    "EIP-NAME" Error eip_name,
    "FQDN-ZONE" Error fqdn_zone,
    "LIFT-TOLD" Warning announced,
    "PAIRED-STEP" Warning paired_step,
    "ROLE-HARDCODED" Error role_hardcoded,
    "SHARED-PRINCIPAL" Error shared_principal,
    "SNAPSHOT-ID" Error snapshot_id,
    "SYNC-DIRECTION" Error sync_direction,
    "TLS-COVERAGE" Error tls_coverage,
    "VAR-DNS-MATCH" Error var_dns_match,
    "VERSION-NAME" Error version_name,
}

/// Applies every rule. The findings stand in the order of the file.
pub fn lint(parsed: &Parsed) -> Vec<Finding> {
    let mut found: Vec<Finding> = RULES
        .iter()
        .flat_map(|rule| {
            let draft = Draft::clean(&parsed.workflow);
            let mut look = Look { draft, spans: &parsed.spans, rule: *rule, found: vec![] };
            (rule.look)(&mut look);
            look.found
        })
        .collect();
    found.sort_by_key(|it| (it.line, it.column));
    found
}
