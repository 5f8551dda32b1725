//! The record of every request that reached the practice cloud.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::text;

/// The outside service that a request was made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    /// Cloudflare's API.
    Cloudflare,
    /// GitLab's API.
    Gitlab,
    /// The layer before moto.
    Aws,
    /// ssh sessions and the programs of the practice hosts.
    Host,
    /// DNS queries.
    Dns,
    /// HTTPS requests to the sites.
    Site,
    /// The announcement sink.
    Webhook,
    /// Control and host programs; never recorded.
    Control,
}

/// Bytes of an answer that are kept.
const ANSWER_KEPT: usize = 64 * 1024;
/// Bytes of a request body that are kept: more than any API call needs, so that each can be judged whole.
/// Uploads to the bucket may be larger.
const BODY_KEPT: usize = 4 * 1024 * 1024;

/// One request, as it is recorded.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Call {
    /// Number in order of arrival, from 1.
    pub(crate) n: u64,
    /// Time of arrival.
    pub(crate) at: String,
    /// The service asked.
    pub(crate) service: Service,
    /// What was asked, as counts group it.
    pub(crate) operation: String,
    /// AWS region, site or host name, where there is one.
    pub(crate) place: Option<String>,
    /// HTTP method; `SSH`, `RUN`, `UDP` or `TCP` elsewhere.
    pub(crate) method: String,
    /// Path as sent.
    pub(crate) path: String,
    /// Query as sent.
    pub(crate) query: String,
    /// Headers as sent, secrets replaced.
    pub(crate) headers: Map<String, Value>,
    /// Body text, its beginning where it is larger than what is kept.
    pub(crate) body: String,
    /// Bytes that the body had; more than `body` has when it was cut or is not text.
    pub(crate) body_bytes: usize,
    /// Status answered; 0 when the connection was closed without an answer.
    pub(crate) status: u16,
    /// The answer's beginning.
    pub(crate) answer: String,
    /// Whether it is of a kind that changes state.
    pub(crate) changes: bool,
    /// Whether it changed state.
    pub(crate) applied: bool,
    /// Whether it has ended.
    pub(crate) ended: bool,
    /// When; empty before.
    pub(crate) ended_at: String,
    /// The fault that it met.
    pub(crate) fault: Option<String>,
}

/// What is known of a request when it arrives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrival {
    /// See [`Call::operation`].
    pub(crate) operation: String,
    /// See [`Call::place`].
    pub(crate) place: Option<String>,
    /// See [`Call::method`].
    pub(crate) method: String,
    /// See [`Call::path`].
    pub(crate) path: String,
    /// See [`Call::query`].
    pub(crate) query: String,
    /// Header names and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body's bytes.
    pub(crate) body: Vec<u8>,
    /// See [`Call::changes`].
    pub(crate) changes: bool,
}

/// All calls since the last reset.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    list: Vec<Call>,
}

impl Calls {
    /// Records an arrival and gives it its number.
    pub(crate) fn begin(&mut self, service: Service, arrival: &Arrival) -> u64 {
        let n = self.list.len() as u64 + 1;
        self.list.push(Call {
            n,
            at: text::stamp(text::now()),
            service,
            operation: arrival.operation.clone(),
            place: arrival.place.clone(),
            method: arrival.method.clone(),
            path: arrival.path.clone(),
            query: arrival.query.clone(),
            headers: arrival.headers.iter().map(|(k, v)| (k.clone(), redacted(k, v))).collect(),
            body: text::head(&arrival.body, BODY_KEPT),
            body_bytes: arrival.body.len(),
            status: 0,
            answer: String::new(),
            changes: arrival.changes,
            applied: false,
            ended: false,
            ended_at: String::new(),
            fault: None,
        });
        n
    }

    /// Changes a recorded call; nothing happens for one of an earlier world.
    pub(crate) fn update(&mut self, n: u64, change: impl FnOnce(&mut Call)) {
        let index = usize::try_from(n).unwrap_or(0).wrapping_sub(1);
        if let Some(call) = self.list.get_mut(index) {
            change(call);
        }
    }

    /// Records the end of a call.
    pub(crate) fn end(&mut self, n: u64, status: u16, answer: &[u8], applied: bool) {
        self.update(n, |call| {
            call.status = status;
            call.answer = text::head(answer, ANSWER_KEPT);
            call.applied |= applied;
            call.ended = true;
            call.ended_at = text::stamp(text::now());
        });
    }

    /// The calls that a filter lets through.
    pub(crate) fn filtered(&self, query: &[(String, String)]) -> Value {
        let is = |key: &str, have: &str| text::value(query, key).is_none_or(|want| want == have);
        let since: u64 = text::value(query, "since").and_then(|n| n.parse().ok()).unwrap_or(0);
        let found = self.list.iter().filter(|call| {
            call.n > since
                && text::value(query, "service").is_none_or(|want| json!(call.service) == want)
                && is("changes", if call.changes { "true" } else { "false" })
                && is("applied", if call.applied { "true" } else { "false" })
                && is("operation", &call.operation)
                && is("place", call.place.as_deref().unwrap_or(""))
        });
        json!(found.collect::<Vec<_>>())
    }

    /// Requests, changing requests and applied changes by service and operation.
    pub(crate) fn counts(&self) -> Value {
        let mut counts: BTreeMap<String, BTreeMap<&str, [u64; 3]>> = BTreeMap::new();
        for call in &self.list {
            let service = json!(call.service).as_str().unwrap_or_default().to_owned();
            let count = counts.entry(service).or_default().entry(&call.operation).or_default();
            count[0] += 1;
            count[1] += u64::from(call.changes);
            count[2] += u64::from(call.applied);
        }
        let shown = |[requests, changing, applied]: [u64; 3]| json!({"requests": requests, "changing": changing, "applied": applied});
        let services = counts.into_iter().map(|(service, operations)| {
            let operations: Map<String, Value> = operations
                .into_iter()
                .map(|(name, count)| (name.to_owned(), shown(count)))
                .collect();
            (service, Value::Object(operations))
        });
        Value::Object(services.collect())
    }

    /// Calls of host programs that have not ended.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Call> {
        self.list.iter().filter(|call| !call.ended && call.method == "RUN")
    }
}

/// A header's value, without what nobody should find in a record.
fn redacted(name: &str, value: &str) -> Value {
    let name = name.to_ascii_lowercase();
    if name == "authorization" && value.starts_with("AWS4-HMAC-SHA256") {
        let scope = value.split(", Signature=").next().unwrap_or_default();
        return json!(scope.split(",Signature=").next().unwrap_or_default());
    }
    if name == "authorization"
        && let Some((scheme @ ("Bearer" | "Basic"), _)) = value.split_once(' ')
    {
        // The scheme is no secret, and whether it was the right one can be judged.
        return json!(format!("{scheme} (redacted)"));
    }
    let secret = ["authorization", "private-token", "x-amz-security-token", "cookie", "job-token"];
    if secret.contains(&name.as_str()) { json!("(redacted)") } else { json!(value) }
}
