//! Lists of zones and records: filters, order, pages.

use serde_json::{Value, json};

use super::Zone;
use super::record::Record;
use super::transaction::Failure;
use crate::front::Reply;
use crate::text;

type Pairs = [(String, String)];

/// Fields with text filters, and the operators that stand behind a dot.
const FILTERED: [&str; 3] = ["name", "content", "comment"];
const OPERATORS: [&str; 6] = ["exact", "contains", "startswith", "endswith", "present", "absent"];
const PLAIN: [&str; 9] =
    ["type", "proxied", "match", "tag_match", "page", "per_page", "order", "direction", "search"];

/// The list of zones.
pub(crate) fn zones(zones: &[Zone], query: &Pairs) -> Result<Reply, Failure> {
    let known = [
        "name",
        "status",
        "account.id",
        "account.name",
        "page",
        "per_page",
        "order",
        "direction",
        "match",
        "type",
    ];
    if let Some((key, _)) = query.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(unknown(key));
    }
    let wanted = text::value(query, "name");
    let mut found: Vec<&Zone> = zones
        .iter()
        .filter(|zone| wanted.is_none_or(|want| zone_named(&zone.name, want)))
        .filter(|_| text::value(query, "status").is_none_or(|status| status == "active"))
        .collect();
    if text::value(query, "direction") == Some("desc") {
        found.reverse();
    }
    paged(found.into_iter().map(Zone::view).collect(), query, (5, 50, 20))
}

fn zone_named(name: &str, want: &str) -> bool {
    match want.split_once(':') {
        None => name == want,
        Some(("equal", want)) => name == want,
        Some(("contains", want)) => name.contains(want),
        Some(("starts_with", want)) => name.starts_with(want),
        Some(("ends_with", want)) => name.ends_with(want),
        Some(_) => false,
    }
}

/// The list of a zone's records.
pub(crate) fn records(zone: &Zone, query: &Pairs) -> Result<Reply, Failure> {
    for (key, value) in query {
        let base = key.split('.').next().unwrap_or_default();
        let operator = key.split_once('.').map(|(_, operator)| operator);
        let filter = FILTERED.contains(&base) || base == "tag";
        let fine = if filter {
            operator.is_none_or(|operator| OPERATORS.contains(&operator))
        } else {
            PLAIN.contains(&key.as_str())
        };
        let boolean = key != "proxied" || ["true", "false"].contains(&value.as_str());
        if !fine || !boolean {
            return Err(unknown(key));
        }
    }
    let any = text::value(query, "match") == Some("any");
    let mut found: Vec<&Record> = zone.records.iter().filter(|r| meets(r, query, any)).collect();
    match text::value(query, "order") {
        Some("type") => found.sort_by_key(|record| record.kind.name()),
        Some("content") => found.sort_by(|a, b| a.content.cmp(&b.content)),
        Some("ttl") => found.sort_by_key(|record| record.ttl),
        Some("proxied") => found.sort_by_key(|record| record.proxied),
        _ => found.sort_by(|a, b| a.name.cmp(&b.name)),
    }
    if text::value(query, "direction") == Some("desc") {
        found.reverse();
    }
    paged(found.into_iter().map(Record::view).collect(), query, (1, 5_000_000, 100))
}

fn meets(record: &Record, query: &Pairs, any: bool) -> bool {
    let mut verdicts = query.iter().filter_map(|(key, want)| {
        let (base, operator) = key.split_once('.').unwrap_or((key, "exact"));
        let have = match base {
            "type" => return Some(record.kind.name() == want),
            "proxied" => return Some(record.proxied.to_string() == *want),
            "tag" => return Some(operator == "absent"),
            "name" => record.name.clone(),
            "content" => record.plain(),
            "comment" => record.comment.clone().unwrap_or_default(),
            _ => return None,
        };
        let want = if base == "content" {
            want.trim_matches('"').to_owned()
        } else {
            want.to_ascii_lowercase()
        };
        let have = if base == "content" { have } else { have.to_ascii_lowercase() };
        Some(match operator {
            "contains" => have.contains(&want),
            "startswith" => have.starts_with(&want),
            "endswith" => have.ends_with(&want),
            "present" => !have.is_empty(),
            "absent" => have.is_empty(),
            _ => have == want,
        })
    });
    if any {
        let verdicts: Vec<bool> = verdicts.collect();
        verdicts.is_empty() || verdicts.contains(&true)
    } else {
        verdicts.all(|verdict| verdict)
    }
}

fn unknown(key: &str) -> Failure {
    Failure::new(400, 9207, format!("The query parameter {key} is invalid."))
}

/// One page of a list; the limits are least, most and default entries of a page.
fn paged(
    all: Vec<Value>,
    query: &Pairs,
    (least, most, default): (usize, usize, usize),
) -> Result<Reply, Failure> {
    let number = |key, default: usize, least: usize, most: usize| match text::value(query, key) {
        None => Ok(default),
        Some(value) => {
            let parsed = value.parse().ok().filter(|n| (least..=most).contains(n));
            parsed.ok_or_else(|| unknown(key))
        }
    };
    let per_page = number("per_page", default, least, most)?;
    let page = number("page", 1, 1, usize::MAX)?;
    let total = all.len();
    let shown: Vec<Value> =
        all.into_iter().skip((page - 1).saturating_mul(per_page)).take(per_page).collect();
    let info = json!({
        "page": page, "per_page": per_page, "count": shown.len(), "total_count": total,
        "total_pages": total.div_ceil(per_page),
    });
    let body = json!({
        "success": true, "errors": [], "messages": [], "result": shown, "result_info": info,
    });
    Ok(Reply::json(200, &body))
}
