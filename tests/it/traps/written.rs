//! Traps that cannot arise unless somebody writes them into the workflow: the file is refused.

use std::collections::BTreeSet;

use changeover::workflow;

#[test]
fn the_shipped_file_has_none_of_it() {
    let whole = std::fs::read_to_string("workflows/gigadb.yaml").unwrap();
    assert_eq!(found(&whole), BTreeSet::new());
}

/// Asserts that with this change of the shipped file the rule, or the error, is found.
fn refused(by: &str, old: &str, new: &str) {
    let whole = std::fs::read_to_string("workflows/gigadb.yaml").unwrap();
    assert!(whole.contains(old), "{old}");
    let found = found(&whole.replacen(old, new, 1));
    assert!(found.contains(by), "{by} does not find {new}: {found:?}");
}

/// What refuses a file, and what the linter says of it, which reads on.
fn found(text: &str) -> BTreeSet<String> {
    let refused = workflow::parse(text, "x.yaml").err().unwrap_or_default();
    let mut all: BTreeSet<String> = refused.iter().map(|it| it.code.id.to_owned()).collect();
    if let Ok(parsed) = workflow::inspect(text, "x.yaml") {
        all.extend(workflow::lint(&parsed).into_iter().map(|it| it.rule.to_owned()));
    }
    all
}

/// Comments out the line that begins so.
fn without(by: &str, line: &str) {
    refused(by, line, &line.replacen("    - ", "    # - ", 1));
}

#[test]
fn g04_free_text_is_never_a_stamp() {
    let dump =
        "on: production, timeout: 2h, with: { host: bastion, argv: [/usr/local/bin/s3backup, ";
    let load = "argv: [/usr/local/bin/databaseReset, ";
    for text in ["latest", "yesterday", "\"20261121\"", "\"{{ release.version }}\""] {
        for (by, start) in [("E1032", load), ("STAMP-FORMAT", load), ("STAMP-FORMAT", dump)] {
            refused(by, &format!("{start}\"{{{{ run.stamp }}}}\""), &format!("{start}{text}"));
        }
    }
}

#[test]
fn g02_a_stamp_is_the_runs_and_has_twelve_digits() {
    let start = "path: /usr/local/bin/s3backup,      arguments: [\"[0-9]{8}";
    refused("STAMP-FORMAT", &format!("{start}([0-9]{{4}})?\"]"), &format!("{start}\"]"));
}

#[test]
fn g06_the_file_looks_at_jobs_too() {
    for step in ["    - { id: off-reset, ", "    - { id: off-swap, ", "    - { id: off-renew, "] {
        without("OLD-SIDE", step);
    }
}

#[test]
fn g07_a_dump_is_made_under_the_embargo() {
    let under = "check: backup.whole, with: { newer_than: embargo } }";
    refused("BACKUP-DIRTY", under, "check: backup.whole }");
}

#[test]
fn g08_a_certificate_is_looked_at_before_users_are_moved() {
    without("TLS-COVERAGE", "    - { id: tls-again, ");
}

#[test]
fn g09_variables_are_written_before_a_site_is_deployed_in_a_role() {
    without("ROLE-VAR", "    - { id: vars-blue, ");
    without("ROLE-VAR", "    - { id: vars-stby, ");
}

#[test]
fn g11_a_failover_needs_no_bucket() {
    let assess = "  assess:\n";
    for step in [
        "{ id: newest, check: aws.daily, failover: demanded, with: { age_max: 36h } }",
        "{ id: newest, check: backup.whole, failover: asked }",
    ] {
        refused("FAILOVER-BACKUP", assess, &format!("{assess}    - {step}\n"));
    }
}

#[test]
fn g13_a_swap_moves_the_whole_group() {
    let some = "action: switch, with: { records: [web, files, bastion] } }";
    refused("GROUP-PARTIAL", "action: switch }", some);
}

#[test]
fn g14_what_is_deployed_is_an_annotated_tag() {
    refused("LIVE-REF", "annotated: true", "annotated: false");
}

#[test]
fn g16_no_step_restores_an_instance() {
    let step = "    - { id: snap-prod,  action: aws.rds.snapshot,";
    refused("E1011", step, &step.replace("aws.rds.snapshot", "aws.rds.restore"));
}
