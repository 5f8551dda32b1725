//! GitLab's things as its API shows them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Deployment, Environment, Gitlab, Job, Pipeline, Project, Tag, Variable};
use crate::text::stamp_ms;

/// The account behind the token.
pub(super) fn user() -> Value {
    json!({
        "id": 501, "username": "release-bot", "name": "Release Bot", "state": "active",
        "locked": false, "bot": true, "avatar_url": null,
    })
}

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(stamp_ms(at)))
}

fn commit(sha: &str, title: &str, at: Timestamp) -> Value {
    json!({
        "id": sha, "short_id": &sha[..8], "title": title, "message": title,
        "created_at": stamp_ms(at), "committed_date": stamp_ms(at), "author_name": "Release Bot",
        "author_email": "bot@gitlab.practice", "parent_ids": [],
    })
}

/// How a signature stands at the end of a tag; what is between the lines is nobody's.
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----\n\npractice\n-----END PGP SIGNATURE-----\n";

/// A variable.
pub(super) fn variable(variable: &Variable) -> Value {
    let value = if variable.hidden { Value::Null } else { json!(variable.value) };
    json!({
        "variable_type": variable.kind, "key": variable.key, "value": value,
        "hidden": variable.hidden, "protected": variable.protected, "masked": variable.masked,
        "raw": variable.raw, "environment_scope": variable.scope,
        "description": variable.description,
    })
}

/// A tag.
pub(super) fn tag(tag: &Tag, kind: &str) -> Value {
    let message = tag.message.clone().unwrap_or_default();
    let (message, target) = match kind {
        "plain" => (String::new(), &tag.commit),
        "annotated" => (message, &tag.target),
        // The API gives a tag's message as git keeps it, its signature at the end.
        _ => (format!("{message}\n{SIGNATURE}"), &tag.target),
    };
    json!({
        "name": tag.name, "message": message, "target": target,
        "commit": commit(&tag.commit, &format!("Release {}", tag.name), tag.created),
        "release": null, "protected": true, "created_at": stamp_ms(tag.created),
    })
}

/// A runner; its tags are shown by its own page only, as GitLab does it.
pub(super) fn runner(online: bool, whole: bool) -> Value {
    let status = if online { "online" } else { "offline" };
    let mut view = json!({
        "id": 91, "description": "practice runner", "ip_address": "127.0.0.1", "active": true,
        "paused": false, "is_shared": false, "runner_type": "project_type", "name": "gitlab-runner",
        "online": online, "status": status, "job_execution_status": "idle",
    });
    if whole {
        view["tag_list"] = json!(["release-bot"]);
        view["run_untagged"] = json!(false);
    }
    view
}

/// The one rule about who may create tags.
pub(super) fn protected_tag(level: u32) -> Value {
    let who = if level == 0 { "No one".to_owned() } else { format!("Level {level}") };
    json!({
        "name": "v*",
        "create_access_levels": [{
            "id": 1, "access_level": level, "access_level_description": who, "user_id": null,
            "group_id": null, "deploy_key_id": null,
        }],
    })
}

/// An environment of a project.
pub(super) fn environment(project: &Project, environment: &Environment) -> Value {
    let last = project.deployments.iter().rev().find(|d| d.environment == environment.name);
    json!({
        "id": environment.id, "name": environment.name, "slug": environment.name,
        "external_url": environment.external_url, "state": environment.state,
        "tier": environment.tier, "created_at": stamp_ms(environment.created),
        "updated_at": stamp_ms(environment.created), "auto_stop_at": null,
        "last_deployment": last.map(|last| deployment(project, last)),
    })
}

/// A deployment of a project.
pub(super) fn deployment(project: &Project, deployment: &Deployment) -> Value {
    let environment = project.environments.iter().find(|e| e.name == deployment.environment);
    let environment = environment.map(
        |e| json!({"id": e.id, "name": e.name, "slug": e.name, "external_url": e.external_url}),
    );
    let deployable = deployment.job.and_then(|id| project.job(id));
    json!({
        "id": deployment.id, "iid": deployment.iid, "ref": deployment.reference,
        "sha": deployment.sha, "status": deployment.status,
        "created_at": stamp_ms(deployment.created), "updated_at": stamp_ms(deployment.updated),
        "user": user(), "environment": environment.unwrap_or_else(|| json!({})),
        "deployable": deployable.map(|found| job(project, found)),
    })
}

