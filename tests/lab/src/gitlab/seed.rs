//! GitLab in the initial world: two projects, three tags, each with a tag pipeline.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Deployment, Environment, Gitlab, Job, Pipeline, Project, Status, Tag, Variable};
use crate::profile::{Site, TAGS};
use crate::text;

/// Jobs before the live stages, with their stages.
const STAGED: [(&str, &str); 8] = [
    ("PHPDocCheck", "conformance"),
    ("CodeSniffer", "conformance"),
    ("build_test", "build for test"),
    ("all_tests", "test"),
    ("build_staging", "staging build"),
    ("sd_gigadb", "staging deploy"),
    ("sd_ftpd", "staging deploy"),
    ("a_gigadb", "acceptance"),
];
/// Manual live jobs, and the job that each one starts.
pub(super) const LIVE: [(&str, Option<&str>); 8] = [
    ("build_live", Some("ld_gigadb")),
    ("FilesUrlsUpdaterBuildLive", Some("FilesUrlsUpdaterDeployLive")),
    ("XLSUploaderBuildLive", Some("XLSUploaderDeployLive")),
    ("PureFtpdBuildLive", Some("PureFtpdDeployLive")),
    ("ReadmeGeneratorBuildLive", None),
    ("FilesMetadataConsoleBuildLive", None),
    ("TidewaysBuildLive", None),
    ("TidewaysDeployLive", None),
];
/// The stage of live builds.
const LIVE_BUILD: &str = "live build";
/// The stage of live deployments.
const LIVE_DEPLOY: &str = "live deploy";

impl Gitlab {
    /// The initial GitLab: the first tag is live in both projects.
    pub(crate) fn first() -> Self {
        let mut next = 1000;
        let projects = Site::ALL.map(|site| project(site, &mut next));
        Self { projects, turns: Vec::new(), next }
    }
}

fn project(site: Site, next: &mut u64) -> Project {
    let birth = text::now() - SignedDuration::from_hours(24 * 60);
    let environment = |id: u64, name: &str, tier: &str| Environment {
        id,
        name: name.to_owned(),
        external_url: None,
        tier: tier.to_owned(),
        state: "available".to_owned(),
        created: birth,
    };
    let mut project = Project {
        site,
        variables: first_variables(site),
        tags: Vec::new(),
        pipelines: Vec::new(),
        jobs: Vec::new(),
        deployments: Vec::new(),
        environments: vec![
            environment(site.project_id() * 10 + 1, "staging", "staging"),
            environment(site.project_id() * 10 + 2, "live", "production"),
        ],
        plays: BTreeMap::new(),
    };
    for (age, tag) in TAGS.into_iter().enumerate() {
        let days = 30 - 10 * i64::try_from(age).unwrap_or(0);
        let at = text::now() - SignedDuration::from_hours(24 * days);
        // Both projects follow one repository, so a tag is the same object in both.
        let commit = text::hex40(&format!("commit {tag}"));
        project.tags.push(Tag {
            name: tag.to_owned(),
            message: Some(format!("new release {tag}")),
            target: text::hex40(&format!("tag {tag}")),
            commit: commit.clone(),
            created: at,
        });
        pipeline(&mut project, next, tag, &commit, "push", at, tag == TAGS[0]);
    }
    project
}

fn first_variables(site: Site) -> Vec<Variable> {
    let variable = |key: &str, value: &str, scope: &str| Variable {
        key: key.to_owned(),
        value: value.to_owned(),
        scope: scope.to_owned(),
        kind: "env_var".to_owned(),
        protected: false,
        masked: false,
        hidden: false,
        raw: false,
        description: None,
    };
    let live = site.first_role().variables().map(|(key, value)| variable(key, value, "live"));
    let staging = [
        variable("REMOTE_HOSTNAME", "staging.gigadb.host", "staging"),
        variable("HOME_URL", "https://staging.gigadb.host", "staging"),
    ];
    live.into_iter().chain(staging).collect()
}

/// Adds a pipeline, its live part done or waiting for people.
pub(super) fn pipeline(
    project: &mut Project,
    next: &mut u64,
    reference: &str,
    sha: &str,
    source: &str,
    at: Timestamp,
    live: bool,
) -> u64 {
    let mut id = || {
        *next += 1;
        *next
    };
    let pipeline = id();
    project.pipelines.push(Pipeline {
        id: pipeline,
        iid: project.pipelines.len() as u64 + 1,
        sha: sha.to_owned(),
        reference: reference.to_owned(),
        source: source.to_owned(),
        created: at,
    });
    let mut add = |name, stage, status: Status| {
        let end = status.ended().then_some(at);
        let job = id();
        project.jobs.push(Job {
            id: job,
            pipeline,
            name,
            stage,
            status,
            retried: false,
            created: at,
            started: end,
            finished: end,
        });
        job
    };
    for (name, stage) in STAGED {
        add(name, stage, Status::Success);
    }
    let mut deployed = Vec::new();
    for (name, starts) in LIVE {
        let stage = if name == "TidewaysDeployLive" { LIVE_DEPLOY } else { LIVE_BUILD };
        let waits = if live && starts.is_some() { Status::Success } else { Status::Manual };
        add(name, stage, waits);
        if let Some(starts) = starts {
            let status = if live { Status::Success } else { Status::Created };
            deployed.push(add(starts, LIVE_DEPLOY, status));
        }
    }
    for job in deployed.into_iter().filter(|_| live) {
        project.deployments.push(Deployment {
            id: id(),
            iid: project.deployments.len() as u64 + 1,
            environment: "live".to_owned(),
            reference: reference.to_owned(),
            sha: sha.to_owned(),
            status: "success".to_owned(),
            job: Some(job),
            created: at,
            updated: at,
        });
    }
    pipeline
}
