//! Broken copies of the shipped workflow, made by changing its structure at places picked by a seed.
//! None of them passes; the first fault lies where the change was made.

use std::collections::{BTreeMap, BTreeSet};

use changeover::workflow;
use serde_json::{Map, Value, json};

use super::gigadb;

const SEED: u64 = 20_260_301;
const WANTED: usize = 224;

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
            list.iter().enumerate().for_each(|(key, it)| all(it, &format!("{at}/{key}"), out));
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
        ["sites"
            | "names"
            | "hosts"
            | "scripts"
            | "variables"
            | "jobs"
            | "people"
            | "gates"
            | "webhooks"]
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
        | "skippable" | "drops" | "drill" | "rejoin" | "names" | "scripts" | "arguments"
        | "proves" | "not" | "identity" | "sha256" => true,
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

/// A place in the file that may be changed.
struct Spot<'a> {
    whole: &'a Value,
    at: &'a str,
    node: &'a Value,
}

type Change = fn(&Spot<'_>, &mut Dice) -> Option<Mutant>;

/// The kinds of change; each gives nothing where it does not apply.
const CHANGES: [Change; 14] = [
    deleted,
    misspelt,
    twice,
    wrong_type,
    undefined_name,
    unknown_kind,
    phase_gone,
    bad_duration,
    unknown_role,
    unknown_thing,
    secret,
    step_moved,
    id_twice,
    renamed,
];

impl Spot<'_> {
    fn text(&self) -> Option<&str> {
        self.node.as_str()
    }

    fn parent(&self) -> &Value {
        self.whole.pointer(up(self.at)).unwrap()
    }

    /// A key that the program fixes.
    fn is_fixed(&self) -> bool {
        !self.at.is_empty() && self.parent().is_object() && !is_free(up(self.at))
    }

    fn is_key(&self, keys: &[&str]) -> bool {
        keys.contains(&last(self.at))
    }

    /// Another value here.
    fn set(&self, what: &str, region: &str, new: Value) -> Option<Mutant> {
        let mut value = self.whole.clone();
        *value.pointer_mut(self.at)? = new;
        self.mutant(what, Some(region), value)
    }

    /// Without this key.
    fn without(&self, what: &str) -> Option<Mutant> {
        let mut value = self.whole.clone();
        value.pointer_mut(up(self.at))?.as_object_mut()?.shift_remove(last(self.at));
        self.mutant(what, Some(up(self.at)), value)
    }

    /// The same under another key.
    fn under(&self, what: &str, key: &str, region: Option<&str>) -> Option<Mutant> {
        let mut value = self.whole.clone();
        let map = value.pointer_mut(up(self.at))?.as_object_mut()?;
        let name = |own: String| if own == last(self.at) { key.to_owned() } else { own };
        *map = std::mem::take(map).into_iter().map(|(own, it)| (name(own), it)).collect();
        self.mutant(&format!("{what} {key}"), region, value)
    }

    fn mutant(&self, what: &str, region: Option<&str>, value: Value) -> Option<Mutant> {
        let region = region.map(str::to_owned);
        Some(Mutant { what: format!("{what} at {}", self.at), region, value, twice: None })
    }
}

fn deleted(spot: &Spot<'_>, _: &mut Dice) -> Option<Mutant> {
    (spot.is_fixed() && !is_optional(spot.at)).then(|| spot.without("deleted"))?
}

fn misspelt(spot: &Spot<'_>, dice: &mut Dice) -> Option<Mutant> {
    let (key, letter) = (last(spot.at), ["q", "x", "_"][dice.roll(3)]);
    let (before, after) = spot.is_fixed().then(|| key.split_at(dice.roll(key.len())))?;
    spot.under("misspelt", &format!("{before}{letter}{after}"), Some(up(spot.at)))
}

fn twice(spot: &Spot<'_>, _: &mut Dice) -> Option<Mutant> {
    let inside = !spot.at.is_empty() && spot.parent().is_object();
    let mutant = inside.then(|| spot.mutant("twice", Some(up(spot.at)), spot.whole.clone()))??;
    Some(Mutant { twice: Some(spot.at.to_owned()), ..mutant })
}

fn wrong_type(spot: &Spot<'_>, _: &mut Dice) -> Option<Mutant> {
    let wrong = match spot.node {
        Value::Array(_) | Value::Number(_) | Value::Object(_) => json!("text"),
        Value::Bool(_) => json!("maybe"),
        Value::Null | Value::String(_) => json!({ "more": ["than", "text"] }),
    };
    (!spot.at.is_empty()).then(|| spot.set("wrong type", up(spot.at), wrong))?
}

fn undefined_name(spot: &Spot<'_>, _: &mut Dice) -> Option<Mutant> {
    let text = spot.text().filter(|it| it.contains(" }}"))?;
    spot.set("undefined name", spot.at, json!(text.replacen(" }}", "z }}", 1)))
}

