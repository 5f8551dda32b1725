//! GitLab: against a small server that remembers jobs, deployments and variables.

use std::sync::{Arc, Mutex};

use changeover::model::Verdict;
use changeover::port::{Seen, Sent};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::world::{World, done, says, todo, words};

const PROJECT: &str = "gigascience/upstream/alt-gigadb-website";
const SHA: &str = "a91957a858320c0e17f3a0eca7cfacbff50ea29a";

/// What the server knows.
#[derive(Default)]
struct Lab {
    jobs: Vec<Value>,
    deployments: Vec<Value>,
    variables: Vec<(String, String)>,
    tag: Value,
    /// Requests that change something, as `METHOD path`.
    writes: Vec<String>,
    /// The status every write is answered with, although it is carried out.
    broken: Option<u16>,
}

impl Lab {
    fn answer(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let base = format!("/api/v4/projects/{}", PROJECT.replace('/', "%2F"));
        let Some(rest) = path.strip_prefix(&base) else { return (404, json!({})) };
        let answer = match (method, rest) {
            ("GET", "/repository/tags/v4.4.0") if self.tag.is_object() => (200, self.tag.clone()),
            ("GET", "/pipelines") if query.contains("ref=v4.4.0") => (
                200,
                json!([{ "id": 3, "sha": SHA, "status": "manual" }, { "id": 2, "sha": "old", "status": "success" }]),
            ),
            ("GET", "/pipelines/3/jobs") => (200, json!(self.jobs)),
            ("GET", "/deployments") => {
                let status = if query.contains("status=running") { "running" } else { "success" };
                let wanted = |it: &&Value| it["status"] == status;
                assert!(query.contains("environment=live"), "{query}");
                (200, self.deployments.iter().filter(wanted).cloned().collect())
            }
            ("GET", _) if rest.starts_with("/variables/") => {
                assert_eq!(query, "filter%5Benvironment_scope%5D=live");
                let found = self.variables.iter().find(|(key, _)| rest.ends_with(key.as_str()));
                found.map_or((404, json!({})), |(_, value)| (200, json!({ "value": value })))
            }
            ("PUT", _) => {
                let found = self.variables.iter_mut().find(|(key, _)| rest.ends_with(key.as_str()));
                found.unwrap().1 = body["value"].as_str().unwrap().into();
                (200, json!({}))
            }
            ("POST", "/variables") => {
                assert_eq!(body["environment_scope"], "live");
                let text = |key: &str| body[key].as_str().unwrap().to_owned();
                self.variables.push((text("key"), text("value")));
                (201, json!({}))
            }
            ("POST", _) => self.push(rest),
            _ => (404, json!({})),
        };
        if method == "GET" {
            return answer;
        }
        self.writes.push(format!("{method} {rest}"));
        self.broken.map_or(answer, |status| (status, json!({ "message": "broken" })))
    }

    fn push(&mut self, path: &str) -> (u16, Value) {
        let parts: Vec<&str> = path.split('/').collect();
        let id: u64 = parts[2].parse().unwrap();
        let at = self.jobs.iter().position(|it| it["id"] == id).unwrap();
        let manual = self.jobs[at]["status"] == "manual";
        match parts[3] {
            "play" if manual => self.jobs[at]["status"] = json!("pending"),
            "retry" if !manual => {
                let mut new = self.jobs[at].clone();
                new["id"] =
                    json!(self.jobs.iter().map(|it| it["id"].as_u64().unwrap()).max().unwrap() + 1);
                new["status"] = json!("pending");
                self.jobs.push(new);
            }
            _ => return (400, json!({ "message": "Unplayable Job" })),
        }
        (201, self.jobs.last().unwrap().clone())
    }
}

type Shared = Arc<Mutex<Lab>>;

async fn serve() -> (Shared, String) {
    let lab = Shared::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let shared = Arc::clone(&lab);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(one(stream, Arc::clone(&shared)));
        }
    });
    (lab, url)
}

