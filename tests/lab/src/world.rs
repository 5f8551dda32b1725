//! The world: everything that a reset puts back, and how it moves on with time.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::aws::Snapshots;
use crate::call::Calls;
use crate::cloudflare::Cloudflare;
use crate::control::Kept;
use crate::database::Database;
use crate::dns::Caches;
use crate::fault::Rule;
use crate::front::{Ask, Reply};
use crate::gitlab::Gitlab;
use crate::profile::{BUCKET, PLACES, Place, Site, TAGS};
use crate::settings::Settings;
use crate::site::SiteState;
use crate::text;

/// What the provisioned cloud consists of; the same for a world without moto.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    addresses: [[Ipv4Addr; 6]; 2],
    /// The access keys that moto made, by site.
    pub(crate) keys: [String; 2],
}

impl Cloud {
    /// A cloud of these addresses, in the order of [`PLACES`].
    pub(crate) const fn new(addresses: [[Ipv4Addr; 6]; 2], keys: [String; 2]) -> Self {
        Self { addresses, keys }
    }

    /// The cloud of a world without moto.
    pub(crate) fn fixed() -> Self {
        let at = |site| [1, 2, 3, 4, 5, 6].map(|place| Ipv4Addr::new(127, 77, site, place));
        Self::new([at(1), at(2)], [String::new(), String::new()])
    }

    /// A site's address.
    pub(crate) fn address(&self, site: Site, place: Place) -> Ipv4Addr {
        let index = PLACES.iter().position(|p| *p == place).unwrap_or(0);
        self.addresses[site.index()][index]
    }

    /// The site that has an address.
    pub(crate) fn site_at(&self, address: Ipv4Addr) -> Option<Site> {
        Site::ALL.into_iter().find(|site| self.addresses[site.index()].contains(&address))
    }
}

/// Everything that a reset puts back.
#[derive(Debug)]
pub(crate) struct World {
    /// Counts the worlds; what began in an earlier one has no effect in a later one.
    pub(crate) generation: u64,
    /// What tests may set, as it was at first.
    pub(crate) initial: Settings,
    /// What tests may set.
    pub(crate) settings: Settings,
    /// Addresses and keys.
    pub(crate) cloud: Cloud,
    /// Every request.
    pub(crate) calls: Calls,
    /// Faults to come.
    pub(crate) faults: Vec<Rule>,
    /// The practice Cloudflare.
    pub(crate) cloudflare: Cloudflare,
    /// The resolvers' caches.
    pub(crate) caches: Caches,
    /// The practice GitLab.
    pub(crate) gitlab: Gitlab,
    /// Snapshots being made.
    pub(crate) snapshots: Snapshots,
    /// Databases, by site.
    pub(crate) databases: [Database; 2],
    /// Whether the files host's FTP server runs, by site.
    pub(crate) ftp: [bool; 2],
    /// Sites.
    pub(crate) sites: [SiteState; 2],
    /// Process ids of running host programs, by call.
    pub(crate) programs: BTreeMap<u64, u32>,
    /// Announcements, in order.
    pub(crate) announcements: Vec<Value>,
    /// The bucket of a world without moto.
    pub(crate) bucket: BTreeMap<String, Vec<u8>>,
    /// The world as a test kept it.
    pub(crate) kept: Option<Kept>,
}

impl World {
    /// The initial world.
    pub(crate) fn first(
        generation: u64,
        settings: Settings,
        cloud: Cloud,
        sites: [SiteState; 2],
    ) -> Self {
        let standby = Database { loads: vec![text::day(1)], ..Database::first(38) };
        let bucket = BTreeMap::from([(first_backup_key(), first_backup().into_bytes())]);
        Self {
            generation,
            initial: settings.clone(),
            settings,
            calls: Calls::default(),
            faults: Vec::new(),
            cloudflare: Cloudflare::first(&cloud),
            caches: Caches::default(),
            gitlab: Gitlab::first(),
            snapshots: Snapshots::default(),
            databases: [Database::first(40), standby],
            ftp: [true, true],
            sites,
            programs: BTreeMap::new(),
            announcements: Vec::new(),
            bucket,
            kept: None,
            cloud,
        }
    }

