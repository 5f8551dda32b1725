//! Who the two sites' profiles turn out to be.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::Account;
use crate::actuator::trouble::{Trouble, coded, finding, verdict};
use crate::fault::{E3501, E3502};
use crate::model::{SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::Workflow;
use crate::workflow::step::params::AwsIdentity;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: AwsIdentity) -> Box<dyn Check> {
    Box::new(Identity { wire, call, with })
}

#[derive(Debug)]
struct Identity {
    wire: Arc<Wire>,
    call: Call,
    with: AwsIdentity,
}

#[async_trait]
impl Check for Identity {
    async fn look(&self) -> Finding {
        let sites = &self.call.workflow.sites;
        let mut evidence = Vec::new();
        let mut arns = Vec::new();
        let (mut right, mut seen) = (true, true);
        for (name, site) in sites {
            match principal(&self.wire, &self.call.workflow, name).await {
                Ok(arn) => {
                    let user = arn.rsplit('/').next().unwrap_or_default();
                    let is = user.eq_ignore_ascii_case(&site.aws.principal);
                    let says = if is {
                        format!("profile {} of {name} is {arn}", site.aws.profile)
                    } else {
                        let wanted = &site.aws.principal;
                        format!("profile {} of {name} is {arn}, not {wanted}", site.aws.profile)
                    };
                    let source = format!("aws sts {}", site.aws.region);
                    evidence.push(self.wire.evidence_with(&source, says, json!({ "arn": arn })));
                    right &= is;
                    arns.push(arn);
                }
                Err(trouble) => {
                    evidence.push(trouble.evidence(&self.wire));
                    seen = false;
                }
            }
        }
        arns.sort();
        let count = arns.len();
        arns.dedup();
        if self.with.distinct && arns.len() != count {
            evidence.push(coded(&self.wire, &E3501, "aws sts", "both sites are one principal"));
            right = false;
        }
        // A wrong principal is known, whatever the other site answers.
        if !seen && right {
            return finding(Verdict::Unknown, evidence);
        }
        finding(verdict(right), evidence)
    }
}

async fn principal(wire: &Wire, workflow: &Workflow, site: &SiteName) -> Result<String, Trouble> {
    let account = Account::open(wire, workflow, site).await?;
    let answer =
        account.call("sts GetCallerIdentity", account.sts().get_caller_identity().send()).await?;
    answer.arn.ok_or_else(|| Trouble::new(&E3502, "aws sts", "the answer names no ARN"))
}