async fn one(mut stream: TcpStream, lab: Shared) {
    let mut text = Vec::new();
    let (head, body) = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        text.extend_from_slice(&part[..count]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase();
        let length =
            length.lines().find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let (status, answer) = if head.to_ascii_lowercase().contains("private-token: glpat-secret") {
        let body = serde_json::from_str(&body).unwrap_or_default();
        lab.lock().unwrap().answer(method, path, &body)
    } else {
        (401, json!({ "message": "401 Unauthorized" }))
    };
    let answer = answer.to_string();
    let length = answer.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

fn job(id: u64, name: &str, stage: &str, status: &str) -> Value {
    json!({ "id": id, "name": name, "stage": stage, "status": status })
}

fn deployment(id: u64, status: &str, by: &str, sha: &str) -> Value {
    json!({ "id": id, "ref": "v4.4.0", "sha": sha, "status": status, "deployable": { "name": by } })
}

fn annotated() -> Value {
    json!({ "name": "v4.4.0", "message": "new release", "target": "0bject", "commit": { "id": SHA } })
}

async fn world() -> (tempfile::TempDir, World, Shared) {
    let (lab, url) = serve().await;
    {
        let mut lab = lab.lock().unwrap();
        lab.tag = annotated();
        lab.jobs = vec![
            job(10, "a_gigadb", "acceptance", "success"),
            job(11, "build_live", "live build", "manual"),
            job(12, "ld_gigadb", "live deploy", "created"),
        ];
        lab.deployments = vec![deployment(5, "success", "ld_gigadb", "other")];
    }
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path()).gitlab(&url).env("GITLAB_TOKEN", "glpat-secret");
    (folder, world, lab)
}

fn play() -> Value {
    json!({ "project": PROJECT, "ref": "v4.4.0", "job": "build_live", "await": "ld_gigadb" })
}

fn set(lab: &Shared, id: u64, status: &str) {
    let mut lab = lab.lock().unwrap();
    let job = lab.jobs.iter_mut().find(|it| it["id"] == id).unwrap();
    job["status"] = json!(status);
}

fn add(lab: &Shared, job: Option<Value>, deployment: Option<Value>) {
    let mut lab = lab.lock().unwrap();
    lab.jobs.extend(job);
    lab.deployments.extend(deployment);
}

#[tokio::test]
async fn a_manual_job_is_played_once_and_its_deployment_awaited() {
    let (_folder, world, lab) = world().await;
    let call = world.call("gitlab.play", &play(), Some("sydney"));
    let action = world.act(call.clone());
    let changes = todo(&action.observe().await);
    assert!(changes[0].sentence.starts_with("Plays the job build_live of v4.4.0"), "{changes:?}");
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    assert!(matches!(action.observe().await, Seen::Busy { .. }));
    // A conductor that starts again finds it by what stands in the intent.
    let again = world.act(world.after_crash(&call, &changes));
    assert!(matches!(again.observe().await, Seen::Busy { .. }));
    // One that knows of no intent sees somebody else's job.
    assert!(matches!(world.act(call.clone()).observe().await, Seen::Foreign { .. }));
    set(&lab, 11, "success");
    set(&lab, 12, "running");
    assert!(matches!(again.observe().await, Seen::Busy { .. }));
    set(&lab, 12, "success");
    assert!(matches!(again.observe().await, Seen::Busy { .. }), "no deployment yet");
    add(&lab, None, Some(deployment(6, "success", "PureFtpdDeployLive", SHA)));
    assert!(matches!(again.observe().await, Seen::Busy { .. }), "another job's deployment");
    add(&lab, None, Some(deployment(7, "success", "ld_gigadb", SHA)));
    done(&again.observe().await);
    done(&action.observe().await);
    assert_eq!(lab.lock().unwrap().writes, ["POST /jobs/11/play"]);
}

#[tokio::test]
async fn an_old_green_job_is_made_again_and_deployed_again() {
    let (_folder, world, lab) = world().await;
    set(&lab, 11, "success");
    set(&lab, 12, "success");
    add(&lab, None, Some(deployment(6, "success", "ld_gigadb", SHA)));
    let call = world.call("gitlab.play", &play(), Some("sydney"));
    let action = world.act(call.clone());
    let changes = todo(&action.observe().await);
    action.apply(&changes).await;
    set(&lab, 13, "success");
    // GitLab does not start a finished job again: that is a second push, under the first fence.
    let second = todo(&action.observe().await);
    assert_eq!(second[0].old, changes[0].old);
    assert!(second[0].key.ends_with("/ld_gigadb"), "{second:?}");
    let again = world.act(world.after_crash(&call, &second));
    again.apply(&second).await;
    assert!(matches!(again.observe().await, Seen::Busy { .. }));
    set(&lab, 14, "failed");
    assert!(matches!(again.observe().await, Seen::Failed { .. }));
    set(&lab, 14, "success");
    add(&lab, None, Some(deployment(15, "success", "ld_gigadb", SHA)));
    done(&again.observe().await);
    assert_eq!(lab.lock().unwrap().writes, ["POST /jobs/11/retry", "POST /jobs/12/retry"]);
}

#[tokio::test]
async fn a_broken_answer_is_unknown_and_read_back() {
    let (_folder, world, lab) = world().await;
    lab.lock().unwrap().broken = Some(502);
    let action = world.action("gitlab.play", &play(), Some("sydney"));
    let changes = todo(&action.observe().await);
    assert!(matches!(action.apply(&changes).await, Sent::Unknown { .. }));
    assert!(matches!(action.observe().await, Seen::Busy { .. }));
    lab.lock().unwrap().broken = None;
    // The job cannot be played twice; GitLab's refusal is no proof that nothing happened.
    assert!(matches!(action.apply(&changes).await, Sent::Unknown { .. }));
    lab.lock().unwrap().tag["commit"]["id"] = json!("moved");
    let seen = action.observe().await;
    assert!(matches!(seen, Seen::Failed { .. }) && says(&seen).contains("moved"), "{seen:?}");
}

#[tokio::test]
async fn variables_are_set_made_and_read_back() {
    let (_folder, world, lab) = world().await;
    lab.lock().unwrap().variables = vec![("HOME_URL".into(), "https://alt.gigadb.host".into())];
    let action = world.action("gitlab.variables", &json!({ "as": "production" }), Some("sydney"));
    let changes = todo(&action.observe().await);
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0].old.as_deref(), Some("https://alt.gigadb.host"));
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    done(&action.observe().await);
    assert_eq!(lab.lock().unwrap().writes, ["PUT /variables/HOME_URL", "POST /variables"]);
    lab.lock().unwrap().broken = Some(429);
    assert!(matches!(action.apply(&changes).await, Sent::Refused { .. }));
}

