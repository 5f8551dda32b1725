//! The shipped workflow is clean, and the committed schema is the types' own.

use std::fs;

use changeover::workflow;
use serde_json::{Value, json};

use super::gigadb;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/workflows/workflow.schema.json");

#[test]
fn the_shipped_workflow_is_clean() {
    let parsed = match workflow::parse(&gigadb(), "workflows/gigadb.yaml") {
        Ok(parsed) => parsed,
        Err(faults) => panic!("{}", faults.iter().map(|it| format!("{it}\n")).collect::<String>()),
    };
    let findings = workflow::lint(&parsed);
    assert!(
        findings.is_empty(),
        "{}",
        findings.iter().map(|it| format!("{it}\n")).collect::<String>()
    );
}

#[test]
fn the_schema_is_the_committed_one() {
    let generated = serde_json::to_string_pretty(workflow::schema()).unwrap() + "\n";
    let committed = fs::read_to_string(SCHEMA).unwrap_or_default();
    if generated != committed {
        let copy = concat!(env!("CARGO_TARGET_TMPDIR"), "/workflow.schema.json");
        fs::write(copy, generated).unwrap();
        panic!("the types have changed: cp {copy} {SCHEMA}");
    }
}

fn errors(value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(&fs::read_to_string(SCHEMA).unwrap()).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    validator.iter_errors(value).map(|it| format!("{}: {it}", it.instance_path())).collect()
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    for file in ["workflows/gigadb.yaml", "tests/fixtures/small.yaml"] {
        let text = fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(errors(&workflow::data(&text, file).unwrap()), [""; 0], "{file}");
    }
}

#[test]
fn the_schema_refuses_what_an_editor_should_mark() {
    let whole = workflow::data(&gigadb(), "gigadb.yaml").unwrap();
    for (at, wrong) in [
        ("/release/preflight/0", json!({ "id": "x", "check": "aws.identiti" })),
        (
            "/release/preflight/0",
            json!({ "id": "x", "check": "job.on", "with": { "job": "s3backup" } }),
        ),
        ("/release/preflight/0", json!({ "id": "x", "check": "tls", "on": "standby" })),
        (
            "/release/preflight/0",
            json!({ "id": "x", "check": "tls", "with": { "address": "a:443", "days_min": 1, "name": 2 } }),
        ),
        ("/release/preflight/0", json!({ "id": "x", "check": "closed", "action": "switch" })),
        ("/release/deploy", json!({ "skp": "x" })),
        ("/release/soak/planned", json!("soon")),
        ("/sites", json!({ "hk": whole["sites"]["hk"] })),
        ("/switch/cloudflare/token", json!("abc")),
        ("/people/tech", json!("engineer-a")),
    ] {
        let mut broken = whole.clone();
        *broken.pointer_mut(at).unwrap() = wrong.clone();
        assert!(!errors(&broken).is_empty(), "{at} {wrong}");
    }
}
