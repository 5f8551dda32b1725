//! `status --look`: the world is asked, bounded, beside whoever works; nothing is written and nothing is locked.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::SystemTime;

use changeover::conductor::Command;
use changeover::machine::State;
use changeover::model::Phase;
use serde_json::{Value, json};

use super::{asked, kill, until};
use crate::practice::{Lab, Operator, last_call, stop};

/// Everything in the state folder: bytes, and when they were written.
fn kept(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = std::fs::metadata(&path).unwrap();
        if about.is_dir() {
            found.extend(kept(&path));
        } else if about.is_file() {
            found.insert(path.clone(), (std::fs::read(&path).unwrap(), about.modified().unwrap()));
        }
    }
    found
}

fn ran(operator: &Operator, words: &[&str]) -> Output {
    let ran = operator.program().args(words).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran
}

fn screen(operator: &Operator) -> String {
    String::from_utf8(ran(operator, &["status", "--look"]).stdout).unwrap()
}

fn document(operator: &Operator) -> Value {
    serde_json::from_slice(&ran(operator, &["status", "--look", "--json"]).stdout).unwrap()
}

/// Who was asked by which kind of witness, and the words.
fn said(document: &Value) -> BTreeMap<String, (String, String)> {
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let told = document["seen"]["witnesses"].as_array().unwrap().iter();
    told.map(|it| {
        let asked = format!("{} {}", text(&it["about"]), text(&it["seer"]));
        (asked, (text(&it["says"]), text(&it["text"])))
    })
    .collect()
}

const PLAN: &str = "changeover -s gigadb failover --dry-run";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tells_well_from_dead_and_writes_nothing() {
    let lab = Lab::start();
    let mut operator = Operator::new(&lab, "look");
    operator.release("v4.3.4", "sydney").await;
    let (before, since) = (kept(&operator.state), last_call(&lab));
    let well = document(&operator);
    assert_eq!((&well["looked"], &well["seen"]["diagnosis"]), (&json!(true), &json!("healthy")));
    let heard = said(&well);
    assert_eq!(heard.len(), 8, "{heard:?}");
    assert!(heard.values().all(|it| it.0 == "up"), "{heard:?}");
    assert!(well["next"]["command"].as_str().unwrap().ends_with("release start VERSION"));

    kill(&lab, "sydney", "ap-southeast-2");
    let by_journal = String::from_utf8(ran(&operator, &["status"]).stdout).unwrap();
    assert!(by_journal.contains("release start") && by_journal.contains("--look asks the world"));
    let dead = screen(&operator);
    assert!(dead.contains("SEEN NOW    production_dead: "), "{dead}");
    let commands: Vec<&str> =
        dead.lines().map(str::trim).filter(|it| it.starts_with("changeover ")).collect();
    assert_eq!(commands.first(), Some(&PLAN), "{dead}");
    for part in ["users      down", "standby    up", "lever      up", "machines   down"] {
        assert!(dead.contains(part), "{part}: {dead}");
    }

    // No secret is needed, and none is said.
    let all = format!("{well}{dead}");
    for name in ["CLOUDFLARE_API_TOKEN", "GITLAB_TOKEN"] {
        assert!(!all.contains(&operator.env[name]), "{name}: {all}");
    }
    operator.env.retain(|name, _| !name.ends_with("_TOKEN"));
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        operator.env.insert(name.to_owned(), "/dev/null".to_owned());
    }
    let ssh = lab.dir.path().join("keyless");
    std::fs::write(
        &ssh,
        "#!/bin/sh\necho 'centos@b: Permission denied (publickey).' >&2\nexit 255\n",
    )
    .unwrap();
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755)).unwrap();
    operator.env.insert("CHANGEOVER_SSH".to_owned(), ssh.display().to_string());
    let poor = said(&document(&operator));
    assert_eq!(poor["users http"].0, "down", "{poor:?}");
    assert_eq!(poor["standby http"].0, "up", "{poor:?}");
    assert_eq!(poor["machines provider"].0, "unknown", "{poor:?}");
    assert_eq!(poor["machines host"].0, "unknown", "{poor:?}");
    let lever = &poor["lever provider"];
    assert!(lever.0 == "unknown" && lever.1.contains("CLOUDFLARE_API_TOKEN"), "{lever:?}");

    assert_eq!(kept(&operator.state), before, "nothing was written");
    let changes = asked(&lab, since, "");
    let changes = changes.iter().filter(|it| it["changes"] == true && it["service"] != "control");
    assert_eq!(changes.filter(|it| it["service"] != "host").count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_asks_while_another_one_holds_the_lock_and_stands_still() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "beside");
    while !matches!(operator.life().state, State::Ready { at } if at.phase == Phase::SyncOff) {
        let (who, command) = operator.turn("v4.3.4", "sydney").unwrap();
        operator.order(who, command).await.unwrap();
    }
    lab.post("/_lab/set", &json!({ "host_seconds": 60.0 }));
    let words = ["--as", "engineer-a", "--no-input", "release", "next", "--yes"];
    let mut holder = operator.program().args(words).spawn().unwrap();
    until("the long command runs", || {
        lab.world()["running"].as_array().unwrap().iter().any(|it| it["program"] == "s3backup")
    });
    stop(&holder);
    kill(&lab, "hk", "ap-east-1");
    let before = kept(&operator.state);
    let it = document(&operator);
    assert_eq!((&it["mode"], &it["phase"]), (&json!("doing"), &json!("backup")), "{it:#}");
    assert!(it["holder"].as_str().unwrap().contains(&holder.id().to_string()), "{it:#}");
    assert_eq!(it["seen"]["diagnosis"], "production_dead", "{it:#}");
    assert_eq!(it["next"]["command"], PLAN, "{it:#}");
    assert_eq!(kept(&operator.state), before, "nothing was written");
    holder.kill().unwrap();
    holder.wait().unwrap();
}

