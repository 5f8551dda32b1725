//! A tag's pipeline is green up to a stage. The pipeline's own status says nothing: manual jobs hold it open.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::gitlab::client::{Gitlab, Job, Pipeline, Status};
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3604, E3605};
use crate::model::Verdict;
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::GitlabPipeline;

pub(in crate::actuator) fn check(
    wire: Arc<Wire>,
    call: Call,
    with: GitlabPipeline,
) -> Box<dyn Check> {
    Box::new(Green { wire, call, with })
}

#[derive(Debug)]
struct Green {
    wire: Arc<Wire>,
    call: Call,
    with: GitlabPipeline,
}

#[async_trait]
impl Check for Green {
    async fn look(&self) -> Finding {
        let GitlabPipeline { project, r#ref: tag, green_to } = &self.with;
        let source = format!("gitlab {project}");
        match self.read().await {
            Ok(Some((pipeline, jobs))) => {
                let data = json!({ "pipeline": pipeline.id, "sha": pipeline.sha });
                match not_green(&jobs, green_to) {
                    Ok(count) => {
                        let says = format!("all {count} jobs of {tag} up to {green_to} succeeded");
                        finding(Verdict::Pass, vec![self.wire.evidence_with(&source, says, data)])
                    }
                    Err(says) => {
                        let says = format!("pipeline {} of {tag}: {says}", pipeline.id);
                        finding(Verdict::Fail, vec![coded(&self.wire, &E3605, &source, says)])
                    }
                }
            }
            Ok(None) => {
                let says = format!("{project} has no pipeline of {tag}");
                finding(Verdict::Fail, vec![coded(&self.wire, &E3604, &source, says)])
            }
            Err(trouble) => trouble.finding(&self.wire),
        }
    }
}

impl Green {
    async fn read(&self) -> Result<Option<(Pipeline, Vec<Job>)>, Trouble> {
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow)?;
        let Some(pipeline) = gitlab.pipeline(&self.with.project, &self.with.r#ref).await? else {
            return Ok(None);
        };
        let jobs = gitlab.jobs(&self.with.project, pipeline.id).await?;
        Ok(Some((pipeline, jobs)))
    }
}

/// How many jobs up to this stage succeeded, or which did not. Stages come in the order of their first jobs' ids.
fn not_green(jobs: &[Job], green_to: &str) -> Result<usize, String> {
    let mut first: BTreeMap<&str, u64> = BTreeMap::new();
    let mut newest: BTreeMap<&str, &Job> = BTreeMap::new();
    for job in jobs {
        first.entry(&job.stage).and_modify(|it| *it = job.id.min(*it)).or_insert(job.id);
        let latest = newest.entry(&job.name).or_insert(job);
        if job.id > latest.id {
            *latest = job;
        }
    }
    let last = first.get(green_to).ok_or_else(|| format!("no job is in stage {green_to}"))?;
    let demanded: Vec<&Job> = newest
        .into_values()
        .filter(|it| first.get(it.stage.as_str()).is_some_and(|at| at <= last))
        .filter(|it| !it.allow_failure)
        .collect();
    let mut wrong: Vec<&Job> = demanded.clone();
    wrong.retain(|it| it.status != Status::Success);
    match wrong.first() {
        Some(it) => Err(format!("job {} of stage {} is {}", it.name, it.stage, it.status)),
        None if demanded.is_empty() => Err(format!("no job up to {green_to} counts")),
        None => Ok(demanded.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, Status, not_green};

    fn job(id: u64, name: &str, stage: &str, status: Status) -> Job {
        let (name, stage) = (name.to_owned(), stage.to_owned());
        Job { id, name, stage, status, allow_failure: false }
    }

    #[test]
    fn later_manual_jobs_do_not_count() {
        let jobs = [
            job(1, "unit", "test", Status::Success),
            job(2, "a_gigadb", "acceptance", Status::Success),
            job(3, "build_live", "live build", Status::Manual),
        ];
        assert_eq!(not_green(&jobs, "acceptance"), Ok(2));
        assert!(not_green(&jobs, "live build").unwrap_err().contains("build_live"));
        assert!(not_green(&jobs, "nowhere").is_err());
    }

    #[test]
    fn the_newest_try_counts_and_keeps_its_stage() {
        let mut jobs = vec![
            job(1, "unit", "test", Status::Failed),
            job(2, "a_gigadb", "acceptance", Status::Success),
        ];
        assert!(not_green(&jobs, "acceptance").unwrap_err().contains("unit"));
        jobs.push(job(9, "unit", "test", Status::Success));
        assert_eq!(not_green(&jobs, "acceptance"), Ok(2));
        jobs.push(job(10, "unit", "test", Status::Active));
        assert!(not_green(&jobs, "acceptance").is_err());
        jobs.last_mut().unwrap().allow_failure = true;
        assert_eq!(not_green(&jobs, "acceptance"), Ok(1));
    }
}
