//! `tls.group`: every production name of the switch has a certificate at the address that it would have at a site.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::{Wire, aws, tls};
use crate::model::{Evidence, Kind, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::TlsGroup;

pub(super) fn check(wire: Arc<Wire>, call: Call, with: TlsGroup) -> Box<dyn Check> {
    Box::new(Names { wire, call, with })
}

#[derive(Debug)]
struct Names {
    wire: Arc<Wire>,
    call: Call,
    with: TlsGroup,
}

#[async_trait]
impl Check for Names {
    async fn look(&self) -> Finding {
        let found = match self.found().await {
            Ok(found) => found,
            Err(evidence) => vec![(Verdict::Unknown, evidence)],
        };
        let any = |verdict| found.iter().any(|it| it.0 == verdict);
        let verdict = if any(Verdict::Fail) {
            Verdict::Fail
        } else if any(Verdict::Unknown) || found.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Pass
        };
        let mut evidence: Vec<Evidence> = found.into_iter().map(|it| it.1).collect();
        if evidence.is_empty() {
            evidence.push(self.wire.evidence("workflow", "no name is left to look at"));
        }
        Finding { verdict, evidence, facts: vec![] }
    }
}

impl Names {
    async fn found(&self) -> Result<Vec<(Verdict, Evidence)>, Evidence> {
        let site = self.call.on.as_ref().unwrap_or(&self.call.standby);
        let own = aws::eip::addresses(&self.wire, &self.call.workflow, site).await?;
        let records = self.call.workflow.records(Kind::Release);
        let looked = records
            .iter()
            .filter(|it| !self.with.except.iter().any(|id| id == it.id.as_str()))
            .map(|it| {
                let address = own.get(it.id.as_str()).map(|ip| format!("{ip}:443"));
                async move {
                    match address {
                        Some(address) => {
                            tls::one(
                                &self.wire,
                                &self.call,
                                &it.production,
                                &address,
                                self.with.days_min,
                            )
                            .await
                        }
                        None => {
                            let says = format!("{site} has no address for {}", it.id);
                            (Verdict::Unknown, self.wire.evidence("aws ec2", says))
                        }
                    }
                }
            });
        Ok(join_all(looked).await)
    }
}
