//! The status table is right after every way out, against what the practice cloud says of itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use changeover::conductor::{Command, Reply};
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::{Phase, SiteName};
use serde_json::json;

use crate::practice::{Lab, Operator};
use crate::swap::{on_batch, to_the_swap};

const PROJECTS: [(&str, &str, &str, &str); 2] = [
    ("gigadb-website", "Upstream", "ap-east-1", "hk"),
    ("alt-gigadb-website", "UpstreamAlt", "ap-southeast-2", "sydney"),
];

fn next(confirm: Option<&str>) -> Command {
    Command::Next { auto: false, confirm: confirm.map(SiteName::from), waive: vec![] }
}

fn file(operator: &Operator) -> PathBuf {
    operator.state.join("docs/status.md")
}

/// The rows of the file by site: role, release, status.
fn rows(operator: &Operator) -> BTreeMap<String, [String; 3]> {
    let text = std::fs::read_to_string(file(operator)).unwrap();
    assert!(text.contains("| project | AWS profile | AWS region | current role |"), "{text}");
    assert!(text.contains("\nObserved 20") || text.contains("\nBy the journal"), "{text}");
    let mut found = BTreeMap::new();
    for (project, profile, region, site) in PROJECTS {
        let start = format!("| {project} | {profile} | {region} | ");
        let row = text.lines().find_map(|line| line.strip_prefix(&start));
        let row = row.unwrap_or_else(|| panic!("no row of {project}: {text}"));
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [role, release, status] = cells[..] else { panic!("{row}") };
        found.insert(site.to_owned(), [role, release, status].map(str::to_owned));
    }
    found
}

/// What the practice cloud says: the site that production's first name leads to, and each site's version.
fn truth(lab: &Lab) -> BTreeMap<String, [String; 2]> {
    let world = lab.world();
    let zones = world["records"].as_object().unwrap().values();
    let records: Vec<_> = zones.flat_map(|it| it.as_array().unwrap().clone()).collect();
    let leads = |name: &str| {
        let row = records.iter().find(|it| it["name"] == name && it["type"] == "A").unwrap();
        row["site"].as_str().unwrap().to_owned()
    };
    let production = leads("gigadb.org");
    assert_eq!(production, leads("bastion.gigadb.host"), "the group is whole");
    let site = |site: &str| {
        let role = if site == production { "current production" } else { "hot stand-by" };
        let version = world["sites"][site]["version"].as_str().unwrap();
        (site.to_owned(), [role.to_owned(), version.to_owned()])
    };
    ["hk", "sydney"].map(site).into()
}

/// The file says what the world is.
fn is_right(lab: &Lab, operator: &Operator) -> BTreeMap<String, [String; 3]> {
    let (rows, truth) = (rows(operator), truth(lab));
    for (site, [role, version]) in truth {
        assert_eq!(rows[&site][..2], [role, version], "{site}: {rows:?}");
    }
    rows
}

fn is_over(lab: &Lab, operator: &Operator) {
    let rows = is_right(lab, operator);
    assert!(rows.values().all(|it| it[2] == "OK"), "{rows:?}");
}

async fn order(operator: &Operator, command: Command) -> Reply {
    let shown = format!("{command:?}");
    let reply = operator.order("engineer-a", command).await;
    reply.unwrap_or_else(|fault| panic!("{shown}: {fault}\n{}", operator.last_lines()))
}

/// Goes on until no run is open.
async fn to_the_end(operator: &Operator) {
    for _ in 0..10 {
        if operator.life().state == State::Steady {
            return;
        }
        let reply = order(operator, next(None)).await;
        assert_eq!(reply.exit, Exit::Done, "{reply:?}\n{}", operator.last_lines());
    }
    panic!("the run does not end: {:?}", operator.life().state);
}

