//! `http`: what a site answers, at the address that DNS gives or at a given one; Host and SNI are the URL's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use url::Url;

use super::Wire;
use super::dns::reach;
use super::wire::{Answer, NoAnswer};
use crate::model::{Digest, Evidence, Kind, Role, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::Http;

/// Characters of a body that are kept.
const SHOWN: usize = 200;

pub(super) fn check(wire: Arc<Wire>, call: Call, with: Http) -> Box<dyn Check> {
    Box::new(Page { wire, call, with })
}

#[derive(Debug)]
struct Page {
    wire: Arc<Wire>,
    call: Call,
    with: Http,
}

/// Why a page was not got.
#[derive(Debug, thiserror::Error)]
pub(super) enum Missing {
    /// The name leads nowhere or the URL is none: nothing was asked.
    #[error("{0}")]
    Nowhere(String),
    /// The site did not answer as it should.
    #[error("{0}")]
    NoAnswer(NoAnswer),
}

#[async_trait]
impl Check for Page {
    async fn look(&self) -> Finding {
        let mut evidence = vec![];
        let verdict = match self.get(&self.with.url, self.with.address.as_deref()).await {
            Ok(answer) => {
                let (verdict, seen) = self.judge(&answer);
                evidence.push(seen);
                match self.with.same_as {
                    Some(role) if verdict == Verdict::Pass => {
                        self.compare(role, &answer, &mut evidence).await
                    }
                    Some(_) | None => verdict,
                }
            }
            Err(missing) => self.missing(&self.with.url, &missing, &mut evidence),
        };
        Finding { verdict, evidence, facts: vec![] }
    }
}

impl Page {
    async fn get(&self, url: &str, address: Option<&str>) -> Result<Answer, Missing> {
        let deadline = self.call.workflow.limits.call.0.min(self.call.timeout);
        get(&self.wire, url, address, deadline).await
    }

    fn judge(&self, answer: &Answer) -> (Verdict, Evidence) {
        let text = answer.text();
        let lacks = self.with.body.as_ref().filter(|it| !text.contains(it.as_str()));
        let (verdict, says) = match lacks {
            _ if answer.status != self.with.status => (
                Verdict::Fail,
                format!("answered {} instead of {}", answer.status, self.with.status),
            ),
            Some(lacks) => (Verdict::Fail, format!("the page does not hold `{lacks}`")),
            None => (Verdict::Pass, format!("answered {} as expected", answer.status)),
        };
        let at = self.with.address.as_deref();
        let seen = self.wire.evidence_with(&source(&self.with.url, at), says, shown(answer, at));
        (verdict, seen)
    }

    fn missing(&self, url: &str, missing: &Missing, evidence: &mut Vec<Evidence>) -> Verdict {
        let at = self.with.address.as_deref();
        let (verdict, says, data) = match missing {
            Missing::Nowhere(why) => (Verdict::Unknown, why.clone(), Value::Null),
            Missing::NoAnswer(NoAnswer::Untrusted(why)) => {
                (Verdict::Fail, format!("TLS: {why}"), json!({ "code": "E3301", "tls": why }))
            }
            Missing::NoAnswer(
                why @ (NoAnswer::Unreachable(_) | NoAnswer::Lost(_) | NoAnswer::TimedOut(_)),
            ) => (Verdict::Unknown, why.to_string(), json!({ "unreachable": true, "address": at })),
            Missing::NoAnswer(why @ NoAnswer::Unmade(_)) => {
                (Verdict::Unknown, why.to_string(), Value::Null)
            }
        };
        evidence.push(self.wire.evidence_with(&source(url, at), says, data));
        verdict
    }

    /// The same path on this role's site, under production's name: byte for byte the same?
    async fn compare(&self, role: Role, ours: &Answer, evidence: &mut Vec<Evidence>) -> Verdict {
        let (url, address) = match self.counterpart(role) {
            Ok(it) => it,
            Err(why) => {
                evidence.push(self.wire.evidence(&source(&self.with.url, None), why));
                return Verdict::Unknown;
            }
        };
        let theirs = match self.get(&url, Some(&address)).await {
            Ok(answer) => answer,
            // That the other site is wrong or silent says nothing about this one.
            Err(missing) => {
                self.missing(&url, &missing, evidence);
                return Verdict::Unknown;
            }
        };
        let (a, b) = (Digest::of(&ours.body), Digest::of(&theirs.body));
        let same = a == b && ours.status == theirs.status && ours.whole && theirs.whole;
        let says = if same {
            format!("the same page as {address}: {}", a.short())
        } else {
            format!("another page than {address}: {} and {}", a.short(), b.short())
        };
        let data = shown(&theirs, Some(&address));
        evidence.push(self.wire.evidence_with(&source(&url, Some(&address)), says, data));
        if same { Verdict::Pass } else { Verdict::Fail }
    }

    fn counterpart(&self, role: Role) -> Result<(String, String), String> {
        let mut url = Url::parse(&self.with.url).map_err(|error| error.to_string())?;
        let site = match role {
            Role::Production => &self.call.production,
            Role::Standby | Role::Quarantined => &self.call.standby,
        };
        let host = url.host_str().unwrap_or_default();
        let record = self
            .call
            .workflow
            .records(Kind::Release)
            .iter()
            .find(|it| it.production == host || it.standby == host)
            .ok_or_else(|| format!("{host} is no name of the switch"))?;
        let address = self.call.record.addresses.get(site);
        let address = address
            .and_then(|own| own.get(record.id.as_str()))
            .ok_or_else(|| format!("the address `{}` of {site} is not known", record.id))?;
        url.set_host(Some(&record.production)).map_err(|error| error.to_string())?;
        Ok((url.to_string(), address.clone()))
    }
}

/// Gets a page once more and more within the deadline; redirects are not followed.
pub(super) async fn get(
    wire: &Wire,
    url: &str,
    address: Option<&str>,
    deadline: Duration,
) -> Result<Answer, Missing> {
    let nowhere = |why: String| Missing::Nowhere(why);
    let mut url = Url::parse(url).map_err(|error| nowhere(format!("`{url}`: {error}")))?;
    let host = url.host_str().ok_or_else(|| nowhere(format!("`{url}` has no name")))?.to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let began = wire.clock.monotonic();
    // What silent resolvers take, in whole seconds, is of the same deadline.
    let at = tokio::time::timeout(deadline, reach(wire, &host, port, address)).await;
    let at = at.map_err(|_| nowhere(format!("{host} is not resolved within {deadline:?}")))?;
    let at = at.map_err(nowhere)?;
    let took = wire.clock.monotonic().saturating_sub(began).as_secs();
    let deadline = deadline.saturating_sub(Duration::from_secs(took));
    // With a port in the URL the client would not use another one; Host keeps it.
    let authority = url.port().map(|port| format!("{host}:{port}"));
    url.set_port(None).map_err(|()| nowhere(format!("`{url}` cannot have a port")))?;
    let mut request = wire.http_at(&host, &at).map_err(Missing::NoAnswer)?.get(url.as_str());
    if let Some(authority) = authority {
        request = request.header(reqwest::header::HOST, authority);
    }
    let call = format!("http {host}{}", url.path());
    wire.read(&call, deadline, request).await.map_err(Missing::NoAnswer)
}

fn source(url: &str, address: Option<&str>) -> String {
    address.map_or_else(|| format!("http {url}"), |it| format!("http {url} at {it}"))
}

fn shown(answer: &Answer, address: Option<&str>) -> Value {
    let start: String = answer.text().chars().take(SHOWN).collect();
    json!({
        "status": answer.status, "address": address, "sha256": Digest::of(&answer.body),
        "bytes": answer.body.len(), "start": start, "location": answer.location,
        "tries": answer.tries,
    })
}
