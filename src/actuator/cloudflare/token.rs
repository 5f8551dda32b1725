//! `cloudflare.token`: the token of the switch is active, and a swap and its way back can still be afforded.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::client::{Client, Why};
use crate::actuator::Wire;
use crate::actuator::wire::Allowance;
use crate::model::{Evidence, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::CloudflareToken;

pub(in crate::actuator) fn check(
    wire: Arc<Wire>,
    call: Call,
    with: CloudflareToken,
) -> Box<dyn Check> {
    Box::new(Token { wire, call, with })
}

#[derive(Debug)]
struct Token {
    wire: Arc<Wire>,
    call: Call,
    with: CloudflareToken,
}

#[async_trait]
impl Check for Token {
    async fn look(&self) -> Finding {
        let (verdict, evidence) = self.found().await.unwrap_or_else(|it| (Verdict::Unknown, it));
        Finding { verdict, evidence: vec![evidence], facts: vec![] }
    }
}

impl Token {
    async fn found(&self) -> Result<(Verdict, Evidence), Evidence> {
        let client = Client::new(&self.wire, &self.call.workflow, Some(self.call.at))?;
        let (answer, allowance) = match client.verify().await {
            Ok(it) => it,
            // What refuses the token knows it.
            Err(it) if it.kind == Why::Refused && refused(&it.evidence) => {
                return Ok((Verdict::Fail, it.evidence));
            }
            Err(it) => return Err(it.evidence),
        };
        let (verdict, says) = self.judge(&answer, allowance);
        let mut data = json!({
            "left": allowance.map(|it| it.left), "of": allowance.map(|it| it.of),
            "expires": answer.pointer("/result/expires_on"),
        });
        if verdict == Verdict::Fail {
            data["code"] = json!("E3110");
        }
        Ok((verdict, self.wire.evidence_with("cloudflare", says, data)))
    }

    fn judge(&self, answer: &Value, allowance: Option<Allowance>) -> (Verdict, String) {
        let status = answer.pointer("/result/status").and_then(Value::as_str);
        let share = u64::from(self.with.left_percent);
        match (status, allowance) {
            (None, _) => (Verdict::Unknown, "the answer does not say how the token is".to_owned()),
            (Some(status), _) if status != "active" => {
                (Verdict::Fail, format!("the token is {status}"))
            }
            (Some(_), None) => (
                Verdict::Unknown,
                "the token is active; how many requests are left is not said".to_owned(),
            ),
            (Some(_), Some(it)) if it.left * 100 < it.of * share => {
                let says =
                    format!("{} of {} requests are left, fewer than {share} %", it.left, it.of);
                (Verdict::Fail, says)
            }
            (Some(_), Some(it)) => (
                Verdict::Pass,
                format!("the token is active; {} of {} requests are left", it.left, it.of),
            ),
        }
    }
}

fn refused(evidence: &Evidence) -> bool {
    let status = evidence.data.get("status").and_then(Value::as_u64);
    status.is_some_and(|it| it == 401 || it == 403)
}
