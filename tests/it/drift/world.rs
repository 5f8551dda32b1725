//! A world on paper that agrees with its journal, to be changed by one thing at a time.

use std::collections::BTreeMap;

use changeover::drift::{Known, Report, compare};
use changeover::machine::Life;
use changeover::model::{
    EntrySeen, JobSeen, MarkSeen, Part, Read, Roles, RowSeen, Sight, SiteName, Time, ZoneSeen,
};
use changeover::workflow::{Switch, Workflow, parse};

pub(crate) const SITES: [&str; 2] = ["hk", "sydney"];
pub(crate) const ZONES: [&str; 2] = ["gigadb.org", "gigadb.host"];

pub(crate) fn now() -> Time {
    Time::parse("2026-11-21T14:02:07Z").unwrap()
}

pub(crate) fn site(name: &str) -> SiteName {
    SiteName::from(name)
}

pub(crate) fn shipped() -> Workflow {
    let text = std::fs::read_to_string("workflows/gigadb.yaml").unwrap();
    parse(&text, "gigadb.yaml").unwrap().workflow
}

pub(crate) fn part<T>(source: &str, it: T) -> Part<T> {
    Part { source: source.to_owned(), at: now().plus_seconds(-2), read: Read::Known(it) }
}

pub(crate) fn unknown<T>(source: &str) -> Part<T> {
    let read = Read::Unknown("no answer within 5s".to_owned());
    Part { source: source.to_owned(), at: now(), read }
}

pub(crate) fn address(of: &str, record: &str) -> String {
    let place =
        ["web", "portainer", "files", "bastion"].iter().position(|it| *it == record).unwrap();
    // Web and portainer are on one machine.
    format!("18.163.{}.{}", if of == "hk" { 1 } else { 2 }, place.max(1))
}

fn owned(of: &str) -> BTreeMap<String, String> {
    let records = ["web", "portainer", "files", "bastion"];
    records.iter().map(|it| ((*it).to_owned(), address(of, it))).collect()
}

/// Every name of the group: record, name, whether it is production's.
pub(crate) fn names(workflow: &Workflow) -> Vec<(String, String, bool)> {
    let Switch::Cloudflare(switch) = &workflow.switch;
    let both = |it: &changeover::workflow::Record| {
        let id = it.id.to_string();
        [(id.clone(), it.production.clone(), true), (id, it.standby.clone(), false)]
    };
    switch.records.iter().flat_map(both).collect()
}

fn zone_of(name: &str) -> &'static str {
    if name.ends_with("gigadb.org") { "gigadb.org" } else { "gigadb.host" }
}

/// A world and a journal.
#[derive(Clone)]
pub(crate) struct Paper {
    pub(crate) workflow: Workflow,
    pub(crate) life: Life,
    pub(crate) sight: Sight,
    pub(crate) working: bool,
}

impl Paper {
    /// hk is production, by both.
    pub(crate) fn new() -> Self {
        let workflow = shipped();
        let mut life = Life::default();
        life.record.now = now();
        life.record.journal = "00112233aabbccdd".to_owned();
        life.record.roles = Some(Roles::Settled { production: site("hk") });
        for it in SITES {
            life.record.addresses.insert(site(it), owned(it));
            life.record.releases.insert(site(it), "v4.3.4".to_owned());
        }
        life.record.marks = ZONES.iter().map(|it| ((*it).to_owned(), 3)).collect();
        let mut paper = Self { workflow, life, sight: Sight::default(), working: false };
        paper.clean();
        paper
    }

    fn clean(&mut self) {
        let sight = &mut self.sight;
        sight.began = now().plus_seconds(-2);
        for it in SITES {
            sight.addresses.insert(site(it), part("aws ec2", owned(it)));
            sight.writes.insert(site(it), part(&format!("host gigadb-{it}-bastion"), true));
            let release = Some("v4.3.4".to_owned());
            sight.releases.insert(site(it), part(&format!("http {}", address(it, "web")), release));
            let at = |role: &str| (role == "production") == (it == "hk");
            let jobs = self.workflow.jobs.iter().map(|(name, job)| {
                let here = at(if job.sync.is_some() { "standby" } else { "production" });
                let entry = EntrySeen { line: job.line.clone(), exact: true };
                let entries = if here { vec![entry] } else { vec![] };
                (name.clone(), JobSeen { entries, running: vec![] })
            });
            let jobs = part(&format!("host gigadb-{it}-bastion"), jobs.collect());
            sight.jobs.insert(site(it), [("bastion".to_owned(), jobs)].into());
        }
        for zone in ZONES {
            let journal = Some(self.life.record.journal.clone());
            let mark = Some(MarkSeen { number: 3, journal, made: None });
            let seen = part(&format!("cloudflare {zone}"), ZoneSeen { rows: vec![], mark });
            sight.zones.insert(zone.to_owned(), seen);
            sight.answers.insert(
                zone.to_owned(),
                vec![part(&format!("dns {zone} 127.0.0.1:53"), BTreeMap::new())],
            );
        }
        for (record, name, as_production) in names(&self.workflow) {
            let of = if as_production { "hk" } else { "sydney" };
            self.lead(&name, &address(of, &record));
        }
    }

    /// This name leads there, at the provider and at the authority.
    pub(crate) fn lead(&mut self, name: &str, to: &str) {
        let zone = zone_of(name);
        self.row(zone, name, to);
        let servers = self.sight.answers.get_mut(zone).unwrap();
        for server in servers {
            if let Read::Known(answers) = &mut server.read {
                answers.insert(name.to_owned(), [to.to_owned()].into());
            }
        }
    }

    /// A record at the provider.
    pub(crate) fn row(&mut self, zone: &str, name: &str, to: &str) {
        let Read::Known(seen) = &mut self.sight.zones.get_mut(zone).unwrap().read else { return };
        seen.rows.retain(|it| it.name != name);
        seen.rows.push(RowSeen {
            name: name.to_owned(),
            kind: "A".to_owned(),
            content: to.to_owned(),
            proxied: false,
            changed: Some(now().plus_seconds(-3_600)),
        });
    }

    /// Every name leads where this site being production puts it.
    pub(crate) fn swap_to(&mut self, to: &str) {
        for (record, name, as_production) in names(&self.workflow) {
            let other = if to == "hk" { "sydney" } else { "hk" };
            self.lead(&name, &address(if as_production { to } else { other }, &record));
        }
    }

    pub(crate) fn job(&mut self, of: &str, name: &str) -> &mut JobSeen {
        let hosts = self.sight.jobs.get_mut(&site(of)).unwrap();
        let Read::Known(jobs) = &mut hosts.get_mut("bastion").unwrap().read else { panic!() };
        jobs.get_mut(name).unwrap()
    }

    pub(crate) fn mark(&mut self, zone: &str) -> &mut Option<MarkSeen> {
        let Read::Known(seen) = &mut self.sight.zones.get_mut(zone).unwrap().read else { panic!() };
        &mut seen.mark
    }

    pub(crate) fn known(&self) -> Known<'_> {
        Known { workflow: &self.workflow, life: &self.life, working: self.working, now: now() }
    }

    pub(crate) fn report(&self) -> Report {
        compare(&self.known(), &self.sight)
    }

    pub(crate) fn found(&self) -> Vec<&'static str> {
        self.report().differences.iter().map(|it| it.name.slug()).collect()
    }
}
