//! GitLab: playing a job deploys, and what is deployed is what the site serves.

use serde_json::{Value, json};

use crate::support::Lab;

fn job(lab: &Lab, tag: &str, name: &str) -> Value {
    let pipelines = lab.gitlab("GET", &format!("pipelines?ref={tag}"), &Value::Null).json();
    let path = format!("pipelines/{}/jobs?per_page=100", pipelines[0]["id"]);
    let jobs = lab.gitlab("GET", &path, &Value::Null).json();
    let mut jobs = jobs.as_array().unwrap().iter();
    jobs.find(|job| job["name"] == name).unwrap().clone()
}

fn act(lab: &Lab, job: &Value, verb: &str) -> u16 {
    lab.gitlab("POST", &format!("jobs/{}/{verb}", job["id"]), &Value::Null).status
}

#[test]
fn a_played_build_becomes_a_deployment_and_a_version() {
    let lab = Lab::start("play", &[]);
    let address = lab.address("alt-live.gigadb.host");
    let page = |name: &str| lab.https(&address, name, "GET /").unwrap();
    assert!(page("alt-live.gigadb.host").body.contains("Version: v4.3.3"));
    assert_eq!(page("gigadb.org").status, 404);

    let filter = "filter%5Benvironment_scope%5D=live";
    for (key, value) in [("REMOTE_HOSTNAME", "gigadb.org"), ("HOME_URL", "https://gigadb.org")] {
        let path = format!("variables/{key}?{filter}");
        assert_eq!(lab.gitlab("PUT", &path, &json!({"value": value})).status, 200);
    }
    let build = job(&lab, "v4.3.4", "build_live");
    assert_eq!(build["status"], "manual");
    assert_eq!(act(&lab, &job(&lab, "v4.3.4", "ld_gigadb"), "play"), 400);
    assert_eq!(act(&lab, &build, "play"), 200);
    assert_eq!(act(&lab, &build, "play"), 400);
    assert_eq!(page("gigadb.org").status, 404);
    lab.until("deployed", |_| page("gigadb.org").body.contains("Version: v4.3.4"));
    assert_eq!(page("alt-live.gigadb.host").status, 200);

    let path = "deployments?environment=live&order_by=id&sort=desc&status=success";
    let newest = lab.gitlab("GET", path, &Value::Null).json()[0].clone();
    let tag = lab.gitlab("GET", "repository/tags/v4.3.4", &Value::Null).json();
    assert_eq!(
        (&newest["sha"], &newest["deployable"]["name"]),
        (&tag["commit"]["id"], &json!("ld_gigadb"))
    );
    assert_ne!(tag["target"], tag["commit"]["id"]);
}

#[test]
fn a_retried_job_deploys_again() {
    let lab = Lab::start("retry", &["--job-seconds", "0.05"]);
    let build = job(&lab, "v4.3.3", "build_live");
    assert_eq!((act(&lab, &build, "play"), act(&lab, &build, "retry")), (400, 201));
    lab.until("deployed again", |lab| {
        let world = lab.world();
        let project = &world["gitlab"]["gigascience/upstream/alt-gigadb-website"];
        let list = project["deployments"].as_array().unwrap();
        list.len() == 5 && list[4]["status"] == "success"
    });
    let plays = &lab.world()["gitlab"]["gigascience/upstream/alt-gigadb-website"]["plays"];
    assert_eq!(plays, &json!([{"ref": "v4.3.3", "job": "build_live", "count": 1}]));
}

#[test]
fn a_job_can_fail_or_hang() {
    let lab = Lab::start("jobs", &["--job-seconds", "0.05"]);
    let set = json!({"fail_jobs": ["ld_gigadb"], "stuck_jobs": ["XLSUploaderBuildLive"]});
    lab.control("POST", "set", &set);
    act(&lab, &job(&lab, "v4.3.4", "build_live"), "play");
    act(&lab, &job(&lab, "v4.3.4", "XLSUploaderBuildLive"), "play");
    lab.until("failed", |lab| job(lab, "v4.3.4", "ld_gigadb")["status"] == "failed");
    assert_eq!(job(&lab, "v4.3.4", "XLSUploaderBuildLive")["status"], "pending");
    assert_eq!(lab.world()["sites"]["sydney"]["version"], "v4.3.3");
}

#[test]
fn variables_and_pages_behave() {
    let lab = Lab::start("variables", &[]);
    let body = json!({"key": "HOME_URL", "value": "x", "environment_scope": "live"});
    let taken = lab.gitlab("POST", "variables", &body);
    assert!(taken.status == 400 && taken.body.contains("has already been taken"));
    assert_eq!(lab.gitlab("GET", "variables/HOME_URL", &Value::Null).status, 409);
    let page = lab.gitlab("GET", "variables?per_page=4&page=2", &Value::Null);
    assert_eq!(page.json().as_array().unwrap().len(), 2);
    assert!(page.head.contains("x-total: 6") && page.head.contains("rel=\"prev\""));
}
