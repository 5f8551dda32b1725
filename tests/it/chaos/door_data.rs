//! Data: embargoes, snapshots, dumps, loads, and what is proven of them before anything is overwritten.

use changeover::machine::{Embargo, Fact, Kept};
use changeover::model::{Change, Kind, Roles, Verb, Verdict};
use changeover::port::{Call, Clock, Finding, Seen, Sent};
use changeover::workflow::step::Params;
use changeover::workflow::step::params::{HostRun, Proves};

use super::door::{Act, Defect};
use super::earth::{Earth, MINUTE, Object};
use super::host::{Process, RESTORES, Ran};
use super::lost::Gone;

/// Under which name the rows before a dump are remembered.
pub(crate) const ROWS: &str = "select count(*) from dataset";

impl Act {
    fn key(&self) -> String {
        let stamp = self.call.run.stamp.clone().unwrap_or_default();
        let dashed = &self.call.workflow.sites[&self.call.production].vars["dashed"];
        format!("gigadb_{dashed}_live_{stamp}.backup")
    }

    fn restore_key(&self) -> String {
        format!("{RESTORES}{}.backup", self.call.run.stamp.clone().unwrap_or_default())
    }

    async fn object(&self, key: String) -> Result<Option<Object>, String> {
        self.door.read_bucket(move |it: &mut Earth, _| it.bucket.get(&key).cloned()).await
    }

    pub(crate) async fn backup_whole(&self, newer_than_embargo: bool) -> Finding {
        let key = self.key();
        let object = match self.object(key.clone()).await {
            Ok(Some(object)) => object,
            Ok(None) => return self.found(false, "there is no such dump"),
            Err(why) => return self.dark(why),
        };
        let (prefix, own) = (key[..key.len() - 19].to_owned(), key.clone());
        let made = object.written;
        let read = move |it: &mut Earth, _: bool| {
            let family = it
                .bucket
                .iter()
                .filter(|(key, it)| key.starts_with(&prefix) && **key != own && it.written < made);
            family.max_by_key(|it| it.1.written).map(|it| it.1.size())
        };
        let before = match self.door.read_bucket(read).await {
            Ok(before) => before.unwrap_or(0),
            Err(why) => return self.dark(why),
        };
        let since = self.call.record.embargoes.get(&self.call.production).map(|it| it.since);
        let written = self.door.earth().at(object.written);
        let fresh = !newer_than_embargo
            || since.is_some_and(|it| written.0 / 1_000_000 >= it.0 / 1_000_000);
        let large = object.size() * 10 >= before * 8;
        if !(object.whole && fresh && large) {
            let (whole, says) = (object.whole, format!("large {large}, fresh {fresh}"));
            return self.found(false, format!("whole {whole}, {says}"));
        }
        let (etag, size) = (object.etag.clone(), object.size());
        let facts = vec![Fact::Backup { key, etag, size }];
        Finding { facts, ..self.found(true, "it is whole") }
    }

    /// Production's newest dump, whoever made it.
    pub(crate) async fn daily(&self, age_max: i64) -> Finding {
        let prefix = format!(
            "gigadb_{}_live_",
            self.call.workflow.sites[&self.call.production].vars["dashed"]
        );
        let read = move |it: &mut Earth, _: bool| {
            let family = it.bucket.iter().filter(|(key, _)| key.starts_with(&prefix));
            let newest = family.max_by_key(|it| it.1.written)?.1;
            let age = i64::try_from((it.now - newest.written) / 1000).unwrap();
            Some(newest.whole && age <= age_max)
        };
        self.holds(self.door.read_bucket(read).await.map(|it| it == Some(true)), "whole and fresh")
    }

    pub(crate) async fn copy_now(&self) -> Seen {
        let (key, restore) = (self.key(), self.restore_key());
        let object = match self.object(key.clone()).await {
            Ok(Some(object)) => object,
            Ok(None) => return self.failed("there is nothing to copy"),
            Err(why) => return self.unseen(why),
        };
        match self.object(restore.clone()).await {
            Err(why) => self.unseen(why),
            Ok(Some(there)) if there.etag == object.etag => self.done("it lies there", vec![]),
            Ok(there) => self.todo(Verb::Create, restore, there.map(|it| it.etag), &object.etag),
        }
    }

