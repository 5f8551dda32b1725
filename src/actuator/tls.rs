//! `tls`: the certificate served at an address is trusted, covers the names and stays valid.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use x509_parser::parse_x509_certificate;

use super::Wire;
use super::dns::{reach, split};
use super::wire::TimedOut;
use crate::model::{Evidence, Kind, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::Tls;

pub(super) fn check(wire: Arc<Wire>, call: Call, with: Tls) -> Box<dyn Check> {
    Box::new(Certificate { wire, call, with })
}

#[derive(Debug)]
struct Certificate {
    wire: Arc<Wire>,
    call: Call,
    with: Tls,
}

/// One name at one address (`IP:PORT`).
pub(super) async fn one(
    wire: &Arc<Wire>,
    call: &Call,
    name: &str,
    address: &str,
    days_min: u32,
) -> (Verdict, Evidence) {
    let (wire, call) = (Arc::clone(wire), call.clone());
    let with = Tls { address: address.to_owned(), name: None, days_min };
    Certificate { wire, call, with }.name(name).await
}

/// Why there is no certificate to look at.
enum Missing {
    /// No answer: nobody knows.
    Silent(String),
    /// The handshake failed: the certificate is not accepted, or there is no TLS.
    Refused(String),
}

#[async_trait]
impl Check for Certificate {
    async fn look(&self) -> Finding {
        let mut evidence = vec![];
        let (mut failed, mut unknown) = (false, false);
        let names = self.names();
        for name in &names {
            let (verdict, seen) = self.name(name).await;
            failed |= verdict == Verdict::Fail;
            unknown |= verdict == Verdict::Unknown;
            evidence.push(seen);
        }
        let verdict = match (failed, unknown) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Unknown,
            (false, false) => Verdict::Pass,
        };
        Finding { verdict, evidence, facts: vec![] }
    }
}

impl Certificate {
    fn names(&self) -> Vec<String> {
        self.with.name.clone().map_or_else(
            || {
                let records = self.call.workflow.records(Kind::Release);
                records.iter().map(|it| it.production.clone()).collect()
            },
            |name| vec![name],
        )
    }

    async fn name(&self, name: &str) -> (Verdict, Evidence) {
        let source = format!("tls {name} at {}", self.with.address);
        let (verdict, says, data) = match self.shake(name).await {
            Ok(leaf) => self.judge(&leaf),
            Err(Missing::Silent(why)) => (Verdict::Unknown, why, json!({ "unreachable": true })),
            Err(Missing::Refused(why)) => {
                (Verdict::Fail, why.clone(), json!({ "code": "E3301", "tls": why }))
            }
        };
        (verdict, self.wire.evidence_with(&source, says, data))
    }

    /// Verifies chain and name, and gives the certificate itself.
    async fn shake(&self, name: &str) -> Result<Vec<u8>, Missing> {
        let (ip, port) = split(&self.with.address, 443).map_err(Missing::Silent)?;
        let at = SocketAddr::new(ip, port).to_string();
        let at = reach(&self.wire, name, port, Some(&at)).await.map_err(Missing::Silent)?;
        let config = self.wire.tls().map_err(Missing::Silent)?;
        let server = ServerName::try_from(name.to_owned())
            .map_err(|error| Missing::Refused(format!("`{name}`: {error}")))?;
        let work = async {
            let stream = TcpStream::connect(&*at)
                .await
                .map_err(|error| Missing::Silent(format!("no connection: {error}")))?;
            let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
            let stream = connector.connect(server, stream).await.map_err(|error| sorted(&error))?;
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let leaf = chain.first().map(|it| it.to_vec());
            leaf.ok_or_else(|| Missing::Refused("no certificate was shown".into()))
        };
        let deadline = self.call.workflow.limits.call.0.min(self.call.timeout);
        match self.wire.call(&format!("tls {name}"), deadline, work).await {
            Ok(answer) => answer,
            Err(TimedOut(it)) => Err(Missing::Silent(format!("no answer within {it:?}"))),
        }
    }

    fn judge(&self, leaf: &[u8]) -> (Verdict, String, Value) {
        let Ok((_, certificate)) = parse_x509_certificate(leaf) else {
            return (Verdict::Fail, "the certificate cannot be read".into(), Value::Null);
        };
        let until = certificate.validity().not_after.timestamp();
        let days = (until - self.wire.clock.now().timestamp().as_second()).div_euclid(24 * 60 * 60);
        let data = json!({ "days": days, "issuer": certificate.issuer().to_string() });
        if days < i64::from(self.with.days_min) {
            let says = format!("{days} days left, fewer than {}", self.with.days_min);
            return (Verdict::Fail, says, data);
        }
        (Verdict::Pass, format!("trusted, covers the name, {days} days left"), data)
    }
}

/// What TLS says is known; a lost connection is not.
fn sorted(error: &std::io::Error) -> Missing {
    let tls =
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>);
    if tls {
        Missing::Refused(format!("TLS: {error}"))
    } else {
        Missing::Silent(format!("the handshake broke off: {error}"))
    }
}
