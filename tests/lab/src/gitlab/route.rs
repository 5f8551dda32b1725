//! GitLab's routes.

use serde_json::{Value, json};

use super::deploy::{deployments, environments};
use super::{Gitlab, Project, seed, variables, view};
use crate::call::Arrival;
use crate::front::{Ask, Reply};
use crate::profile::GITLAB_TOKEN;
use crate::settings::Settings;
use crate::text;
use crate::world::World;

/// Path before every call.
const BASE: &str = "/api/v4/";

fn parts(ask: &Ask) -> Vec<String> {
    let path = ask.path.strip_prefix(BASE).unwrap_or_default();
    path.trim_matches('/').split('/').map(|part| text::decode(part, false)).collect()
}

/// Names the operation of a request.
pub(crate) fn classify(ask: &Ask, arrival: &mut Arrival) {
    let parts = parts(ask);
    let what: Vec<&str> = match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["projects", id, rest @ ..] => {
            arrival.place = Some((*id).to_owned());
            rest.iter()
                .enumerate()
                .map(|(at, part)| match (at, rest.first()) {
                    (1, Some(&"repository")) | (0, _) => *part,
                    (_, _)
                        if ["play", "retry", "cancel", "trace", "jobs", "stop"].contains(part) =>
                    {
                        part
                    }
                    _ => ":id",
                })
                .collect()
        }
        other => other.to_vec(),
    };
    arrival.operation = format!("{} {}", ask.method, what.join("/"));
    arrival.changes = ask.method != "GET";
}

/// Answers a request.
pub(crate) fn answer(world: &mut World, ask: &Ask) -> Reply {
    let bearer = ask.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if ask.header("private-token").or(bearer) != Some(GITLAB_TOKEN) {
        return Reply::json(401, &json!({"message": "401 Unauthorized"}));
    }
    if !ask.path.starts_with(BASE) {
        return missing("404 Not Found");
    }
    let parts = parts(ask);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let gitlab = &mut world.gitlab;
    let settings = &world.settings;
    match (ask.method.as_str(), parts.as_slice()) {
        ("GET", ["version"]) => Reply::json(
            200,
            &json!({"version": "19.5.0", "revision": "practice", "enterprise": false}),
        ),
        ("GET", ["user"]) => Reply::json(200, &view::user()),
        ("GET", ["runners", "91"]) => Reply::json(200, &view::runner(settings.runner_online, true)),
        ("GET", ["projects"]) => pages(
            ask,
            gitlab.projects.iter().map(|it| view::project(it, settings.access_level)).collect(),
        ),
        (_, ["projects", id, rest @ ..]) => {
            let named =
                |p: &Project| p.site.project() == *id || p.site.project_id().to_string() == *id;
            match gitlab.projects.iter().position(named) {
                Some(index) => in_project(gitlab, index, rest, ask, settings),
                None => missing("404 Project Not Found"),
            }
        }
        _ => missing("404 Not Found"),
    }
}

