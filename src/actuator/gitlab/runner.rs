//! A runner is online for the live jobs: they carry the login of whoever starts them as their tag, and wait
//! for ever when no runner has it.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::gitlab::client::Gitlab;
use crate::actuator::trouble::{Trouble, coded, finding, verdict};
use crate::fault::E3611;
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::GitlabRunner;

pub(in crate::actuator) fn check(
    wire: Arc<Wire>,
    call: Call,
    with: GitlabRunner,
) -> Box<dyn Check> {
    Box::new(Online { wire, call, with })
}

#[derive(Debug)]
struct Online {
    wire: Arc<Wire>,
    call: Call,
    with: GitlabRunner,
}

#[async_trait]
impl Check for Online {
    async fn look(&self) -> Finding {
        self.read().await.unwrap_or_else(|trouble| trouble.finding(&self.wire))
    }
}

impl Online {
    async fn read(&self) -> Result<Finding, Trouble> {
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow)?;
        let login = gitlab.user().await?.username;
        let (mut all, mut evidence) = (true, vec![]);
        for project in &self.with.projects {
            let source = format!("gitlab {project}");
            let found = gitlab.runners(project, &login).await?;
            let ready: Vec<u64> = found.iter().filter(|it| !it.paused).map(|it| it.id).collect();
            evidence.push(if ready.is_empty() {
                all = false;
                let says = format!("no runner with the tag {login} is online");
                coded(&self.wire, &E3611, &source, says)
            } else {
                let says = format!("{} runners take jobs of {login}", ready.len());
                self.wire.evidence_with(&source, says, json!({ "runners": ready }))
            });
        }
        Ok(finding(verdict(all), evidence))
    }
}
