//! Rules of judgement on a file that can be read: what is allowed and was a mistake somewhere before.
//!
//! How to add one stands in `docs/lint/README.md`. Rules ask what a step means of [`deed`], never its kind.

mod allowed;
mod announced;
mod backup_dirty;
mod bucket_name;
mod daemon_set;
mod deed;
mod drill_name;
mod eip_name;
mod env_per_role;
mod failover_backup;
mod file_missing;
mod fqdn_pattern;
mod fqdn_zone;
mod group_partial;
mod literal_arn;
mod live_ref;
mod migrate_target;
mod name_derived;
mod name_drift;
mod old_side;
mod paired_step;
mod pattern;
mod phase_missing;
mod phase_order;
mod port_drift;
mod public_dump;
mod rds_endpoint;
mod region_hardcoded;
mod role_hardcoded;
mod role_var;
mod rollback_data;
mod scheme_mix;
mod scripts;
mod shared_principal;
mod snapshot_id;
mod stamp_format;
mod state_stale;
mod sync_direction;
mod text;
mod tls_coverage;
mod tz_missing;
mod unknown_script;
mod var_dns_match;
mod version_name;
mod version_split;
mod wait_fixed;
mod zone_delegation;

use std::fmt;

use serde::Serialize;

use crate::fault::Place;
use crate::model::Phase;
use crate::workflow::draft::{Draft, Placed};
use crate::workflow::path::Path;
use crate::workflow::read::Parsed;
use crate::workflow::report::Report;
use crate::workflow::spans::Spans;
use crate::workflow::tree::Node;
use deed::Deed;

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

impl Rule {
    /// Why there is this rule: the first paragraph of its page under `## Why`.
    pub fn why(&self) -> &'static str {
        let after = self.page.split_once("\n## Why\n\n").map_or("", |it| it.1);
        after.split("\n\n").next().unwrap_or("").trim_end()
    }

    /// The rule of this name, small letters or capitals.
    pub fn find(name: &str) -> Option<&'static Self> {
        RULES.iter().find(|it| it.id.eq_ignore_ascii_case(name))
    }
}

/// Another place that a finding speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is there.
    pub label: &'static str,
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
    /// Where the other half of it stands.
    pub related: Option<Related>,
}

impl fmt::Display for Finding {
    /// `FILE:LINE:COLUMN: warning[RULE]: message`, then what to do on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, severity, file, line, column, message, help, related: _ } = self;
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{file}:{line}:{column}: {severity}[{rule}]: {message}\n  hint: {help}")
    }
}

/// What a rule looks at, and where it puts what it finds.
struct Look<'a> {
    draft: &'a Draft<'a>,
    spans: &'a Spans,
    rule: Rule,
    found: Vec<(Path, Finding)>,
}

impl<'a> Look<'a> {
    /// The rule does not hold for the value at this way.
    fn say(&mut self, path: &Path, message: impl Into<String>, help: impl Into<String>) {
        self.put(path, self.spans.value(path), message.into(), help.into(), None);
    }

    /// The rule does not hold for the whole of what this key holds, or for what is missing in it.
    fn say_key(&mut self, path: &Path, message: impl Into<String>, help: impl Into<String>) {
        self.put(path, self.spans.key(path), message.into(), help.into(), None);
    }

    /// As [`Self::say`], and another place has to do with it.
    fn say_with(
        &mut self,
        path: &Path,
        message: impl Into<String>,
        help: impl Into<String>,
        other: &Path,
        label: &'static str,
    ) {
        // A phase is named by its key: what is missing in it stands nowhere.
        let whole = path.turns().len() == 2 && self.spans.root.at(path).is_some_and(Node::is_group);
        let place = if whole { self.spans.key(path) } else { self.spans.value(path) };
        let group = self.spans.root.at(other).is_some_and(Node::is_group);
        let there = if group { self.spans.key(other) } else { self.spans.value(other) };
        let related = Related { line: there.line, column: there.column, label };
        self.put(path, place, message.into(), help.into(), Some(related));
    }

