//! Broken copies of the shipped workflow, made by changing its structure at places picked by a seed.
//! None of them passes; the first fault lies where the change was made.

use std::collections::BTreeMap;

use changeover::workflow;
use serde_json::{Map, Value, json};

use super::gigadb;

const SEED: u64 = 20_260_301;
const WANTED: usize = 280;
const KINDS: usize = 14;

/// A small generator, so that a seed gives the same files for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.roll(list.len())]
    }
}

/// A changed file: what was done, where, and whether only that place is to blame.
struct Mutant {
    what: String,
    /// The JSON pointer around the change; nothing where the whole file is to blame.
    region: Option<String>,
    value: Value,
    /// A key written twice, by its pointer.
    twice: Option<String>,
}

fn all(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(key, it)| all(it, &format!("{at}/{key}"), out))
        }
        Value::Object(map) => map.iter().for_each(|(key, it)| all(it, &format!("{at}/{key}"), out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

fn up(at: &str) -> &str {
    at.rsplit_once('/').map_or("", |it| it.0)
}

fn last(at: &str) -> &str {
    at.rsplit_once('/').map_or("", |it| it.1)
}

fn words(at: &str) -> Vec<&str> {
    at.split('/').skip(1).collect()
}

/// Maps whose keys are the writer's own words.
fn is_free(at: &str) -> bool {
    let at = words(at);
    matches!(
        at[..],
        ["sites" | "names" | "hosts" | "variables" | "jobs" | "people" | "gates" | "webhooks"]
            | ["sites", _, "vars"]
            | ["gates", _, "approvers"]
    )
}

/// Keys that a file may do without.
fn is_optional(at: &str) -> bool {
    let way = words(at);
    let step = matches!(way[..], ["release" | "closing" | "failover", _, _, _]);
    match last(at) {
        "wait" | "timeout" | "together" | "failover" | "expect" | "annotated" | "distinct"
        | "owned" | "newer_than" | "address" | "body" | "same_as" | "resolvers_min" | "jobs"
        | "rejoin" | "names" | "proves" | "not" | "identity" => true,
        "vars" => false,
        "expires" => way[0] == "gates",
        "name" => {
            way.contains(&"with") && way.contains(&"preflight")
                || way.contains(&"swap")
                || way.contains(&"assess")
                || way.contains(&"validate")
        }
        "on" => step,
        "with" => step,
        "destructive" => true,
        _ => false,
    }
}

fn mutate(kind: usize, whole: &Value, places: &[String], dice: &mut Dice) -> Option<Mutant> {
    let mut value = whole.clone();
    let at = dice.pick(places).clone();
    let node = whole.pointer(&at)?.clone();
    let inside_map = !at.is_empty() && whole.pointer(up(&at))?.is_object();
    let struct_key = inside_map && !is_free(up(&at));
    let parent = up(&at).to_owned();
    let mutant = |what: &str, region: Option<String>, value: Value| {
        Some(Mutant { what: format!("{what} at {at}"), region, value, twice: None })
    };
    let set = |value: &mut Value, new: Value| *value.pointer_mut(&at).unwrap() = new;
    match kind {
        0 if struct_key && !is_optional(&at) => {
            value.pointer_mut(&parent)?.as_object_mut()?.shift_remove(last(&at));
            mutant("delete", Some(parent), value)
        }
        1 if struct_key => {
            let map = value.pointer_mut(&parent)?.as_object_mut()?;
            let (key, at) = (last(&at), dice.roll(last(&at).len()));
            let typo = format!("{}{}{}", &key[..at], ["q", "x", "_"][dice.roll(3)], &key[at..]);
            *map = std::mem::take(map)
                .into_iter()
                .map(|(own, it)| (if own == key { typo.clone() } else { own }, it))
                .collect();
            mutant(&format!("typo `{typo}`"), Some(parent), value)
        }
        2 if inside_map => Some(Mutant {
            what: format!("twice {at}"),
            region: Some(parent),
            value,
            twice: Some(at),
        }),
        3 if !at.is_empty() => {
            let wrong = match node {
                Value::Array(_) | Value::Number(_) | Value::Object(_) => json!("text"),
                Value::Bool(_) => json!("maybe"),
                Value::Null | Value::String(_) => json!({ "more": ["than", "text"] }),
            };
            set(&mut value, wrong);
            mutant("wrong type", Some(parent), value)
        }
        4 if node.as_str().is_some_and(|it| it.contains("{{ ")) => {
            set(&mut value, json!(node.as_str()?.replacen(" }}", "z }}", 1)));
            mutant("undefined name", Some(at.clone()), value)
        }
        5 if ["check", "action"].contains(&last(&at)) => {
            set(&mut value, json!(format!("{}s", node.as_str()?)));
            mutant("unknown kind", Some(parent), value)
        }
        6 if ["/release", "/closing", "/failover"].contains(&parent.as_str()) => {
            value.pointer_mut(&parent)?.as_object_mut()?.shift_remove(last(&at));
            mutant("no phase", Some(parent), value)
        }
        7 if ["timeout", "wait", "planned", "at_most", "expires", "ttl_max"]
            .contains(&last(&at)) =>
        {
            set(
                &mut value,
                json!(["10", "ten minutes", "-5m", "10 minuets", "1h30"][dice.roll(5)]),
            );
            mutant("bad duration", Some(at.clone()), value)
        }
        8 if ["on", "runs_on", "from", "as", "same_as"].contains(&last(&at)) => {
            set(&mut value, json!(["primary", "Standby", "hk", "quarantined"][dice.roll(4)]));
            mutant("unknown role", Some(parent), value)
        }
        9 if ["host", "job", "to", "gate"].contains(&last(&at))
            && node.is_string()
            && !at.contains("/sync/")
            && !at.contains("/build")
            && !at.contains("play") =>
        {
            set(&mut value, json!(format!("{}2", node.as_str()?)));
            let job = last(&at) == "job"
                && !node
                    .as_str()
                    .is_some_and(|it| ["databaseReset", "sync_dropbox", "s3backup"].contains(&it));
            (!job).then_some(())?;
            mutant("unknown thing", Some(at.clone()), value)
        }
        10 if node.is_string() => {
            let secret = [
                format!("AKIA{}", "QWERTYUIOPASDFGH"),
                format!("glpat-{}", "x9Kq2mZtR7vLw4Np8Yb1"),
                "postgres://gigadb:hunter2@db.example/gigadb".to_owned(),
                format!("q8Zr{}", "T1vKx7Lw2Np9YbQm4Jd6Hs3Fg"),
            ];
            set(&mut value, json!(dice.pick(&secret)));
            mutant("secret", Some(at.clone()), value)
        }
        11 => step_moved(whole, &at, dice),
        12 if node.is_string() && last(&at) == "id" => {
            set(&mut value, json!("embargo"));
            (node != json!("embargo")).then_some(())?;
            mutant("id twice", None, value)
        }
        13 if [
            "/sites/hk",
            "/hosts/bastion",
            "/people/tech",
            "/gates/validate",
            "/webhooks/team",
            "/jobs/s3backup",
        ]
        .contains(&at.as_str()) =>
        {
            let map = value.pointer_mut(&parent)?.as_object_mut()?;
            let taken = map.shift_remove(last(&at))?;
            map.insert(format!("{}-old", last(&at)), taken);
            if parent == "/sites" { None } else { mutant("renamed", None, value) }
        }
        _ => None,
    }
}

/// A whole step removed, doubled or put into another phase.
fn step_moved(whole: &Value, at: &str, dice: &mut Dice) -> Option<Mutant> {
    let mut value = whole.clone();
    let step = whole.pointer(at)?;
    step.get("id")?;
    let needed = [
        "switch",
        "confirm",
        "approve",
        "target",
        "target-new",
        "whole",
        "whole-new",
        "backup-on",
        "lift",
        "reset-on",
        "efs-on",
        "vars-stby",
        "free-stby",
    ];
    let id = step["id"].as_str()?;
    let position: usize = last(at).parse().ok()?;
    let list = |value: &mut Value, at: &str| {
        value.pointer_mut(at).and_then(Value::as_array_mut).map(std::mem::take)
    };
    if needed.contains(&id) && dice.roll(2) == 0 {
        let mut steps = list(&mut value, up(at))?;
        steps.remove(position);
        *value.pointer_mut(up(at))? = json!(steps);
        return Some(Mutant { what: format!("without {id}"), region: None, value, twice: None });
    }
    if step.get("action").is_some() && dice.roll(2) == 0 {
        let mut steps = list(&mut value, "/release/preflight")?;
        let mut moved = step.clone();
        moved["id"] = json!("moved");
        steps.push(moved);
        let region = format!("/release/preflight/{}", steps.len() - 1);
        *value.pointer_mut("/release/preflight")? = json!(steps);
        return Some(Mutant {
            what: format!("{id} in preflight"),
            region: Some(region),
            value,
            twice: None,
        });
    }
    value.pointer_mut(up(at))?.as_array_mut()?.push(step.clone());
    Some(Mutant { what: format!("{id} doubled"), region: None, value, twice: None })
}

/// Writes block style and notes the first and last line of everything.
fn write(
    value: &Value,
    at: &str,
    twice: Option<&str>,
    out: &mut Vec<String>,
    lines: &mut BTreeMap<String, (usize, usize)>,
) {
    let pad = "  ".repeat(words(at).len());
    let first = out.len().max(1);
    let entry = |key: &str,
                 it: &Value,
                 below: &str,
                 out: &mut Vec<String>,
                 lines: &mut BTreeMap<String, (usize, usize)>| {
        let nested = it
            .as_object()
            .map_or(it.as_array().is_some_and(|it| !it.is_empty()), |it| !it.is_empty());
        let inline = if nested { String::new() } else { format!(" {it}") };
        out.push(format!("{pad}{key}{inline}"));
        write(it, below, twice, out, lines);
    };
    match value {
        Value::Object(map) => {
            for (key, it) in map {
                let below = format!("{at}/{key}");
                let times = if twice == Some(below.as_str()) { 2 } else { 1 };
                (0..times).for_each(|_| entry(&format!("{key}:"), it, &below, out, lines));
            }
        }
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(key, it)| entry("-", it, &format!("{at}/{key}"), out, lines));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
    lines.insert(at.to_owned(), (first, out.len()));
}

#[test]
fn no_broken_copy_passes() {
    let whole = workflow::data(&gigadb(), "gigadb.yaml").unwrap();
    let (mut plain, mut lines) = (vec![], BTreeMap::new());
    write(&whole, "", None, &mut plain, &mut lines);
    let same =
        workflow::parse(&plain.join("\n"), "plain.yaml").map_err(|it| it[0].to_string()).unwrap();
    assert_eq!(same.workflow, workflow::parse(&gigadb(), "gigadb.yaml").unwrap().workflow);

    let mut places = vec![];
    all(&whole, "", &mut places);
    let mut dice = Dice(SEED);
    let mut made: BTreeMap<String, ()> = BTreeMap::new();
    let mut kinds: BTreeMap<usize, usize> = BTreeMap::new();
    let mut wrong = vec![];
    // Kinds take turns; some have fewer places than others.
    for turn in 0..400_000 {
        if made.len() == WANTED {
            break;
        }
        let kind = turn / 500 % KINDS;
        let Some(mutant) = mutate(kind, &whole, &places, &mut dice) else { continue };
        let count = kinds.entry(kind).or_default();
        if *count >= WANTED / 9 || made.insert(mutant.what.clone(), ()).is_some() {
            continue;
        }
        *count += 1;
        if let Err(why) = judge(&mutant) {
            wrong.push(format!("{}: {why}", mutant.what));
        }
    }
    println!("seed {SEED}: {} files, {kinds:?}", made.len());
    assert!(
        made.len() >= 200 && kinds.values().filter(|it| **it >= 2).count() == KINDS,
        "{} {kinds:?}",
        made.len()
    );
    assert!(wrong.is_empty(), "seed {SEED}, {} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn judge(mutant: &Mutant) -> Result<(), String> {
    let (mut text, mut lines) = (vec![], BTreeMap::new());
    write(&mutant.value, "", mutant.twice.as_deref(), &mut text, &mut lines);
    let Err(faults) = workflow::parse(&text.join("\n"), "mutant.yaml") else {
        return Err("it passes".to_owned());
    };
    let shown = || faults.iter().map(|it| format!("\n    {it}")).collect::<String>();
    for secret in ["QWERTYUIOP", "x9Kq2mZtR7", "hunter2", "T1vKx7Lw"] {
        if shown().contains(secret) {
            return Err(format!("a secret is repeated{}", shown()));
        }
    }
    let (first, end) = mutant.region.as_ref().map_or((1, text.len()), |it| lines[it]);
    for fault in &faults {
        let place = fault.place.as_ref().ok_or("no place")?;
        if !(first..=end).contains(&place.line) || fault.hint.is_none() {
            return Err(format!("outside of lines {first} to {end}{}", shown()));
        }
    }
    Ok(())
}

/// What the generator relies on.
#[test]
fn an_empty_map_is_written_inline() {
    let (mut text, mut lines) = (vec![], BTreeMap::new());
    write(&json!({ "a": Map::new(), "b": [1] }), "", None, &mut text, &mut lines);
    assert_eq!(text, ["a: {}", "b:", "  - 1"]);
    assert_eq!(lines["/b/0"], (3, 3));
}
