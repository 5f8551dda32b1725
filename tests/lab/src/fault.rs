//! Faults on demand: rules that meet the next matching requests.

use serde::{Deserialize, Serialize};

use crate::call::{Arrival, Service};

/// What happens to a request that a rule meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The connection is closed at once, nothing takes effect.
    Refuse,
    /// This status is answered, nothing takes effect.
    Status(u16),
    /// The effect happens, then 500 is answered.
    ServerErrorAfter,
    /// Held, then closed; nothing takes effect.
    TimeoutBefore,
    /// The effect happens now, then the connection is held and closed.
    TimeoutAfter,
    /// A batch is torn: its first half takes effect, then 500 is answered.
    Half,
    /// Closed now; the effect happens later.
    Late,
    /// A host command is started, then its connection is cut.
    Cut,
}

/// One rule, as the control API takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// The service that the rule is about.
    pub(crate) service: Service,
    /// HTTP method, exactly.
    pub(crate) method: Option<String>,
    /// A part of the path.
    pub(crate) path: Option<String>,
    /// A part of the operation's name.
    pub(crate) operation: Option<String>,
    /// AWS region, site or host name, exactly.
    pub(crate) place: Option<String>,
    /// A part of the body.
    pub(crate) body_contains: Option<String>,
    /// Matching requests that pass before the rule acts.
    #[serde(default)]
    pub(crate) skip: u32,
    /// Matching requests that it then acts upon.
    #[serde(default = "one")]
    pub(crate) times: u32,
    /// What it does.
    pub(crate) action: String,
    /// How long a connection is held before it is closed.
    #[serde(default = "one_second")]
    pub(crate) hold_s: f64,
    /// How much later the effect of `late` happens.
    #[serde(default = "one_second")]
    pub(crate) late_s: f64,
    /// The `retry-after` of a 429.
    #[serde(default = "one")]
    pub(crate) retry_after: u32,
    /// How often the rule has acted.
    #[serde(default)]
    pub(crate) hits: u32,
}

const fn one() -> u32 {
    1
}

const fn one_second() -> f64 {
    1.0
}

impl Rule {
    /// The action, or why it is none.
    pub(crate) fn action(&self) -> Result<Action, String> {
        Ok(match self.action.as_str() {
            "refuse" => Action::Refuse,
            "500_after" => Action::ServerErrorAfter,
            "timeout_before" => Action::TimeoutBefore,
            "timeout_after" => Action::TimeoutAfter,
            "half" => Action::Half,
            "late" => Action::Late,
            "cut" => Action::Cut,
            other => {
                let code = other.strip_prefix("status:").unwrap_or(other);
                let code = code.parse().map_err(|_| format!("unknown action {other:?}"))?;
                Action::Status(code)
            }
        })
    }

    fn meets(&self, service: Service, arrival: &Arrival) -> bool {
        let part = |want: &Option<String>, have: &str| {
            want.as_ref().is_none_or(|want| have.contains(want.as_str()))
        };
        self.service == service
            && self.method.as_ref().is_none_or(|want| want.eq_ignore_ascii_case(&arrival.method))
            && self.place.as_ref().is_none_or(|want| Some(want) == arrival.place.as_ref())
            && part(&self.path, &arrival.path)
            && part(&self.operation, &arrival.operation)
            && part(&self.body_contains, &String::from_utf8_lossy(&arrival.body))
    }
}

/// The rule that a request meets, if any; the first one that is ready acts, and all count.
pub(crate) fn take(rules: &mut [Rule], service: Service, arrival: &Arrival) -> Option<Rule> {
    let mut met = None;
    for rule in rules.iter_mut().filter(|rule| rule.meets(service, arrival)) {
        if rule.skip > 0 {
            rule.skip -= 1;
        } else if met.is_none() && rule.times > 0 {
            rule.times -= 1;
            rule.hits += 1;
            met = Some(rule.clone());
        }
    }
    met
}
