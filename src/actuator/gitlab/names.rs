//! `site.names`: the variables that a site is deployed with are one role's, their names are names of the switch,
//! and the site's certificate covers those that users reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use url::Url;

use crate::actuator::gitlab::LIVE;
use crate::actuator::gitlab::client::Gitlab;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::actuator::{Wire, aws, site, tls};
use crate::fault::{E3609, E3801};
use crate::model::{Evidence, Kind, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::SiteNames;
use crate::workflow::{PerRole, Record};

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, _: SiteNames) -> Box<dyn Check> {
    Box::new(Names { wire, call })
}

#[derive(Debug)]
struct Names {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Names {
    async fn look(&self) -> Finding {
        let mut evidence = Vec::new();
        let (mut agree, mut seen) = (true, true);
        for site in self.call.workflow.sites.keys() {
            match self.look_at(site).await {
                Ok(found) => {
                    for (verdict, read) in found {
                        agree &= verdict != Verdict::Fail;
                        seen &= verdict != Verdict::Unknown;
                        evidence.push(read);
                    }
                }
                Err(read) => {
                    seen = false;
                    evidence.push(read);
                }
            }
        }
        let verdict = match (agree, seen) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        finding(verdict, evidence)
    }
}

impl Names {
    async fn look_at(&self, site: &SiteName) -> Result<Vec<(Verdict, Evidence)>, Evidence> {
        let values = self.values(site).await.map_err(|it| it.evidence(&self.wire))?;
        let declared = &self.call.workflow.variables;
        let source = format!("gitlab variables of {site}");
        let is_production = *site == self.call.production;
        let of = |role: fn(&PerRole) -> &String| {
            declared.iter().find(|(key, it)| values.get(*key) != Some(role(it))).map(|it| it.0)
        };
        let (other_than_production, other_than_standby) =
            (of(|it| &it.production), of(|it| &it.standby));
        let wrong = match (other_than_production, other_than_standby) {
            (None, _) => None,
            // Before its first release as production a standby has its own names only.
            (Some(_), None) if !is_production => None,
            (Some(key), _) => Some(key),
        };
        if let Some(key) = wrong {
            let is = values.get(key).map_or("missing", String::as_str);
            let says = format!("{key} of {site} is {is}: the variables are not one role's");
            return Ok(vec![(Verdict::Fail, coded(&self.wire, &E3609, &source, says))]);
        }
        let says = format!("{} variables are one role's", values.len());
        let first = self.wire.evidence_with(&source, says, json!(values));
        let mut found = vec![(Verdict::Pass, first)];
        let own = aws::eip::addresses(&self.wire, &self.call.workflow, site).await?;
        let mut hosts: Vec<String> = values.values().filter_map(|it| secure_host(it)).collect();
        hosts.sort();
        hosts.dedup();
        for host in hosts {
            found.push(self.host(site, &host, &own).await);
        }
        Ok(found)
    }

    async fn host(
        &self,
        site: &SiteName,
        host: &str,
        own: &BTreeMap<String, String>,
    ) -> (Verdict, Evidence) {
        let named = |it: &&Record| it.production == host || it.standby == host;
        let record = self.call.workflow.records(Kind::Release).iter().find(named);
        match record.and_then(|it| own.get(it.id.as_str())) {
            Some(address) => {
                tls::one(&self.wire, &self.call, host, &format!("{address}:443"), 0).await
            }
            None => {
                let says =
                    format!("{host} is in the variables of {site} and no name of the switch");
                (Verdict::Fail, coded(&self.wire, &E3609, "workflow", says))
            }
        }
    }

    async fn values(&self, site: &SiteName) -> Result<BTreeMap<String, String>, Trouble> {
        let workflow = &self.call.workflow;
        let gitlab = Gitlab::open(&self.wire, workflow)?;
        let project = site::variable(workflow, site, "gitlab")
            .map_err(|says| Trouble::harmless(&E3801, "workflow", says))?;
        let mut values = BTreeMap::new();
        for key in workflow.variables.keys() {
            if let Some(value) = gitlab.variable(&project, key, LIVE).await? {
                values.insert(key.clone(), value);
            }
        }
        Ok(values)
    }
}

/// The host of a URL with TLS.
fn secure_host(value: &str) -> Option<String> {
    let url = Url::parse(value).ok().filter(|it| it.scheme() == "https")?;
    url.host_str().map(str::to_owned)
}
