//! The two sites and all around them, as `systems.md` describes them. It knows nothing of Changeover.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use changeover::model::Time;
use changeover::workflow::Workflow;

use super::dns::{Resolver, Row, Zone, authority};
use super::fault::Faults;
use super::gitlab::Project;
use super::host::{Cron, Host, Process};
use super::lost::{Gone, Incidents};
use super::oracle::Oracle;
use super::time::Ms;

pub(crate) const MINUTE: Ms = 60_000;
pub(crate) const HOUR: Ms = 60 * MINUTE;
pub(crate) const DAY: Ms = 24 * HOUR;

/// A database: what users wrote, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database {
    /// A dropped and not yet loaded database has none.
    pub(crate) tables: bool,
    pub(crate) rows: Vec<u32>,
    /// `ALTER ROLE … SET default_transaction_read_only`, and FTP stopped: a setting of the role, so
    /// dropping and loading the database does not touch it.
    pub(crate) refuses: bool,
}

/// One site.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) name: String,
    /// Its elastic addresses, by record.
    pub(crate) addresses: BTreeMap<String, String>,
    pub(crate) endpoint: String,
    pub(crate) project: String,
    pub(crate) dashed: String,
    pub(crate) db: Database,
    /// EFS, by number like rows.
    pub(crate) files: Vec<u32>,
    pub(crate) host: Host,
    pub(crate) gitlab: Project,
    /// What is deployed: version, and the role variables it was deployed with.
    pub(crate) version: String,
    pub(crate) deployed: BTreeMap<String, String>,
    /// Containers are down while they are replaced.
    pub(crate) up: bool,
    /// Snapshots: by whom, and from when on they are available.
    pub(crate) snapshots: BTreeMap<String, (String, Ms)>,
    /// What an incident has taken of it.
    pub(crate) gone: BTreeSet<Gone>,
    /// `site_stop` was run: nothing answers before the next deployment.
    pub(crate) stopped: bool,
    /// When its files were last those of production.
    pub(crate) synced: Ms,
}

/// A dump in the bucket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) etag: String,
    pub(crate) rows: Vec<u32>,
    pub(crate) tables: bool,
    /// It ends as a complete dump ends.
    pub(crate) whole: bool,
    pub(crate) written: Ms,
}

impl Object {
    pub(crate) fn size(&self) -> u64 {
        let rows = if self.whole { self.rows.len() } else { self.rows.len() / 2 };
        10_000 + 100 * rows as u64
    }
}

/// Something that happens by itself.
pub(crate) enum Event {
    Write,
    Cron(Cron),
    Process { site: usize, id: u64 },
    Job { site: usize, id: u64 },
    Propagates { zone: usize },
    HostBack { site: usize },
    Other(Box<dyn FnOnce(&mut Earth) + Send>),
}

impl Event {
    fn copy(&self) -> Option<Self> {
        Some(match self {
            Self::Write => Self::Write,
            Self::Cron(cron) => Self::Cron(*cron),
            Self::Process { site, id } => Self::Process { site: *site, id: *id },
            Self::Job { site, id } => Self::Job { site: *site, id: *id },
            Self::Propagates { zone } => Self::Propagates { zone: *zone },
            Self::HostBack { site } => Self::HostBack { site: *site },
            Self::Other(_) => return None,
        })
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Event")
    }
}

/// The world.
#[derive(Debug)]
pub(crate) struct Earth {
    pub(crate) start: Time,
    pub(crate) now: Ms,
    pub(crate) sites: Vec<Site>,
    pub(crate) zones: Vec<Zone>,
    pub(crate) bucket: BTreeMap<String, Object>,
    pub(crate) resolvers: Vec<Resolver>,
    pub(crate) faults: Faults,
    pub(crate) oracle: Oracle,
    events: BTreeMap<(Ms, u64), Event>,
    given: u64,
    /// How far apart users write.
    pub(crate) every: Ms,
    pub(crate) next_write: u32,
    /// What happened, for people who look at a failing seed.
    pub(crate) diary: Vec<String>,
    pub(crate) incidents: Incidents,
}

