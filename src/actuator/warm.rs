//! `site.warm`: pages that the site's database names are asked, and each answers in time. Asking warms them, so
//! that a second look finds what the first one missed.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use serde_json::json;

use super::http::{Missing, get};
use super::trouble::coded;
use super::wire::NoAnswer;
use super::{Wire, database};
use crate::fault::E3303;
use crate::model::{Evidence, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::SiteWarm;

/// What stands for a page's name in the URL.
const NAME: &str = "{}";

pub(super) fn check(wire: Arc<Wire>, call: Call, with: SiteWarm) -> Box<dyn Check> {
    Box::new(Warm { wire, call, with })
}

#[derive(Debug)]
struct Warm {
    wire: Arc<Wire>,
    call: Call,
    with: SiteWarm,
}

#[async_trait]
impl Check for Warm {
    async fn look(&self) -> Finding {
        let (verdict, evidence) = self.found().await;
        Finding { verdict, evidence, facts: vec![] }
    }
}

impl Warm {
    async fn found(&self) -> (Verdict, Vec<Evidence>) {
        let SiteWarm { query, url, address, within } = &self.with;
        let site = self.call.on.as_ref().unwrap_or(&self.call.standby);
        let names = match database::words(&self.wire, &self.call.workflow, site, query).await {
            Ok(names) => names,
            Err(trouble) => return (Verdict::Unknown, vec![trouble.evidence(&self.wire)]),
        };
        if names.is_empty() {
            // Nothing was asked, so nothing is known to answer.
            let says = format!("the database names no page: {query}");
            return (Verdict::Fail, vec![coded(&self.wire, &E3303, &format!("http {url}"), says)]);
        }
        let urls: Vec<String> = names.iter().map(|name| url.replace(NAME, name)).collect();
        let pages = join_all(urls.iter().map(|url| self.page(url))).await;
        let bad: Vec<_> = pages.into_iter().filter_map(Result::err).collect();
        let any = |verdict| bad.iter().any(|it| it.0 == verdict);
        let verdict = if any(Verdict::Fail) {
            Verdict::Fail
        } else if any(Verdict::Unknown) {
            Verdict::Unknown
        } else {
            Verdict::Pass
        };
        let (all, well) = (urls.len(), urls.len() - bad.len());
        let says = format!("{well} of {all} pages answered within {within} at {address}");
        let said = self.wire.evidence_with(&format!("http {url}"), says, json!({ "pages": all }));
        // What stands in the way is told last: that is what people are shown.
        (verdict, [said].into_iter().chain(bad.into_iter().map(|it| it.1)).collect())
    }

    /// Asks one page; what is wrong with it.
    async fn page(&self, url: &str) -> Result<(), (Verdict, Evidence)> {
        let SiteWarm { address, within, .. } = &self.with;
        let source = format!("http {url} at {address}");
        let wrong = |says: String| Err((Verdict::Fail, coded(&self.wire, &E3303, &source, says)));
        let deadline = self.call.workflow.limits.call.0.min(self.call.timeout);
        let began = self.wire.clock.monotonic();
        let answer = get(&self.wire, url, Some(address), deadline).await;
        let took = self.wire.clock.monotonic().saturating_sub(began);
        match answer {
            Ok(answer) if !answer.is_success() => wrong(format!("answered {}", answer.status)),
            Ok(_) if took > within.0 => {
                wrong(format!("took {} ms, more than {within}", took.as_millis()))
            }
            Ok(_) => Ok(()),
            Err(Missing::NoAnswer(NoAnswer::Untrusted(why))) => wrong(format!("TLS: {why}")),
            Err(why) => Err((Verdict::Unknown, self.wire.evidence(&source, why.to_string()))),
        }
    }
}
