//! The runbook: its commands, run as printed in a shell, do the switch; what people did is recorded afterwards.

use std::io::Write as _;
use std::process::{Command as Process, Stdio};

use changeover::app;
use changeover::conductor::{Command, GivenUp};
use changeover::fault::Exit;
use changeover::machine::{Body, Owed, State};
use changeover::model::{Digest, SiteName};
use serde_json::{Value, json};

use crate::practice::{Lab, Operator};

/// The shell blocks of a page, in their order.
fn blocks(page: &str) -> Vec<String> {
    let mut parts = page.split("```sh\n").skip(1);
    parts.by_ref().map(|it| it.split("\n```").next().unwrap().to_owned()).collect()
}

/// What a shell says that is given these lines.
fn shell(lab: &Lab, text: &str) -> (bool, String) {
    let mut sh = Process::new("sh");
    sh.env_clear().env("PATH", std::env::var("PATH").unwrap()).env("HOME", lab.dir.path());
    let scratch = lab.dir.path().join("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    sh.env("TMPDIR", &scratch);
    // As `. env.sh` does.
    sh.envs(&lab.env).current_dir(lab.dir.path());
    let mut sh =
        sh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    sh.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let out = sh.wait_with_output().unwrap();
    let left = std::fs::read_dir(&scratch).unwrap().count();
    assert_eq!(left, 0, "the token is left behind");
    let both = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8_lossy(&both).into_owned())
}

fn page(operator: &Operator) -> String {
    std::fs::read_to_string(operator.state.join("gigadb/runbook.md")).unwrap()
}

/// An operator whose page leads from hk to sydney; after a release there, from sydney to hk, and then each
/// site answers as it would in production.
async fn written(lab: &Lab, name: &str, released: bool) -> Operator {
    lab.reset();
    let operator = Operator::new(lab, name);
    if released {
        operator.release("v4.3.4", "sydney").await;
    } else {
        operator.order("engineer-a", Command::Init).await.unwrap();
    }
    let reply = operator.order("engineer-a", Command::Runbook).await.unwrap();
    assert_eq!(reply.exit, Exit::Done, "{reply:?}");
    operator
}

fn bodies(lab: &Lab) -> Vec<Value> {
    let calls = lab.get("/_lab/calls?service=cloudflare&changes=true");
    let batch = |it: &&Value| it["path"].as_str().is_some_and(|it| it.ends_with("/batch"));
    let body = |it: &Value| match &it["body"] {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    };
    calls.as_array().unwrap().iter().filter(batch).map(body).collect()
}

