//! The switch: records, marks, what the authority says.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use changeover::machine::Fact;
use changeover::model::{Change, Evidence, Kind, Owned, Sight, SiteName, Verb, Verdict, Way};
use changeover::port::{Finding, Seen, Sent, Survey};
use changeover::workflow::Workflow;
use futures_util::future::Either;
use serde_json::{Value, json};

use super::dns::{Batch, Row, Rows, zone_of};
use super::door::{Act, Became, Defect, Door};
use super::earth::Earth;

/// A name of the group, where it leads now and where each role would have it lead.
struct Named {
    zone: usize,
    id: u64,
    name: String,
    now: String,
    before: String,
    wanted: String,
}

/// What the mark's name is, without its zone.
const MARK: &str = "_changeover-gigadb";

/// A zone's highest mark: its number and its comment.
pub(crate) fn highest(rows: &Rows) -> Option<(u64, String)> {
    let marks = rows.values().filter(|it| it.kind == "TXT" && it.name.starts_with(MARK));
    let read = |it: &Row| Some((it.content.strip_prefix("e=")?.parse().ok()?, it.comment.clone()));
    marks.filter_map(read).max()
}

fn journal_of(comment: &str) -> &str {
    comment.split(' ').nth(3).unwrap_or("unknown")
}

pub(crate) fn mark(zone: &str, number: u64, comment: String) -> Row {
    let (name, content) = (format!("{MARK}.{zone}"), format!("e={number}"));
    Row { name, kind: "TXT", content, ttl: 60_000, comment, created: 0 }
}

impl Act {
    async fn zones(&self) -> Result<Vec<(String, Rows)>, String> {
        if let Some(kept) = self.kept_zones() {
            return Ok(kept);
        }
        let look = |it: &mut Earth, stale| {
            let now = it.now;
            it.zones.iter().map(|it| (it.name.clone(), it.read(now, stale).clone())).collect()
        };
        self.door.read(None, look).await
    }

    /// Each name, or what is wrong with one.
    fn names(&self, zones: &[(String, Rows)]) -> Result<Vec<Named>, String> {
        let (workflow, owned) = (&self.call.workflow, &self.call.record.addresses);
        let mut names = vec![];
        for record in &workflow.cloudflare().records {
            let at = |site: &SiteName| {
                let own = owned.get(site).and_then(|it| it.get(record.id.as_str()));
                own.cloned().ok_or_else(|| format!("the addresses of {site} are not known"))
            };
            let (production, standby) = (at(&self.call.production)?, at(&self.call.standby)?);
            let both = [
                (&record.production, production.clone(), standby.clone()),
                (&record.standby, standby, production),
            ];
            for (name, before, wanted) in both {
                let zone = zones.iter().position(|it| name.ends_with(&it.0)).unwrap_or_default();
                let here = zones[zone].1.iter().filter(|it| it.1.name == *name && it.1.kind == "A");
                let [(id, row)] = here.collect::<Vec<_>>()[..] else {
                    return Err(format!("{name} has not its one record"));
                };
                let (name, now) = (name.clone(), row.content.clone());
                names.push(Named { zone, id: *id, name, now, before, wanted });
            }
        }
        Ok(names)
    }

    pub(crate) async fn whole(&self, owned: bool) -> Finding {
        let zones = match self.zones().await {
            Ok(zones) => zones,
            Err(why) => return self.dark(why),
        };
        let names = match self.names(&zones) {
            Ok(names) => names,
            Err(why) => return self.dark(why),
        };
        let mut facts = vec![];
        if owned {
            for site in self.call.workflow.sites.keys() {
                let at = self.door.earth().index(site.as_str());
                let read = |it: &mut Earth, _: bool| it.sites[at].addresses.clone();
                match self.door.read_api(at, read).await {
                    Ok(addresses) => facts.push(Fact::Addresses { site: site.clone(), addresses }),
                    Err(why) => return self.dark(why),
                }
            }
        }
        let off: Vec<&str> =
            names.iter().filter(|it| it.now != it.before).map(|it| it.name.as_str()).collect();
        let data = match off.len() {
            0 => Value::Null,
            // Each says that the other one is production.
            all if all == names.len() && names.iter().all(|it| it.now == it.wanted) => {
                json!({ "code": "E3102", "production": self.call.standby })
            }
            _ => json!({ "code": "E3102" }),
        };
        let mut evidence =
            vec![self.door.with_data(format!("elsewhere: {}", off.join(", ")), data)];
        let mut holds = off.is_empty();
        for (zone, rows) in &zones {
            match highest(rows) {
                Some((number, comment)) if journal_of(&comment) == self.call.record.journal => {
                    facts.push(Fact::Mark { zone: zone.clone(), number });
                }
                Some((_, comment)) => {
                    holds = false;
                    evidence.push(self.foreign(&comment));
                }
                None => {
                    holds = false;
                    evidence.extend(self.door.evidence(format!("{zone} carries no mark")));
                }
            }
        }
        let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
        Finding { verdict, evidence, facts }
    }

