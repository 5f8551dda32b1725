//! Changes of a zone: everything or nothing, in Cloudflare's order.

use serde_json::{Map, Value, json};

use super::Zone;
use super::record::{Kind, Record};
use crate::text;

/// Lists of a batch, in the order in which they are carried out.
const ORDER: [&str; 4] = ["deletes", "patches", "puts", "posts"];
/// Records that one batch of a free zone may name.
const BATCH_LIMIT: usize = 200;
/// Records that a free zone may hold.
const ZONE_LIMIT: usize = 200;

/// Why a request is refused.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// HTTP status.
    pub(crate) status: u16,
    /// Cloudflare's code.
    pub(crate) code: u32,
    /// The sentence beside it.
    pub(crate) message: String,
}

impl Failure {
    /// A failure.
    pub(crate) fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A body that breaks the schema.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(400, 9207, format!("Request body is invalid: {message}."))
    }
}

/// Where a record of this id is.
pub(crate) fn find(records: &[Record], id: &str) -> Result<usize, Failure> {
    let at = records.iter().position(|record| record.id == id);
    at.ok_or_else(|| Failure::new(404, 81044, "Record does not exist."))
}

/// One change on its own.
pub(crate) fn one(
    zone: &mut Zone,
    next: &mut u64,
    list: &str,
    body: &Map<String, Value>,
) -> Result<Value, Failure> {
    let mut records = zone.records.clone();
    let view = apply(&mut records, &zone.name, next, list, body)?;
    zone.adopt(records);
    Ok(view)
}

/// A batch: the first failing change fails it all.
///
/// With `half`, only the first half of the changes takes effect: a fault, for tests.
pub(crate) fn batch(
    zone: &mut Zone,
    next: &mut u64,
    body: &Map<String, Value>,
    half: bool,
) -> Result<Value, Failure> {
    if body.is_empty() {
        return Err(Failure::invalid("the batch is empty"));
    }
    if let Some(unknown) = body.keys().find(|key| !ORDER.contains(&key.as_str())) {
        return Err(Failure::invalid(&format!("unknown list {unknown}")));
    }
    let mut changes = Vec::new();
    for list in ORDER {
        let empty = Vec::new();
        let items = match body.get(list) {
            None | Some(Value::Null) => &empty,
            Some(Value::Array(items)) => items,
            Some(_) => return Err(Failure::invalid(&format!("{list} is not a list"))),
        };
        for item in items {
            let item = item.as_object();
            let item = item.ok_or_else(|| Failure::invalid(&format!("{list} holds no objects")))?;
            changes.push((list, item.clone()));
        }
    }
    if changes.len() > BATCH_LIMIT {
        return Err(Failure::new(400, 81061, "A batch may name at most 200 records."));
    }
    let count = if half { changes.len().div_ceil(2) } else { changes.len() };
    let mut records = zone.records.clone();
    let mut result = Map::from_iter(ORDER.map(|list| (list.to_owned(), Value::Null)));
    for (list, item) in &changes[..count] {
        let view = apply(&mut records, &zone.name, next, list, item);
        let view = view.map_err(|failed| Failure { status: 400, ..failed })?;
        if result[*list].is_null() {
            result[*list] = json!([]);
        }
        if let Some(shown) = result[*list].as_array_mut() {
            shown.push(view);
        }
    }
    zone.adopt(records);
    Ok(Value::Object(result))
}

fn apply(
    records: &mut Vec<Record>,
    zone: &str,
    next: &mut u64,
    list: &str,
    body: &Map<String, Value>,
) -> Result<Value, Failure> {
    let now = text::stamp(text::now());
    if list == "posts" {
        if body.contains_key("id") {
            return Err(Failure::invalid("a new record has no id"));
        }
        if records.len() >= ZONE_LIMIT {
            return Err(Failure::new(400, 81045, "Record quota exceeded."));
        }
        *next += 1;
        let record = Record::written(body, zone, *next, &now)?;
        fits(records, &record)?;
        records.push(record.clone());
        return Ok(record.view());
    }
    let id = body.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| Failure::invalid("id is required"))?;
    let at = find(records, id)?;
    if list == "deletes" {
        return Ok(records.remove(at).view());
    }
    let mut record = records[at].clone();
    if list == "puts" {
        let fresh = Record::written(body, zone, 0, &now)?;
        record = fresh.in_place_of(&record);
    } else if body.len() < 2 {
        return Err(Failure::invalid("a patch names a field"));
    } else {
        record.change(body, zone, &now)?;
    }
    fits(records, &record)?;
    records[at] = record.clone();
    Ok(record.view())
}

/// Whether a record may stand beside the others.
fn fits(records: &[Record], new: &Record) -> Result<(), Failure> {
    let refuse = |code, message: &str| Err(Failure::new(400, code, message));
    for other in records.iter().filter(|other| other.id != new.id && other.name == new.name) {
        if other.kind == new.kind && other.plain() == new.plain() {
            return if other.ttl == new.ttl && other.proxied == new.proxied {
                refuse(81058, "An identical record already exists.")
            } else {
                refuse(81057, "The record already exists.")
            };
        }
        if other.kind == Kind::Cname {
            return refuse(81054, "A CNAME record with that host already exists.");
        }
        if new.kind == Kind::Cname {
            return refuse(81053, "An A, AAAA, or CNAME record with that host already exists.");
        }
    }
    Ok(())
}
