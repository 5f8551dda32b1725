//! The one place every outside call goes through: deadline, tap, redaction, limits of what is kept.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::model::Evidence;
use crate::port::{Clock, Outside, Tap};
use crate::workflow::Secret;

/// The longest text kept of an answer, in characters.
const KEPT_MAX: usize = 600;

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
}

impl Wire {
    /// A wire to this outside.
    pub fn new(outside: Outside, clock: Arc<dyn Clock>, tap: Arc<dyn Tap>) -> Self {
        Self { outside, clock, tap }
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

    /// The secret this reference leads to.
    ///
    /// # Errors
    /// One sentence that names the reference and not the secret.
    pub fn secret(&self, secret: &Secret) -> Result<SecretString, String> {
        match secret {
            Secret::Env(name) => self
                .outside
                .env
                .get(name)
                .filter(|it| !it.expose_secret().is_empty())
                .cloned()
                .ok_or_else(|| format!("the environment variable {name} is not set")),
            Secret::File(path) => std::fs::read_to_string(path)
                .map(|it| SecretString::from(it.trim_end().to_owned()))
                .map_err(|error| format!("the secret file {path} cannot be read: {error}")),
        }
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

    /// This text without secrets, cut.
    pub fn clean(&self, text: &str) -> String {
        let mut text: String = text.chars().take(KEPT_MAX).collect();
        for (name, secret) in &self.outside.env {
            let secret = secret.expose_secret();
            if is_secret_name(name) && secret.len() >= 6 && text.contains(secret) {
                text = text.replace(secret, "[secret]");
            }
        }
        text
    }

    fn clean_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.clean(&text)),
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|it| self.clean_value(it)).collect())
            }
            Value::Object(map) => {
                Value::Object(map.into_iter().map(|(k, v)| (k, self.clean_value(v))).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }
}

/// Which environment variables hold secrets, by the words their names use.
fn is_secret_name(name: &str) -> bool {
    ["TOKEN", "SECRET", "PASSWORD", "KEY", "ANNOUNCE_URL", "WEBHOOK", "CREDENTIAL"]
        .iter()
        .any(|word| name.to_ascii_uppercase().contains(word))
}