#[tokio::test]
async fn checks() {
    let (_folder, world, lab) = world().await;
    let tag = json!({ "project": PROJECT, "tag": "v4.4.0", "annotated": true });
    let green = |to: &str| json!({ "project": PROJECT, "ref": "v4.4.0", "green_to": to });
    let idle = json!({ "projects": [PROJECT], "environment": "live" });
    let look = async |kind: &str, with: &Value| world.check(kind, with, None).look().await.verdict;
    assert_eq!(look("gitlab.tag", &tag).await, Verdict::Pass);
    lab.lock().unwrap().tag = json!({ "message": "", "target": SHA, "commit": { "id": SHA } });
    assert_eq!(look("gitlab.tag", &tag).await, Verdict::Fail);
    lab.lock().unwrap().tag = Value::Null;
    assert_eq!(look("gitlab.tag", &tag).await, Verdict::Fail);
    assert_eq!(look("gitlab.pipeline", &green("acceptance")).await, Verdict::Pass);
    assert_eq!(look("gitlab.pipeline", &green("live deploy")).await, Verdict::Fail);
    assert_eq!(look("gitlab.idle", &idle).await, Verdict::Pass);
    add(&lab, None, Some(deployment(9, "running", "ld_gigadb", SHA)));
    assert_eq!(look("gitlab.idle", &idle).await, Verdict::Fail);
}

#[tokio::test]
async fn without_a_token_or_an_answer_nothing_is_known() {
    let (_folder, world, _lab) = world().await;
    let idle = json!({ "projects": [PROJECT], "environment": "live" });
    let world = world.env("GITLAB_TOKEN", "glpat-other!");
    let found = world.check("gitlab.idle", &idle, None).look().await;
    assert_eq!(found.verdict, Verdict::Unknown);
    let text = words(&found.evidence);
    assert!(text.contains("E3601") && !text.contains("glpat-other!"), "{text}");
    let world = world.gitlab("http://127.0.0.1:1");
    let found = world.check("gitlab.idle", &idle, None).look().await;
    assert_eq!(found.verdict, Verdict::Unknown);
    let sent = world.action("gitlab.variables", &json!({ "as": "production" }), Some("sydney"));
    let change = changeover::model::Change {
        verb: changeover::model::Verb::Create,
        key: "gitlab/x/live/HOME_URL".into(),
        old: None,
        new: Some("x".into()),
        sentence: String::new(),
    };
    let sent = sent.apply(&[change]).await;
    assert!(matches!(sent, Sent::Refused { .. }), "nothing was sent: {sent:?}");
}
