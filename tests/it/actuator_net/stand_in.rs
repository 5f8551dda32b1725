//! A Cloudflare of two zones over HTTP: lists in pages, one-transaction batches, and answers that get lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::world::{JOURNAL, NAMES, TOKEN, workflow};
use changeover::workflow::Switch;

pub(super) const ORG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const HOST: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// What happens to the next batch instead of what should.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mishap {
    /// Nothing.
    None,
    /// The connection breaks; it was applied.
    LostAfter,
    /// The connection breaks; it was not applied, and `late` will.
    LostBefore,
    /// It answers too late; it was applied.
    SlowAfter,
    /// This status and code; it was not applied.
    Answer(u16, u64),
    /// 500, after it was applied.
    ErrorAfter,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) records: Vec<(String, Value)>,
    pub(super) batches: Vec<(String, Value)>,
    pub(super) mishaps: VecDeque<Mishap>,
    /// Statuses given to reads first; 429 carries `retry-after: 2`.
    pub(super) reads: VecDeque<u16>,
    pub(super) seen: usize,
    made: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Cloudflare {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

impl Cloudflare {
    /// HK is production, both zones carry mark 4 of our journal.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/client/v4", listener.local_addr().unwrap());
        let it = Self { url, state: Arc::default() };
        let Switch::Cloudflare(switch) = workflow().switch;
        for (record, (_, hk, sydney)) in switch.records.iter().zip(NAMES) {
            it.add(json!({ "type": "A", "name": record.production, "content": hk }));
            it.add(json!({ "type": "A", "name": record.standby, "content": sydney }));
        }
        for zone in ["gigadb.org", "gigadb.host"] {
            it.mark(zone, 4, JOURNAL, "2026-11-21T11:00:00Z");
        }
        let serving = it.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        it
    }

    pub(super) fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap())
    }

    pub(super) fn add(&self, mut record: Value) -> String {
        let zone =
            if record["name"].as_str().unwrap().ends_with("gigadb.org") { ORG } else { HOST };
        self.state(|it| {
            it.made += 1;
            let id = format!("{:032x}", it.made);
            let defaults = json!({ "id": id, "ttl": 60, "proxied": false, "proxiable": true,
                "created_on": "2026-11-21T11:59:00Z", "modified_on": "2026-11-21T11:59:00Z" });
            for (key, value) in defaults.as_object().unwrap() {
                record.as_object_mut().unwrap().entry(key).or_insert(value.clone());
            }
            it.records.push((zone.to_owned(), record));
            id
        })
    }

    pub(super) fn mark(&self, zone: &str, number: u64, journal: &str, created: &str) {
        self.add(json!({ "type": "TXT", "name": format!("_changeover-gigadb.{zone}"),
            "content": format!("\"e={number}\""), "created_on": created,
            "comment": format!("changeover gigadb journal {journal} forth epoch 6 release 2") }));
    }

    pub(super) fn set(&self, name: &str, key: &str, value: Value) {
        self.state(|it| {
            let found = it.records.iter_mut().find(|(_, it)| it["name"] == name).unwrap();
            found.1[key] = value;
        });
    }

    pub(super) fn remove(&self, name: &str) {
        self.state(|it| it.records.retain(|(_, it)| it["name"] != name));
    }

    pub(super) fn content(&self, name: &str) -> Vec<String> {
        let of = |it: &(String, Value)| {
            (it.1["name"] == name)
                .then(|| it.1["content"].as_str().unwrap().trim_matches('"').to_owned())
        };
        self.state(|it| it.records.iter().filter_map(of).collect())
    }

    pub(super) fn mishap(&self, next: &[Mishap]) {
        self.state(|it| it.mishaps.extend(next));
    }

    /// Applies a batch that was sent and got lost, as if it had only been slow; its error code if it fails.
    pub(super) fn late(&self, position: usize) -> Result<(), u64> {
        let (zone, body) = self.state(|it| it.batches[position].clone());
        self.state(|it| it.batch(&zone, &body))
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        loop {
            let (line, head, body) = read(&mut stream).await?;
            let authorized = head.contains(&format!("authorization: Bearer {TOKEN}"));
            let (method, path) = line.split_once(' ')?;
            let path = path.split(' ').next()?.strip_prefix("/client/v4/")?;
            let (status, answer) = if !authorized {
                (403, failure(10000))
            } else if method == "GET" {
                self.get(path)
            } else {
                self.post(path, &serde_json::from_str(&body).unwrap()).await?
            };
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} x\r\n{}content-length: {}\r\n\r\n",
                if status == 429 { "retry-after: 2\r\n" } else { "" },
                answer.len()
            );
            stream.write_all(format!("{head}{answer}").as_bytes()).await.ok()?;
        }
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.state(|it| {
            it.seen += 1;
            if let Some(status) = it.reads.pop_front() {
                return (status, failure(971));
            }
            if let Some(name) = path.strip_prefix("zones?name=") {
                let id = if name == "gigadb.org" { ORG } else { HOST };
                let zone = json!({ "id": id, "name": name, "status": "active",
                    "name_servers": ["ada.ns.example", "bob.ns.example"] });
                return (200, success(json!([zone]), 1));
            }
            let (zone, query) =
                path.strip_prefix("zones/").unwrap().split_once("/dns_records?").unwrap();
            let value = |key: &str| -> usize {
                let pair = query.split('&').find_map(|it| it.strip_prefix(key)).unwrap();
                pair.strip_prefix('=').unwrap().parse().unwrap()
            };
            let (page, per_page) = (value("page"), value("per_page"));
            let all = it.records.iter().filter(|it| it.0 == zone).map(|it| it.1.clone());
            let all: Vec<Value> = all.collect();
            let total = all.len();
            let shown = all.into_iter().skip((page - 1) * per_page).take(per_page).collect();
            (200, success(Value::Array(shown), total))
        })
    }

    /// Nothing when the connection breaks.
    async fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let zone = path.strip_prefix("zones/")?.strip_suffix("/dns_records/batch")?;
        let mishap = self.state(|it| {
            it.batches.push((zone.to_owned(), body.clone()));
            it.mishaps.pop_front().unwrap_or(Mishap::None)
        });
        if let Mishap::Answer(status, code) = mishap {
            return Some((status, failure(code)));
        }
        if matches!(mishap, Mishap::LostBefore) {
            return None;
        }
        let done = self.state(|it| it.batch(zone, body));
        match mishap {
            Mishap::LostAfter | Mishap::LostBefore => return None,
            Mishap::SlowAfter => tokio::time::sleep(Duration::from_secs(2)).await,
            Mishap::ErrorAfter => return Some((500, failure(1000))),
            Mishap::None | Mishap::Answer(_, _) => (),
        }
        Some(match done {
            Ok(()) => (200, success(json!({}), 0)),
            Err(code) => (400, failure(code)),
        })
    }
}

