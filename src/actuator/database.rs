//! The database that a host loads into, and whether both sites' databases answer alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::rds;
use crate::actuator::host::Machine;
use crate::actuator::site;
use crate::actuator::trouble::{Trouble, coded, finding, verdict};
use crate::fault::{E3506, E3702, E3801, E3803, E3804};
use crate::model::{SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::{DatabaseEqual, DatabaseTarget};
use crate::workflow::{Database, Workflow};

/// Reads one key of a file of `KEY=VALUE` lines.
const ENV_VALUE: &str = include_str!("host/env_value.sh");
/// Runs a program with such a file's variables.
const QUERY: &str = include_str!("host/query.sh");

pub(super) fn target(wire: Arc<Wire>, call: Call, with: DatabaseTarget) -> Box<dyn Check> {
    Box::new(Target { wire, call, with })
}

pub(super) fn equal(wire: Arc<Wire>, call: Call, with: DatabaseEqual) -> Box<dyn Check> {
    Box::new(Alike { wire, call, with })
}

#[derive(Debug)]
struct Target {
    wire: Arc<Wire>,
    call: Call,
    with: DatabaseTarget,
}

#[async_trait]
impl Check for Target {
    async fn look(&self) -> Finding {
        let site = self.call.on.as_ref().unwrap_or(&self.call.standby);
        let DatabaseTarget { host, env_file, key } = &self.with;
        let read = loads_into(&self.wire, &self.call, site, (host, env_file, key)).await;
        read.unwrap_or_else(|trouble| trouble.finding(&self.wire))
    }
}

#[derive(Debug)]
struct Alike {
    wire: Arc<Wire>,
    call: Call,
    with: DatabaseEqual,
}

#[async_trait]
impl Check for Alike {
    async fn look(&self) -> Finding {
        compare(&self.wire, &self.call, &self.with.queries).await
    }
}

/// Whether this host of this site loads into the site's own database and not into production's.
pub(super) async fn at_own(wire: &Wire, call: &Call, site: &SiteName, host: &str) -> Finding {
    let read = async {
        let database = declared(call)?;
        let file = (host, database.env_file.as_str(), database.key.as_str());
        loads_into(wire, call, site, file).await
    };
    read.await.unwrap_or_else(|trouble| trouble.finding(wire))
}

fn declared(call: &Call) -> Result<&Database, Trouble> {
    declared_in(&call.workflow)
}

fn declared_in(workflow: &Workflow) -> Result<&Database, Trouble> {
    let missing = || Trouble::harmless(&E3801, "workflow", "the workflow declares no database");
    workflow.database.as_ref().ok_or_else(missing)
}

/// The address in the host's file, against the endpoints that AWS gives for both sites' instances.
async fn loads_into(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    (host, file, key): (&str, &str, &str),
) -> Result<Finding, Trouble> {
    let workflow = &call.workflow;
    let machine = Machine::of(workflow, site, host)?;
    let source = machine.source();
    let answer = machine.run(wire, workflow, "target", ENV_VALUE, &[file, key]).await?;
    let text = answer.good(&source)?;
    let mut values: Vec<&str> = text.lines().map(unquoted).collect();
    values.dedup();
    let [address] = values[..] else {
        let says = format!("{file} has {} values of {key}", values.len());
        return Ok(finding(Verdict::Fail, vec![coded(wire, &E3803, &source, says)]));
    };
    let own = endpoint(wire, call, site).await?;
    let production = endpoint(wire, call, &call.production).await?;
    let is_own = same(address, &own);
    let is_production = site == &call.production || same(address, &production);
    let data = json!({ "address": address, "own": own, "production": production });
    let evidence = match (is_own, is_production) {
        (true, false) => {
            let says = format!("{key} is {address}, the database of {site}");
            wire.evidence_with(&source, says, data)
        }
        (_, true) => {
            let says = format!("{key} is {address}: that is production's database");
            coded(wire, &E3803, &source, says)
        }
        (false, false) => {
            let says = format!("{key} is {address}, not {own}, the database of {site}");
            coded(wire, &E3803, &source, says)
        }
    };
    Ok(finding(verdict(is_own && !is_production), vec![evidence]))
}

async fn endpoint(wire: &Wire, call: &Call, site: &SiteName) -> Result<String, Trouble> {
    let says = |says: String| Trouble::harmless(&E3506, "aws rds", says);
    let name = site::for_site(&call.workflow, site, &declared(call)?.rds).map_err(says)?;
    let instance = rds::instance(wire, &call.workflow, site, &name).await?;
    let found = instance.and_then(|it| it.endpoint);
    found.ok_or_else(|| says(format!("{name} of {site} has no endpoint")))
}

fn same(left: &str, right: &str) -> bool {
    left.trim_end_matches('.').eq_ignore_ascii_case(right.trim_end_matches('.'))
}

/// A value without the quotes that some writers of such files put around it.
fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let inner = |quote| value.strip_prefix(quote).and_then(|it| it.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// Whether each query answers alike on both sites, asked on each site's own host.
pub(super) async fn compare(wire: &Wire, call: &Call, queries: &[String]) -> Finding {
    let mut evidence = Vec::new();
    let (mut alike, mut seen) = (!queries.is_empty(), true);
    for query in queries {
        let (production, standby) = tokio::join!(
            ask(wire, call, &call.production, query),
            ask(wire, call, &call.standby, query)
        );
        match (production, standby) {
            (Ok(production), Ok(standby)) => {
                let data = json!({ "production": production, "standby": standby });
                if production == standby {
                    let says = format!("{query}: {production} on both sites");
                    evidence.push(wire.evidence_with("database", says, data));
                } else {
                    alike = false;
                    let says = format!(
                        "{query}: {production} on {}, {standby} on {}",
                        call.production, call.standby
                    );
                    evidence.push(coded(wire, &E3804, "database", says));
                }
            }
            (production, standby) => {
                seen = false;
                let failed = [production.err(), standby.err()];
                evidence.extend(failed.into_iter().flatten().map(|it| it.evidence(wire)));
            }
        }
    }
    if queries.is_empty() {
        evidence.push(coded(wire, &E3804, "workflow", "there is nothing to compare"));
    }
    let verdict = if alike && !seen { Verdict::Unknown } else { verdict(alike) };
    finding(verdict, evidence)
}

/// What each query answers at a site, side by side; those without an answer are left out.
pub(super) async fn counts(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    queries: &[String],
) -> BTreeMap<String, String> {
    let asked = queries.iter().map(|query| async move {
        let answer = ask_at(wire, workflow, site, query).await.ok()?;
        Some((query.clone(), answer))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn ask(wire: &Wire, call: &Call, site: &SiteName, query: &str) -> Result<String, Trouble> {
    ask_at(wire, &call.workflow, site, query).await
}

async fn ask_at(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    query: &str,
) -> Result<String, Trouble> {
    let database = declared_in(workflow)?;
    let machine = Machine::of(workflow, site, &database.host)?;
    let mut args = vec![machine.cwd.as_str(), database.env_file.as_str()];
    args.extend(database.client.iter().map(String::as_str));
    args.push(query);
    let answer = machine.run(wire, workflow, "query", QUERY, &args).await?;
    let source = machine.source();
    let text = answer.good(&source)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Trouble::new(&E3702, &source, format!("{query}: no answer")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{same, unquoted};

    #[test]
    fn reads_addresses_as_people_write_them() {
        assert_eq!(unquoted(" \"db.example\" "), "db.example");
        assert_eq!(unquoted("'db'"), "db");
        assert_eq!(unquoted("db\""), "db\"");
        assert!(same("DB.example.", "db.example") && !same("db.example", "db2.example"));
    }
}