    pub(crate) async fn copy_it(&self, _: &[Change]) -> Sent {
        let (key, restore) = (self.key(), self.restore_key());
        let effect = move |it: &mut Earth| {
            let gone = it.bucket_gone();
            let object = it.bucket.get(&key).filter(|_| !gone).cloned().ok_or("404")?;
            let written = it.now;
            it.bucket.insert(restore, Object { written, ..object });
            Ok(())
        };
        self.request(None, Box::new(effect)).await
    }

    /// What the restore on a host would load into, and whether that is the site's own.
    async fn loads_into(&self, site: usize) -> Result<bool, String> {
        if self.door.defect == Defect::Target {
            return Ok(true);
        }
        let production = self.production();
        let named = self.door.read(Some(site), |it, _| it.sites[site].host.pghost.clone()).await?;
        let look = |it: &mut Earth, _: bool| named == it.sites[site].endpoint && site != production;
        self.door.read(None, look).await
    }

    pub(crate) async fn database_target(&self) -> Finding {
        let site = self.site(&self.call.standby);
        self.holds(self.loads_into(site).await, "the host loads into its own database")
    }

    /// How many rows a host's own `psql` counts: in whatever database `.env` names.
    async fn counts(&self, site: usize) -> Result<Option<usize>, String> {
        let look = |it: &mut Earth, _: bool| {
            let at = it.by_endpoint(&it.sites[site].host.pghost)?;
            let db = &it.sites[at].db;
            db.tables.then_some(db.rows.len())
        };
        self.door.read(Some(site), look).await
    }

    pub(crate) async fn database_equal(&self) -> Finding {
        let both = (self.counts(self.production()).await, self.counts(self.standby()).await);
        match both {
            (Ok(Some(here)), Ok(Some(there))) => {
                let frozen = self.call.record.embargoes.contains_key(&self.call.production);
                let held = self.call.record.held.get(ROWS);
                // While production takes writes it may have moved on since its dump.
                let between = held.is_some_and(|it| (*it..=here as u64).contains(&(there as u64)));
                self.found(
                    here == there || !frozen && between,
                    format!("{here} rows on production, {there} on standby"),
                )
            }
            (here, there) => self.dark(format!("{here:?}, {there:?}")),
        }
    }

    /// Just before data is overwritten: the roles, the target, and the exact backup where it is read.
    async fn may_destroy(&self, site: usize) -> Result<Option<String>, String> {
        let name = self.door.earth.lock().unwrap().sites[site].name.clone();
        let standby = match &self.call.record.roles {
            Some(Roles::Settled { production }) => {
                production.as_str() != name && self.call.production.as_str() != name
            }
            Some(Roles::Moving { .. }) | None => false,
        };
        if !standby {
            return Ok(Some(format!("{name} is not standby")));
        }
        if !self.loads_into(site).await? {
            return Ok(Some(format!("the host of {name} loads into another database")));
        }
        if self.door.defect == Defect::Target {
            return Ok(None);
        }
        let run = self.call.run.number;
        let copies = self.call.record.copies.values();
        if !copies.into_iter().any(|it| it.site.as_str() == name && it.run == run) {
            return Ok(Some(format!("no copy of {name} of this run is kept")));
        }
        let proven = self.call.record.run.as_ref().and_then(|it| it.backup.clone());
        let there = self.object(self.restore_key()).await?;
        let same = matches!((&proven, &there), (Some((key, etag, _)), Some(there))
            if *key == self.key() && *etag == there.etag);
        Ok((!same).then(|| "the proven backup does not lie where it is read".to_owned()))
    }

    pub(crate) async fn run_now(&self, with: &HostRun) -> Seen {
        let (site, op) = (self.site(&self.call.standby), self.call.op.0.clone());
        let look = move |it: &mut Earth, _: bool| it.sites[site].host.ops.get(&op).copied();
        let status = match self.door.read(Some(site), look).await {
            Ok(status) => status,
            Err(why) => return self.unseen(why),
        };
        let ours = |attempt: u32| attempt >= self.call.attempt;
        match status {
            None => self.run_todo(with, site, None).await,
            Some((_, Ran::Running)) => Seen::Busy { evidence: self.door.evidence("runs") },
            Some((attempt, Ran::Exited(0))) => match self.proof(with).await {
                Ok(true) => self.done("ended well, and its work is there", vec![]),
                Ok(false) if ours(attempt) => self.failed("ended well, its work is not there"),
                Ok(false) => self.run_todo(with, site, Some("without proof".to_owned())).await,
                Err(why) => self.unseen(why),
            },
            Some((attempt, Ran::Exited(code))) if ours(attempt) => {
                self.failed(format!("ended with {code}"))
            }
            Some((attempt, Ran::Lost)) if ours(attempt) => self.failed("left no exit status"),
            Some((_, Ran::Exited(_) | Ran::Lost)) => {
                self.run_todo(with, site, Some("failed before".to_owned())).await
            }
        }
    }

