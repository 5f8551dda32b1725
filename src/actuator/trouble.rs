//! How outside calls go wrong, said the same way for all worlds: what is known of the effect, and the words for it.

use serde_json::json;

use crate::actuator::Wire;
use crate::fault::Code;
use crate::model::{Evidence, Verdict};
use crate::port::{Finding, Seen, Sent};

/// An outside call that gave no usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The page that explains it.
    pub code: &'static Code,
    /// What was called, for example `aws rds ap-east-1`.
    pub source: String,
    /// What was seen, one sentence.
    pub says: String,
    /// It is known that nothing was changed: the other side refused, or nothing was sent.
    pub harmless: bool,
}

impl Trouble {
    /// Trouble of which nothing is known beyond the sentence.
    pub(super) fn new(code: &'static Code, source: &str, says: impl Into<String>) -> Self {
        Self { code, source: source.to_owned(), says: says.into(), harmless: false }
    }

    /// The same, known to have changed nothing.
    pub(super) fn harmless(code: &'static Code, source: &str, says: impl Into<String>) -> Self {
        Self { harmless: true, ..Self::new(code, source, says) }
    }

    /// As evidence; its data names the page.
    pub(super) fn evidence(&self, wire: &Wire) -> Evidence {
        coded(wire, self.code, &self.source, self.says.clone())
    }

    /// As the answer of a check that could not be made.
    pub(super) fn finding(&self, wire: &Wire) -> Finding {
        finding(Verdict::Unknown, vec![self.evidence(wire)])
    }

    /// As what an action saw when it could not look.
    pub(super) fn seen(&self, wire: &Wire) -> Seen {
        Seen::Unknown { evidence: vec![self.evidence(wire)] }
    }

    /// As what became of a request.
    pub(super) fn sent(&self, wire: &Wire) -> Sent {
        let evidence = vec![self.evidence(wire)];
        if self.harmless { Sent::Refused { evidence } } else { Sent::Unknown { evidence } }
    }
}

/// Evidence that names the page which explains it.
pub(super) fn coded(
    wire: &Wire,
    code: &'static Code,
    source: &str,
    says: impl Into<String>,
) -> Evidence {
    wire.evidence_with(source, says, json!({ "code": code.id }))
}

/// A finding without facts.
pub(super) const fn finding(verdict: Verdict, evidence: Vec<Evidence>) -> Finding {
    Finding { verdict, evidence, facts: vec![] }
}

/// `Pass` if this holds, else `Fail`.
pub(super) const fn verdict(holds: bool) -> Verdict {
    if holds { Verdict::Pass } else { Verdict::Fail }
}