fn in_project(
    gitlab: &mut Gitlab,
    index: usize,
    rest: &[&str],
    ask: &Ask,
    settings: &Settings,
) -> Reply {
    let project = &mut gitlab.projects[index];
    let method = ask.method.as_str();
    match (method, rest) {
        ("GET", []) => Reply::json(200, &view::project(project, settings.access_level)),
        ("GET", ["protected_tags"]) => pages(ask, vec![view::protected_tag(settings.tag_level)]),
        ("GET", ["variables"]) => {
            pages(ask, project.variables.iter().map(view::variable).collect())
        }
        ("POST", ["variables"]) => variables::create(project, ask),
        ("GET" | "PUT" | "DELETE", ["variables", key]) => variables::one(project, ask, key),
        ("GET", ["repository", "tags"]) => {
            let tags = project.tags.iter().rev().map(|it| view::tag(it, &settings.tags));
            pages(ask, tags.collect())
        }
        ("GET", ["repository", "tags", tag]) => {
            let found = project.tags.iter().find(|t| t.name == *tag);
            shown(found.map(|it| view::tag(it, &settings.tags)), "404 Tag Not Found")
        }
        // GitLab reads X.509 signatures only here; for others it says that there is none.
        ("GET", ["repository", "tags", _, "signature"]) => missing("404 Signature Not Found"),
        ("GET", ["runners"]) => {
            let query = ask.pairs();
            let status = if settings.runner_online { "online" } else { "offline" };
            let wanted = text::value(&query, "status").is_none_or(|want| want == status)
                && text::value(&query, "tag_list").is_none_or(|want| want == "release-bot");
            pages(
                ask,
                wanted.then(|| view::runner(settings.runner_online, false)).into_iter().collect(),
            )
        }
        ("GET" | "POST", ["environments", ..]) => environments(gitlab, index, rest, ask),
        (_, ["deployments", ..]) => deployments(gitlab, index, rest, ask),
        (_, ["pipeline" | "pipelines", ..]) => pipelines(gitlab, index, rest, ask, settings),
        (_, ["jobs", id, ..]) => jobs(gitlab, index, id.parse().unwrap_or(0), rest, ask, settings),
        _ => missing("404 Not Found"),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm a route")]
fn pipelines(
    gitlab: &mut Gitlab,
    index: usize,
    rest: &[&str],
    ask: &Ask,
    settings: &Settings,
) -> Reply {
    let project = &gitlab.projects[index];
    let query = ask.pairs();
    let wants = |key: &str, have: &str| text::value(&query, key).is_none_or(|want| want == have);
    let id: u64 = rest.get(1).and_then(|id| id.parse().ok()).unwrap_or(0);
    let exists = project.pipeline(id).is_some();
    match (ask.method.as_str(), rest) {
        ("GET", ["pipelines"]) => {
            let found = project.pipelines.iter().rev().filter(|p| {
                wants("ref", &p.reference)
                    && wants("sha", &p.sha)
                    && wants("source", &p.source)
                    && wants("status", project.status(p.id).name())
            });
            pages(ask, found.map(|p| view::pipeline(project, p)).collect())
        }
        ("POST", ["pipeline"]) => {
            let body = ask.json().unwrap_or_default();
            let reference = body.get("ref").and_then(Value::as_str).unwrap_or_default();
            let Some(tag) = project.tags.iter().find(|tag| tag.name == reference).cloned() else {
                return Reply::json(400, &json!({"message": {"base": ["Reference not found"]}}));
            };
            let project = &mut gitlab.projects[index];
            let next = &mut gitlab.next;
            let now = text::now();
            let id = seed::pipeline(project, next, &tag.name, &tag.commit, "api", now, false);
            let made = project.pipeline(id).map(|p| view::pipeline(project, p));
            Reply::json(201, &json!(made)).applied()
        }
        ("GET", ["pipelines", _]) => {
            shown(project.pipeline(id).map(|p| view::pipeline(project, p)), "404 Not found")
        }
        ("GET", ["pipelines", _, "jobs"]) if exists => {
            let scopes: Vec<&str> = query
                .iter()
                .filter(|(k, _)| k == "scope[]" || k == "scope")
                .map(|(_, v)| v.as_str())
                .collect();
            let all = text::value(&query, "include_retried") == Some("true");
            let found = project.jobs.iter().rev().filter(|job| {
                job.pipeline == id
                    && (all || !job.retried)
                    && (scopes.is_empty() || scopes.contains(&job.status.name()))
            });
            let shown = found.map(|job| {
                let mut view = view::job(project, job);
                let path = project.site.project();
                if settings.red_jobs.contains(&format!("{path}:{}", job.name)) {
                    view["status"] = json!("failed");
                }
                view
            });
            pages(ask, shown.collect())
        }
        ("POST", ["pipelines", _, what @ ("retry" | "cancel")]) if exists => {
            let ids: Vec<u64> = project.latest(id).map(|job| job.id).collect();
            let mut changed = false;
            for job in ids {
                let status = gitlab.projects[index].job(job).map(|job| job.status.name());
                changed |= match (*what, status) {
                    ("retry", Some("failed" | "canceled")) => {
                        gitlab.retry(index, job, settings).is_some()
                    }
                    ("cancel", Some("pending" | "running")) => gitlab.cancel(index, job).is_some(),
                    _ => false,
                };
            }
            let project = &gitlab.projects[index];
            let view = json!(project.pipeline(id).map(|p| view::pipeline(project, p)));
            let status = if *what == "retry" { 201 } else { 200 };
            Reply { applied: changed, ..Reply::json(status, &view) }
        }
        _ => missing("404 Not found"),
    }
}

fn jobs(
    gitlab: &mut Gitlab,
    index: usize,
    id: u64,
    rest: &[&str],
    ask: &Ask,
    settings: &Settings,
) -> Reply {
    let Some(job) = gitlab.projects[index].job(id) else { return missing("404 Job Not Found") };
    let (done, status, refusal) = match (ask.method.as_str(), rest) {
        ("GET", [_, _]) => {
            return Reply::json(200, &view::job(&gitlab.projects[index], job));
        }
        ("GET", [_, _, "trace"]) => {
            let text = format!("Running with gitlab-runner\n{}: {}\n", job.name, job.status.name());
            return Reply::text(200, "text/plain", text);
        }
        ("POST", [_, _, "play"]) => {
            let unknown = match (ask.body.is_empty(), ask.json()) {
                (true, _) => None,
                (false, Some(Value::Object(body))) => {
                    let known = ["job_variables_attributes", "job_inputs"];
                    body.keys().find(|key| !known.contains(&key.as_str())).cloned()
                }
                (false, _) => Some("body".to_owned()),
            };
            if let Some(unknown) = unknown {
                return Reply::json(400, &json!({"error": format!("{unknown} is invalid")}));
            }
            (gitlab.play(index, id, settings), 200, "400 Bad request - Unplayable Job")
        }
        ("POST", [_, _, "retry"]) => {
            (gitlab.retry(index, id, settings), 201, "403 Forbidden - Job is not retryable")
        }
        ("POST", [_, _, "cancel"]) => {
            (gitlab.cancel(index, id), 201, "403 Forbidden - Job is not cancelable")
        }
        _ => return missing("404 Not found"),
    };
    let project = &gitlab.projects[index];
    if let Some(job) = done.and_then(|id| project.job(id)) {
        return Reply::json(status, &view::job(project, job)).applied();
    }
    let status = if refusal.starts_with("400") { 400 } else { 403 };
    Reply::json(status, &json!({"message": refusal}))
}

fn shown(found: Option<Value>, otherwise: &str) -> Reply {
    found.map_or_else(|| missing(otherwise), |found| Reply::json(200, &found))
}

/// An answer that something is not there.
pub(super) fn missing(message: &str) -> Reply {
    Reply::json(404, &json!({"message": message}))
}

/// One page of a list, with GitLab's headers.
pub(super) fn pages(ask: &Ask, all: Vec<Value>) -> Reply {
    let query = ask.pairs();
    let number = |key: &str| text::value(&query, key).and_then(|n| n.parse::<usize>().ok());
    let per_page = number("per_page").unwrap_or(20).clamp(1, 100);
    let page = number("page").unwrap_or(1).max(1);
    let total = all.len();
    let last = total.div_ceil(per_page).max(1);
    let shown: Vec<Value> = all.into_iter().skip((page - 1) * per_page).take(per_page).collect();
    let next = if page < last { (page + 1).to_string() } else { String::new() };
    let previous = if page > 1 { (page - 1).to_string() } else { String::new() };
    let host = ask.header("host").unwrap_or("127.0.0.1");
    let rest: Vec<String> = query
        .iter()
        .filter(|(key, _)| key != "page" && key != "per_page")
        .map(|(key, value)| format!("&{}={}", text::encode(key), text::encode(value)))
        .collect();
    let link = |page: usize, rel: &str| {
        let rest = rest.concat();
        format!("<http://{host}{}?page={page}&per_page={per_page}{rest}>; rel=\"{rel}\"", ask.path)
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(page - 1, "prev"));
    }
    if page < last {
        links.push(link(page + 1, "next"));
    }
    links.extend([link(1, "first"), link(last, "last")]);
    Reply::json(200, &json!(shown))
        .with("x-total", total)
        .with("x-total-pages", last)
        .with("x-page", page)
        .with("x-per-page", per_page)
        .with("x-next-page", next)
        .with("x-prev-page", previous)
        .with("link", links.join(", "))
}
