//! The variables whose values depend on the role. They act at the next deployment only.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::gitlab::LIVE;
use crate::actuator::gitlab::client::Gitlab;
use crate::actuator::site;
use crate::actuator::trouble::Trouble;
use crate::fault::E3604;
use crate::model::{Change, Evidence, Role, Verb};
use crate::port::{Action, Call, Seen, Sent};
use crate::workflow::step::params::GitlabVariables;

pub(in crate::actuator) fn action(
    wire: Arc<Wire>,
    call: Call,
    with: GitlabVariables,
) -> Box<dyn Action> {
    Box::new(Variables { wire, call, with })
}

#[derive(Debug)]
struct Variables {
    wire: Arc<Wire>,
    call: Call,
    with: GitlabVariables,
}

#[async_trait]
impl Action for Variables {
    async fn observe(&self) -> Seen {
        match self.read().await {
            Ok((changes, evidence)) if changes.is_empty() => Seen::Done { evidence, facts: vec![] },
            Ok((changes, evidence)) => Seen::Todo { changes, evidence },
            Err(trouble) => trouble.seen(&self.wire),
        }
    }

    async fn apply(&self, changes: &[Change]) -> Sent {
        match self.write(changes).await {
            Ok(evidence) => Sent::Accepted { evidence, facts: vec![] },
            Err((0, trouble)) => trouble.sent(&self.wire),
            // Some are written: what the whole came to must be read back.
            Err((_, trouble)) => Sent::Unknown { evidence: vec![trouble.evidence(&self.wire)] },
        }
    }
}

impl Variables {
    fn project(&self) -> Result<String, Trouble> {
        let on = self.call.on.as_ref().unwrap_or(&self.call.standby);
        site::variable(&self.call.workflow, on, "gitlab")
            .map_err(|says| Trouble::harmless(&E3604, "workflow", says))
    }

    async fn read(&self) -> Result<(Vec<Change>, Vec<Evidence>), Trouble> {
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow)?;
        let project = self.project()?;
        let mut changes = Vec::new();
        let mut values = serde_json::Map::new();
        for (key, roles) in &self.call.workflow.variables {
            let wanted = match self.with.r#as {
                Role::Production => &roles.production,
                Role::Standby | Role::Quarantined => &roles.standby,
            };
            let old = gitlab.variable(&project, key, LIVE).await?;
            values.insert(key.clone(), json!(old));
            if old.as_ref() == Some(wanted) {
                continue;
            }
            changes.push(Change {
                verb: if old.is_some() { Verb::Change } else { Verb::Create },
                key: format!("gitlab/{project}/{LIVE}/{key}"),
                sentence: format!("Sets {key} of {project} in {LIVE} to {wanted}"),
                old,
                new: Some(wanted.clone()),
            });
        }
        let all = self.call.workflow.variables.len();
        let says = format!("{} of {all} variables are as wanted", all - changes.len());
        let source = format!("gitlab {project}");
        Ok((changes, vec![self.wire.evidence_with(&source, says, values.into())]))
    }

    /// Writes one after the other; on trouble also says how many were written.
    async fn write(&self, changes: &[Change]) -> Result<Vec<Evidence>, (usize, Trouble)> {
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow).map_err(|it| (0, it))?;
        let project = self.project().map_err(|it| (0, it))?;
        for (written, change) in changes.iter().enumerate() {
            let key = change.key.rsplit('/').next().unwrap_or_default();
            let value = change.new.as_deref().unwrap_or_default();
            let done = if change.old.is_some() {
                gitlab.change_variable(&project, key, LIVE, value).await
            } else {
                gitlab.create_variable(&project, key, LIVE, value).await
            };
            done.map_err(|trouble| (written, trouble))?;
        }
        let says = format!("{} variables written", changes.len());
        Ok(vec![self.wire.evidence(&format!("gitlab {project}"), says)])
    }
}
