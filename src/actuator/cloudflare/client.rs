//! The few calls of Cloudflare's interface that the switch needs, with their exact names.
//!
//! The provider's own facts: 1200 requests in five minutes a user; lists say their pages
//! in `result_info`; a batch answers with its first error and then nothing of it was applied.

use std::sync::Arc;
use std::time::Duration;

use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::actuator::Wire;
use crate::actuator::wire::{Allowance, Answer, NoAnswer};
use crate::machine::At;
use crate::model::{Evidence, Kind, RowKept, Time, Way};
use crate::workflow::{Cloudflare, Switch, Workflow, Zone};

/// What Cloudflare allows: requests in a window.
const MOST: usize = 1200;
/// The window of [`MOST`].
const WINDOW: Duration = Duration::from_mins(5);
/// Records a page.
const PAGE: usize = 500;
/// More pages than any plan has records for: 3500.
const PAGES_MAX: usize = 20;
/// "A record already exists", "an identical record already exists".
const EXISTS: [u64; 2] = [81057, 81058];

/// One zone as Cloudflare knows it.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::actuator) struct Found {
    pub(super) id: String,
    name: String,
    /// The name servers that the zone must be delegated to.
    #[serde(default)]
    pub(in crate::actuator) name_servers: Vec<String>,
}

/// One record as Cloudflare knows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) content: String,
    pub(super) ttl: u32,
    #[serde(default)]
    pub(super) proxied: bool,
    #[serde(default)]
    pub(super) comment: Option<String>,
    #[serde(default, rename = "created_on")]
    created: Option<String>,
    #[serde(default, rename = "modified_on")]
    modified: Option<String>,
}

impl Row {
    /// When it was made.
    pub(super) fn created(&self) -> Option<Time> {
        self.created.as_deref().and_then(Time::parse)
    }

    /// What is kept of it in an armed plan.
    pub(super) fn kept(&self) -> RowKept {
        RowKept {
            id: self.id.clone(),
            name: self.name.clone(),
            kind: self.r#type.clone(),
            content: self.content.clone(),
            ttl: self.ttl,
            proxied: self.proxied,
            comment: self.comment.clone(),
            created: self.created.clone(),
        }
    }

    /// The record that was kept.
    pub(super) fn of(kept: &RowKept) -> Self {
        Self {
            id: kept.id.clone(),
            name: kept.name.clone(),
            r#type: kept.kind.clone(),
            content: kept.content.clone(),
            ttl: kept.ttl,
            proxied: kept.proxied,
            comment: kept.comment.clone(),
            created: kept.created.clone(),
            modified: None,
        }
    }

    /// When it was last changed.
    pub(super) fn modified(&self) -> Option<Time> {
        self.modified.as_deref().and_then(Time::parse)
    }
}

/// Why a call did not do what it should.
#[derive(Clone, Debug)]
pub(in crate::actuator) struct Trouble {
    pub(in crate::actuator) kind: Why,
    pub(in crate::actuator) evidence: Evidence,
}

/// What a failed call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::actuator) enum Why {
    /// It certainly had no effect.
    Refused,
    /// It had no effect because what it creates exists: somebody else was first.
    Taken,
    /// It may have had an effect, or may still have.
    Unknown,
}

/// One batch: deletes, then patches, then posts, all or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    pub(super) deletes: Vec<Value>,
    pub(super) patches: Vec<Value>,
    pub(super) posts: Vec<Value>,
}

impl Batch {
    /// What is sent.
    pub(super) fn body(&self) -> Value {
        let lists =
            [("deletes", &self.deletes), ("patches", &self.patches), ("posts", &self.posts)];
        let filled = lists.into_iter().filter(|(_, items)| !items.is_empty());
        Value::Object(filled.map(|(list, items)| (list.to_owned(), items.clone().into())).collect())
    }
}

/// Where the batches of a zone are sent.
pub(super) fn batch_path(id: &str) -> String {
    format!("zones/{id}/dns_records/batch")
}

