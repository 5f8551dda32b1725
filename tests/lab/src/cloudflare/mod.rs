//! Cloudflare's DNS API, version 4: zones, records, batches, the token check.

mod list;
mod record;
mod transaction;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::call::Arrival;
use crate::front::{Ask, Reply};
use crate::profile::{CLOUDFLARE_TOKEN, RECORDS, STAGING, ZONES};
use crate::settings::Settings;
use crate::text;
use crate::world::{Cloud, World};
pub(crate) use record::{Kind, Record};
pub(crate) use transaction::Failure;

/// Path before every call.
pub(crate) const BASE: &str = "/client/v4";

/// One zone, with every state that it has had.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    /// The zone's id.
    pub(crate) id: String,
    /// The zone's name.
    pub(crate) name: String,
    /// The zone's name servers.
    pub(crate) name_servers: [String; 2],
    /// The records of now.
    pub(crate) records: Vec<Record>,
    /// When each state was reached; the first one holds from ever.
    pub(crate) versions: Vec<(Instant, Arc<Vec<Record>>)>,
    created: String,
}

/// The practice Cloudflare.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cloudflare {
    /// All zones.
    pub(crate) zones: Vec<Zone>,
    requests: VecDeque<Instant>,
    blocked_until: Option<Instant>,
    next: u64,
}

impl Zone {
    /// The records as they were at a time.
    pub(crate) fn as_of(&self, at: Option<Instant>) -> (usize, Arc<Vec<Record>>) {
        let found = self
            .versions
            .iter()
            .enumerate()
            .rev()
            .find(|(_, (since, _))| at.is_some_and(|at| *since <= at));
        let (index, (_, records)) = found.unwrap_or((0, &self.versions[0]));
        (index, Arc::clone(records))
    }

    /// Makes these the records of now.
    fn adopt(&mut self, records: Vec<Record>) {
        self.versions.push((Instant::now(), Arc::new(records.clone())));
        self.records = records;
    }

    fn view(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "status": "active", "paused": false, "type": "full",
            "development_mode": 0, "name_servers": self.name_servers,
            "original_name_servers": null, "original_registrar": null, "original_dnshost": null,
            "created_on": self.created, "modified_on": self.created, "activated_on": self.created,
            "account": {"id": text::hex32("account"), "name": "Practice"},
            "owner": {"id": null, "type": "user", "email": null},
            "plan": {"id": text::hex32("plan"), "name": "Free Website", "legacy_id": "free"},
            "permissions": ["#zone:read", "#dns_records:read", "#dns_records:edit"],
            "meta": {"step": 4, "custom_certificate_quota": 0, "page_rule_quota": 3,
                "phishing_detected": false},
        })
    }
}

impl Cloudflare {
    /// The zones and records of the initial world.
    pub(crate) fn first(cloud: &Cloud) -> Self {
        let mut cloudflare = Self::default();
        // Nobody has touched them for a month.
        let now = text::stamp(text::now() - jiff::SignedDuration::from_hours(24 * 30));
        for name in ZONES {
            let records = RECORDS
                .iter()
                .chain(&STAGING)
                .flat_map(|(production, standby, place)| {
                    crate::profile::Site::ALL.into_iter().map(move |site| {
                        let name = match site.first_role() {
                            crate::profile::Role::Production => production,
                            crate::profile::Role::Standby => standby,
                        };
                        (*name, cloud.address(site, *place))
                    })
                })
                .filter(|(record, _)| zone_of(record) == Some(name))
                .map(|(record, address)| {
                    cloudflare.next += 1;
                    Record::new(Kind::A, record, &address.to_string(), cloudflare.next, &now)
                })
                .collect::<Vec<_>>();
            cloudflare.zones.push(Zone {
                id: text::hex32(name),
                name: name.to_owned(),
                name_servers: ["ada.ns.cloudflare.com".into(), "bob.ns.cloudflare.com".into()],
                versions: vec![(Instant::now(), Arc::new(records.clone()))],
                records,
                created: now.clone(),
            });
        }
        cloudflare
    }

    /// The value of the A record of a name.
    pub(crate) fn address(&self, name: &str) -> Option<&str> {
        let records = self.zones.iter().flat_map(|zone| &zone.records);
        records
            .filter(|record| record.kind == Kind::A && record.name == name)
            .map(|record| record.content.as_str())
            .next()
    }

    /// Requests that are left in the window; a test may have used some of them up.
    fn left(&self, settings: &Settings) -> usize {
        let used = self.requests.len() + settings.cloudflare_used;
        settings.cloudflare_limit.saturating_sub(used)
    }

    /// Counts a request; says for how long requests are refused.
    fn bucket(&mut self, settings: &Settings) -> Option<Duration> {
        let now = Instant::now();
        let window = text::seconds(settings.cloudflare_window_s);
        if let Some(until) = self.blocked_until {
            if now < until {
                return Some(until - now);
            }
            self.blocked_until = None;
            self.requests.clear();
        }
        while self.requests.front().is_some_and(|at| now.duration_since(*at) >= window) {
            self.requests.pop_front();
        }
        self.requests.push_back(now);
        if self.requests.len() > settings.cloudflare_limit {
            self.blocked_until = Some(now + window);
            return Some(window);
        }
        None
    }
}

/// The zone that a name lies in.
pub(crate) fn zone_of(name: &str) -> Option<&'static str> {
    ZONES.into_iter().find(|zone| name == *zone || name.ends_with(&format!(".{zone}")))
}

