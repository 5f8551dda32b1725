//! Broken files, one mistake each: the first printed line names the code and the line of the mistake.

use std::collections::BTreeSet;
use std::fs;

use changeover::fault::Fault;
use changeover::workflow;

fn fixtures() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures").to_owned()
}

fn faults(text: &str, file: &str) -> Vec<Fault> {
    workflow::parse(text, file).err().unwrap_or_default()
}

#[test]
fn the_file_they_are_made_from_is_clean() {
    let text = fs::read_to_string(fixtures() + "/small.yaml").unwrap();
    assert_eq!(
        faults(&text, "small.yaml").iter().map(ToString::to_string).collect::<Vec<_>>(),
        [""; 0]
    );
    let parsed = workflow::parse(&text, "small.yaml").unwrap();
    assert_eq!(workflow::lint(&parsed), []);
}

#[test]
fn every_mistake_is_named_in_the_first_line() {
    let folder = fixtures() + "/broken";
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 30, "{} files", names.len());
    let mut wrong = vec![];
    let mut seen = BTreeSet::new();
    for name in names {
        let text = fs::read_to_string(format!("{folder}/{name}")).unwrap();
        let first = text.lines().next().unwrap();
        let (code, line) = first.strip_prefix("# expect: ").unwrap().split_once(" line ").unwrap();
        let found = faults(&text, &name);
        let printed = found.first().map(ToString::to_string).unwrap_or_default();
        let head = printed.lines().next().unwrap_or_default();
        let fits = head.starts_with(&format!("{name}:{line}:"))
            && head.contains(&format!(": error[{code}]: "))
            && printed.contains("\n  hint: ");
        if !fits {
            wrong.push(format!(
                "{name}: wanted {code} in line {line}, got\n{}",
                found.iter().map(|it| format!("  {it}\n")).collect::<String>()
            ));
        }
        if found.len() != 1 {
            wrong.push(format!(
                "{name}: one mistake, {} faults\n{}",
                found.len(),
                found.iter().map(|it| format!("  {it}\n")).collect::<String>()
            ));
        }
        assert!(
            seen.insert((code.to_owned(), head.split("]: ").nth(1).map(str::to_owned))),
            "{name} is a copy"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What people read, whole: to be read again whenever it changes.
#[test]
fn what_is_printed() {
    let folder = fixtures() + "/broken";
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let print = |name: &String| {
        let text = fs::read_to_string(format!("{folder}/{name}")).unwrap();
        faults(&text, name).iter().map(|it| format!("{it}\n")).collect::<String>()
    };
    insta::assert_snapshot!(names.iter().map(print).collect::<String>());
}
