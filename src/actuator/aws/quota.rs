//! Elastic addresses left in each site's region: a site that must be built again needs room for its own.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::AccountAttributeName;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::Account;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3502, E3511};
use crate::model::{Evidence, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::AwsQuota;

/// The attribute of an account that holds the limit of elastic addresses in a region.
const LIMIT: &str = "vpc-max-elastic-ips";

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: AwsQuota) -> Box<dyn Check> {
    Box::new(Quota { wire, call, with })
}

#[derive(Debug)]
struct Quota {
    wire: Arc<Wire>,
    call: Call,
    with: AwsQuota,
}

#[async_trait]
impl Check for Quota {
    async fn look(&self) -> Finding {
        let mut evidence = Vec::new();
        let (mut room, mut seen) = (true, true);
        for site in self.call.workflow.sites.keys() {
            match self.look_at(site).await {
                Ok((good, read)) => {
                    room &= good;
                    evidence.push(read);
                }
                Err(trouble) => {
                    seen = false;
                    evidence.push(trouble.evidence(&self.wire));
                }
            }
        }
        let verdict = match (room, seen) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        finding(verdict, evidence)
    }
}

impl Quota {
    async fn look_at(&self, site: &SiteName) -> Result<(bool, Evidence), Trouble> {
        let account = Account::open(&self.wire, &self.call.workflow, site).await?;
        let source = format!("aws ec2 {}", account.region);
        let request = account
            .ec2()
            .describe_account_attributes()
            .attribute_names(AccountAttributeName::from(LIMIT))
            .send();
        let answer = account.call("ec2 DescribeAccountAttributes", request).await?;
        let limit = answer
            .account_attributes()
            .iter()
            .filter(|it| it.attribute_name() == Some(LIMIT))
            .flat_map(aws_sdk_ec2::types::AccountAttribute::attribute_values)
            .find_map(|it| it.attribute_value()?.parse::<usize>().ok())
            .ok_or_else(|| Trouble::new(&E3502, &source, format!("the answer lacks {LIMIT}")))?;
        let request = account.ec2().describe_addresses().send();
        let used = account.call("ec2 DescribeAddresses", request).await?.addresses().len();
        let spare = limit.saturating_sub(used);
        let says = format!("{used} of {limit} elastic addresses are in use");
        if spare < usize::try_from(self.with.spare).unwrap_or(usize::MAX) {
            let says = format!("{says}: fewer than {} to spare", self.with.spare);
            return Ok((false, coded(&self.wire, &E3511, &source, says)));
        }
        let data = json!({ "used": used, "limit": limit });
        Ok((true, self.wire.evidence_with(&source, says, data)))
    }
}