/// Names the operation of a request.
pub(crate) fn classify(ask: &Ask, arrival: &mut Arrival) {
    let path = ask.path.strip_prefix(BASE).unwrap_or(&ask.path);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let what = match parts.as_slice() {
        ["zones"] => "zones",
        ["zones", _] => "zone",
        ["zones", _, "dns_records"] => "dns_records",
        ["zones", _, "dns_records", "batch"] => "dns_records/batch",
        ["zones", _, "dns_records", _] => "dns_record",
        ["user", "tokens", "verify"] => "tokens/verify",
        _ => "unknown",
    };
    arrival.operation = format!("{} {what}", ask.method);
    arrival.changes = ask.method != "GET";
}

/// A failure in Cloudflare's envelope.
pub(crate) fn failure(status: u16, code: u32, message: &str) -> Reply {
    let errors = json!([{"code": code, "message": message}]);
    let body = json!({"success": false, "errors": errors, "messages": [], "result": null});
    Reply::json(status, &body)
}

/// A result in Cloudflare's envelope.
fn success(result: &Value) -> Reply {
    Reply::json(200, &json!({"success": true, "errors": [], "messages": [], "result": result}))
}

impl From<Failure> for Reply {
    fn from(failed: Failure) -> Self {
        failure(failed.status, failed.code, &failed.message)
    }
}

/// Answers a request.
pub(crate) fn answer(world: &mut World, ask: &Ask) -> Reply {
    if let Some(wait) = world.cloudflare.bucket(&world.settings) {
        let text = "Please wait and consider throttling your request speed";
        return failure(429, 971, text).with("retry-after", wait.as_secs().max(1));
    }
    let left = world.cloudflare.left(&world.settings);
    let window = world.settings.cloudflare_window_s;
    limited(world, ask)
        .with("x-ratelimit-limit", world.settings.cloudflare_limit)
        .with("x-ratelimit-remaining", left)
        .with("x-ratelimit-reset", window.ceil())
}

fn limited(world: &mut World, ask: &Ask) -> Reply {
    let token = ask.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if token != Some(CLOUDFLARE_TOKEN) {
        return failure(401, 10000, "Authentication error");
    }
    routed(world, ask).unwrap_or_else(Reply::from)
}

fn routed(world: &mut World, ask: &Ask) -> Result<Reply, Failure> {
    let no_route = || {
        Failure::new(
            404,
            7003,
            format!("Could not route to {}, perhaps your object identifier is invalid?", ask.path),
        )
    };
    let path = ask.path.strip_prefix(BASE).ok_or_else(no_route)?;
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["user", "tokens", "verify"] if ask.method == "GET" => {
            let status = &world.settings.cloudflare_token;
            Ok(success(&json!({"id": text::hex32("token"), "status": status})))
        }
        ["zones"] if ask.method == "GET" => list::zones(&world.cloudflare.zones, &ask.pairs()),
        ["zones", id, rest @ ..] => {
            let cloudflare = &mut world.cloudflare;
            let index = cloudflare.zones.iter().position(|zone| zone.id == *id);
            let index = index.ok_or_else(no_route)?;
            in_zone(cloudflare, index, rest, ask).unwrap_or_else(|| Err(no_route()))
        }
        _ => Err(no_route()),
    }
}

/// A request about one zone; nothing when there is no such route.
fn in_zone(
    cloudflare: &mut Cloudflare,
    index: usize,
    rest: &[&str],
    ask: &Ask,
) -> Option<Result<Reply, Failure>> {
    let zone = &mut cloudflare.zones[index];
    let next = &mut cloudflare.next;
    let reply = match (ask.method.as_str(), rest) {
        ("GET", []) => Ok(success(&zone.view())),
        ("GET", ["dns_records"]) => list::records(zone, &ask.pairs()),
        ("GET", ["dns_records", id]) => {
            transaction::find(&zone.records, id).map(|at| success(&zone.records[at].view()))
        }
        ("POST", ["dns_records", "batch"]) => body(ask)
            .and_then(|body| transaction::batch(zone, next, &body, ask.half))
            .map(|result| success(&result)),
        ("POST", ["dns_records"]) => body(ask)
            .and_then(|body| transaction::one(zone, next, "posts", &body))
            .map(|result| success(&result)),
        ("PATCH" | "PUT", ["dns_records", id]) => {
            let list = if ask.method == "PUT" { "puts" } else { "patches" };
            body(ask)
                .and_then(|body| with_id(body, id))
                .and_then(|body| transaction::one(zone, next, list, &body))
                .map(|result| success(&result))
        }
        ("DELETE", ["dns_records", id]) => {
            let body = Map::from_iter([("id".to_owned(), json!(id))]);
            transaction::one(zone, next, "deletes", &body)
                .map(|_| Reply::json(200, &json!({"result": {"id": id}})))
        }
        _ => return None,
    };
    Some(reply.map(|reply| Reply { applied: ask.method != "GET", ..reply }))
}

fn with_id(mut body: Map<String, Value>, id: &str) -> Result<Map<String, Value>, Failure> {
    if body.is_empty() {
        return Err(Failure::invalid("the body names no field"));
    }
    match body.insert("id".to_owned(), json!(id)) {
        None => Ok(body),
        Some(same) if same == id => Ok(body),
        Some(_) => Err(Failure::invalid("the body has another id than the path")),
    }
}

fn body(ask: &Ask) -> Result<Map<String, Value>, Failure> {
    match ask.json() {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(Failure::new(400, 9207, "Request body is invalid.")),
    }
}