/// Cloudflare, with the credentials of one workflow.
#[derive(Clone, Debug)]
pub(in crate::actuator) struct Client {
    pub(super) wire: Arc<Wire>,
    token: SecretString,
    deadline: Duration,
    back: bool,
}

impl Client {
    /// A client for this workflow. Rollback and failover may use the whole allowance of requests.
    ///
    /// # Errors
    /// The token is not there.
    pub(in crate::actuator) fn new(
        wire: &Arc<Wire>,
        workflow: &Workflow,
        at: Option<At>,
    ) -> Result<Self, Evidence> {
        let token = wire
            .secret(&switch(workflow).token)
            .map_err(|why| wire.evidence_with("cloudflare", why, json!({ "code": "E3001" })))?;
        let back = at.is_some_and(|at| at.way == Way::Back || at.kind == Kind::Failover);
        Ok(Self { wire: Arc::clone(wire), token, deadline: workflow.limits.call.0, back })
    }

    /// The zone of this name, with the pinned id if there is one.
    pub(in crate::actuator) async fn zone(&self, zone: &Zone) -> Result<Found, Trouble> {
        let call = format!("cloudflare zone {}", zone.name);
        let path = format!("zones?name={}", zone.name);
        let answer = self.list(&call, &path).await?;
        let found = answer.get("result").cloned().unwrap_or_default();
        let mut found: Vec<Found> =
            serde_json::from_value(found).map_err(|it| self.unreadable(&call, &it.to_string()))?;
        found.retain(|it| it.name == zone.name && zone.id.as_ref().is_none_or(|id| *id == it.id));
        let many = found.len();
        match (found.pop(), many) {
            (Some(one), 1) => Ok(one),
            (None | Some(_), _) => Err(self.trouble(
                Why::Refused,
                &call,
                format!(
                    "the token sees {many} zones {} with the id in the file, not one",
                    zone.name
                ),
                json!({ "code": "E3105", "zone": zone.name, "id": zone.id }),
            )),
        }
    }

    /// All records of every zone of the switch, by zone.
    pub(super) async fn every(
        &self,
        workflow: &Workflow,
    ) -> Result<Vec<(String, Vec<Row>)>, Trouble> {
        let mut zones = vec![];
        for zone in &switch(workflow).zones {
            let id = self.zone(zone).await?.id;
            zones.push((zone.name.clone(), self.rows(&zone.name, &id).await?));
        }
        Ok(zones)
    }

    /// What the provider says of our token, and how many requests it leaves us, where it says so.
    pub(super) async fn verify(&self) -> Result<(Value, Option<Allowance>), Trouble> {
        let call = "cloudflare token";
        self.allowed(call)?;
        let request =
            self.request(call, |http, base| http.get(format!("{base}/user/tokens/verify")))?;
        let answer = self.wire.read(call, self.deadline, request).await;
        let allowance = answer.as_ref().ok().and_then(|it| it.allowance);
        Ok((self.judged(call, answer)?, allowance))
    }

    /// All records of a zone, in one order.
    pub(super) async fn rows(&self, zone: &str, id: &str) -> Result<Vec<Row>, Trouble> {
        let call = format!("cloudflare records {zone}");
        let mut rows: Vec<Row> = vec![];
        for page in 1..=PAGES_MAX {
            let path = format!(
                "zones/{id}/dns_records?page={page}&per_page={PAGE}&order=name&direction=asc"
            );
            let answer = self.list(&call, &path).await?;
            let result = answer.get("result").cloned().unwrap_or_default();
            let more: Vec<Row> = serde_json::from_value(result)
                .map_err(|it| self.unreadable(&call, &it.to_string()))?;
            let last = more.is_empty();
            rows.extend(more);
            let info = |key: &str| answer.pointer(&format!("/result_info/{key}"))?.as_u64();
            let total = info("total_count").and_then(|it| usize::try_from(it).ok());
            // Without a count a short page is the last one.
            if last || total.map_or(rows.len() < page * PAGE, |total| rows.len() >= total) {
                return Ok(rows);
            }
        }
        Err(self.unreadable(&call, "more pages than a zone can have"))
    }