    fn foreign(&self, comment: &str) -> Evidence {
        let data = json!({ "foreign_mark": journal_of(comment) });
        self.door.with_data("a mark of another journal", data)
    }

    /// Every authoritative server: that decides.
    pub(crate) async fn confirm(&self) -> Finding {
        let (call, owned) = (&self.call, &self.call.record.addresses);
        let look = |it: &mut Earth, _| -> Vec<String> {
            let mut wrong = vec![];
            for record in &call.workflow.cloudflare().records {
                let both =
                    [(&record.production, &call.standby), (&record.standby, &call.production)];
                for (name, site) in both {
                    let wanted = owned.get(site).and_then(|it| it.get(record.id.as_str()));
                    let zone = &it.zones[zone_of(&it.zones, name)];
                    let rows = zone.authority.values();
                    let says =
                        rows.filter(|it| it.name == *name && it.kind == "A").map(|it| &it.content);
                    if says.collect::<Vec<_>>() != wanted.into_iter().collect::<Vec<_>>() {
                        wrong.push(name.clone());
                    }
                }
            }
            wrong
        };
        match self.door.read(None, look).await {
            Err(why) => self.dark(why),
            Ok(wrong) if wrong.is_empty() => {
                let facts = vec![Fact::RolesSettled { production: call.standby.clone() }];
                Finding { facts, ..self.found(true, "every server agrees") }
            }
            Ok(wrong) => self.found(false, format!("not there yet: {}", wrong.join(", "))),
        }
    }

    fn direction(&self) -> &'static str {
        if self.call.at.way == Way::Forth { "forth" } else { "back" }
    }

    fn comment(&self) -> String {
        let (call, way) = (&self.call, self.direction());
        let (journal, epoch, run) = (&call.record.journal, call.record.epoch, call.run.number);
        format!(
            "changeover gigadb journal {journal} {way} epoch {epoch} {} {run}",
            call.at.kind.name()
        )
    }

    /// The mark is that of this very move, in whatever epoch.
    fn is_this_move(&self, comment: &str) -> bool {
        let words: Vec<&str> = comment.split(' ').collect();
        words.get(3) == Some(&self.call.record.journal.as_str())
            && words.get(4) == Some(&self.direction())
            && words.get(7) == Some(&self.call.at.kind.name())
            && words.last() == Some(&self.call.run.number.to_string().as_str())
    }

    pub(crate) async fn switch_now(&self) -> Seen {
        let zones = match self.zones().await {
            Ok(zones) => zones,
            Err(why) => return self.unseen(why),
        };
        let names = match self.names(&zones) {
            Ok(names) => names,
            Err(why) => return self.unseen(why),
        };
        let strange = names.iter().any(|it| it.now != it.before && it.now != it.wanted);
        let marks = zones.iter().filter_map(|it| highest(&it.1));
        let others: Vec<Evidence> = marks
            .filter(|it| journal_of(&it.1) != self.call.record.journal)
            .map(|it| self.foreign(&it.1))
            .collect();
        let moved = names.iter().filter(|it| it.now == it.wanted).count();
        let half = moved > 0 && moved < names.len();
        let data = if half && !strange { json!({ "half": true }) } else { Value::Null };
        let mut evidence =
            vec![self.door.with_data(format!("{moved} of {} moved", names.len()), data)];
        evidence.extend(others.iter().cloned());
        if strange || !others.is_empty() {
            return Seen::Foreign { evidence };
        }
        let mut changes = vec![];
        for (at, (zone, rows)) in zones.iter().enumerate() {
            changes.extend(self.zone_changes(at, zone, rows, &names));
        }
        if changes.is_empty() {
            let fact = |(zone, rows): &(String, Rows)| {
                Some(Fact::Mark { zone: zone.clone(), number: highest(rows)?.0 })
            };
            return Seen::Done { evidence, facts: zones.iter().filter_map(fact).collect() };
        }
        Seen::Todo { changes, evidence }
    }

    fn zone_changes(&self, at: usize, zone: &str, rows: &Rows, names: &[Named]) -> Vec<Change> {
        let here =
            names.iter().filter(|it| it.zone == at && it.now == it.before && it.now != it.wanted);
        let mut changes: Vec<Change> = here
            .map(|it| Change {
                verb: Verb::Change,
                key: format!("{at}/{}", it.id),
                old: Some(it.now.clone()),
                new: Some(it.wanted.clone()),
                sentence: format!("{} leads to {}", it.name, it.wanted),
            })
            .collect();
        let highest = highest(rows);
        let fenced = highest.as_ref().is_some_and(|it| self.is_this_move(&it.1));
        // A way back, and a failover, takes the number that a late request of the way there would need.
        let late = self.call.at.way == Way::Back || self.call.at.kind == Kind::Failover;
        if changes.is_empty() && (fenced || !late) {
            return changes;
        }
        let known = self.call.record.marks.get(zone).copied();
        let number = known.max(highest.map(|it| it.0)).unwrap_or(0) + 1;
        changes.push(Change {
            verb: Verb::Create,
            key: format!("{at}/mark"),
            old: None,
            new: Some(format!("{number}")),
            sentence: format!("mark {number} of {zone}"),
        });
        changes
    }

    /// One batch a zone, production's first; the second only after the first, but in a failover.
    pub(crate) async fn switch_moves(&self, changes: &[Change]) -> Sent {
        let (mut landed, mut missing, mut unknown) = (0, 0, false);
        let mut evidence = vec![];
        for at in 0..self.call.workflow.cloudflare().zones.len() {
            let batch = self.batch_of(at, changes);
            if batch.patches.is_empty() && batch.posts.is_empty() {
                continue;
            }
            if missing > 0 && self.call.at.kind != Kind::Failover {
                break;
            }
            let fences = self.door.defect != Defect::Mark;
            let effect = move |it: &mut Earth| {
                let now = it.now;
                it.zones[at].batch(now, &batch, fences)?;
                it.changed(at);
                Ok(())
            };
            match self.door.send(&self.call, None, Box::new(effect)).await {
                Became::Accepted => landed += 1,
                Became::Refused(why) => {
                    missing += 1;
                    evidence.extend(self.door.evidence(why));
                }
                Became::Unknown => (missing, unknown) = (missing + 1, true),
            }
            self.door.after_batch().await;
        }
        let half = landed > 0 && missing > 0;
        evidence.insert(0, self.door.with_data(format!("{landed} moved"), json!({ "half": half })));
        if unknown {
            Sent::Unknown { evidence }
        } else if landed == 0 {
            Sent::Refused { evidence }
        } else {
            Sent::Accepted { evidence, facts: vec![] }
        }
    }

    fn batch_of(&self, at: usize, changes: &[Change]) -> Batch {
        let prefix = format!("{at}/");
        let mut batch = Batch::default();
        for change in changes.iter().filter(|it| it.key.starts_with(&prefix)) {
            let new = change.new.clone().unwrap_or_default();
            match change.key[prefix.len()..].parse() {
                Ok(id) => batch.patches.push((id, new, self.comment())),
                Err(_) => {
                    let zone = &self.call.workflow.cloudflare().zones[at].name;
                    batch.posts.push(mark(zone, new.parse().unwrap(), self.comment()));
                }
            }
        }
        batch
    }
}

