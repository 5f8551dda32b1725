//! The door's part in an incident: what can be reached, what witnesses say, what an armed plan keeps.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use changeover::drift::{Known, Name, Report, compare};
use changeover::model::{About, Evidence, RowKept, Says, Seer, SiteName, Witness, ZoneKept};
use changeover::port::{Asked, Clock, Testimony};

use crate::chaos::dns::{Row, Rows, authority};
use crate::chaos::door::{Act, Door};
use crate::chaos::door_switch::{highest, mark};
use crate::chaos::earth::{Earth, Site};
use crate::chaos::rig::{Rig, shipped};

/// What an incident takes of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gone {
    /// Nobody gets anything from its web server.
    Web,
    /// Its machine cannot be reached over ssh.
    Ssh,
    /// Its region's API does not answer.
    Api,
    /// Its machines do not run.
    Power,
    /// Its web server cannot be seen from where the operator is; users see it.
    Sight,
}

impl Site {
    /// Something answers there.
    pub(crate) fn speaks(&self) -> bool {
        !self.stopped && !self.gone.contains(&Gone::Web) && !self.gone.contains(&Gone::Sight)
    }

    /// Users get pages.
    pub(crate) fn serves(&self) -> bool {
        self.up && !self.stopped && !self.gone.contains(&Gone::Web)
    }

    /// The operator sees them.
    pub(crate) fn shown(&self) -> bool {
        self.up && self.speaks()
    }
}

impl Earth {
    /// The bucket lies in one site's region.
    pub(crate) fn bucket_gone(&self) -> bool {
        self.sites.iter().any(|it| it.name == "hk" && it.gone.contains(&Gone::Api))
    }
}

impl Door {
    /// Reads something at the API of a site's region.
    pub(crate) async fn read_api<T>(
        &self,
        site: usize,
        look: impl FnOnce(&mut Earth, bool) -> T + Send,
    ) -> Result<T, String> {
        let gone = self.earth().sites[site].gone.contains(&Gone::Api);
        self.read(None, look)
            .await
            .and_then(|it| if gone { Err("the region does not answer".to_owned()) } else { Ok(it) })
    }

    pub(crate) async fn read_bucket<T>(
        &self,
        look: impl FnOnce(&mut Earth, bool) -> T + Send,
    ) -> Result<T, String> {
        let gone = self.earth().bucket_gone();
        self.read(None, look)
            .await
            .and_then(|it| if gone { Err("the bucket does not answer".to_owned()) } else { Ok(it) })
    }