    /// Sends this batch once.
    pub(super) async fn batch(&self, zone: &str, id: &str, batch: &Batch) -> Result<(), Trouble> {
        let call = format!("cloudflare batch {zone}");
        let body = batch.body();
        self.allowed(&call)?;
        let request = self.request(&call, |http, base| {
            http.post(format!("{base}/{}", batch_path(id))).json(&body)
        })?;
        let answer = self.wire.send(&call, self.deadline, request).await;
        self.judged(&call, answer).map(|_| ())
    }

    async fn list(&self, call: &str, path: &str) -> Result<Value, Trouble> {
        self.allowed(call)?;
        let request = self.request(call, |http, base| http.get(format!("{base}/{path}")))?;
        let answer = self.wire.read(call, self.deadline, request).await;
        self.judged(call, answer)
    }

    fn request(
        &self,
        call: &str,
        make: impl FnOnce(reqwest::Client, &str) -> RequestBuilder,
    ) -> Result<RequestBuilder, Trouble> {
        let http = self.wire.http().map_err(|it| self.unanswered(call, &it))?;
        Ok(make(http, &self.wire.outside.cloudflare).bearer_auth(self.token.expose_secret()))
    }

    fn allowed(&self, call: &str) -> Result<(), Trouble> {
        self.wire.spend("cloudflare", MOST, WINDOW, self.back).map_err(|spent| {
            let says = format!(
                "the allowance of requests is used up for {} s, apart from what is kept for the way back",
                spent.after.as_secs() + 1
            );
            self.trouble(Why::Refused, call, says, json!({ "code": "E3106" }))
        })
    }

    /// The envelope of a success; everything else is sorted by what it may have done.
    fn judged(&self, call: &str, answer: Result<Answer, NoAnswer>) -> Result<Value, Trouble> {
        let answer = answer.map_err(|it| self.unanswered(call, &it))?;
        let json = answer.json().unwrap_or_default();
        let success = json.get("success").and_then(Value::as_bool);
        if answer.is_success() && success == Some(true) {
            return Ok(json);
        }
        let code = json.pointer("/errors/0/code").and_then(Value::as_u64);
        let text = json.pointer("/errors/0/message").and_then(Value::as_str).unwrap_or_default();
        let kind = match (answer.status, code) {
            (_, Some(code)) if EXISTS.contains(&code) => Why::Taken,
            // 408: the request may have been read.
            (408, _) => Why::Unknown,
            (300..=499, _) => Why::Refused,
            (_, _) => Why::Unknown,
        };
        let said = code.map_or_else(String::new, |code| format!(", {code}: {text}"));
        let says = format!("{} answered{said}", answer.status);
        let data = json!({ "status": answer.status, "error": code, "tries": answer.tries });
        Err(self.trouble(kind, call, says, data))
    }

    fn unanswered(&self, call: &str, why: &NoAnswer) -> Trouble {
        let kind = if why.without_effect() { Why::Refused } else { Why::Unknown };
        self.trouble(kind, call, why.to_string(), json!({ "code": "E3001" }))
    }

    fn unreadable(&self, call: &str, why: &str) -> Trouble {
        self.trouble(
            Why::Unknown,
            call,
            format!("the answer is not understood: {why}"),
            Value::Null,
        )
    }

    fn trouble(&self, kind: Why, call: &str, says: String, data: Value) -> Trouble {
        Trouble { kind, evidence: self.wire.evidence_with(call, says, data) }
    }
}

/// The only kind of switch there is.
pub(super) const fn switch(workflow: &Workflow) -> &Cloudflare {
    let Switch::Cloudflare(it) = &workflow.switch;
    it
}
