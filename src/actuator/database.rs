//! The database that a host loads into, and whether both sites' databases answer alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::rds;
use crate::actuator::host::Machine;
use crate::actuator::host::sql::{self, How, Said, declared};
use crate::actuator::site;
use crate::actuator::trouble::{Trouble, coded, finding, verdict};
use crate::fault::{E3506, E3702, E3803, E3804};
use crate::machine::Fact;
use crate::model::{SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::Workflow;
use crate::workflow::step::params::{DatabaseEqual, DatabaseRows, DatabaseTarget};

/// What tells one database server from every other: copies of a server share the identifier, servers in
/// two networks may share an address, and no two were started in the same microsecond.
const IDENTITY: &str = "select inet_server_addr(), system_identifier, pg_postmaster_start_time() \
                        from pg_control_system()";

pub(super) fn target(wire: Arc<Wire>, call: Call, with: DatabaseTarget) -> Box<dyn Check> {
    Box::new(Target { wire, call, with })
}

pub(super) fn equal(wire: Arc<Wire>, call: Call, with: DatabaseEqual) -> Box<dyn Check> {
    Box::new(Alike { wire, call, with })
}

pub(super) fn rows(wire: Arc<Wire>, call: Call, with: DatabaseRows) -> Box<dyn Check> {
    Box::new(Rows { wire, call, with })
}

#[derive(Debug)]
struct Rows {
    wire: Arc<Wire>,
    call: Call,
    with: DatabaseRows,
}

#[async_trait]
impl Check for Rows {
    /// Counts; it passes when everything could be counted.
    async fn look(&self) -> Finding {
        let site = self.call.on.as_ref().unwrap_or(&self.call.production);
        let mut rows = 0_u64;
        for query in &self.with.queries {
            let answer = ask_site(&self.wire, &self.call.workflow, site, query).await;
            let number = answer.and_then(|(_, text)| {
                let wrong = |_| Trouble::new(&E3702, "database", format!("{query}: `{text}`"));
                text.parse::<u64>().map_err(wrong)
            });
            match number {
                Ok(number) => rows = rows.saturating_add(number),
                Err(trouble) => return trouble.finding(&self.wire),
            }
        }
        let says = format!("{rows} rows on {site}");
        let evidence = vec![self.wire.evidence_with("database", says, json!({ "rows": rows }))];
        Finding { verdict: Verdict::Pass, evidence, facts: vec![Fact::Rows { rows }] }
    }
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
        let database = declared(&call.workflow)?;
        let file = (host, database.env_file.as_str(), database.key.as_str());
        loads_into(wire, call, site, file).await
    };
    read.await.unwrap_or_else(|trouble| trouble.finding(wire))
}

/// The address in the host's file, against the endpoints that AWS gives for both sites' instances; and the
/// server that is really reached, against the one at the site's endpoint and against production's own.
async fn loads_into(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    (host, file, key): (&str, &str, &str),
) -> Result<Finding, Trouble> {
    let source = Machine::of(&call.workflow, site, host)?.source();
    let own = endpoint(wire, call, site).await?;
    let production = endpoint(wire, call, &call.production).await?;
    let at = How::At(own.clone());
    let asked = [(How::Values, key), (How::Server, IDENTITY), (at, IDENTITY)];
    let said = sql::ask(wire, &call.workflow, site, (host, file), "target", &asked).await?;
    let [values, reached, expected] = &said[..] else {
        return Err(Trouble::new(&E3702, &source, "an odd answer"));
    };
    let refused =
        |says: String| Ok(finding(Verdict::Fail, vec![coded(wire, &E3803, &source, says)]));
    let mut found: Vec<&str> = values.text.split_whitespace().map(unquoted).collect();
    found.dedup();
    let [address] = found[..] else {
        return refused(format!("{file} has {} values of {key}", found.len()));
    };
    if site == &call.production || same(address, &production) {
        return refused(format!("{key} is {address}: that is production's database"));
    }
    if !same(address, &own) {
        return refused(format!("{key} is {address}, not {own}, the database of {site}"));
    }
    let (reached, expected) = (reached.good(&source)?, expected.good(&source)?);
    if reached != expected {
        return refused(format!(
            "{key} is {address}, yet {file} leads to another server: {reached}, not {expected}"
        ));
    }
    let theirs = identity(wire, call, &call.production).await?;
    if reached == theirs {
        return refused(format!(
            "{key} is {address}, yet the server reached is production's own: {reached}"
        ));
    }
    let data = json!({
        "address": address, "own": own, "production": production,
        "reached": reached, "productions": theirs,
    });
    let says = format!("{key} is {address}, the database of {site}; the server reached is its own");
    Ok(finding(Verdict::Pass, vec![wire.evidence_with(&source, says, data)]))
}

