//! A drill in the practice cloud: real batches on staging's names, there and back, and nothing else.

use std::collections::BTreeSet;

use changeover::app;
use changeover::conductor::{Command, GivenUp, MayLose, Reply};
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::{Kind, Phase, Roles, SiteName, StepId, Way};
use changeover::view::How;
use serde_json::{Value, json};

use crate::practice::{Lab, Operator, last_call};

const ZONES: [&str; 2] = ["gigadb.org", "gigadb.host"];

fn drill() -> Command {
    Command::Drill { waive: vec![], plan: None }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Every address record: name and where it leads.
fn records(lab: &Lab) -> BTreeSet<(String, String)> {
    let world = lab.world();
    let zones = world["records"].as_object().unwrap().values();
    let rows = zones.flat_map(|rows| rows.as_array().unwrap().clone());
    rows.filter(|row| row["type"] == "A")
        .map(|row| (text(&row["name"]).to_owned(), text(&row["content"]).to_owned()))
        .collect()
}

/// Bodies of the requests since then that changed something. Each must be a batch with the mark of a drill,
/// and name no record of the switch.
fn batches(lab: &Lab, since: u64, switch: &[String]) -> Vec<String> {
    let calls = lab.get(&format!("/_lab/calls?changes=true&applied=true&since={since}"));
    let calls = calls.as_array().unwrap().iter();
    calls
        .map(|call| {
            let body = text(&call["body"]).to_owned();
            assert_eq!(call["service"], "cloudflare", "{call}");
            assert!(body.contains("_changeover-gigadb-drill."), "{call}");
            let touched: Vec<_> = switch.iter().filter(|id| body.contains(id.as_str())).collect();
            assert!(touched.is_empty(), "{touched:?}: {call}");
            body
        })
        .collect()
}

/// The ids of the records that are not staging's, asked of the provider itself.
fn of_users(lab: &Lab) -> Vec<String> {
    let base = &lab.env["CLOUDFLARE_BASE_URL"];
    let token = format!("authorization: Bearer {}", lab.env["CLOUDFLARE_API_TOKEN"]);
    let get = |path: &str| -> Value {
        let url = format!("{base}{path}");
        let out = std::process::Command::new("curl").args(["-sS", "-H", &token, &url]).output();
        serde_json::from_slice(&out.unwrap().stdout).unwrap()
    };
    let zones = get("/zones")["result"].as_array().unwrap().clone();
    let rows = zones.iter().flat_map(|zone| {
        let rows = get(&format!("/zones/{}/dns_records?per_page=100", text(&zone["id"])));
        rows["result"].as_array().unwrap().clone()
    });
    let users = |row: &Value| {
        row["type"] == "A" && !["staging", "-stg"].iter().any(|it| text(&row["name"]).contains(it))
    };
    let ids: Vec<String> =
        rows.filter(|row| users(row)).map(|row| text(&row["id"]).to_owned()).collect();
    assert_eq!((ids.len(), ids.iter().any(String::is_empty)), (8, false), "{ids:?}");
    ids
}

async fn start(lab: &Lab, name: &str) -> Operator {
    let operator = Operator::new(lab, name);
    operator.order("engineer-a", Command::Init).await.unwrap();
    operator
}

fn steady(operator: &Operator, reply: &Reply) {
    assert_eq!(
        (reply.exit, reply.state),
        (Exit::Done, State::Steady),
        "{reply:?}\n{}",
        operator.last_lines()
    );
    let record = operator.life().record;
    assert!(record.owed.is_empty() && record.run.is_none(), "{record:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_moves_stagings_names_there_and_back() {
    let lab = Lab::start();
    let operator = start(&lab, "drill").await;
    let (before, users, roles) = (records(&lab), of_users(&lab), operator.life().record.roles);

    // What would be moved is shown, with nothing changed; the drill may be bound to it.
    let since = last_call(&lab);
    let shown = operator.dry("engineer-a", drill()).await.unwrap();
    let plan = shown.plan.unwrap();
    assert_eq!(shown.exit, Exit::Done, "{plan:?}");
    let swap = plan.steps.iter().find(|it| it.id.as_str() == "switch").unwrap();
    let moved =
        swap.changes.iter().filter(|it| it.key.contains("stg") || it.key.contains("staging"));
    assert_eq!(moved.count(), 8, "{swap:?}");
    assert_eq!(batches(&lab, since, &users), [""; 0]);
    let stale = Command::Drill { waive: vec![], plan: Some("00ff00ff".to_owned()) };
    let stale = operator.order("engineer-a", stale).await.unwrap_err();
    assert_eq!((stale.code.id, stale.exit()), ("E2008", Exit::Conflict), "{stale}");

    // There and back: two batches a zone, on staging's records alone.
    let bound = Command::Drill { waive: vec![], plan: Some(plan.digest.short()) };
    let reply = operator.order("engineer-a", bound).await;
    let reply = reply.unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()));
    steady(&operator, &reply);
    let sent = batches(&lab, since, &users);
    for zone in ZONES {
        let of = |way: &str| {
            let mark = format!("_changeover-gigadb-drill.{zone}");
            let ways = sent.iter().filter(|it| it.contains(&mark) && it.contains(way));
            ways.count()
        };
        assert_eq!((of(" forth epoch "), of(" back epoch ")), (1, 1), "{zone}: {sent:#?}");
    }
    assert_eq!(sent.len(), 4, "{sent:#?}");
    assert_eq!(records(&lab), before);
    assert_eq!(operator.life().record.roles, roles);
    assert_eq!(lab.world()["announcements"], json!([]), "nobody was told");

    // A release leaves staging where it is: the next drill begins there, and leaves it there too.
    operator.release("v4.3.4", "sydney").await;
    let (before, since) = (records(&lab), last_call(&lab));
    let reply = operator.order("engineer-a", drill()).await.unwrap();
    steady(&operator, &reply);
    assert_eq!(batches(&lab, since, &users).len(), 4);
    assert_eq!(records(&lab), before);
    let sydney = SiteName::from("sydney");
    assert_eq!(operator.life().record.roles, Some(Roles::Settled { production: sydney.clone() }));

    // The ledger: the swap was proven last by the drill, the load by the release, what no run does by none.
    let (rows, _) = app::ledger(&operator.settings("reader"), &operator.system).unwrap();
    let last = |plan: Kind, step: &str| {
        let row = rows.iter().find(|it| it.plan == plan && it.step.as_str() == step).unwrap();
        row.last.clone()
    };
    let swap = last(Kind::Release, "switch").unwrap();
    assert_eq!((swap.kind, swap.how, swap.run, swap.acted), (Kind::Drill, How::Drill, 3, true));
    let load = last(Kind::Release, "load").unwrap();
    assert_eq!((load.kind, load.how, load.run), (Kind::Release, How::Real, 2));
    assert_eq!(load.site, sydney, "it was done on the site that was standby then");
    assert_eq!(last(Kind::Failover, "f-stop"), None);
    let left_out = last(Kind::Release, "off-swap").unwrap();
    assert_eq!(left_out.kind, Kind::Release, "what a drill leaves out it does not prove");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_was_not_proven_lately_is_refused_until_a_person_says_why() {
    let lab = Lab::start();
    let operator = start(&lab, "unproven").await;
    let file = operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let asked = text.replacen("limits: { ", "limits: { proven: 90d, ", 1);
    assert_ne!(text, asked);
    std::fs::write(&file, asked).unwrap();
    let release = |waive: &[&str]| Command::Start {
        version: "v4.3.4".to_owned(),
        auto: false,
        confirm: None,
        waive: waive.iter().map(|it| StepId::from(*it)).collect(),
    };
    let refused = operator.order("engineer-a", release(&["windows"])).await.unwrap_err();
    assert_eq!((refused.code.id, refused.exit()), ("E2070", Exit::Refused), "{refused}");
    assert!(refused.message.contains("identity never"), "{refused}");
    // A drill is never refused for it, and proves what it does.
    steady(&operator, &operator.order("engineer-a", drill()).await.unwrap());
    let refused = operator.order("engineer-a", release(&["windows"])).await.unwrap_err();
    assert!(refused.message.contains("build never"), "{refused}");
    assert!(!refused.message.contains("identity"), "{refused}");
    let reply = operator.order("engineer-a", release(&["windows", "proven"])).await.unwrap();
    assert!(matches!(reply.state, State::Ready { .. }), "{reply:?}\n{}", operator.last_lines());
    let waiver = operator.life().record.run.unwrap().waived[&StepId::from("proven")].clone();
    assert_eq!((waiver.by.as_str(), waiver.reason.as_str()), ("engineer-a", "practice"));
}

/// Refuses the drill's batches in one zone.
fn refuse(lab: &Lab, zone: &str) {
    let mark = format!("_changeover-gigadb-drill.{zone}");
    let rule = json!({ "service": "cloudflare", "method": "POST", "path": "/batch", "action": "refuse", "times": 50, "body_contains": mark });
    lab.post("/_lab/faults", &rule);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_that_fails_halts_and_owes_production_nothing() {
    let lab = Lab::start();
    let operator = start(&lab, "halted").await;
    let (before, users, since) = (records(&lab), of_users(&lab), last_call(&lab));
    refuse(&lab, ZONES[1]);
    let reply = operator.order("engineer-a", drill()).await.unwrap();
    let State::Halted { at, .. } = reply.state else { panic!("{reply:?}") };
    assert_eq!((at.kind, at.way, at.phase), (Kind::Drill, Way::Forth, Phase::Swap), "{reply:?}");
    assert!(operator.life().record.owed.is_empty());
    assert_ne!(records(&lab), before, "one zone of staging has moved");

    // A release has to wait; the drill can be left as it is.
    let version = "v4.3.4".to_owned();
    let waive = vec!["windows".into()];
    let release = Command::Start { version, auto: false, confirm: None, waive };
    let early = operator.order("engineer-a", release.clone()).await.unwrap_err();
    assert_eq!(early.code.id, "E2018", "{early}");
    let reply = operator.order("engineer-a", Command::Close).await.unwrap();
    steady(&operator, &reply);
    lab.delete("/_lab/faults");
    assert_eq!(batches(&lab, since, &users).len(), 1);

    // Staging half-way keeps no release from starting, and the next drill puts it right.
    let reply = operator.order("engineer-a", release).await.unwrap();
    assert!(matches!(reply.state, State::Ready { .. }), "{reply:?}\n{}", operator.last_lines());
    let open = operator.order("engineer-a", drill()).await.unwrap_err();
    assert_eq!(open.code.id, "E2018", "{open}");
    operator.order("engineer-a", Command::Abort).await.unwrap();
    let reply = operator.order("engineer-a", drill()).await.unwrap();
    steady(&operator, &reply);
    assert_eq!(records(&lab), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_does_not_wait_for_a_drill() {
    let lab = Lab::start();
    let operator = start(&lab, "gives-way").await;
    // After a release the standby answers as production would, and its copy has an age.
    operator.release("v4.3.4", "sydney").await;
    refuse(&lab, ZONES[0]);
    let reply = operator.order("engineer-a", drill()).await.unwrap();
    assert!(matches!(reply.state, State::Halted { .. }), "{reply:?}");
    let number = operator.life().record.run.unwrap().number;
    lab.post(
        "/_lab/set",
        &json!({ "sites": { "sydney": { "dead": true } }, "hosts": { "gigadb-sydney-bastion": { "down": true } }, "regions_down": ["ap-southeast-2"] }),
    );
    let given_up = GivenUp {
        confirm: Some("hk".into()),
        accept_data_loss: Some(MayLose::Seconds(3_600)),
        ..GivenUp::default()
    };
    let reply = operator.order("engineer-a", Command::Failover(given_up)).await;
    let reply = reply.unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()));
    let life = operator.life();
    let run = life.record.run.unwrap();
    assert_eq!((run.number, run.kind), (number + 1, Kind::Failover), "{reply:?}");
    let hk = SiteName::from("hk");
    assert_eq!(life.record.roles, Some(Roles::Settled { production: hk }), "{reply:?}");
}