    async fn run_todo(&self, with: &HostRun, site: usize, before: Option<String>) -> Seen {
        if with.destructive {
            match self.may_destroy(site).await {
                Ok(None) => (),
                Ok(Some(why)) => return Seen::Foreign { evidence: self.door.evidence(why) },
                Err(why) => return self.unseen(why),
            }
        }
        if let Some(Proves::Backup(_)) = with.proves {
            match self.counts(site).await {
                Ok(Some(rows)) => *self.held.lock().unwrap() = Some(rows as u64),
                Ok(None) => return self.unseen("the database is gone"),
                Err(why) => return self.unseen(why),
            }
        }
        self.todo(Verb::Run, with.argv.join(" "), before, "is run")
    }

    async fn proof(&self, with: &HostRun) -> Result<bool, String> {
        match with.proves {
            None => Ok(true),
            Some(Proves::Backup(_)) => {
                let since = self.call.since.unwrap_or(self.call.run.started);
                let object = self.object(self.key()).await?;
                let written = |it: Object| self.door.earth().at(it.written).0 / 1_000_000;
                if object.is_none_or(|it| written(it) < since.0 / 1_000_000) {
                    return Ok(false);
                }
                match self.backup_whole(false).await.verdict {
                    Verdict::Pass => Ok(true),
                    Verdict::Fail => Ok(false),
                    Verdict::Unknown => Err("the dump cannot be read".to_owned()),
                }
            }
            Some(Proves::Counts(_)) => match self.database_equal().await.verdict {
                Verdict::Pass => Ok(true),
                Verdict::Fail => Ok(false),
                Verdict::Unknown => Err("the counts cannot be read".to_owned()),
            },
        }
    }

    /// The wrapper: a second start finds the first; `again` starts what ended badly once more.
    pub(crate) async fn run_it(&self, with: &HostRun, changes: &[Change]) -> Sent {
        let (site, op) = (self.site(&self.call.standby), self.call.op.0.clone());
        let (argv, attempt) = (with.argv.clone(), self.call.attempt);
        let again = changes.first().is_some_and(|it| it.old.is_some());
        let nothing = self.door.defect == Defect::Fence && self.call.at.kind == Kind::Failover;
        let effect = move |it: &mut Earth| {
            match it.sites[site].host.ops.get(&op) {
                Some((_, Ran::Running)) => return Ok(()),
                Some((before, _)) if !again || *before >= attempt => return Ok(()),
                Some(_) | None => (),
            }
            let id = it.fresh_id();
            let ran = if nothing { Ran::Exited(0) } else { Ran::Running };
            it.sites[site].host.ops.insert(op.clone(), (attempt, ran));
            if nothing {
                return Ok(());
            }
            it.start_process(site, Process::new(id, argv, Some(op)));
            Ok(())
        };
        self.request(Some(site), Box::new(effect)).await
    }

    pub(crate) async fn snapshot_now(&self, name: &str, instance: &str) -> Seen {
        let (site, wanted) = (self.site(&self.call.production), name.to_owned());
        let look = move |it: &mut Earth, _: bool| {
            let (op, ready) = it.sites[site].snapshots.get(&wanted)?.clone();
            Some((op, ready <= it.now, it.at(ready), it.sites[site].name.clone()))
        };
        match self.door.read_api(site, look).await {
            Err(why) => self.unseen(why),
            Ok(None) => self.todo(Verb::Create, format!("snapshot {name}"), None, "is taken"),
            Ok(Some((op, ..))) if op != self.call.op.0 => {
                Seen::Foreign { evidence: self.door.evidence("somebody else's") }
            }
            Ok(Some((_, true, made, site))) => {
                let (run, until) = (self.call.run.number, made.plus_seconds(30 * 86_400));
                let (site, instance) = (site.as_str().into(), instance.to_owned());
                let kept = Kept { site, instance, run, made, until };
                self.done("available", vec![Fact::Copied { name: name.to_owned(), kept }])
            }
            Ok(Some((_, false, ..))) => Seen::Busy { evidence: self.door.evidence("creating") },
        }
    }