    /// Just after a batch was answered the operator's machine may die.
    pub(crate) async fn after_batch(&self) {
        let dies = self.earth().faults.dies_after_batch();
        if dies {
            self.dead.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }

    pub(crate) async fn counted(
        &self,
        site: &SiteName,
        queries: &[String],
    ) -> BTreeMap<String, String> {
        let at = self.earth().index(site.as_str());
        let look = |it: &mut Earth, _: bool| it.sites[at].db.rows.len().to_string();
        let Ok(rows) = self.read(Some(at), look).await else { return BTreeMap::new() };
        queries.iter().map(|it| (it.clone(), rows.clone())).collect()
    }

    pub(crate) async fn zones_kept(&self) -> Result<Vec<ZoneKept>, Evidence> {
        let look = |it: &mut Earth, _: bool| {
            let zones = it.zones.iter().map(|zone| ZoneKept {
                name: zone.name.clone(),
                id: zone.name.clone(),
                mark: highest(&zone.rows).map(|it| it.0),
                rows: zone.rows.iter().map(|(id, row)| kept(*id, row)).collect(),
            });
            zones.collect()
        };
        self.read(None, look).await.map_err(|why| self.evidence(why).remove(0))
    }

    /// All witnesses side by side.
    pub(crate) async fn testimony(&self, asked: &Asked) -> Testimony {
        let index = |site: &SiteName| self.earth().index(site.as_str());
        let (lost, to) = (index(&asked.production), index(&asked.standby));
        let page = |site: Option<usize>| {
            move |it: &mut Earth, _: bool| site.is_some_and(|at| it.sites[at].shown())
        };
        let users = {
            let earth = self.earth();
            let found = authority(&earth.zones, "gigadb.org");
            found.and_then(|(address, _)| earth.owner("web", &address))
        };
        let there = |_: &mut Earth, _: bool| true;
        let api = move |it: &mut Earth, _: bool| !it.sites[lost].gone.contains(&Gone::Api);
        let said = futures_util::join!(
            self.said(asked, About::Users, Seer::Http, None, page(users)),
            self.said(asked, About::Production, Seer::Http, None, page(Some(lost))),
            self.said(asked, About::Standby, Seer::Http, None, page(Some(to))),
            self.said(asked, About::Names, Seer::Dns, None, there),
            self.said(asked, About::Lever, Seer::Provider, None, there),
            self.said(asked, About::Machines, Seer::Provider, None, api),
            self.said(asked, About::Machines, Seer::Host, Some(lost), there),
        );
        let witnesses = <[Witness; 7]>::from(said).into();
        Testimony { witnesses, writes: None, unmarked: vec![] }
    }

    async fn said(
        &self,
        asked: &Asked,
        about: About,
        seer: Seer,
        host: Option<usize>,
        look: impl FnOnce(&mut Earth, bool) -> bool + Send,
    ) -> Witness {
        let read = Box::pin(self.read(host, look));
        let deadline = u64::try_from(asked.deadline.as_millis()).unwrap();
        let late = Box::pin(self.clock.pause(deadline));
        let heard = futures_util::future::select(read, late).await;
        let says = match (heard, seer) {
            (futures_util::future::Either::Left((Ok(true), _)), _) => Says::Up,
            (_, Seer::Dns) => Says::Unknown,
            (_, _) => Says::Down,
        };
        let (source, text) = (format!("{seer:?}"), format!("{says:?}"));
        Witness { about, seer, says, source, at: self.clock.now(), text }
    }
}

fn kept(id: u64, row: &Row) -> RowKept {
    RowKept {
        id: id.to_string(),
        name: row.name.clone(),
        kind: row.kind.to_owned(),
        content: row.content.clone(),
        ttl: u32::try_from(row.ttl / 1000).unwrap(),
        proxied: false,
        comment: Some(row.comment.clone()),
        created: None,
    }
}

impl Act {
    /// What an armed plan kept, at the first look.
    pub(crate) fn kept_zones(&self) -> Option<Vec<(String, Rows)>> {
        let first = !self.looked.swap(true, Ordering::SeqCst);
        let kept = self.call.kept.as_ref().filter(|_| first)?;
        let row = |it: &RowKept| {
            let number = it.content.strip_prefix("e=").and_then(|it| it.parse().ok());
            let row = Row {
                name: it.name.clone(),
                kind: "A",
                content: it.content.clone(),
                ttl: u64::from(it.ttl) * 1000,
                comment: it.comment.clone().unwrap_or_default(),
                created: 0,
            };
            let comment = row.comment.clone();
            let zone = it.name.rsplit_once("gigadb.").map_or("", |it| it.1);
            number.map_or(row, |it| mark(&format!("gigadb.{zone}"), it, comment))
        };
        let rows = |it: &ZoneKept| -> Rows {
            it.rows.iter().map(|it| (it.id.parse().unwrap(), row(it))).collect()
        };
        Some(kept.iter().map(|it| (it.name.clone(), rows(it))).collect())
    }
}

/// What `drift` says of this world and journal, and how long it took, milliseconds. Nothing goes wrong meanwhile.
pub(crate) fn drift(rig: &Rig) -> (Report, u64) {
    let was = std::mem::replace(&mut rig.door.earth().faults.on, false);
    let (life, began) = (rig.life(), rig.door.clock.ms());
    let looked = rig.door.looked(&life.record.addresses, Duration::from_secs(10));
    let sight = rig.door.clock.run(looked).unwrap_or_default();
    let now = rig.door.clock.now();
    let known = Known { workflow: shipped(), life: &life, working: false, now };
    let report = compare(&known, &sight);
    rig.door.earth().faults.on = was;
    (report, rig.door.clock.ms() - began)
}

/// The same where somebody else's journal did it: production is another one than this journal's.
pub(crate) fn unlike(report: &Report) -> Option<String> {
    let named = [Name::ProductionNotJournal, Name::HalfASwap, Name::TwoWriters];
    let said = named.iter().any(|it| report.has(*it));
    (!said).then(|| format!("drift does not say that production is another: {report:?}"))
}

/// What is wrong with a report on a world with two sites that take writes, if anything is.
pub(crate) fn unsaid(report: &Report, rig: &Rig, second: usize) -> Option<String> {
    let (names, life) = {
        let earth = rig.door.earth();
        let production = earth.production();
        ([earth.sites[second].name.clone(), earth.sites[production].name.clone()], rig.life())
    };
    let two = report.differences.iter().find(|it| it.name == Name::TwoWriters);
    let text =
        two.map_or_else(|| report.notes.join("; "), |it| format!("{}; {}", it.observed, it.settle));
    let silent = report.unknown.iter().any(|it| it.says.contains(&names[0]));
    if two.is_none() && !silent {
        return Some(format!("drift does not say that {} takes writes: {text}", names[0]));
    }
    let missing: Vec<String> = life
        .record
        .unfenced()
        .iter()
        .map(|it| it.0.to_string())
        .chain(names)
        .filter(|it| !text.contains(it.as_str()))
        .collect();
    (!missing.is_empty()).then(|| format!("drift does not name {missing:?}: {text}"))
}
