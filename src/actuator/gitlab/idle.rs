//! Nobody deploys now.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::gitlab::client::{Deployment, Gitlab};
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::E3606;
use crate::model::Verdict;
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::GitlabIdle;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: GitlabIdle) -> Box<dyn Check> {
    Box::new(Idle { wire, call, with })
}

#[derive(Debug)]
struct Idle {
    wire: Arc<Wire>,
    call: Call,
    with: GitlabIdle,
}

#[async_trait]
impl Check for Idle {
    async fn look(&self) -> Finding {
        let mut evidence = Vec::new();
        let mut verdict = Verdict::Pass;
        for project in &self.with.projects {
            let source = format!("gitlab {project}");
            let environment = &self.with.environment;
            match self.running(project).await {
                Ok(running) => match running.first() {
                    Some(it) => {
                        let job = it.deployable.as_ref().map_or("somebody", |it| &it.name);
                        let says = format!("{job} deploys {} to {environment} now", it.reference);
                        evidence.push(coded(&self.wire, &E3606, &source, says));
                        verdict = Verdict::Fail;
                    }
                    None => {
                        let says = format!("no deployment to {environment} is running");
                        let data = json!({ "running": 0 });
                        evidence.push(self.wire.evidence_with(&source, says, data));
                    }
                },
                Err(trouble) => {
                    evidence.push(trouble.evidence(&self.wire));
                    if verdict == Verdict::Pass {
                        verdict = Verdict::Unknown;
                    }
                }
            }
        }
        finding(verdict, evidence)
    }
}

impl Idle {
    async fn running(&self, project: &str) -> Result<Vec<Deployment>, Trouble> {
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow)?;
        gitlab.deployments(project, &self.with.environment, "running").await
    }
}