/// The server that a site's own host reaches.
async fn identity(wire: &Wire, call: &Call, site: &SiteName) -> Result<String, Trouble> {
    let database = declared(&call.workflow)?;
    let place = (database.host.as_str(), database.env_file.as_str());
    let asked = [(How::Server, IDENTITY)];
    let said = sql::ask(wire, &call.workflow, site, place, "target", &asked).await?;
    let source = Machine::of(&call.workflow, site, &database.host)?.source();
    let first = said.first().ok_or_else(|| Trouble::new(&E3702, &source, "an odd answer"))?;
    first.good(&source).map(str::to_owned)
}

async fn endpoint(wire: &Wire, call: &Call, site: &SiteName) -> Result<String, Trouble> {
    let says = |says: String| Trouble::harmless(&E3506, "aws rds", says);
    let name =
        site::for_site(&call.workflow, site, &declared(&call.workflow)?.rds).map_err(says)?;
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
    if queries.is_empty() {
        let evidence = coded(wire, &E3804, "workflow", "there is nothing to compare");
        return finding(Verdict::Fail, vec![evidence]);
    }
    let (production, standby) = tokio::join!(
        answers(wire, call, &call.production, queries),
        answers(wire, call, &call.standby, queries)
    );
    let (production, standby) = match (production, standby) {
        (Ok(production), Ok(standby)) => (production, standby),
        (production, standby) => {
            let failed = [production.err(), standby.err()].into_iter().flatten();
            return finding(Verdict::Unknown, failed.map(|it| it.evidence(wire)).collect());
        }
    };
    let (mut evidence, mut alike) = (Vec::new(), true);
    for ((query, production), standby) in queries.iter().zip(production).zip(standby) {
        let data = json!({ "production": production, "standby": standby });
        if alike_enough(call, query, &production, &standby) {
            let (here, there) = (&call.production, &call.standby);
            let says = if production == standby {
                format!("{query}: {production} on both sites")
            } else {
                format!(
                    "{query}: {standby} on {there}, all of the dump; {here} takes writes and has \
                     {production} by now"
                )
            };
            evidence.push(wire.evidence_with("database", says, data));
        } else {
            alike = false;
            let (here, there) = (&call.production, &call.standby);
            let says = format!("{query}: {production} on {here}, {standby} on {there}");
            evidence.push(coded(wire, &E3804, "database", says));
        }
    }
    finding(verdict(alike), evidence)
}

/// What each query answers at a site; those without an answer are left out.
pub(super) async fn counts(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    queries: &[String],
) -> BTreeMap<String, String> {
    let Ok(database) = declared(workflow) else { return BTreeMap::new() };
    let place = (database.host.as_str(), database.env_file.as_str());
    let asked: Vec<(How, &str)> = queries.iter().map(|it| (How::Own, it.as_str())).collect();
    let said = sql::ask(wire, workflow, site, place, "query", &asked).await.unwrap_or_default();
    let good = said.iter().map(|it| it.good("database").ok());
    let both = queries.iter().zip(good);
    both.filter_map(|(query, answer)| Some((query.clone(), answer?.to_owned()))).collect()
}

/// Equal; or, while production takes writes, not less than it had when its dump was begun and not more than
/// it has now.
fn alike_enough(call: &Call, query: &str, production: &str, standby: &str) -> bool {
    let frozen = call.record.embargoes.contains_key(&call.production);
    let rows = |text: &str| text.parse::<u64>().ok();
    let between = match (call.record.held.get(query), rows(standby), rows(production)) {
        (Some(held), Some(standby), Some(production)) => (*held..=production).contains(&standby),
        (None, _, _) | (_, None, _) | (_, _, None) => false,
    };
    production == standby || !frozen && between
}

/// The answers of one site, in order; all of them or none.
async fn answers(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    queries: &[String],
) -> Result<Vec<String>, Trouble> {
    let database = declared(&call.workflow)?;
    let place = (database.host.as_str(), database.env_file.as_str());
    let asked: Vec<(How, &str)> = queries.iter().map(|it| (How::Own, it.as_str())).collect();
    let said = sql::ask(wire, &call.workflow, site, place, "query", &asked).await?;
    let source = Machine::of(&call.workflow, site, &database.host)?.source();
    said.iter().map(|it| it.good(&source).map(str::to_owned)).collect()
}

/// What a site's database answers to one question, with the host as evidence names it.
pub(super) async fn ask_site(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    query: &str,
) -> Result<(String, String), Trouble> {
    let (source, said) = asked(wire, workflow, site, query).await?;
    let text = said.first().map(|it| it.good(&source)).transpose()?.unwrap_or_default().to_owned();
    Ok((source, text))
}

/// The words that a site's database answers; none where it has no row for the question.
pub(super) async fn words(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    query: &str,
) -> Result<Vec<String>, Trouble> {
    let (source, said) = asked(wire, workflow, site, query).await?;
    let rows = said.iter().map(|it| it.rows(&source)).collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect())
}

async fn asked(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    query: &str,
) -> Result<(String, Vec<Said>), Trouble> {
    let database = declared(workflow)?;
    let place = (database.host.as_str(), database.env_file.as_str());
    let said = sql::ask(wire, workflow, site, place, "query", &[(How::Own, query)]).await?;
    Ok((Machine::of(workflow, site, &database.host)?.source(), said))
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