    /// What the parser refuses between places is said by a rule here.
    fn judged(&mut self, check: fn(&Draft<'_>, &mut Report)) {
        let mut report = Report::new(self.spans.clone());
        check(self.draft, &mut report);
        for (path, fault) in report.take_placed() {
            let (message, help) = (fault.message, fault.hint.unwrap_or_default());
            if let Some(place) = fault.place {
                self.put(&path, place, message, help, None);
            }
        }
    }

    fn put(
        &mut self,
        path: &Path,
        place: Place,
        message: String,
        help: String,
        related: Option<Related>,
    ) {
        let Rule { id: rule, severity, .. } = self.rule;
        let Place { file, line, column } = place;
        let finding = Finding { rule, severity, file, line, column, message, help, related };
        self.found.push((path.clone(), finding));
    }

    /// Every text of every step's parameters, with its step and place.
    fn step_texts(&self) -> Vec<(&'a Placed<'a>, Path, String)> {
        let mut all = vec![];
        for placed in &self.draft.steps {
            let with = placed.path.key("with");
            let Some(node) = self.spans.root.at(&with) else { continue };
            node.each_scalar(&with, &mut |path, _, text| {
                all.push((placed, path.clone(), text.to_owned()));
            });
        }
        all
    }

    /// Every text of the file, with its place.
    fn texts(&self) -> Vec<(Path, String)> {
        let mut all = vec![];
        self.spans.root.each_scalar(&Path::default(), &mut |path, _, text| {
            all.push((path.clone(), text.to_owned()));
        });
        all
    }
}

impl<'a> Draft<'a> {
    /// Every step with what it means, gates left out.
    fn deeds(&self) -> impl Iterator<Item = (&Placed<'a>, Deed<'_>)> {
        self.steps.iter().filter_map(|it| Some((it, deed::deed(it.params.as_ref()?))))
    }

    /// Those of one phase.
    fn deeds_of(&self, phase: Phase) -> impl Iterator<Item = (&Placed<'a>, Deed<'_>)> {
        self.deeds().filter(move |(it, _)| it.phase == phase && !it.drills())
    }
}

/// Scheme and host of an address; the text itself if it is a bare name.
fn host(text: &str) -> (Option<&str>, &str) {
    match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest.split(['/', ':']).next().unwrap_or(rest)),
        None => (None, text),
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
    "ALLOWED" Error allowed,
    "BACKUP-DIRTY" Error backup_dirty,
    "BUCKET-NAME" Error bucket_name,
    "DAEMON-SET" Error daemon_set,
    "DRILL-NAME" Error drill_name,
    "EIP-NAME" Error eip_name,
    "ENV-PER-ROLE" Warning env_per_role,
    "FAILOVER-BACKUP" Error failover_backup,
    "FILE-MISSING" Warning file_missing,
    "FQDN-PATTERN" Warning fqdn_pattern,
    "FQDN-ZONE" Error fqdn_zone,
    "GROUP-PARTIAL" Error group_partial,
    "LIFT-TOLD" Warning announced,
    "LITERAL-ARN" Warning literal_arn,
    "LIVE-REF" Error live_ref,
    "MIGRATE-TARGET" Error migrate_target,
    "NAME-DERIVED" Warning name_derived,
    "NAME-DRIFT" Warning name_drift,
    "OLD-SIDE" Error old_side,
    "PAIRED-STEP" Error paired_step,
    "PHASE-MISSING" Error phase_missing,
    "PHASE-ORDER" Error phase_order,
    "PORT-DRIFT" Warning port_drift,
    "PUBLIC-DUMP" Error public_dump,
    "RDS-ENDPOINT" Error rds_endpoint,
    "REGION-HARDCODED" Warning region_hardcoded,
    "ROLE-HARDCODED" Error role_hardcoded,
    "ROLE-VAR" Error role_var,
    "ROLLBACK-DATA" Error rollback_data,
    "SCHEME-MIX" Warning scheme_mix,
    "SHARED-PRINCIPAL" Error shared_principal,
    "SNAPSHOT-ID" Error snapshot_id,
    "STAMP-FORMAT" Error stamp_format,
    "STATE-STALE" Warning state_stale,
    "SYNC-DIRECTION" Error sync_direction,
    "TEXT" Warning text,
    "TLS-COVERAGE" Error tls_coverage,
    "TZ-MISSING" Warning tz_missing,
    "UNKNOWN-SCRIPT" Error unknown_script,
    "VAR-DNS-MATCH" Error var_dns_match,
    "VERSION-NAME" Error version_name,
    "VERSION-SPLIT" Error version_split,
    "WAIT-FIXED" Warning wait_fixed,
    "ZONE-DELEGATION" Error zone_delegation,
}

/// Applies every rule. The findings stand in the order of the file; warnings that the file allows are left out.
pub fn lint(parsed: &Parsed) -> Vec<Finding> {
    let draft = Draft::clean(&parsed.workflow);
    let mut found = vec![];
    for rule in RULES {
        let mut look = Look { draft: &draft, spans: &parsed.spans, rule: *rule, found: vec![] };
        (rule.look)(&mut look);
        found.extend(look.found);
    }
    let mut found = allowed::apply(&parsed.workflow, &parsed.spans, found);
    found.sort_by(|a, b| (a.line, a.column, a.rule).cmp(&(b.line, b.column, b.rule)));
    found.dedup();
    found
}
