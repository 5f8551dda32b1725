//! The two sites: HTTPS on their addresses, pages from their databases.

mod authority;
mod listener;

use std::time::Duration;

use serde_json::{Value, json};

use crate::call::Arrival;
use crate::front::{Ask, Reply};
use crate::profile::{self, Site};
use crate::settings::SiteSettings;
use crate::text;
use crate::world::{World, first_version};
pub(crate) use authority::{Authority, Identity};
pub(crate) use listener::serve;

/// How many datasets the feed holds.
const FEED: usize = 10;

/// What a site is at the moment.
#[derive(Clone, Debug)]
pub(crate) struct SiteState {
    version: String,
    configuration: Value,
    requests: u64,
    /// Its containers were stopped; a deployment starts them.
    stopped: bool,
    /// Requests for production's names: those of users, wherever DNS leads by now.
    users: u64,
    /// What the site shows when a TLS connection is opened.
    pub(crate) identity: Identity,
}

impl SiteState {
    /// A site of the initial world.
    pub(crate) fn first(site: Site, identity: Identity) -> Self {
        let configuration = site.first_role().configuration();
        Self {
            version: first_version().to_owned(),
            configuration,
            requests: 0,
            stopped: false,
            users: 0,
            identity,
        }
    }

    /// Puts a version and a configuration live.
    pub(crate) fn deploy(&mut self, version: String, configuration: Value) {
        self.version = version;
        self.configuration = configuration;
        self.stopped = false;
    }

    /// Stops what answers users; says whether it ran.
    pub(crate) fn stop(&mut self) -> bool {
        !std::mem::replace(&mut self.stopped, true)
    }

    /// Whether nothing answers users.
    pub(crate) const fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// How many requests for production's names there were so far.
    pub(crate) const fn users(&self) -> u64 {
        self.users
    }

