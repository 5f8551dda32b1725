//! GitLab's API, version 4: tags, pipelines, jobs, deployments, environments, variables.

mod deploy;
mod jobs;
mod route;
mod seed;
mod variables;
mod view;

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;

use crate::profile::Site;
pub(crate) use route::{answer, classify};

/// A CI/CD variable.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "these are the fields of the API")]
pub(crate) struct Variable {
    key: String,
    value: String,
    scope: String,
    kind: String,
    protected: bool,
    masked: bool,
    hidden: bool,
    raw: bool,
    description: Option<String>,
}

/// A tag: an object of its own when it is annotated.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    name: String,
    message: Option<String>,
    target: String,
    commit: String,
    created: Timestamp,
}

/// A pipeline of a tag.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    id: u64,
    iid: u64,
    sha: String,
    reference: String,
    source: String,
    created: Timestamp,
}

/// The states of a job that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Waits for other jobs.
    Created,
    /// Waits for a person.
    Manual,
    /// Waits for a runner.
    Pending,
    /// Runs.
    Running,
    /// Ended well.
    Success,
    /// Ended badly.
    Failed,
    /// Was stopped.
    Canceled,
}

impl Status {
    /// GitLab's word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Manual => "manual",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    const fn active(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }

    const fn ended(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Canceled)
    }
}

/// A job of a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    id: u64,
    pipeline: u64,
    name: &'static str,
    stage: &'static str,
    status: Status,
    retried: bool,
    created: Timestamp,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
}

/// A deployment to an environment.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    id: u64,
    iid: u64,
    environment: String,
    reference: String,
    sha: String,
    status: String,
    job: Option<u64>,
    created: Timestamp,
    updated: Timestamp,
}

/// An environment.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    id: u64,
    name: String,
    external_url: Option<String>,
    tier: String,
    state: String,
    created: Timestamp,
}

/// A project.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    site: Site,
    variables: Vec<Variable>,
    tags: Vec<Tag>,
    pipelines: Vec<Pipeline>,
    jobs: Vec<Job>,
    deployments: Vec<Deployment>,
    environments: Vec<Environment>,
    plays: BTreeMap<(String, &'static str), u32>,
}

/// What becomes due for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Start,
    End,
}

/// The practice GitLab.
#[derive(Debug)]
pub(crate) struct Gitlab {
    projects: [Project; 2],
    turns: Vec<(Instant, usize, u64, Turn)>,
    next: u64,
}

/// A site has been deployed.
#[derive(Debug)]
pub(crate) struct Deployed {
    /// The site.
    pub(crate) site: Site,
    /// The version that it runs now.
    pub(crate) version: String,
    /// The variables of the scope `live` that it was given.
    pub(crate) configuration: Value,
}

impl Project {
    fn job(&self, id: u64) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    fn pipeline(&self, id: u64) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.id == id)
    }

    /// The newest try of each job of a pipeline.
    fn latest(&self, pipeline: u64) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(move |job| job.pipeline == pipeline && !job.retried)
    }

    fn status(&self, pipeline: u64) -> Status {
        let any = |status| self.latest(pipeline).any(|job| job.status == status);
        let order = [Status::Running, Status::Pending, Status::Failed, Status::Canceled];
        let found = order.into_iter().chain([Status::Manual]).find(|status| any(*status));
        found.unwrap_or(Status::Success)
    }

    fn scoped(&self, scope: &str) -> Value {
        let of_scope = self.variables.iter().filter(|variable| variable.scope == scope);
        let mut values: Vec<(String, Value)> = of_scope
            .map(|variable| (variable.key.clone(), Value::String(variable.value.clone())))
            .collect();
        values.sort_by(|a, b| a.0.cmp(&b.0));
        Value::Object(values.into_iter().collect())
    }
}