impl Door {
    pub(crate) async fn surveyed(&self) -> Result<Survey, Vec<Evidence>> {
        let look = |it: &mut Earth, _| {
            let name = |at: usize| SiteName(it.sites[at].name.clone());
            let marks = it.zones.iter().filter_map(|zone| {
                let (number, comment) = highest(&zone.rows)?;
                Some((zone.name.clone(), (number, journal_of(&comment).to_owned())))
            });
            Survey {
                production: name(it.production()),
                releases: (0..2).map(|at| (name(at), it.sites[at].version.clone())).collect(),
                addresses: (0..2).map(|at| (name(at), it.sites[at].addresses.clone())).collect(),
                marks: marks.collect(),
                evidence: vec![],
            }
        };
        self.read(None, look).await.map_err(|why| self.evidence(why))
    }

    /// What `drift adopt` asks of a world: addresses, zones, answers, releases.
    pub(crate) async fn looked(&self, _: &Owned, deadline: Duration) -> Sight {
        let hidden = self.defect == Defect::Writes;
        let read = self.read(None, |it, _| it.sight(hidden));
        let pause = self.clock.pause(u64::try_from(deadline.as_millis()).unwrap());
        match futures_util::future::select(pin!(read), pin!(pause)).await {
            Either::Left((Ok(sight), _)) => sight,
            Either::Left((Err(_), _)) | Either::Right(_) => Sight::default(),
        }
    }

    pub(crate) async fn own_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        let mut numbers = BTreeMap::new();
        for (at, zone) in workflow.cloudflare().zones.iter().enumerate() {
            let set = |it: &mut Earth, _| {
                let found = highest(&it.zones[at].rows);
                if let Some((number, comment)) = &found
                    && journal_of(comment) == journal
                {
                    return Ok(*number);
                }
                let number = found.map_or(1, |it| it.0 + 1);
                let comment = format!("changeover gigadb journal {journal} init");
                let posts = vec![mark(&it.zones[at].name, number, comment)];
                let now = it.now;
                it.zones[at].batch(now, &Batch { posts, ..Batch::default() }, true).map(|()| number)
            };
            let number =
                self.read(None, set).await.and_then(|it| it).map_err(|it| self.evidence(it))?;
            numbers.insert(zone.name.clone(), number);
        }
        Ok(numbers)
    }
}