    /// Lets everything happen that time has made due.
    pub(crate) fn advance(&mut self, now: Instant) {
        for deployed in self.gitlab.advance(now, &self.settings) {
            self.sites[deployed.site.index()].deploy(deployed.version, deployed.configuration);
        }
    }

    /// The database that an endpoint names.
    pub(crate) fn database(&mut self, endpoint: &str) -> Option<(Site, &mut Database)> {
        let site = Site::ALL
            .into_iter()
            .find(|site| site.endpoint() == endpoint || site.database_address() == endpoint)?;
        Some((site, &mut self.databases[site.index()]))
    }

    /// Takes an announcement.
    pub(crate) fn announce(&mut self, ask: &Ask) -> Reply {
        if ask.method != "POST" {
            return Reply::text(405, "text/plain", "post announcements here\n");
        }
        let said = ask.json().unwrap_or_else(|| json!(text::head(&ask.body, 4096)));
        self.announcements.push(said);
        Reply::text(200, "text/plain", "ok\n").applied()
    }

    /// The part of the world that needs no other process, in a canonical form.
    pub(crate) fn view(&self) -> Map<String, Value> {
        let by_site = |value: &dyn Fn(Site) -> Value| {
            let entries = Site::ALL.into_iter().map(|site| (site.name().to_owned(), value(site)));
            Value::Object(entries.collect())
        };
        let mut view = Map::new();
        view.insert("records".to_owned(), self.records_view());
        view.insert("databases".to_owned(), by_site(&|s| self.databases[s.index()].view()));
        view.insert("ftp".to_owned(), by_site(&|s| json!(self.ftp[s.index()])));
        view.insert("gitlab".to_owned(), self.gitlab.view());
        view.insert("sites".to_owned(), by_site(&|s| self.sites[s.index()].view()));
        view.insert("announcements".to_owned(), json!(self.announcements));
        view.insert("running".to_owned(), self.running_view());
        view
    }

    fn records_view(&self) -> Value {
        let zones = self.cloudflare.zones.iter().map(|zone| {
            let mut records: Vec<Value> = zone
                .records
                .iter()
                .map(|r| {
                    let place = r.content.parse().ok().and_then(|a| self.cloud.site_at(a));
                    json!({
                        "type": r.kind.name(), "name": r.name, "content": r.content, "ttl": r.ttl,
                        "proxied": r.proxied, "comment": r.comment, "site": place.map(Site::name),
                    })
                })
                .collect();
            records.sort_by_key(ToString::to_string);
            (zone.name.clone(), Value::Array(records))
        });
        Value::Object(zones.collect())
    }

    fn running_view(&self) -> Value {
        let alive = |n: &u64| {
            let pid = self.programs.get(n);
            pid.is_some_and(|pid| std::path::Path::new(&format!("/proc/{pid}")).exists())
        };
        let running =
            self.calls.running().filter(|call| alive(&call.n)).map(
                |call| json!({"host": call.place, "program": call.operation, "args": call.query}),
            );
        Value::Array(running.collect())
    }
}

/// The key of the daily backup that the initial world holds.
pub(crate) fn first_backup_key() -> String {
    format!("gigadb_{}_live_{}.backup", Site::Hk.dashed(), text::day(1))
}

/// The daily backup that the initial world holds: what the standby has loaded.
pub(crate) fn first_backup() -> String {
    Database::first(38).dump()
}

/// The version that both sites run in the initial world.
pub(crate) const fn first_version() -> &'static str {
    TAGS[0]
}

/// The path of an object in the bucket.
pub(crate) fn object_path(key: &str) -> String {
    format!("/{BUCKET}/{}", text::encode(key))
}