fn rollback() -> Command {
    Command::Rollback { confirm: Some("hk".into()), accept_data_loss: false }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_is_right_after_release_rollback_and_abort() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "ways-out");
    operator.release("v4.3.4", "sydney").await;
    is_over(&lab, &operator);

    lab.reset();
    let operator = Operator::new(&lab, "rollback");
    to_the_swap(&operator).await;
    order(&operator, next(Some("sydney"))).await;
    let moved = is_right(&lab, &operator);
    assert_eq!(moved["sydney"][0], "current production");
    assert!(moved["sydney"][2].contains("run 1 is not over"), "{moved:?}");
    order(&operator, rollback()).await;
    let back = is_right(&lab, &operator);
    assert!(back["sydney"][2].contains("lacks production's release"), "{back:?}");
    to_the_end(&operator).await;
    is_over(&lab, &operator);

    lab.reset();
    let operator = Operator::new(&lab, "abort");
    // A table of another day, and people's text around it.
    std::fs::create_dir_all(file(&operator).parent().unwrap()).unwrap();
    let (head, tail) = (
        "# Upstream\n\n<!-- changeover:status:begin -->",
        "<!-- changeover:status:end -->\n\n>note",
    );
    std::fs::write(file(&operator), format!("{head}\n| stale |\n{tail}")).unwrap();
    to_the_swap(&operator).await;
    order(&operator, Command::Abort).await;
    to_the_end(&operator).await;
    is_over(&lab, &operator);
    let text = std::fs::read_to_string(file(&operator)).unwrap();
    assert!(text.starts_with(head) && text.ends_with(tail) && !text.contains("stale"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_swap_is_never_a_stale_table() {
    let lab = Lab::start();
    // Nothing moved: roles are as they were, and the halt is told.
    let operator = Operator::new(&lab, "refused");
    to_the_swap(&operator).await;
    on_batch(&lab, Some("gigadb.org"), "status:400", &json!({}));
    let reply = order(&operator, next(Some("sydney"))).await;
    assert!(
        matches!(reply.state, State::Halted { at, .. } if at.phase == Phase::Swap),
        "{reply:?}"
    );
    let rows_now = rows(&operator);
    assert_eq!(rows_now.len(), 2);
    assert!(rows_now.values().all(|it| it[2].contains("run 1 halted in swap")), "{rows_now:?}");
    let reply = order(&operator, Command::Retry).await;
    assert_eq!(reply.exit, Exit::Done, "{reply:?}");
    is_right(&lab, &operator);

    // One zone moved: nobody is settled, and the table says so.
    lab.reset();
    let operator = Operator::new(&lab, "half");
    to_the_swap(&operator).await;
    on_batch(&lab, Some("gigadb.host"), "status:400", &json!({}));
    let reply = order(&operator, next(Some("sydney"))).await;
    assert_eq!(reply.exit, Exit::Failed, "{reply:?}");
    let half = rows(&operator);
    assert_eq!(
        (half["hk"][0].as_str(), half["sydney"][0].as_str()),
        ("production, being left", "hot stand-by, being moved to")
    );
    assert!(
        half.values().all(|it| it[2].contains("halted in swap") && it[2].contains("moving")),
        "{half:?}"
    );
    order(&operator, rollback()).await;
    assert_eq!(is_right(&lab, &operator)["hk"][0], "current production");
    to_the_end(&operator).await;
    is_over(&lab, &operator);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_does_not_wait_for_a_file() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "no-markers");
    std::fs::create_dir_all(file(&operator).parent().unwrap()).unwrap();
    let own = "a table that people write by hand\n";
    std::fs::write(file(&operator), own).unwrap();
    to_the_swap(&operator).await;
    let reply = order(&operator, next(Some("sydney"))).await;
    assert_eq!(reply.exit, Exit::Done, "{reply:?}");
    assert_eq!(truth(&lab)["sydney"][0], "current production");
    assert_eq!(std::fs::read_to_string(file(&operator)).unwrap(), own);
}
