//! Jobs: playing, retrying, running, and what follows when one ends.

use std::time::Instant;

use super::seed::LIVE;
use super::{Deployed, Deployment, Gitlab, Job, Project, Status, Turn};
use crate::settings::Settings;
use crate::text;

/// The part of a job's time that it waits for a runner.
const PENDING_PART: f64 = 0.2;

impl Gitlab {
    /// Lets jobs start and end as time makes them due.
    pub(crate) fn advance(&mut self, now: Instant, settings: &Settings) -> Vec<Deployed> {
        let mut deployed = Vec::new();
        loop {
            let due = self.turns.iter().enumerate().filter(|(_, turn)| turn.0 <= now);
            let Some((at, _)) = due.min_by_key(|(_, turn)| turn.0) else { break };
            let (when, project, job, turn) = self.turns.swap_remove(at);
            match turn {
                Turn::Start => self.start(when, project, job, settings),
                Turn::End => deployed.extend(self.end(when, project, job, settings)),
            }
        }
        deployed
    }

    /// Hands a job to the runners.
    fn queue(&mut self, when: Instant, project: usize, id: u64, settings: &Settings) {
        let Some(job) = self.projects[project].jobs.iter_mut().find(|job| job.id == id) else {
            return;
        };
        job.status = Status::Pending;
        if settings.runner_online && !settings.stuck_jobs.iter().any(|name| name == job.name) {
            let wait = text::seconds(settings.job_seconds * PENDING_PART);
            self.turns.push((when + wait, project, id, Turn::Start));
        }
    }

    fn start(&mut self, when: Instant, index: usize, id: u64, settings: &Settings) {
        let project = &mut self.projects[index];
        let Some(at) = project.jobs.iter().position(|job| job.id == id) else { return };
        if project.jobs[at].status != Status::Pending {
            return;
        }
        project.jobs[at].status = Status::Running;
        project.jobs[at].started = Some(text::now());
        if deploys(project.jobs[at].name) {
            self.next += 1;
            deployment(project, at, self.next);
        }
        let rest = text::seconds(settings.job_seconds * (1.0 - PENDING_PART));
        self.turns.push((when + rest, index, id, Turn::End));
    }

    fn end(
        &mut self,
        when: Instant,
        index: usize,
        id: u64,
        settings: &Settings,
    ) -> Option<Deployed> {
        let project = &mut self.projects[index];
        let job = project.jobs.iter_mut().find(|job| job.id == id)?;
        if job.status != Status::Running {
            return None;
        }
        let failed = settings.fail_jobs.iter().any(|name| name == job.name);
        job.status = if failed { Status::Failed } else { Status::Success };
        job.finished = Some(text::now());
        let (name, pipeline, status) = (job.name, job.pipeline, job.status);
        settle(project, id, status.name());
        if failed {
            return None;
        }
        if let Some(follower) = LIVE.iter().find(|(job, _)| *job == name).and_then(|(_, f)| *f) {
            let follower = self.follower(index, pipeline, follower)?;
            self.queue(when, index, follower, settings);
        }
        let project = &self.projects[index];
        let pipeline = project.pipeline(pipeline).filter(|_| name == "ld_gigadb")?;
        Some(Deployed {
            site: project.site,
            // What `git describe --always` says of a commit whose tag is no annotated one.
            version: match settings.tags.as_str() {
                "plain" => pipeline.sha[..8].to_owned(),
                _ => pipeline.reference.clone(),
            },
            configuration: project.scoped("live"),
        })
    }

    /// The job that starts by itself now: the waiting one, or a new try of one that has ended.
    fn follower(&mut self, index: usize, pipeline: u64, name: &str) -> Option<u64> {
        let project = &self.projects[index];
        let job = project.latest(pipeline).find(|job| job.name == name)?;
        if job.status.ended() { self.again(index, job.id) } else { Some(job.id) }
    }

    /// A new try of a job that has ended.
    fn again(&mut self, index: usize, id: u64) -> Option<u64> {
        self.next += 1;
        let project = &mut self.projects[index];
        let old = project.jobs.iter_mut().find(|job| job.id == id)?;
        old.retried = true;
        let new = Job {
            id: self.next,
            retried: false,
            created: text::now(),
            started: None,
            finished: None,
            status: Status::Pending,
            ..old.clone()
        };
        project.jobs.push(new);
        Some(self.next)
    }

    fn count(&mut self, index: usize, id: u64) {
        let project = &mut self.projects[index];
        let job = project.job(id);
        let reference = job.and_then(|job| project.pipeline(job.pipeline));
        if let (Some(job), Some(pipeline)) = (job, reference) {
            let key = (pipeline.reference.clone(), job.name);
            *project.plays.entry(key).or_default() += 1;
        }
    }

    /// Plays a manual job; nothing when it is not playable.
    pub(super) fn play(&mut self, index: usize, id: u64, settings: &Settings) -> Option<u64> {
        let job = self.projects[index].job(id)?;
        if job.status != Status::Manual || job.retried {
            return None;
        }
        self.count(index, id);
        self.queue(Instant::now(), index, id, settings);
        Some(id)
    }

    /// Retries a job that has ended; nothing when it has not.
    pub(super) fn retry(&mut self, index: usize, id: u64, settings: &Settings) -> Option<u64> {
        let job = self.projects[index].job(id)?;
        if !job.status.ended() || job.retried {
            return None;
        }
        let new = self.again(index, id)?;
        self.count(index, new);
        self.queue(Instant::now(), index, new, settings);
        Some(new)
    }

    /// Stops a job; nothing when it is not on its way.
    pub(super) fn cancel(&mut self, index: usize, id: u64) -> Option<u64> {
        let project = &mut self.projects[index];
        let job = project.jobs.iter_mut().find(|job| job.id == id)?;
        if !job.status.active() && job.status != Status::Created {
            return None;
        }
        job.status = Status::Canceled;
        job.finished = Some(text::now());
        settle(project, id, "canceled");
        Some(id)
    }
}

/// Whether a job deploys to the environment `live`.
fn deploys(name: &str) -> bool {
    name == "TidewaysDeployLive" || LIVE.iter().any(|(_, starts)| *starts == Some(name))
}

fn deployment(project: &mut Project, job: usize, id: u64) {
    let job = &project.jobs[job];
    let Some(pipeline) = project.pipeline(job.pipeline) else { return };
    let now = text::now();
    let new = Deployment {
        id,
        iid: project.deployments.len() as u64 + 1,
        environment: "live".to_owned(),
        reference: pipeline.reference.clone(),
        sha: pipeline.sha.clone(),
        status: "running".to_owned(),
        job: Some(job.id),
        created: now,
        updated: now,
    };
    project.deployments.push(new);
}

/// Gives a job's deployment its end.
fn settle(project: &mut Project, job: u64, status: &str) {
    if let Some(found) = project.deployments.iter_mut().find(|d| d.job == Some(job)) {
        status.clone_into(&mut found.status);
        found.updated = text::now();
    }
}
