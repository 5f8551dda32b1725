//! The one place every outside call goes through: deadline, tap, budget, redaction, limits of what is kept.

mod budget;
pub(in crate::actuator) mod redact;
mod web;

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::model::Evidence;
use crate::port::{Clock, Outside, Tap};
use crate::workflow::Secret;

pub use budget::Spent;
pub use web::{Allowance, Answer, NoAnswer};

/// The longest text kept of an answer, in characters.
const KEPT_MAX: usize = 600;

/// The most entries kept of a list or a map.
const ENTRIES_MAX: usize = 64;

/// An outside call did not answer in time. Its effect may or may not have happened, or may come late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut(pub Duration);

/// Reaches the outside.
#[derive(Debug)]
pub struct Wire {
    /// Where the outside is.
    pub outside: Outside,
    /// Time.
    pub clock: Arc<dyn Clock>,
    tap: Arc<dyn Tap>,
    redact: Mutex<redact::Redact>,
    budget: Mutex<budget::Budget>,
    tls: OnceLock<Result<rustls::ClientConfig, String>>,
    plain: OnceLock<Result<reqwest::Client, String>>,
}

impl Wire {
    /// A wire to this outside.
    pub fn new(outside: Outside, clock: Arc<dyn Clock>, tap: Arc<dyn Tap>) -> Self {
        let redact = Mutex::new(redact::Redact::of_env(&outside.env));
        Self {
            outside,
            clock,
            tap,
            redact,
            budget: Mutex::default(),
            tls: OnceLock::new(),
            plain: OnceLock::new(),
        }
    }

    /// Makes one outside call, bounded. `call` names it in tests: `cloudflare batch gigadb.org`.
    ///
    /// # Errors
    /// It did not answer in time.
    pub async fn call<T>(
        &self,
        call: &str,
        deadline: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, TimedOut> {
        self.tap.before(call).await;
        let answer = tokio::time::timeout(deadline, work).await;
        self.tap.after(call).await;
        answer.map_err(|_| TimedOut(deadline))
    }

    /// Counts one request of this credential against what its provider allows: `most` in `window`.
    /// Three tenths are kept for `back`: rollback and failover.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn spend(
        &self,
        credential: &str,
        most: usize,
        window: Duration,
        back: bool,
    ) -> Result<(), Spent> {
        let now = self.clock.monotonic();
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.spend(credential, now, most, window, back)
    }

    /// The secret this reference leads to. From then on it is struck out of every text kept.
    ///
    /// # Errors
    /// One sentence that names the reference and not the secret.
    pub fn secret(&self, secret: &Secret) -> Result<SecretString, String> {
        let found = match secret {
            Secret::Env(name) => self
                .outside
                .env
                .get(name)
                .filter(|it| !it.expose_secret().is_empty())
                .cloned()
                .ok_or_else(|| format!("the environment variable {name} is not set")),
            Secret::File(path) => std::fs::read_to_string(self.outside.folder.join(path))
                .map(|it| SecretString::from(it.trim_end().to_owned()))
                .map_err(|error| format!("the secret file {path} cannot be read: {error}")),
        }?;
        self.redact.lock().unwrap_or_else(PoisonError::into_inner).learn(found.expose_secret());
        Ok(found)
    }

    /// Evidence read now, with a sentence only.
    pub fn evidence(&self, source: &str, says: impl Into<String>) -> Evidence {
        self.evidence_with(source, says, Value::Null)
    }

    /// Evidence read now, with data. Text is cut and secrets in it are struck out.
    pub fn evidence_with(&self, source: &str, says: impl Into<String>, data: Value) -> Evidence {
        let says = self.clean(&says.into());
        let data = self.clean_value(data);
        Evidence { source: source.to_owned(), at: self.clock.now(), says, data }
    }

    /// This text without secrets, then cut (the other way round half a secret could stay at the cut).
    pub fn clean(&self, text: &str) -> String {
        let text = self.redact.lock().unwrap_or_else(PoisonError::into_inner).strike(text);
        text.chars().take(KEPT_MAX).collect()
    }

    fn clean_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.clean(&text)),
            Value::Array(items) => Value::Array(
                items.into_iter().take(ENTRIES_MAX).map(|it| self.clean_value(it)).collect(),
            ),
            Value::Object(map) => Value::Object(
                map.into_iter()
                    .take(ENTRIES_MAX)
                    .map(|(key, it)| (self.clean(&key), self.clean_value(it)))
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }
}
