//! One look at the whole world: everything side by side, each source with its own deadline. Changes nothing.

mod hosts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::cloudflare::{Client, zone_of, zone_seen};
use super::{Wire, aws, dns, survey};
use crate::model::{Evidence, Owned, Part, Read, Sight, SiteName};
use crate::workflow::{Switch, Workflow, Zone};

/// What every part of a look is made with.
#[derive(Clone, Copy)]
struct Looking<'a> {
    wire: &'a Arc<Wire>,
    workflow: &'a Workflow,
    deadline: Duration,
}

pub(super) async fn sight(
    wire: &Arc<Wire>,
    workflow: &Workflow,
    known: &Owned,
    deadline: Duration,
) -> Sight {
    let (began, looking) = (wire.clock.now(), Looking { wire, workflow, deadline });
    let Switch::Cloudflare(switch) = &workflow.switch;
    let (sites, zones, answers, writes, jobs) = tokio::join!(
        join_all(workflow.sites.keys().map(|site| looking.site(site, known))),
        join_all(switch.zones.iter().map(|zone| looking.zone(zone))),
        join_all(switch.zones.iter().map(|zone| looking.answers(zone))),
        looking.writes(),
        looking.jobs(),
    );
    let mut sight = Sight { began, writes, jobs, ..Sight::default() };
    for (site, addresses, release) in sites {
        sight.addresses.insert(site.clone(), addresses);
        sight.releases.extend(release.map(|it| (site, it)));
    }
    sight.zones.extend(zones);
    sight.answers.extend(answers);
    sight
}

impl Looking<'_> {
    /// What the site owns, then what answers there.
    async fn site(
        self,
        site: &SiteName,
        known: &Owned,
    ) -> (SiteName, Part<BTreeMap<String, String>>, Option<Part<Option<String>>>) {
        let addresses =
            self.part("aws ec2", aws::eip::addresses(self.wire, self.workflow, site)).await;
        // Not knowing what it owns now keeps nobody from asking where it was.
        let own = addresses.known().or_else(|| known.get(site));
        let release = async {
            let own = own?;
            let asked = survey::released(self.wire, self.workflow, own, self.deadline);
            Some(self.part("http", asked).await)
        };
        let release = release.await;
        (site.clone(), addresses, release)
    }

    async fn zone(self, zone: &Zone) -> (String, Part<crate::model::ZoneSeen>) {
        let read = async {
            let client = Client::new(self.wire, self.workflow, None)?;
            zone_seen(&client, self.workflow, zone).await
        };
        let source = format!("cloudflare {}", zone.name);
        (zone.name.clone(), self.part(&source, read).await)
    }

    async fn answers(self, zone: &Zone) -> (String, Vec<Part<crate::model::Answers>>) {
        let Switch::Cloudflare(switch) = &self.workflow.switch;
        let here = |name: &&str| {
            let at = zone_of(&switch.zones, name);
            at.and_then(|it| switch.zones.get(it)).is_some_and(|it| it.name == zone.name)
        };
        let names =
            switch.records.iter().flat_map(|it| [it.production.as_str(), it.standby.as_str()]);
        let names: Vec<&str> = names.filter(here).collect();
        let parts = if names.is_empty() || switch.proxied {
            vec![]
        } else {
            dns::answers(self.wire, &zone.name, &names, self.deadline).await
        };
        (zone.name.clone(), parts)
    }

    /// One part within the deadline; a look that fails keeps its source.
    async fn part<T>(
        self,
        source: &str,
        read: impl Future<Output = Result<T, Evidence>>,
    ) -> Part<T> {
        let read = tokio::time::timeout(self.deadline, read).await;
        let at = self.wire.clock.now();
        let known = |it| Part { source: source.to_owned(), at, read: Read::Known(it) };
        match read {
            Ok(Ok(it)) => known(it),
            Ok(Err(seen)) => Part { source: seen.source, at, read: Read::Unknown(seen.says) },
            Err(_) => {
                let why = format!("no answer within {:?}", self.deadline);
                Part { source: source.to_owned(), at, read: Read::Unknown(why) }
            }
        }
    }
}
