//! The shipped workflow is clean, and the committed schema is the types' own.

use changeover::workflow;

use super::gigadb;

#[test]
fn the_shipped_workflow_is_clean() {
    let parsed = match workflow::parse(&gigadb(), "workflows/gigadb.yaml") {
        Ok(parsed) => parsed,
        Err(faults) => panic!("{}", faults.iter().map(|it| format!("{it}\n")).collect::<String>()),
    };
    let findings = workflow::lint(&parsed);
    assert!(findings.is_empty(), "{}", findings.iter().map(|it| format!("{it}\n")).collect::<String>());
}
