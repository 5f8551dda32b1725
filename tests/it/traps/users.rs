//! Traps just before users are moved: a job that would empty their site, no certificate for it, the wrong role's
//! names, cold caches.

use std::time::Duration;

use changeover::machine::State;
use changeover::model::Phase;
use serde_json::{Value, json};

use super::{Run, Trap, moves};
use crate::preflight::call;
use crate::swap::to_the_swap;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g06_a_job_would_load_over_the_site_that_users_are_on() {
    let run = Run::start("g06");
    to_the_swap(&run.operator).await;
    let file = run.file("sydney", "var/spool/cron/centos");
    let table = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{table}5 10 * * * /usr/local/bin/databaseReset latest\n"))
        .unwrap();
    run.springs(&Trap {
        says: &["no sync job may be on here", "databaseReset", "sydney"],
        // The engine looks before every later phase, the file once more before the switch.
        guards: &["engine jobs.off", "off-swap"],
        touches: moves,
    })
    .await;
    let before = run.database("sydney");
    run.lab.post("/_lab/fire", &json!({ "host": "gigadb-sydney-bastion", "job": "databaseReset" }));
    for _ in 0..1_000 {
        if run.database("sydney")["drops"] != before["drops"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("ten o'clock comes, and users' database is dropped: {before}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g08_users_would_get_an_error_that_cannot_be_clicked_away() {
    let run = Run::start("g08");
    to_the_swap(&run.operator).await;
    run.lab
        .post("/_lab/set", &json!({ "sites": { "sydney": { "cert_without": ["gigadb.org"] } } }));
    run.springs(&Trap {
        says: &["E2008", "tls-again: pass → fail"],
        // Whatever asks the standby under that name finds it too.
        guards: &["tls-again", "tls-swap", "as-users", "rss", "warm"],
        touches: moves,
    })
    .await;
    assert_eq!(run.users_get("sydney", "/"), 0, "users' browsers refuse the certificate");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g09_a_site_in_the_wrong_role() {
    let run = Run::start("g09");
    run.until(|it| matches!(it, State::Ready { at } if at.phase == Phase::Reset)).await;
    redeploy_as_standby(&run).await;
    run.springs(&Trap {
        says: &["rss", "http https://gigadb.org/rss/latest at", "answered 404"],
        guards: &["as-users", "rss", "warm"],
        touches: moves,
    })
    .await;
    assert_eq!(run.users_get("sydney", "/"), 404, "it does not know the name that users type");
}

/// Somebody sets the standby's variables as they used to be, and deploys it once more.
async fn redeploy_as_standby(run: &Run) {
    let token = format!("PRIVATE-TOKEN: {}", run.operator.env["GITLAB_TOKEN"]);
    let project = "gigascience%2Fupstream%2Falt-gigadb-website";
    let api = format!("{}/api/v4/projects/{project}", run.operator.env["CI_SERVER_URL"]);
    let ask = |method: &str, path: &str, body: &Value| {
        call(method, &format!("{api}/{path}"), &token, body)
    };
    let name = json!({ "value": "alt-live.gigadb.host" });
    ask("PUT", "variables/REMOTE_HOSTNAME?filter[environment_scope]=live", &name);
    let pipelines = ask("GET", "pipelines?ref=v4.3.4", &Value::Null);
    let jobs = format!("pipelines/{}/jobs?per_page=100", pipelines[0]["id"]);
    let jobs = ask("GET", &jobs, &Value::Null);
    let build = jobs.as_array().unwrap().iter().find(|it| it["name"] == "build_live").unwrap();
    ask("POST", &format!("jobs/{}/retry", build["id"]), &Value::Null);
    for _ in 0..1_000 {
        let site = run.lab.world()["sites"]["sydney"].clone();
        if site["configuration"]["REMOTE_HOSTNAME"] == "alt-live.gigadb.host" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the site was not deployed again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g15_users_would_find_cold_pages() {
    let run = Run::start("g15");
    let file = run.operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let hasty = text.replace("within: 3s", "within: 500ms").replace("wait: 10m", "wait: 100ms");
    assert_ne!(text, hasty);
    std::fs::write(&file, hasty).unwrap();
    run.until(|it| matches!(it, State::Ready { at } if at.phase == Phase::Reset)).await;
    run.lab.post("/_lab/set", &json!({ "sites": { "sydney": { "page_s": 0.7 } } }));
    run.springs(&Trap {
        says: &["warm", "https://gigadb.org/dataset/", "more than 500ms"],
        guards: &["warm"],
        touches: moves,
    })
    .await;
    let pages = run.lab.get("/_lab/calls?service=site&place=sydney");
    let of = |it: &&Value| it["path"].as_str().unwrap().starts_with("/dataset/");
    assert!(pages.as_array().unwrap().iter().filter(of).count() >= 10, "each look asks them all");
}