    pub(crate) async fn take_snapshot(&self, name: &str) -> Sent {
        let (site, name) = (self.site(&self.call.production), name.to_owned());
        let op = self.call.op.0.clone();
        let effect = move |it: &mut Earth| {
            if it.sites[site].gone.contains(&Gone::Api) {
                return Err("the region does not answer".to_owned());
            }
            let ready = it.now + it.faults.dice.between(3, 15) * MINUTE;
            it.sites[site].snapshots.entry(name).or_insert((op, ready));
            Ok(())
        };
        self.request(None, Box::new(effect)).await
    }

    pub(crate) async fn embargo_now(&self) -> Seen {
        let site = self.site(&self.call.production);
        let name = self.call.on.clone().unwrap_or_else(|| self.call.production.clone());
        let (lies, on) = (self.call.record.embargoes.get(&name), wanted(&self.call.params));
        let read = self.door.read(Some(site), |it, _| it.sites[site].db.refuses).await;
        let Ok(refuses) = read else { return self.unseen("the host does not answer") };
        // With the guard away, what was sent is taken for what is.
        let fence = self.door.defect == Defect::Fence && self.call.at.kind == Kind::Failover;
        let believed = (fence || self.door.defect == Defect::Embargo) && on && self.has_sent();
        if refuses != on && !believed {
            let (old, new) = if on { ("off", "on") } else { ("on", "off") };
            return self.todo(Verb::Change, format!("embargo {name}"), Some(old.to_owned()), new);
        }
        let facts = match (on, lies) {
            (true, Some(_)) => vec![],
            (true, None) => {
                vec![Fact::EmbargoOn {
                    embargo: embargo(&self.call, self.door.clock.now()),
                    site: name,
                }]
            }
            (false, _) => vec![Fact::EmbargoOff { site: name }],
        };
        self.done("as wanted", facts)
    }

    /// Whether writes are really refused wherever the journal says so.
    pub(crate) async fn embargo_holds(&self) -> Finding {
        if self.door.defect == Defect::Embargo {
            return self.found(true, "taken on trust");
        }
        for site in self.call.record.embargoes.keys() {
            let at = self.door.earth().index(site.as_str());
            match self.door.read(Some(at), |it, _| it.sites[at].db.refuses).await {
                Ok(true) => (),
                Ok(false) => {
                    let data = serde_json::json!({ "code": "E3821" });
                    let evidence = vec![self.door.with_data(format!("{site} takes writes"), data)];
                    return Finding { verdict: Verdict::Fail, evidence, facts: vec![] };
                }
                Err(_) if self.goes_without(at) => (),
                Err(why) => return self.dark(why),
            }
        }
        self.found(true, "writes are refused wherever they must be")
    }

    /// How many rows the database of a site has.
    pub(crate) async fn rows_now(&self) -> Finding {
        match self.counts(self.site(&self.call.production)).await {
            Ok(Some(rows)) => {
                let facts = vec![Fact::Rows { rows: rows as u64 }];
                Finding { facts, ..self.found(true, format!("{rows} rows")) }
            }
            Ok(None) => self.dark("the database is gone"),
            Err(why) => self.dark(why),
        }
    }

    pub(crate) async fn set_embargo(&self, on: bool) -> Sent {
        let site = self.site(&self.call.production);
        let fence = self.door.defect == Defect::Fence && self.call.at.kind == Kind::Failover;
        let announced = fence || self.door.defect == Defect::Embargo;
        let effect = move |it: &mut Earth| {
            it.sites[site].db.refuses = on && !announced;
            it.note(format!("{} refuses writes: {on}", it.sites[site].name));
            it.oracle.hands.retain(|hand| hand.1 != super::oracle::Hand::Lifted(site));
            Ok(())
        };
        self.request(Some(site), Box::new(effect)).await
    }
}

fn wanted(params: &Params) -> bool {
    matches!(params, Params::EmbargoOn(_))
}

fn embargo(call: &Call, now: changeover::model::Time) -> Embargo {
    let (scope, hours) = match &call.params {
        Params::EmbargoOn(it) => (it.scope.clone(), it.expires.as_seconds()),
        _ => (vec![], 0),
    };
    let (reason, owner) = (format!("run {}", call.run.number), String::new());
    Embargo {
        run: call.run.number,
        owner,
        scope,
        reason,
        since: now,
        until: now.plus_seconds(hours),
    }
}
