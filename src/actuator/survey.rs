//! What `init` reads: who is production, what each site owns and answers with, whose marks there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::cloudflare::{Client, Group, Sites, production_of};
use super::{Actuators, Wire, http};
use crate::model::{Evidence, Kind, SiteName};
use crate::port::{Survey, World};
use crate::workflow::Workflow;

/// What a page of a release says, before its number.
const VERSION: &str = "Version: ";

pub(super) async fn survey(
    actuators: &Actuators,
    wire: &Arc<Wire>,
    workflow: &Workflow,
) -> Result<Survey, Vec<Evidence>> {
    let mut addresses = Sites::new();
    for site in workflow.sites.keys() {
        let own = actuators.addresses(workflow, site).await.map_err(|it| vec![it])?;
        addresses.insert(site.clone(), own);
    }
    let client = Client::new(wire, workflow, None).map_err(|it| vec![it])?;
    let group = Group::read(&client, workflow, Kind::Release).await;
    let group = group.map_err(|it| vec![it.evidence])?;
    let production = production_of(&group, &addresses).map_err(|said| {
        let says = "the records do not agree on which site is production";
        vec![wire.evidence_with("cloudflare", says, json!({ "code": "E3102", "names": said }))]
    })?;
    let says = format!("{production} is production by each record");
    let mut evidence =
        vec![wire.evidence_with("cloudflare", says, json!({ "production": production }))];
    let (releases, seen) = answers(wire, workflow, &addresses).await;
    evidence.extend(seen);
    Ok(Survey { production, releases, addresses, marks: group.marks(), evidence })
}

/// The release each site answers with, where the switch cannot be read or says nothing clear.
pub(super) async fn releases(
    actuators: &Actuators,
    wire: &Arc<Wire>,
    workflow: &Workflow,
) -> (BTreeMap<SiteName, String>, Vec<Evidence>) {
    let (mut addresses, mut evidence) = (Sites::new(), vec![]);
    for site in workflow.sites.keys() {
        match actuators.addresses(workflow, site).await {
            Ok(own) => {
                addresses.insert(site.clone(), own);
            }
            Err(seen) => evidence.push(seen),
        }
    }
    let (releases, seen) = answers(wire, workflow, &addresses).await;
    evidence.extend(seen);
    (releases, evidence)
}

async fn answers(
    wire: &Wire,
    workflow: &Workflow,
    addresses: &Sites,
) -> (BTreeMap<SiteName, String>, Vec<Evidence>) {
    let (mut releases, mut evidence) = (BTreeMap::new(), vec![]);
    for site in workflow.sites.keys() {
        let (release, seen) = release(wire, workflow, site, addresses.get(site)).await;
        releases.extend(release.map(|it| (site.clone(), it)));
        evidence.push(seen);
    }
    (releases, evidence)
}

async fn release(
    wire: &Wire,
    workflow: &Workflow,
    site: &SiteName,
    own: Option<&BTreeMap<String, String>>,
) -> (Option<String>, Evidence) {
    let Some(own) = own else {
        return (None, wire.evidence("survey", format!("{site} has no address to ask")));
    };
    match released(wire, workflow, own, workflow.limits.call.0).await {
        Ok(Some(found)) => {
            let seen = format!("{site} answers with {found}");
            (Some(found), wire.evidence("http", seen))
        }
        Ok(None) => {
            let says = format!("{site} answers without a release");
            (None, wire.evidence("http", says))
        }
        Err(seen) => {
            let says = format!("the release of {site} is not known: {}", seen.says);
            (None, Evidence { says, ..seen })
        }
    }
}

/// The release that a site with these addresses answers with: under production's first name, and, since a
/// standby may not know that name before its first deploy, under the standby's. `None`: both pages came
/// without one.
///
/// # Errors
/// What was seen when nothing was found and one of them did not come.
pub(super) async fn released(
    wire: &Wire,
    workflow: &Workflow,
    own: &BTreeMap<String, String>,
    deadline: Duration,
) -> Result<Option<String>, Evidence> {
    let record = workflow.records(Kind::Release).first();
    let found = record.and_then(|it| Some((it, own.get(it.id.as_str())?)));
    let Some((record, address)) = found else {
        return Err(wire.evidence("survey", "there is no address to ask"));
    };
    let (mut said, mut silent) = (vec![], false);
    for name in [&record.production, &record.standby] {
        match http::get(wire, &format!("https://{name}/"), Some(address), deadline).await {
            Ok(answer) => match version(&answer.text()) {
                Some(found) => return Ok(Some(found)),
                None => {
                    silent |= !answer.is_success();
                    said.push(format!("{} without a release as {name}", answer.status));
                }
            },
            Err(missing) => {
                silent = true;
                said.push(format!("{missing} as {name}"));
            }
        }
    }
    let missing = || wire.evidence(&format!("http {address}"), said.join("; "));
    if silent { Err(missing()) } else { Ok(None) }
}

/// The first `Version: v1.2.3` of a page.
fn version(page: &str) -> Option<String> {
    page.split(VERSION).skip(1).find_map(|rest| {
        let numbers = rest.strip_prefix('v')?;
        let end = numbers.find(|it: char| !it.is_ascii_digit() && it != '.');
        let numbers = numbers.get(..end.unwrap_or(numbers.len()))?.trim_end_matches('.');
        (!numbers.is_empty()).then(|| format!("v{numbers}"))
    })
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_release_is_read_from_the_page() {
        assert_eq!(version("<p>Version: v4.3.4</p>").as_deref(), Some("v4.3.4"));
        assert_eq!(version("Version: unknown, Version: v10.0.1.").as_deref(), Some("v10.0.1"));
        assert_eq!(version("Version: "), None);
        assert_eq!(version("v4.3.4"), None);
    }
}
