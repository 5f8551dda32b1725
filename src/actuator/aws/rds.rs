//! Database instances: their state and their address.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_rds::types::{DbInstance, Tag};
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::{Account, Repeat};
use crate::actuator::site;
use crate::actuator::trouble::{Trouble, coded, finding, verdict};
use crate::fault::{E3506, E3512};
use crate::model::{SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::Workflow;
use crate::workflow::step::params::AwsRds;

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: AwsRds) -> Box<dyn Check> {
    Box::new(Rds { wire, call, with })
}

/// A database instance as AWS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::actuator) struct Instance {
    /// For example `available`.
    pub status: String,
    /// Its address; none while it is being made.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Looks an instance up at a site; `None` if there is none of this name.
pub(in crate::actuator) async fn instance(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    name: &str,
) -> Result<Option<Instance>, Trouble> {
    let account = Account::open(wire, workflow, site).await?;
    Ok(described(&account, name).await?.map(|it| Instance {
        status: it.db_instance_status().unwrap_or("unknown").to_owned(),
        endpoint: it.endpoint().and_then(|it| it.address()).map(str::to_owned),
        region: account.region.clone(),
        tags: it.tag_list().iter().filter_map(pair).collect(),
    }))
}

fn pair(tag: &Tag) -> Option<(String, String)> {
    Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
}

/// The same with everything that AWS says of it.
pub(super) async fn described(
    account: &Account<'_>,
    name: &str,
) -> Result<Option<DbInstance>, Trouble> {
    let request =
        account.rds(Repeat::Reads).describe_db_instances().db_instance_identifier(name).send();
    let answer = match account.call("rds DescribeDBInstances", request).await {
        Err(refusal) if refusal.is("DBInstanceNotFound") => return Ok(None),
        other => other?,
    };
    Ok(answer.db_instances().first().cloned())
}

/// The instance that the workflow declares for a site; that it is missing is trouble.
pub(super) async fn declared(
    account: &Account<'_>,
    workflow: &Workflow,
    site: &SiteName,
) -> Result<(String, DbInstance), Trouble> {
    let missing = |says: String| Trouble::harmless(&E3506, "workflow", says);
    let database = workflow.database.as_ref();
    let database = database.ok_or_else(|| missing("no database is declared".to_owned()))?;
    let name = site::for_site(workflow, site, &database.rds).map_err(missing)?;
    let found = described(account, &name).await?;
    let found =
        found.ok_or_else(|| missing(format!("there is no database instance {name} at {site}")))?;
    Ok((name, found))
}

#[derive(Debug)]
struct Rds {
    wire: Arc<Wire>,
    call: Call,
    with: AwsRds,
}

#[async_trait]
impl Check for Rds {
    async fn look(&self) -> Finding {
        let site = self.call.on.as_ref().unwrap_or(&self.call.standby);
        let AwsRds { instance: name, status, tags } = &self.with;
        match instance(&self.wire, &self.call.workflow, site, name).await {
            Ok(Some(it)) => {
                let source = format!("aws rds {}", it.region);
                let says = format!("{name} is {}", it.status);
                let data = json!({ "status": it.status, "endpoint": it.endpoint });
                let mut evidence = vec![self.wire.evidence_with(&source, says, data)];
                // What was restored from a snapshot has none, and policies keep its user from managing it.
                let lacks = tags.iter().filter(|(key, value)| it.tags.get(*key) != Some(value));
                let lacks: Vec<_> = lacks
                    .map(|(key, value)| format!("{name} has no tag {key}: {value}"))
                    .map(|says| coded(&self.wire, &E3512, &source, says))
                    .collect();
                let holds = it.status == *status && lacks.is_empty();
                evidence.extend(lacks);
                finding(verdict(holds), evidence)
            }
            Ok(None) => {
                let says = format!("there is no database instance {name} at {site}");
                finding(Verdict::Fail, vec![coded(&self.wire, &E3506, "aws rds", says)])
            }
            Err(trouble) => trouble.finding(&self.wire),
        }
    }
}
