//! The examples on the rules' pages: the one under "Fails" is found by its rule and by no other, the one under
//! "Passes" by none. Each is laid over a clean file of another system than the shipped one.

use changeover::workflow::{self, Finding};
use serde_json::Value;

fn shop() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lint/shop.yaml");
    workflow::data(&std::fs::read_to_string(path).unwrap(), "shop.yaml").unwrap()
}

/// Lays a patch over a value: maps are joined, `null` removes, steps and records are known by their `id` (`gone:
/// true` removes one, an unknown one is appended), everything else is replaced.
fn lay(over: &mut Value, patch: Value) {
    match (over, patch) {
        (Value::Object(over), Value::Object(patch)) => {
            for (key, it) in patch {
                if it.is_null() {
                    assert!(over.shift_remove(&key).is_some(), "no `{key}` to remove");
                } else {
                    lay(over.entry(key).or_insert(Value::Null), it);
                }
            }
        }
        (Value::Array(over), Value::Array(patch))
            if patch.iter().all(|it| it.get("id").is_some()) =>
        {
            for it in patch {
                let at = over.iter().position(|own| own["id"] == it["id"]);
                match (at, it.get("gone").is_some()) {
                    (Some(at), true) => drop(over.remove(at)),
                    (Some(at), false) => lay(&mut over[at], it),
                    (None, false) => over.push(it),
                    (None, true) => panic!("no {} to remove", it["id"]),
                }
            }
        }
        (over, patch) => *over = patch,
    }
}

fn found(page: &str, title: &str, rule: &str) -> Vec<Finding> {
    let start = format!("## {title}\n\n```yaml\n");
    let after = page.split_once(&start).unwrap_or_else(|| panic!("{rule}: no {title}")).1;
    let patch = workflow::data(after.split_once("```").unwrap().0, rule).unwrap();
    let mut whole = shop();
    lay(&mut whole, patch);
    let text = serde_json::to_string_pretty(&whole).unwrap();
    match workflow::inspect(&text, rule) {
        Ok(parsed) => workflow::lint(&parsed),
        Err(faults) => panic!("{rule}, {title}: {}", faults[0]),
    }
}

#[test]
fn another_honest_system_is_clean() {
    let text = serde_json::to_string_pretty(&shop()).unwrap();
    assert_eq!(workflow::lint(&workflow::parse(&text, "shop.yaml").unwrap()), []);
}

#[test]
fn what_fails_on_a_page_is_found_by_that_rule_alone() {
    for rule in workflow::RULES {
        let found = found(rule.page, "Fails", rule.id);
        assert!(!found.is_empty(), "{} finds nothing", rule.id);
        for it in found {
            assert_eq!(it.rule, rule.id, "{it}");
        }
    }
}

#[test]
fn what_passes_on_a_page_is_clean() {
    for rule in workflow::RULES {
        let found = found(rule.page, "Passes", rule.id);
        assert!(found.is_empty(), "{}: {}", rule.id, found[0]);
    }
}

#[test]
fn every_page_is_of_a_rule() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lint");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".md");
        assert!(name == "README" || workflow::Rule::find(name).is_some(), "{name}");
    }
    let list = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    for rule in workflow::RULES {
        assert!(list.contains(&format!("[{0}]({0}.md)", rule.id)), "{} is not listed", rule.id);
    }
}