/// The addresses that every authoritative server gives for the names that users type.
fn answers(lab: &Lab, blocks: &[String]) -> bool {
    let confirm = blocks.iter().find(|it| it.starts_with("answers ")).unwrap();
    let (_, said) = shell(lab, &format!("{}\n{confirm}\n", blocks[0]));
    said.contains("ok    ") && !said.contains("STOP") && said.contains("gigadb.org")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_commands_run_as_printed_do_the_switch_and_are_adopted() {
    let lab = Lab::start();
    let operator = written(&lab, "runbook", true).await;
    let page = page(&operator);
    for secret in [&lab.env["CLOUDFLARE_API_TOKEN"], &lab.env["GITLAB_TOKEN"]] {
        assert!(!page.contains(secret.as_str()), "a secret is on the page");
    }
    let digest = Digest::of(page.as_bytes()).to_string();
    assert!(named(&operator).last().unwrap().contains(&digest), "{}", operator.last_lines());

    // What comes later, when the lost site is rebuilt, is the rejoin's.
    let blocks = blocks(page.split("\n## 9. ").next().unwrap());
    let (_, said) = shell(&lab, &blocks.join("\n"));
    assert!(!["STOP", "OWED", "LOOK"].iter().any(|it| said.contains(it)), "{said}\n{page}");
    assert!(
        said.contains("gigadb.org is moved") && said.contains("gigadb.host is moved"),
        "{said}"
    );
    assert!(answers(&lab, &blocks), "{said}");

    // The journal still says what it said; the world does not.
    assert_eq!(operator.life().record.production(), Some(&SiteName::from("sydney")));
    let names =
        |it: &app::Drift| it.report.differences.iter().map(|it| it.name.slug()).collect::<Vec<_>>();
    let look = || async {
        app::drift(&operator.settings("reader"), &operator.system, None).await.unwrap()
    };
    let seen = look().await;
    assert!(names(&seen).contains(&"production-not-journal"), "{:#?}", seen.report);
    let adopt = Command::DriftAdopt { confirm: Some("hk".into()) };
    let reply = operator.order("engineer-a", adopt).await.unwrap();
    assert_eq!(reply.exit, Exit::Done, "{reply:?}");
    let seen = look().await;
    assert!(names(&seen).is_empty(), "{:#?}", seen.report);
    // The page has stopped the lost site, which only a deployment starts again.
    let unread: Vec<&str> = seen.report.unknown.iter().map(|it| it.says.as_str()).collect();
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert!(unread[0].starts_with("the release of sydney"), "{unread:?}");
    // The site that was left has lost production, as after a failover.
    let record = operator.life().record;
    assert_eq!(record.production(), Some(&SiteName::from("hk")));
    assert_eq!(record.quarantined, Some("sydney".into()));
    for owed in ["f-embargo", "f-backup", "f-stop"] {
        assert!(record.unfenced().iter().any(|(part, _)| part.as_str() == owed), "{record:?}");
    }
    for job in ["databaseReset", "sync_dropbox"] {
        let owed = Owed::Job { job: job.to_owned(), site: "hk".into() };
        assert!(record.owed.contains(&owed), "{:?}", record.owed);
    }
    let start = Command::Start {
        version: "v4.3.5".to_owned(),
        auto: false,
        confirm: None,
        waive: vec!["windows".into()],
    };
    let early = operator.order("engineer-a", start).await.unwrap_err();
    assert_eq!(early.exit(), Exit::Refused, "{early}");
    // Rejoin sees that it is fenced, rebuilds it, and puts every cron where it belongs.
    let rejoin = Command::Rejoin { auto: true, waive: vec!["windows".into()] };
    let reply = operator.order("engineer-a", rejoin).await;
    let reply = reply.unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()));
    assert_eq!(reply.state, State::Steady, "{reply:?}\n{}", operator.last_lines());
    let record = operator.life().record;
    assert!(record.quarantined.is_none() && record.owed.is_empty(), "{:?}", record.owed);
    let seen = look().await;
    assert!(names(&seen).is_empty() && seen.report.unknown.is_empty(), "{:#?}", seen.report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_batches_are_those_that_the_program_sends_and_are_overtaken_once() {
    let lab = Lab::start();
    let operator = written(&lab, "same", true).await;
    let blocks = blocks(&page(&operator));
    let switch = blocks.iter().find(|it| it.contains("dns_records/batch")).unwrap();
    let printed: Vec<Value> = switch
        .split("<<'BODY' &&\n")
        .skip(1)
        .map(|it| serde_json::from_str(it.split("\nBODY\n").next().unwrap()).unwrap())
        .collect();
    crate::failover::kill(&lab, "sydney", "ap-southeast-2");
    let loss = changeover::conductor::MayLose::Unknown;
    operator.order("engineer-a", crate::failover::failover("hk", loss)).await.unwrap();
    let sent = bodies(&lab);
    let plain = |it: &Value| {
        let mut it = it.clone();
        // A run has an epoch of its own.
        let strike = |row: &mut Value| row["comment"] = Value::Null;
        for list in ["patches", "posts"] {
            it[list].as_array_mut().into_iter().flatten().for_each(strike);
        }
        it
    };
    assert_eq!(printed.len(), 2, "one batch a zone");
    for it in &printed {
        assert!(sent.iter().any(|sent| plain(sent) == plain(it)), "{it:#}\n{sent:#?}");
    }
    // The page is stale now: its own look stops it, and without the look the provider does.
    let (_, said) = shell(&lab, &format!("{}\n{switch}\n", blocks[0]));
    assert!(said.contains("STOP") && !said.contains("is moved"), "{said}");
    let blind: Vec<&str> = switch.lines().filter(|it| !it.starts_with("leads ")).collect();
    let (_, said) = shell(&lab, &format!("{}\n{}\n", blocks[0], blind.join("\n")));
    assert!(said.contains("81058") || said.contains("81057"), "{said}");
    assert!(!said.contains("is moved"), "{said}");
}

/// The lines of the journal that name a page by its digest.
fn named(operator: &Operator) -> Vec<String> {
    let lines = app::glance(&operator.settings("reader"), &operator.system).unwrap().lines;
    let noted = |body| match body {
        Body::Note { text, .. } if text.starts_with("runbook ") => Some(text),
        _ => None,
    };
    lines.into_iter().filter_map(|it| noted(it.body)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_arm_makes_the_page_anew() {
    let lab = Lab::start();
    let operator = written(&lab, "armed", true).await;
    let before = named(&operator).len();
    let path = operator.state.join("gigadb/runbook.md");
    std::fs::remove_file(&path).unwrap();
    let arm =
        || changeover::conductor::Order { command: Command::Arm, reason: None, dry_run: false };
    let settings = operator.settings("engineer-a");
    let ask = async || Box::pin(app::why_not(&settings, &operator.system, &arm())).await.unwrap();
    let found = ask().await;
    assert!(found.free, "{found:#?}");
    assert!(!path.exists(), "asking wrote the page");
    operator.order("engineer-a", Command::Arm).await.unwrap();
    let (digest, named) = (Digest::of(page(&operator).as_bytes()).to_string(), named(&operator));
    assert_eq!(named.len(), before + 1, "{named:?}");
    assert!(named.last().unwrap().contains(&digest), "{named:?}");
    // What keeps it from being armed is told of it too.
    lab.post("/_lab/set", &json!({ "sites": { "hk": { "dead": true } } }));
    let found = ask().await;
    assert!(found.blockers.iter().any(|it| it.code == "E2065"), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_whose_page_cannot_be_written_is_armed_all_the_same() {
    let lab = Lab::start();
    let operator = written(&lab, "pageless", true).await;
    let path = operator.state.join("gigadb/runbook.md");
    std::fs::remove_file(&path).unwrap();
    // Something else has its name.
    std::fs::create_dir_all(path.join("taken")).unwrap();
    let reply = operator.order("engineer-a", Command::Arm).await.unwrap();
    assert_eq!((reply.exit, reply.code.as_deref()), (Exit::Failed, Some("E2067")), "{reply:?}");
    let said = &reply.sentence;
    assert!(said.contains(" is armed: plan ") && said.contains("runbook.md"), "{said}");
    assert!(reply.next.contains("changeover runbook"), "{reply:?}");
    let armed = app::glance(&operator.settings("reader"), &operator.system).unwrap().armed.unwrap();
    assert!(armed.armed, "{armed:?}");
    // The workflow is kept beside it: the failover reads what was armed and not the file.
    assert!(operator.state.join("gigadb/armed-workflow.json").exists());
    crate::failover::kill(&lab, "sydney", "ap-southeast-2");
    let loss = changeover::conductor::MayLose::Unknown;
    let shown = operator.dry("engineer-a", crate::failover::failover("hk", loss)).await.unwrap();
    assert_eq!(shown.plan.unwrap().preview.unwrap().armed.plan, armed.plan);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_cannot_be_made_leaves_the_one_before() {
    let lab = Lab::start();
    let operator = written(&lab, "kept", false).await;
    let before = page(&operator);
    let refuse = json!({ "service": "cloudflare", "action": "status:403", "times": 1000 });
    lab.post("/_lab/faults", &refuse);
    let fault = operator.order("engineer-a", Command::Runbook).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2002", Exit::Refused), "{fault}");
    assert_eq!(page(&operator), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_what_stands_in_the_way_changes_and_writes_nothing() {
    let lab = Lab::start();
    let operator = written(&lab, "asked", false).await;
    let journal = operator.state.join("gigadb/journal/00000001.jsonl");
    let everything = || {
        let calls = lab.get("/_lab/calls?changes=true").to_string();
        (std::fs::read(&journal).unwrap(), calls)
    };
    let order = |command| changeover::conductor::Order { command, reason: None, dry_run: false };
    let before = everything();
    let settings = operator.settings("engineer-a");
    let ask = |command| {
        let (order, settings, system) = (order(command), settings.clone(), operator.system.clone());
        async move { Box::pin(app::why_not(&settings, &system, &order)).await.unwrap() }
    };
    let start = || Command::Start {
        version: "v4.3.4".to_owned(),
        auto: false,
        confirm: None,
        waive: vec!["windows".into()],
    };
    let found = ask(start()).await;
    assert!(found.free, "{found:#?}");
    let found = ask(Command::Failover(GivenUp::default())).await;
    assert!(found.blockers.iter().any(|it| it.code == "E2062"), "{found:#?}");
    lab.post("/_lab/set", &json!({ "hosts": { "gigadb-hk-bastion": { "down": true } } }));
    let found = ask(start()).await;
    assert!(found.blockers.iter().any(|it| it.unknown), "{found:#?}");
    assert!(before == everything(), "asking changed something");
}
