//! GitLab's routes about environments and deployments.

use serde_json::{Value, json};

use super::route::{missing, pages};
use super::{Deployment, Environment, Gitlab, Project, view};
use crate::front::{Ask, Reply};
use crate::text;

/// Routes about environments.
pub(super) fn environments(gitlab: &mut Gitlab, index: usize, rest: &[&str], ask: &Ask) -> Reply {
    gitlab.next += 1;
    let next = gitlab.next;
    let project = &mut gitlab.projects[index];
    let id: u64 = rest.get(1).and_then(|id| id.parse().ok()).unwrap_or(0);
    let at = project.environments.iter().position(|environment| environment.id == id);
    match (ask.method.as_str(), rest, at) {
        ("GET", [_], _) => {
            let query = ask.pairs();
            let found = project.environments.iter().filter(|environment| {
                text::value(&query, "name").is_none_or(|want| environment.name == want)
                    && text::value(&query, "search").is_none_or(|w| environment.name.contains(w))
                    && text::value(&query, "states").is_none_or(|want| environment.state == want)
            });
            pages(ask, found.map(|e| view::environment(project, e)).collect())
        }
        ("POST", [_], _) => {
            let body = ask.json().unwrap_or_default();
            let Some(name) = body.get("name").and_then(Value::as_str) else {
                return Reply::json(400, &json!({"error": "name is missing"}));
            };
            if project.environments.iter().any(|environment| environment.name == name) {
                return Reply::json(400, &json!({"message": {"name": ["has already been taken"]}}));
            }
            let url = body.get("external_url").and_then(Value::as_str);
            let tier = body.get("tier").and_then(Value::as_str).unwrap_or("other");
            project.environments.push(Environment {
                id: next,
                name: name.to_owned(),
                external_url: url.map(str::to_owned),
                tier: tier.to_owned(),
                state: "available".to_owned(),
                created: text::now(),
            });
            let made = project.environments.last().map(|e| view::environment(project, e));
            Reply::json(201, &json!(made)).applied()
        }
        ("GET", [_, _], Some(at)) => {
            Reply::json(200, &view::environment(project, &project.environments[at]))
        }
        ("POST", [_, _, "stop"], Some(at)) => {
            "stopped".clone_into(&mut project.environments[at].state);
            Reply::json(200, &view::environment(project, &project.environments[at])).applied()
        }
        _ => missing("404 Environment Not Found"),
    }
}

/// Routes about deployments.
pub(super) fn deployments(gitlab: &mut Gitlab, index: usize, rest: &[&str], ask: &Ask) -> Reply {
    gitlab.next += 1;
    let next = gitlab.next;
    let project = &mut gitlab.projects[index];
    let id: u64 = rest.get(1).and_then(|id| id.parse().ok()).unwrap_or(0);
    let at = project.deployments.iter().position(|deployment| deployment.id == id);
    let body = ask.json().unwrap_or_default();
    let field = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let known = ["running", "success", "failed", "canceled"];
    let status = field("status").filter(|status| known.contains(&status.as_str()));
    match (ask.method.as_str(), rest, at) {
        ("GET", [_], _) => list_deployments(project, ask),
        ("GET", [_, _], Some(at)) => {
            Reply::json(200, &view::deployment(project, &project.deployments[at]))
        }
        ("POST", [_], _) => {
            let (Some(environment), Some(sha), Some(reference), Some(status)) =
                (field("environment"), field("sha"), field("ref"), status)
            else {
                return Reply::json(
                    400,
                    &json!({"error": "environment, sha, ref, status are required"}),
                );
            };
            let (iid, now) = (project.deployments.len() as u64 + 1, text::now());
            let made = Deployment {
                id: next,
                iid,
                environment,
                reference,
                sha,
                status,
                job: None,
                created: now,
                updated: now,
            };
            project.deployments.push(made.clone());
            Reply::json(201, &view::deployment(project, &made)).applied()
        }
        ("PUT", [_, _], Some(at)) => {
            let Some(status) = status else {
                return Reply::json(400, &json!({"error": "status does not have a valid value"}));
            };
            project.deployments[at].status = status;
            project.deployments[at].updated = text::now();
            Reply::json(200, &view::deployment(project, &project.deployments[at])).applied()
        }
        _ => missing("404 Deployment Not Found"),
    }
}

fn list_deployments(project: &Project, ask: &Ask) -> Reply {
    let query = ask.pairs();
    let after = text::value(&query, "updated_after").and_then(|at| at.parse().ok());
    let before = text::value(&query, "updated_before").and_then(|at| at.parse().ok());
    let mut found: Vec<&Deployment> = project
        .deployments
        .iter()
        .filter(|d| text::value(&query, "environment").is_none_or(|want| d.environment == want))
        .filter(|d| text::value(&query, "status").is_none_or(|want| d.status == want))
        .filter(|d| after.is_none_or(|after| d.updated > after))
        .filter(|d| before.is_none_or(|before| d.updated < before))
        .collect();
    match text::value(&query, "order_by") {
        Some("updated_at") => found.sort_by_key(|d| (d.updated, d.id)),
        Some("created_at") => found.sort_by_key(|d| (d.created, d.id)),
        _ => found.sort_by_key(|d| d.id),
    }
    if text::value(&query, "sort") == Some("desc") {
        found.reverse();
    }
    pages(ask, found.into_iter().map(|d| view::deployment(project, d)).collect())
}
