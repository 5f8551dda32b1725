//! A manual job is played, and the deployment that follows from it is awaited.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::gitlab::LIVE;
use crate::actuator::gitlab::client::{Deployment, Gitlab, Job, Push, Status};
use crate::actuator::gitlab::fence::{Fence, Next, Try, Which, first, later};
use crate::actuator::trouble::{Trouble, coded};
use crate::fault::{Code, E3602, E3603, E3604, E3607, E3608};
use crate::model::{Change, Evidence, Verb};
use crate::port::{Action, Call, Seen, Sent};
use crate::workflow::step::params::GitlabPlay;

pub(in crate::actuator) fn action(
    wire: Arc<Wire>,
    call: Call,
    with: GitlabPlay,
) -> Box<dyn Action> {
    Box::new(Play { wire, call, with, pushed: Mutex::new(None) })
}

#[derive(Debug)]
struct Play {
    wire: Arc<Wire>,
    call: Call,
    with: GitlabPlay,
    /// What was there before this object pushed.
    pushed: Mutex<Option<Fence>>,
}

#[async_trait]
impl Action for Play {
    async fn observe(&self) -> Seen {
        let before = match self.before() {
            Ok(before) => before,
            Err(trouble) => return trouble.seen(&self.wire),
        };
        match self.look().await {
            Ok(now) => self.judge(before, now),
            // A project without the tag, its pipeline or the job cannot be played; that is known.
            Err(trouble) if trouble.code == &E3604 => {
                Seen::Failed { evidence: vec![trouble.evidence(&self.wire)] }
            }
            Err(trouble) => trouble.seen(&self.wire),
        }
    }

    async fn apply(&self, changes: &[Change]) -> Sent {
        let planned = changes.first().and_then(|it| Some((it, Fence::parse(it.old.as_deref()?)?)));
        let Some((change, fence)) = planned else {
            let says = "the planned change does not say what was there before";
            return Trouble::harmless(&E3602, &self.source(), says).sent(&self.wire);
        };
        self.remember(fence);
        let (name, job) =
            if change.key == self.key(Which::Awaited) && self.with.job != self.with.r#await {
                (&self.with.r#await, fence.awaited)
            } else {
                (&self.with.job, fence.job)
            };
        let push = if job.1 == Status::Manual { Push::Play } else { Push::Retry };
        match self.push(push, job.0, name).await {
            Ok(job) => {
                let says = format!("{name} is job {} and {} now", job.id, job.status);
                let data = json!({ "job": job.id });
                let evidence = self.wire.evidence_with(&self.source(), says, data);
                Sent::Accepted { evidence: vec![evidence], facts: vec![] }
            }
            // "Unplayable" may mean that an earlier request has landed: reading back tells.
            Err(trouble) if trouble.code == &E3603 => {
                Sent::Unknown { evidence: vec![trouble.evidence(&self.wire)] }
            }
            Err(trouble) => trouble.sent(&self.wire),
        }
    }
}

impl Play {
    fn source(&self) -> String {
        format!("gitlab {}", self.with.project)
    }

    fn key(&self, which: Which) -> String {
        format!("gitlab/{}/{}", self.with.project, self.name(which))
    }

    fn name(&self, which: Which) -> &str {
        match which {
            Which::Job => &self.with.job,
            Which::Awaited => &self.with.r#await,
        }
    }

    fn remember(&self, fence: Fence) {
        *self.pushed.lock().unwrap_or_else(PoisonError::into_inner) = Some(fence);
    }

    /// What was there before our first push, if we may have pushed.
    fn before(&self) -> Result<Option<Fence>, Trouble> {
        let pushed = *self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        if pushed.is_some() || self.call.since.is_none() {
            return Ok(pushed);
        }
        let open = self.call.record.intents.values().map(|it| &it.intent);
        let mine = open.filter(|it| it.phase == self.call.at.phase && it.id == self.call.step);
        let old = mine.flat_map(|it| &it.changes).find_map(|it| it.old.as_deref());
        let says = "the open intent does not say what was there before it";
        let lost = || Trouble::new(&E3602, &self.source(), says);
        old.and_then(Fence::parse).map(Some).ok_or_else(lost)
    }

