//! A tag carries a signature: GitLab's own judgement where it has one, else the signature in the tag itself.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::gitlab::client::Gitlab;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3604, E3610};
use crate::model::Verdict;
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::GitlabSigned;

/// How a signature begins at the end of a tag's message, by its kind.
const BLOCKS: [(&str, &str); 3] = [
    ("-----BEGIN PGP SIGNATURE-----", "PGP"),
    ("-----BEGIN SSH SIGNATURE-----", "SSH"),
    ("-----BEGIN SIGNED MESSAGE-----", "X.509"),
];

pub(in crate::actuator) fn check(
    wire: Arc<Wire>,
    call: Call,
    with: GitlabSigned,
) -> Box<dyn Check> {
    Box::new(Signed { wire, call, with })
}

#[derive(Debug)]
struct Signed {
    wire: Arc<Wire>,
    call: Call,
    with: GitlabSigned,
}

#[async_trait]
impl Check for Signed {
    async fn look(&self) -> Finding {
        self.read().await.unwrap_or_else(|trouble| trouble.finding(&self.wire))
    }
}

impl Signed {
    async fn read(&self) -> Result<Finding, Trouble> {
        let GitlabSigned { project, tag: name } = &self.with;
        let source = format!("gitlab {project}");
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow)?;
        let fail = |code, says: String| {
            finding(Verdict::Fail, vec![coded(&self.wire, code, &source, says)])
        };
        let Some(tag) = gitlab.tag(project, name).await? else {
            return Ok(fail(&E3604, format!("{project} has no tag {name}")));
        };
        let judged = gitlab.signature(project, name).await?;
        let message = tag.message.unwrap_or_default();
        let block = BLOCKS.iter().find(|(begin, _)| message.lines().any(|it| it.trim() == *begin));
        let says = match (judged, block) {
            (Some(it), _) if it.verification_status == "verified" => {
                format!("tag {name} is signed ({}), and GitLab verified it", it.signature_type)
            }
            (Some(it), _) => {
                let status = it.verification_status;
                return Ok(fail(&E3610, format!("the signature of tag {name} is {status}")));
            }
            (None, Some((_, kind))) => {
                format!("tag {name} carries a {kind} signature, which GitLab does not judge")
            }
            (None, None) => return Ok(fail(&E3610, format!("tag {name} is not signed"))),
        };
        let data = json!({ "target": tag.target });
        Ok(finding(Verdict::Pass, vec![self.wire.evidence_with(&source, says, data)]))
    }
}