    fn variable(&self, key: &str) -> &str {
        self.configuration.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the site answers for a name.
    fn serves(&self, host: &str, as_production: bool) -> bool {
        let production = as_production || self.variable("REMOTE_HOSTNAME") == "gigadb.org";
        profile::standby_names().iter().chain(&profile::staging_names()).any(|name| name == host)
            || production && profile::production_names().iter().any(|name| name == host)
    }

    /// The site as the world shows it.
    pub(crate) fn view(&self) -> Value {
        json!({
            "version": self.version, "configuration": self.configuration,
            "requests": self.requests, "users": self.users, "stopped": self.stopped,
        })
    }
}

/// Names the operation of a request.
pub(crate) fn classify(ask: &Ask, arrival: &mut Arrival) {
    let first = ask.path.trim_start_matches('/').split('/').next().unwrap_or_default();
    arrival.operation = format!("{} /{first}", ask.method);
    arrival.place = ask.site.map(|site| site.name().to_owned());
    arrival.changes = ask.method == "POST";
}

/// How long a request takes.
pub(crate) fn takes(world: &World, ask: &Ask) -> Duration {
    let settings = ask.site.and_then(|site| world.settings.sites.get(site.name()));
    let slow = settings.filter(|_| ask.path.starts_with("/dataset/"));
    slow.map_or(Duration::ZERO, |it| text::seconds(it.page_s))
}

/// Answers a request to a site.
pub(crate) fn answer(world: &mut World, ask: &Ask) -> Reply {
    let Some(site) = ask.site else { return plain(404, "no site\n") };
    let settings = world.settings.sites.get(site.name()).cloned().unwrap_or_default();
    if ask.path == "/requests" {
        // What counts requests is not a user.
        return Reply::json(200, &json!({"requests": world.sites[site.index()].users}));
    }
    let host = ask.header("host").unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let user = profile::production_names().contains(&host);
    world.sites[site.index()].requests += 1;
    world.sites[site.index()].users += u64::from(user);
    if let Some(status) = settings.status {
        return plain(status, "asked to fail\n");
    }
    if !world.sites[site.index()].serves(&host, settings.as_production) {
        return plain(404, "no such host here\n");
    }
    page(world, site, ask).with("x-practice-site", site.name())
}

fn page(world: &mut World, site: Site, ask: &Ask) -> Reply {
    let state = &world.sites[site.index()];
    let database = &mut world.databases[site.index()];
    let get = ["GET", "HEAD"].contains(&ask.method.as_str());
    match ask.path.as_str() {
        "/write" if ask.method == "POST" => {
            let query = ask.pairs();
            let Some(key) = text::value(&query, "key") else {
                return plain(400, "key is missing\n");
            };
            if !database.tables || database.session_read_only {
                return plain(503, "writes are refused here\n");
            }
            database.write(key);
            plain(201, "written\n").applied()
        }
        _ if !get => plain(405, "GET only\n"),
        _ if !database.tables => plain(500, "the database is empty\n"),
        "/" => {
            let loaded = database.loaded().unwrap_or("never");
            html(&format!(
                "<h1>GigaDB</h1>\n<p class=\"data\">Datasets: {}, loaded: {loaded}</p>\n\
                 <footer>Version: {}</footer>",
                database.datasets.len(),
                state.version,
            ))
        }
        "/.well-known/changeover" => {
            let settings = world.settings.sites.get(site.name());
            let own = format!("gigadb-{}", site.name());
            let marker = settings.and_then(|it| it.marker.clone()).unwrap_or(own);
            Reply::text(200, "text/plain", format!("{marker}\n"))
        }
        "/rss/latest" => {
            let home = state.variable("HOME_URL");
            let items: Vec<String> = database
                .newest(FEED)
                .iter()
                .map(|row| {
                    format!(
                        "<item><title>{}</title><link>{home}/dataset/{id}</link>\
                         <guid>{id}</guid><pubDate>{}</pubDate></item>\n",
                        row.title,
                        row.published,
                        id = row.identifier,
                    )
                })
                .collect();
            let items = items.concat();
            let feed = format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel>\
                 <title>GigaDB</title><link>{home}</link>\n{items}</channel></rss>\n"
            );
            Reply::text(200, "application/rss+xml", feed)
        }
        path => {
            let wanted = path.strip_prefix("/dataset/").unwrap_or_default();
            match database.datasets.iter().find(|row| row.identifier == wanted) {
                Some(row) => html(&format!("<h1>{}</h1>\n<p>{}</p>", row.title, row.published)),
                None => plain(404, "not found\n"),
            }
        }
    }
}

fn html(inner: &str) -> Reply {
    let page = format!("<!doctype html>\n<html><body>\n{inner}\n</body></html>\n");
    Reply::text(200, "text/html; charset=utf-8", page)
}

fn plain(status: u16, text: &str) -> Reply {
    Reply::text(status, "text/plain", text.to_owned())
}

/// The names that a site's certificate covers.
pub(crate) fn certificate_names(settings: &SiteSettings) -> Vec<String> {
    let mut names = profile::production_names();
    names.extend(profile::standby_names());
    names.extend(profile::staging_names());
    names.retain(|name| !settings.cert_without.contains(name));
    names
}

/// Sites' settings by name, as they were and as they shall be, in one map of what differs.
pub(crate) fn changed(
    before: &std::collections::BTreeMap<String, SiteSettings>,
    after: &std::collections::BTreeMap<String, SiteSettings>,
) -> Vec<(Site, SiteSettings)> {
    let of = |map: &std::collections::BTreeMap<String, SiteSettings>, site: Site| {
        map.get(site.name()).cloned().unwrap_or_default()
    };
    Site::ALL
        .into_iter()
        .map(|site| (site, of(before, site), of(after, site)))
        .filter(|(_, before, after)| {
            (&before.cert_without, before.cert_days) != (&after.cert_without, after.cert_days)
        })
        .map(|(site, _, after)| (site, after))
        .collect()
}