impl State {
    fn batch(&mut self, zone: &str, body: &Value) -> Result<(), u64> {
        let list = |key: &str| body[key].as_array().cloned().unwrap_or_default();
        let mut next = self.records.clone();
        for delete in list("deletes") {
            let before = next.len();
            next.retain(|(_, it)| it["id"] != delete["id"]);
            if next.len() == before {
                return Err(81044);
            }
        }
        for patch in list("patches") {
            let found = next.iter_mut().find(|it| it.0 == zone && it.1["id"] == patch["id"]);
            let found = found.ok_or(81044_u64)?;
            for (key, value) in patch.as_object().unwrap() {
                found.1[key] = value.clone();
            }
        }
        for mut post in list("posts") {
            let same = |it: &(String, Value)| {
                let content = it.1["content"].as_str().unwrap().trim_matches('"');
                it.0 == zone && it.1["name"] == post["name"] && content == post["content"]
            };
            if next.iter().any(same) {
                return Err(81058);
            }
            self.made += 1;
            post["id"] = json!(format!("{:032x}", self.made));
            post["created_on"] = json!("2026-11-21T12:00:00Z");
            next.push((zone.to_owned(), post));
        }
        self.records = next;
        Ok(())
    }
}

/// Reads one request: its first line, its head, its body.
pub(super) async fn read<S: AsyncReadExt + Unpin>(
    stream: &mut S,
) -> Option<(String, String, String)> {
    let mut bytes = vec![];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |it| it.parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&bytes[end..]).into_owned();
    Some((head.lines().next()?.to_owned(), head, body))
}

fn failure(code: u64) -> Value {
    json!({ "success": false, "errors": [{ "code": code, "message": "as told" }], "messages": [], "result": null })
}

fn success(result: Value, total: usize) -> Value {
    json!({ "success": true, "errors": [], "messages": [], "result": result,
        "result_info": { "total_count": total } })
}