/// A pipeline of a project.
pub(super) fn pipeline(project: &Project, pipeline: &Pipeline) -> Value {
    let ended = project.latest(pipeline.id).filter_map(|job| job.finished).max();
    let updated = ended.unwrap_or(pipeline.created);
    json!({
        "id": pipeline.id, "iid": pipeline.iid, "project_id": project.site.project_id(),
        "sha": pipeline.sha, "ref": pipeline.reference,
        "status": project.status(pipeline.id).name(), "source": pipeline.source,
        "created_at": stamp_ms(pipeline.created), "updated_at": stamp_ms(updated),
        "started_at": stamp_ms(pipeline.created), "finished_at": null, "duration": null,
        "tag": true, "yaml_errors": null, "user": user(),
        "web_url": format!("https://gitlab.practice/{}/-/pipelines/{}",
            project.site.project(), pipeline.id),
    })
}

/// A job of a project.
pub(super) fn job(project: &Project, job: &Job) -> Value {
    let of = project.pipeline(job.pipeline);
    let duration = job.started.zip(job.finished);
    let duration = duration.map(|(from, to)| (to - from).total(jiff::Unit::Second).unwrap_or(0.0));
    json!({
        "id": job.id, "name": job.name, "stage": job.stage, "status": job.status.name(),
        "ref": of.map(|pipeline| &pipeline.reference), "tag": true, "coverage": null,
        "allow_failure": false, "created_at": stamp_ms(job.created),
        "started_at": time(job.started), "finished_at": time(job.finished), "erased_at": null,
        "duration": duration, "queued_duration": null, "user": user(),
        "failure_reason": (job.status.name() == "failed").then_some("script_failure"),
        "commit": of.map(|p| commit(&p.sha, &format!("Release {}", p.reference), p.created)),
        "pipeline": of.map(|pipeline| json!({
            "id": pipeline.id, "iid": pipeline.iid, "project_id": project.site.project_id(),
            "sha": pipeline.sha, "ref": pipeline.reference,
            "status": project.status(pipeline.id).name(),
        })),
        "web_url": format!("https://gitlab.practice/{}/-/jobs/{}", project.site.project(), job.id),
        "project": {"ci_job_token_scope_enabled": false}, "artifacts": [],
        "runner": job.started.map(|_| runner(true, false)), "tag_list": ["release-bot"],
    })
}

/// A project.
pub(super) fn project(project: &Project, level: u32) -> Value {
    let path = project.site.project();
    let name = path.rsplit('/').next().unwrap_or_default();
    json!({
        "id": project.site.project_id(), "name": name, "path": name,
        "path_with_namespace": path, "default_branch": "develop", "archived": false,
        "visibility": "public",
        "permissions": {
            "project_access": {"access_level": level, "notification_level": 3}, "group_access": null,
        }, "web_url": format!("https://gitlab.practice/{path}"),
    })
}

impl Gitlab {
    /// GitLab as the world shows it.
    pub(crate) fn view(&self) -> Value {
        let projects = self.projects.iter().map(|project| {
            let scopes = ["live", "staging", "*"].map(|scope| (scope, project.scoped(scope)));
            let scopes: Map<String, Value> =
                scopes.into_iter().map(|(scope, found)| (scope.to_owned(), found)).collect();
            let plays: Vec<Value> = project
                .plays
                .iter()
                .map(|((tag, job), count)| json!({"ref": tag, "job": job, "count": count}))
                .collect();
            let deployments: Vec<Value> = project
                .deployments
                .iter()
                .map(|d| {
                    let job = d.job.and_then(|id| project.job(id)).map(|job| job.name);
                    json!({"environment": d.environment, "ref": d.reference, "job": job,
                        "status": d.status})
                })
                .collect();
            let view = json!({
                "variables": scopes, "plays": plays, "deployments": deployments,
            });
            (project.site.project().to_owned(), view)
        });
        Value::Object(projects.collect())
    }
}
