//! HTTP over the wire: one TLS configuration, no proxies, no redirects, bounded bodies, retries of reads only.

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{TimedOut, Wire};

/// The most read of a body, bytes.
const BODY_MAX: usize = 4 << 20;

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How often a read is made at most.
const READS_MAX: u32 = 4;

/// The wait before the second read; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// An HTTP answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// How long the provider asks us to wait.
    pub retry_after: Option<Duration>,
    /// Where it points to, for a redirect.
    pub location: Option<String>,
    /// Its body; at most 4 MiB.
    pub body: Vec<u8>,
    /// Nothing was cut off the body.
    pub whole: bool,
    /// How many requests it took; more than one for reads only.
    pub tries: u32,
    /// How many requests the provider still allows, where it says so.
    pub allowance: Option<Allowance>,
}

/// How many requests a provider still allows in the present window, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What is left.
    pub left: u64,
    /// What there was.
    pub of: u64,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, if it is that.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// 2xx.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The request could not be made; nothing was sent.
    #[error("the request cannot be made: {0}")]
    Unmade(String),
    /// No connection; nothing was sent.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The other side's certificate was not accepted; nothing was sent.
    #[error("TLS: {0}")]
    Untrusted(String),
    /// The request may have been received.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The request may have been received, or may still be.
    #[error("no answer within {0:.0?}")]
    TimedOut(Duration),
}

impl NoAnswer {
    /// The request certainly had no effect.
    pub const fn without_effect(&self) -> bool {
        match self {
            Self::Unmade(_) | Self::Unreachable(_) | Self::Untrusted(_) => true,
            Self::Lost(_) | Self::TimedOut(_) => false,
        }
    }
}

impl Wire {
    /// The TLS configuration of every connection: the system's roots, or those in `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// One sentence when there are no roots.
    pub fn tls(&self) -> Result<ClientConfig, String> {
        self.tls.get_or_init(|| self.load_tls()).clone()
    }

    fn load_tls(&self) -> Result<ClientConfig, String> {
        let file = self.outside.env.get("SSL_CERT_FILE").map(ExposeSecret::expose_secret);
        let found = match file {
            Some(file) => rustls_native_certs::load_certs_from_paths(Some(Path::new(file)), None),
            None => rustls_native_certs::load_native_certs(),
        };
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
            return Err(format!("no root certificates were found: {}", why.join("; ")));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth())
    }

    /// The client for providers' interfaces: names are resolved by the system, connections are kept.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn http(&self) -> Result<reqwest::Client, NoAnswer> {
        self.plain
            .get_or_init(|| self.builder()?.build().map_err(|error| error.to_string()))
            .clone()
            .map_err(NoAnswer::Unmade)
    }

    /// A client that reaches `host` at these addresses; Host and SNI stay `host`.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn http_at(&self, host: &str, at: &[SocketAddr]) -> Result<reqwest::Client, NoAnswer> {
        self.builder()
            .and_then(|it| it.resolve_to_addrs(host, at).build().map_err(|e| e.to_string()))
            .map_err(NoAnswer::Unmade)
    }

    fn builder(&self) -> Result<reqwest::ClientBuilder, String> {
        Ok(reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls()?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_MAX)
            .user_agent(concat!("changeover/", env!("CARGO_PKG_VERSION"))))
    }

    /// Sends one request once.
    ///
    /// # Errors
    /// Why there is no answer, and with that whether it may have had an effect.
    pub async fn send(
        &self,
        call: &str,
        deadline: Duration,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, NoAnswer> {
        match self.call(call, deadline, exchange(request)).await {
            Ok(answer) => answer,
            Err(TimedOut(deadline)) => Err(NoAnswer::TimedOut(deadline)),
        }
    }

    /// Sends a request that changes nothing; asks again, within the deadline, when it meets a lost
    /// connection, a 429 or a 5xx.
    ///
    /// # Errors
    /// Why the last try got no answer.
    pub async fn read(
        &self,
        call: &str,
        deadline: Duration,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, NoAnswer> {
        let end = self.clock.monotonic() + deadline;
        let mut wait = FIRST_WAIT;
        for tries in 1.. {
            let Some(again) = request.try_clone() else { break };
            let left = end.saturating_sub(self.clock.monotonic());
            let answer = self.send(call, left, again).await.map(|it| Answer { tries, ..it });
            let asked = match &answer {
                Ok(it) if it.status == 429 || it.status >= 500 => it.retry_after.unwrap_or(wait),
                Err(NoAnswer::Unreachable(_) | NoAnswer::Lost(_)) => wait,
                Ok(_)
                | Err(NoAnswer::Unmade(_) | NoAnswer::Untrusted(_) | NoAnswer::TimedOut(_)) => {
                    return answer;
                }
            };
            if tries >= READS_MAX || self.clock.monotonic() + asked >= end {
                return answer;
            }
            self.clock.sleep(asked).await;
            wait *= 2;
        }
        Err(NoAnswer::Unmade("its body cannot be sent again".into()))
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer, NoAnswer> {
    let mut response = request.send().await.map_err(|error| why(&error))?;
    let status = response.status().as_u16();
    let retry_after = seconds(response.headers());
    let allowance = allowance(response.headers());
    let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
    let location = location.map(str::to_owned);
    let mut body = Vec::new();
    let mut whole = true;
    while let Some(chunk) = response.chunk().await.map_err(|error| why(&error))? {
        let room = BODY_MAX - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() > room {
            whole = false;
            break;
        }
    }
    Ok(Answer { status, retry_after, location, body, whole, tries: 1, allowance })
}

fn seconds(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// `x-ratelimit-remaining` and `x-ratelimit-limit`, or the newer `ratelimit: …;r=50` and `ratelimit-policy: …;q=100`.
fn allowance(headers: &HeaderMap) -> Option<Allowance> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let part = |name: &str, key: &str| {
        text(name)?.split(';').find_map(|it| it.trim().strip_prefix(key)?.trim().parse().ok())
    };
    let plain = |name: &str| text(name)?.trim().parse().ok();
    let left = plain("x-ratelimit-remaining").or_else(|| part("ratelimit", "r="))?;
    let of = plain("x-ratelimit-limit").or_else(|| part("ratelimit-policy", "q="))?;
    Some(Allowance { left, of })
}

/// Sorts what went wrong by whether the request may have been received.
fn why(error: &reqwest::Error) -> NoAnswer {
    if let Some(tls) = tls_error(error) {
        return NoAnswer::Untrusted(tls);
    }
    let text = innermost(error);
    if error.is_builder() {
        NoAnswer::Unmade(text)
    } else if error.is_connect() {
        NoAnswer::Unreachable(text)
    } else {
        NoAnswer::Lost(text)
    }
}

/// The innermost cause; the outer ones repeat the URL, which may hold a secret.
fn innermost(error: &reqwest::Error) -> String {
    let mut inner: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(next) = inner.and_then(std::error::Error::source) {
        inner = Some(next);
    }
    inner.map_or_else(|| "no cause was given".to_owned(), ToString::to_string)
}

/// An error of TLS before anything of the request was sent, if that is what it was.
fn tls_error(error: &reqwest::Error) -> Option<String> {
    let mut next: Option<&(dyn std::error::Error + 'static)> =
        if error.is_connect() { error.source() } else { None };
    while let Some(error) = next {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = error
            .downcast_ref::<rustls::Error>()
            .or_else(|| wrapped.and_then(|it| it.downcast_ref::<rustls::Error>()));
        if let Some(tls) = tls {
            return Some(tls.to_string());
        }
        next =
            wrapped.map(|it| it as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    None
}