impl Earth {
    pub(crate) fn new(workflow: &Workflow, start: Time, seed: u64, production: usize) -> Self {
        let sites: Vec<Site> = workflow.sites.keys().map(|it| site(workflow, it)).collect();
        let mut earth = Self {
            start,
            now: 0,
            sites,
            zones: vec![],
            bucket: BTreeMap::new(),
            resolvers: vec![Resolver::default(); 4],
            faults: Faults::new(seed),
            oracle: Oracle::default(),
            events: BTreeMap::new(),
            given: 0,
            every: MINUTE,
            next_write: 1,
            diary: vec![],
            incidents: Incidents::default(),
        };
        earth.zones = zones(workflow, &earth.sites, production);
        earth.settle_in(workflow, production);
        earth
    }

    /// Both sites as years of use have left them.
    fn settle_in(&mut self, workflow: &Workflow, production: usize) {
        // Last night's dump.
        let rows = (1..=100).collect();
        let last = Object { etag: "etag-0".into(), rows, tables: true, whole: true, written: 0 };
        let dashed = &self.sites[production].dashed;
        self.bucket.insert(format!("gigadb_{dashed}_live_20261123.backup"), last);
        for (at, site) in self.sites.iter_mut().enumerate() {
            let is_production = at == production;
            site.db = Database { tables: true, rows: (1..=100).collect(), refuses: false };
            for job in workflow.jobs.values() {
                let by_role = job.runs_on == changeover::model::Role::Production;
                if by_role == is_production {
                    site.host.install(&job.marker, &job.line);
                }
            }
            for (key, roles) in &workflow.variables {
                site.gitlab.variables.insert(key.clone(), roles.production.clone());
            }
            site.deployed = site.gitlab.variables.clone();
        }
        let reset = &workflow.jobs["databaseReset"];
        self.oracle.reset_job = (reset.marker.clone(), reset.line.clone());
        self.next_write = 101;
        self.every = self.faults.dice.between(20, 90) * 1000;
        self.later(self.every, Event::Write);
        for cron in Cron::all(workflow) {
            let first = cron.next(self.start, 0);
            self.later(first, Event::Cron(cron));
        }
    }

    /// The same world once more, with a seed of its own from here on. `None` while something is on its way that
    /// happens only once.
    pub(crate) fn copy(&self, seed: u64) -> Option<Self> {
        let events = self.events.iter().map(|(at, event)| Some((*at, event.copy()?)));
        Some(Self {
            start: self.start,
            now: self.now,
            sites: self.sites.clone(),
            zones: self.zones.clone(),
            bucket: self.bucket.clone(),
            resolvers: self.resolvers.clone(),
            faults: Faults::new(seed),
            oracle: self.oracle.clone(),
            events: events.collect::<Option<_>>()?,
            given: self.given,
            every: self.every,
            next_write: self.next_write,
            diary: vec![],
            incidents: self.incidents.clone(),
        })
    }

    /// Something will happen after a while.
    pub(crate) fn later(&mut self, after: Ms, event: Event) {
        self.given += 1;
        self.events.insert((self.now + after, self.given), event);
    }

    /// Whatever happens by itself until then, in order.
    pub(crate) fn run_until(&mut self, then: Ms) {
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > then {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            match event {
                Event::Write => self.users_write(),
                Event::Cron(cron) => self.fire(cron),
                Event::Process { site, id } => self.process_goes_on(site, id),
                Event::Job { site, id } => self.job_goes_on(site, id),
                Event::Propagates { zone } => self.propagates(zone),
                Event::HostBack { site } => self.sites[site].host.away = false,
                Event::Other(effect) => effect(self),
            }
        }
        self.now = self.now.max(then);
    }

    pub(crate) fn wall(&self) -> Time {
        self.at(self.now)
    }

    pub(crate) fn at(&self, ms: Ms) -> Time {
        Time(self.start.0 + i64::try_from(ms).unwrap() * 1000)
    }