fn unknown_kind(spot: &Spot<'_>, _: &mut Dice) -> Option<Mutant> {
    let kind = spot.text().filter(|_| spot.is_key(&["check", "action"]))?;
    spot.set("unknown kind", up(spot.at), json!(format!("{kind}s")))
}

fn phase_gone(spot: &Spot<'_>, _: &mut Dice) -> Option<Mutant> {
    let phase = ["/release", "/closing", "/failover"].contains(&up(spot.at));
    // Beside its phases a failover has lists that may be empty and a target that may be absent.
    let more = ["missing", "counts", "witnesses", "writes", "target"];
    (phase && !spot.is_key(&more)).then(|| spot.without("no phase"))?
}

fn bad_duration(spot: &Spot<'_>, dice: &mut Dice) -> Option<Mutant> {
    let wrong = *dice.pick(&["10", "ten minutes", "-5m", "10 minuets", "1h30"]);
    let waits = spot.is_key(&["timeout", "wait", "planned", "at_most", "expires", "ttl_max"]);
    waits.then(|| spot.set(&format!("bad duration {wrong}"), spot.at, json!(wrong)))?
}

fn unknown_role(spot: &Spot<'_>, dice: &mut Dice) -> Option<Mutant> {
    let wrong = *dice.pick(&["primary", "Standby", "hk", "quarantined"]);
    let roles = spot.is_key(&["on", "runs_on", "from", "as", "same_as"]);
    roles.then(|| spot.set(&format!("unknown role {wrong}"), up(spot.at), json!(wrong)))?
}

/// Hosts, jobs, webhooks and gates; a GitLab job is not one of the file's.
fn unknown_thing(spot: &Spot<'_>, _: &mut Dice) -> Option<Mutant> {
    let name = spot.text().filter(|_| spot.is_key(&["host", "job", "to", "gate"]))?;
    let named = ["hosts", "jobs", "webhooks", "gates"];
    named.iter().find(|it| spot.whole[**it].get(name).is_some())?;
    spot.set("unknown thing", spot.at, json!(format!("{name}2")))
}

fn secret(spot: &Spot<'_>, dice: &mut Dice) -> Option<Mutant> {
    // Put together here so that no scanner of this repository takes them for real ones.
    let secrets = [
        format!("AKIA{}", "QWERTYUIOPASDFGH"),
        format!("glpat-{}", "x9Kq2mZtR7vLw4Np8Yb1"),
        "postgres://gigadb:hunter2@db.example/gigadb".to_owned(),
        format!("q8Zr{}", "T1vKx7Lw2Np9YbQm4Jd6Hs3Fg"),
    ];
    // Without this id or zone the names made of it are undefined elsewhere.
    let named =
        ["/records/", "/zones/"].iter().any(|it| spot.at.contains(it)) && spot.is_key(&["name"]);
    // An id that others name is wrong wherever they stand.
    spot.text().filter(|_| !named && !spot.is_key(&["id"]))?;
    spot.set("secret", spot.at, json!(dice.pick(&secrets)))
}

fn id_twice(spot: &Spot<'_>, _: &mut Dice) -> Option<Mutant> {
    let step = spot.at.matches('/').count() == 4 && spot.is_key(&["id"]);
    let other = step && spot.text() != Some("embargo");
    let mutant = other.then(|| spot.set("id twice", spot.at, json!("embargo")))??;
    Some(Mutant { region: None, ..mutant })
}

/// A definition under another name, so that what names it finds nothing.
fn renamed(spot: &Spot<'_>, dice: &mut Dice) -> Option<Mutant> {
    let named = ["/hosts", "/people", "/gates", "/webhooks", "/jobs"].contains(&up(spot.at));
    let key = format!("{}-{}", last(spot.at), ["old", "new", "2", "b"][dice.roll(4)]);
    named.then(|| spot.under("renamed", &key, None))?
}

/// A whole step removed, doubled or put into another phase.
fn step_moved(spot: &Spot<'_>, dice: &mut Dice) -> Option<Mutant> {
    let Spot { whole, at, .. } = *spot;
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
    let mut made = BTreeSet::new();
    let mut kinds: BTreeMap<usize, usize> = BTreeMap::new();
    let mut wrong = vec![];
    // Kinds take turns, so that the rare ones are made too; some have only a few places.
    for kind in (0..CHANGES.len()).cycle().take(WANTED * 2) {
        let mut fresh = (0..1000)
            .filter_map(|_| {
                let at = dice.pick(&places);
                let spot = Spot { whole: &whole, at, node: whole.pointer(at)? };
                CHANGES[kind](&spot, &mut dice)
            })
            .filter(|it| !made.contains(&it.what));
        let Some(mutant) = fresh.next().filter(|_| made.len() < WANTED) else { continue };
        *kinds.entry(kind).or_default() += 1;
        if let Err(why) = judge(&mutant) {
            wrong.push(format!("{}: {why}", mutant.what));
        }
        made.insert(mutant.what);
    }
    println!("seed {SEED}: {} files, {kinds:?}", made.len());
    assert!(made.len() >= 200 && kinds.len() == CHANGES.len(), "{} {kinds:?}", made.len());
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
