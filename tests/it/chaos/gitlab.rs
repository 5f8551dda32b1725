//! A GitLab project: variables, the manual jobs of a tag's pipeline, deployments.

use std::collections::BTreeMap;

use super::earth::{Earth, Event};
use super::lost::Gone;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Manual,
    Created,
    Running,
    Success,
    Failed,
}

impl Status {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Created => "created",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }
}

/// One try of a job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) tag: String,
    pub(crate) name: String,
    pub(crate) status: Status,
    /// The job that starts by itself when this one succeeds.
    then: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Project {
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) jobs: Vec<Job>,
    /// Id, tag, job.
    pub(crate) deployments: Vec<(u64, String, String)>,
}

impl Project {
    /// The newest try of a job.
    pub(crate) fn newest(&self, tag: &str, name: &str) -> Option<&Job> {
        self.jobs.iter().rev().find(|it| it.tag == tag && it.name == name)
    }

    pub(crate) fn deployed(&self, tag: &str, job: &str) -> u64 {
        let by = |it: &&(u64, String, String)| it.1 == tag && it.2 == job;
        self.deployments.iter().filter(by).map(|it| it.0).max().unwrap_or(0)
    }

    pub(crate) fn deploys(&self) -> bool {
        self.jobs.iter().any(|it| it.status == Status::Running && it.then.is_none())
    }
}

impl Earth {
    /// The pair of jobs in the pipeline of a tag, as a new tag's pipeline has them.
    pub(crate) fn pipeline(&mut self, site: usize, tag: &str, job: &str, awaited: &str) {
        if self.sites[site].gitlab.newest(tag, job).is_some() {
            return;
        }
        let (first, second) = (self.fresh_id(), self.fresh_id());
        let made = |id, name: &str, status, then| Job {
            id,
            tag: tag.to_owned(),
            name: name.to_owned(),
            status,
            then,
        };
        let jobs = &mut self.sites[site].gitlab.jobs;
        jobs.push(made(first, job, Status::Manual, Some(awaited.to_owned())));
        jobs.push(made(second, awaited, Status::Created, None));
    }

    /// `play` for what is manual, `retry` for what has ended; anything else is refused.
    pub(crate) fn push(&mut self, site: usize, id: u64) -> Result<u64, String> {
        let jobs = &mut self.sites[site].gitlab.jobs;
        let at = jobs.iter().position(|it| it.id == id).ok_or("404")?;
        let id = match jobs[at].status {
            Status::Manual => {
                jobs[at].status = Status::Running;
                id
            }
            Status::Created | Status::Running => return Err("unplayable".to_owned()),
            Status::Success | Status::Failed => {
                let newest =
                    jobs.iter().rev().find(|it| it.tag == jobs[at].tag && it.name == jobs[at].name);
                if newest.is_some_and(|it| it.id != id) {
                    return Err("403: this try is not the newest".to_owned());
                }
                let again = jobs[at].clone();
                let id = self.fresh_id();
                self.sites[site].gitlab.jobs.push(Job { id, status: Status::Running, ..again });
                id
            }
        };
        self.begins(site, id);
        Ok(id)
    }

    fn begins(&mut self, site: usize, id: u64) {
        let job = self.sites[site].gitlab.jobs.iter().find(|it| it.id == id).cloned().unwrap();
        if job.then.is_none() {
            self.judge_deploy(site, &job.name, &job.tag);
            self.sites[site].up = job.name != "ld_gigadb";
        }
        let after = self.faults.dice.between(60, 400) * 1000;
        self.later(after, Event::Job { site, id });
    }

    pub(crate) fn job_goes_on(&mut self, site: usize, id: u64) {
        let lost = self.sites[site].gone.contains(&Gone::Power);
        let fails = self.faults.rarely("gitlab: a job fails", 40) || lost;
        let gitlab = &mut self.sites[site].gitlab;
        let Some(job) = gitlab.jobs.iter_mut().find(|it| it.id == id) else { return };
        job.status = if fails { Status::Failed } else { Status::Success };
        let job = job.clone();
        if fails {
            // The old containers are started again.
            self.sites[site].up = true;
            return;
        }
        if let Some(then) = &job.then {
            // What was created starts; what had ended does not start again by itself.
            let next =
                gitlab.jobs.iter_mut().rev().find(|it| it.tag == job.tag && it.name == *then);
            if let Some(next) = next.filter(|it| it.status == Status::Created) {
                next.status = Status::Running;
                let next = next.id;
                self.begins(site, next);
            }
            return;
        }
        let deployment = self.fresh_id();
        let site = &mut self.sites[site];
        site.gitlab.deployments.push((deployment, job.tag.clone(), job.name.clone()));
        if job.name == "ld_gigadb" {
            site.version = job.tag;
            site.deployed = site.gitlab.variables.clone();
            (site.up, site.stopped) = (true, false);
        }
    }
}