    pub(crate) fn note(&mut self, says: impl Into<String>) {
        let line = format!("{} {}", self.wall().screen(), says.into());
        if self.diary.len() > 400 {
            self.diary.drain(..200);
        }
        self.diary.push(line);
    }

    pub(crate) fn index(&self, site: &str) -> usize {
        self.sites.iter().position(|it| it.name == site).unwrap()
    }

    /// The site that owns this address, for this record.
    pub(crate) fn owner(&self, record: &str, address: &str) -> Option<usize> {
        let owns = |it: &Site| it.addresses.get(record).is_some_and(|own| own == address);
        self.sites.iter().position(owns)
    }

    /// Where the authority sends users of this record; `None` while a person has it lead elsewhere.
    pub(crate) fn users_are_at(&self, record: &str, name: &str) -> Option<usize> {
        let (address, _) = authority(&self.zones, name)?;
        self.owner(record, &address)
    }

    /// The site that is production: by the authority's record, not by any journal.
    pub(crate) fn production(&self) -> usize {
        self.users_are_at("web", "gigadb.org").unwrap_or(self.oracle.last_production)
    }

    /// The site whose database has this address.
    pub(crate) fn by_endpoint(&self, endpoint: &str) -> Option<usize> {
        self.sites.iter().position(|it| it.endpoint == endpoint)
    }

    fn propagates(&mut self, zone: usize) {
        let zone = &mut self.zones[zone];
        zone.authority.clone_from(&zone.rows);
        self.judge_move();
    }

    /// The zone's API has changed; its servers follow within seconds.
    pub(crate) fn changed(&mut self, zone: usize) {
        let after = self.faults.dice.between(1, 12) * 1000;
        self.later(after, Event::Propagates { zone });
    }

    pub(crate) fn start_process(&mut self, site: usize, process: Process) {
        let id = process.id;
        self.sites[site].host.processes.push(process);
        self.later(2000, Event::Process { site, id });
    }

    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.given += 1;
        self.given
    }
}

fn site(workflow: &Workflow, name: &changeover::model::SiteName) -> Site {
    let number = if name.as_str() == "hk" { 10 } else { 20 };
    let var = |key: &str| workflow.sites[name].vars[key].clone();
    let addresses = workflow.cloudflare().records.iter().map(|record| {
        let last =
            ["web", "portainer", "files", "bastion"].iter().position(|it| *it == record.id.0);
        // The portainer answers on the web server's address.
        let last = last.map_or(9, |it| it.max(1));
        (record.id.to_string(), format!("198.51.100.{}", number + last))
    });
    let endpoint = format!("{}.example.rds.amazonaws.com", workflow.rds(name).unwrap());
    Site {
        name: name.to_string(),
        addresses: addresses.collect(),
        host: Host::new(&endpoint),
        endpoint,
        project: var("gitlab"),
        dashed: var("dashed"),
        db: Database::default(),
        files: vec![],
        gitlab: Project::default(),
        version: "v4.3.0".to_owned(),
        deployed: BTreeMap::new(),
        up: true,
        snapshots: BTreeMap::new(),
        gone: BTreeSet::new(),
        stopped: false,
        synced: 0,
    }
}

fn zones(workflow: &Workflow, sites: &[Site], production: usize) -> Vec<Zone> {
    let cloudflare = workflow.cloudflare();
    let mut rows: Vec<Vec<Row>> = vec![vec![]; cloudflare.zones.len()];
    for record in &cloudflare.records {
        for (name, site) in [(&record.production, production), (&record.standby, 1 - production)] {
            let zone = workflow.zone_of(name).unwrap();
            let zone = cloudflare.zones.iter().position(|it| it.name == zone.name).unwrap();
            let content = sites[site].addresses[record.id.as_str()].clone();
            let (name, comment) = (name.clone(), String::new());
            rows[zone].push(Row { name, kind: "A", content, ttl: 300_000, comment, created: 0 });
        }
    }
    let named = cloudflare.zones.iter().zip(rows);
    named.map(|(zone, rows)| Zone::new(&zone.name, rows)).collect()
}