/// As the operator's, with so much patience for a witness.
fn patient(operator: &Operator, witness: &str) {
    let file = operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = text.split_once("limits: { ").unwrap();
    let rest = &rest[rest.find("settle:").unwrap()..];
    std::fs::write(&file, format!("{head}limits: {{ witness: {witness}, {rest}")).unwrap();
}

/// Requests that are held and have no answer, by service.
fn held(lab: &Lab, since: u64) -> BTreeMap<String, usize> {
    let mut held = BTreeMap::new();
    for it in asked(lab, since, "").iter().filter(|it| it["ended"] == false) {
        *held.entry(it["service"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole_costs_one_time_out() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "hole");
    operator.order("engineer-a", Command::Init).await.unwrap();
    let hole = || {
        for service in ["site", "aws", "cloudflare", "host"] {
            let rule = json!({
                "service": service, "action": "timeout_before", "times": 100_000, "hold_s": 600.0,
            });
            lab.post("/_lab/faults", &rule);
        }
    };
    hole();
    // All are asked at the same moment: with all the time there is, everybody is held before anybody is let go.
    patient(&operator, "1m");
    let since = last_call(&lab);
    let child = operator
        .program()
        .args(["status", "--look", "--json"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    until("everybody is held", || {
        let held = held(&lab, since);
        ["site", "aws", "cloudflare"].iter().all(|it| held.contains_key(*it)) && held["site"] == 3
    });
    lab.delete("/_lab/faults");
    lab.post("/_lab/go", &json!({}));
    assert!(child.wait_with_output().unwrap().status.success());

    // Each is given up once, after its own patience, and is not asked again.
    patient(&operator, "400ms");
    hole();
    lab.post("/_lab/set", &json!({ "dns_down": [true, true], "resolver_down": true }));
    let since = last_call(&lab);
    let it = document(&operator);
    assert_eq!(it["seen"]["diagnosis"], "cut_off", "{it:#}");
    let heard = said(&it);
    let late = heard.values().filter(|it| it.1.contains("in time") || it.1.contains("400ms"));
    assert_eq!((late.count(), heard.len()), (7, 7), "{heard:#?}");
    let sites = asked(&lab, since, "").iter().filter(|it| it["service"] == "site").count();
    assert_eq!(sites, 2, "by the sites' own addresses; the name is not resolved");
}
