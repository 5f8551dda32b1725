//! A tag exists, annotated where that is demanded (a plain tag gives a build without a version).

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::gitlab::client::{Gitlab, Tag};
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::E3604;
use crate::model::Verdict;
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::GitlabTag;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: GitlabTag) -> Box<dyn Check> {
    Box::new(Named { wire, call, with })
}

#[derive(Debug)]
struct Named {
    wire: Arc<Wire>,
    call: Call,
    with: GitlabTag,
}

#[async_trait]
impl Check for Named {
    async fn look(&self) -> Finding {
        match self.read().await {
            Ok(tag) => self.judge(tag.as_ref()),
            Err(trouble) => trouble.finding(&self.wire),
        }
    }
}

impl Named {
    async fn read(&self) -> Result<Option<Tag>, Trouble> {
        Gitlab::open(&self.wire, &self.call.workflow)?.tag(&self.with.project, &self.with.tag).await
    }

    fn judge(&self, tag: Option<&Tag>) -> Finding {
        let GitlabTag { project, tag: name, annotated } = &self.with;
        let source = format!("gitlab {project}");
        let Some(tag) = tag else {
            let says = format!("{project} has no tag {name}");
            return finding(Verdict::Fail, vec![coded(&self.wire, &E3604, &source, says)]);
        };
        let message = tag.message.as_deref().is_some_and(|it| !it.is_empty());
        let is_annotated = message || tag.target != tag.commit.id;
        let (verdict, says) = match (annotated, is_annotated) {
            (true, false) => (Verdict::Fail, format!("tag {name} is not annotated")),
            (_, true) => (Verdict::Pass, format!("tag {name} is annotated")),
            (false, false) => (Verdict::Pass, format!("tag {name} exists")),
        };
        let data = json!({ "commit": tag.commit.id });
        finding(verdict, vec![self.wire.evidence_with(&source, says, data)])
    }
}
