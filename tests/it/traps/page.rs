//! `docs/traps.md` is true: sixteen rows, each with checks and rules that exist, and each with a test.

use std::collections::BTreeSet;

use changeover::workflow;
use changeover::workflow::step::pages::page;

/// The rows of the page: number, and the links of its guards.
fn rows() -> Vec<(String, String)> {
    let text = std::fs::read_to_string("docs/traps.md").unwrap();
    let rows = text.lines().filter(|it| it.starts_with("| G"));
    rows.map(|row| (row[2..].split(' ').next().unwrap().to_owned(), row.to_owned())).collect()
}

/// The targets of links in a text.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|it| it.split(')').next()).collect()
}

#[test]
fn every_trap_has_a_row_whose_guards_exist() {
    let rows = rows();
    let numbers: Vec<&str> = rows.iter().map(|it| it.0.as_str()).collect();
    let all: Vec<String> = (1..=16).map(|it| format!("G{it}")).collect();
    assert_eq!(numbers, all);
    for (number, row) in &rows {
        let mut guards = 0;
        for link in links(row) {
            let (folder, name) = link.split_once('/').unwrap_or_default();
            let name = name.strip_suffix(".md").unwrap_or_default();
            let exists = match folder {
                "checks" => page(name).is_some(),
                "lint" => workflow::RULES.iter().any(|it| it.id == name),
                "errors" => std::path::Path::new("docs").join(link).exists(),
                _ => false,
            };
            assert!(exists, "{number}: {link}");
            guards += usize::from(folder != "errors" || name == "E1032");
        }
        assert!(guards > 0, "{number} names no check and no rule");
    }
}

#[test]
fn every_trap_has_a_test() {
    let mut tested = BTreeSet::new();
    for entry in std::fs::read_dir("tests/it/traps").unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let is_test = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            if let Some(name) = is_test.then(|| lines.next()).flatten()
                && let Some((_, rest)) = name.split_once("fn g")
            {
                tested.insert(rest[..2].parse::<u32>().unwrap());
            }
        }
    }
    assert_eq!(tested, (1..=16).collect());
}