    async fn push(&self, push: Push, job: u64, name: &str) -> Result<Job, Trouble> {
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow)?;
        gitlab.push(&self.with.project, push, job, name).await
    }

    /// What is there now.
    async fn look(&self) -> Result<Fence, Trouble> {
        let GitlabPlay { project, r#ref: tag, job, r#await } = &self.with;
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow)?;
        let missing = |what: String| Trouble::harmless(&E3604, &self.source(), what);
        let commit = gitlab.tag(project, tag).await?;
        let commit = commit.ok_or_else(|| missing(format!("there is no tag {tag}")))?.commit.id;
        let pipeline = gitlab.pipeline(project, tag).await?;
        let pipeline = pipeline.ok_or_else(|| missing(format!("{tag} has no pipeline")))?;
        if pipeline.sha != commit {
            let (id, sha) = (pipeline.id, pipeline.sha);
            return Err(missing(format!(
                "tag {tag} is {commit}, but its pipeline {id} is of {sha}"
            )));
        }
        let jobs = gitlab.jobs(project, pipeline.id).await?;
        let newest = |name: &String| {
            newest(&jobs, name)
                .ok_or_else(|| missing(format!("pipeline of {tag} has no job {name}")))
        };
        let (job, awaited) = (newest(job)?, newest(r#await)?);
        let deployments = gitlab.deployments(project, LIVE, "success").await?;
        let deployment = deployed(&deployments, &commit, r#await);
        Ok(Fence { job, awaited, deployment })
    }

    fn judge(&self, before: Option<Fence>, now: Fence) -> Seen {
        let next = before.as_ref().map_or_else(|| first(&now), |before| later(before, &now));
        let evidence = |says: &str| {
            let data =
                json!({ "job": now.job.0, "awaited": now.awaited.0, "deployment": now.deployment });
            let says = format!("{says} ({now})");
            vec![self.wire.evidence_with(&self.source(), says, data)]
        };
        match next {
            Next::Done => {
                let says = format!("{} deployed {} to {LIVE}", self.with.r#await, self.with.r#ref);
                Seen::Done { evidence: evidence(&says), facts: vec![] }
            }
            Next::Push(push, which) => {
                let changes = vec![self.change(push, which, before.unwrap_or(now))];
                Seen::Todo { changes, evidence: evidence("nothing newer is deployed") }
            }
            Next::Busy(says) => Seen::Busy { evidence: evidence(says) },
            Next::Failed(says) => Seen::Failed { evidence: self.bad(&E3607, says, &now) },
            Next::Foreign(says) => Seen::Foreign { evidence: self.bad(&E3608, says, &now) },
        }
    }

    fn bad(&self, code: &'static Code, says: &str, now: &Fence) -> Vec<Evidence> {
        let says = format!("{}, then {}: {says} ({now})", self.with.job, self.with.r#await);
        vec![coded(&self.wire, code, &self.source(), says)]
    }

    fn change(&self, push: Push, which: Which, fence: Fence) -> Change {
        let (name, tag, project) = (self.name(which), &self.with.r#ref, &self.with.project);
        let verb = match push {
            Push::Play => "Plays",
            Push::Retry => "Makes again",
        };
        Change {
            verb: Verb::Run,
            key: self.key(which),
            old: Some(fence.to_string()),
            new: Some(push.word().to_owned()),
            sentence: format!(
                "{verb} the job {name} of {tag} in {project}; awaits {}",
                self.with.r#await
            ),
        }
    }
}

fn newest(jobs: &[Job], name: &str) -> Option<Try> {
    let tries = jobs.iter().filter(|it| it.name == name);
    tries.max_by_key(|it| it.id).map(|it| (it.id, it.status))
}

/// The newest successful deployment of this commit that this job made; 0 if none.
fn deployed(deployments: &[Deployment], commit: &str, job: &str) -> u64 {
    let by = |it: &&Deployment| it.deployable.as_ref().is_some_and(|by| by.name == job);
    let of = |it: &&Deployment| it.sha == commit && it.status == Status::Success;
    deployments.iter().filter(by).filter(of).map(|it| it.id).max().unwrap_or(0)
}
