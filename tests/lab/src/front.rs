//! The front door of every HTTP service: reads, records, applies faults, answers.

use std::fmt;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::call::{Arrival, Service};
use crate::fault::{Action, Rule};
use crate::lab::Lab;
use crate::profile::Site;
use crate::text;

/// The largest body that is read.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// One request, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// HTTP method.
    pub(crate) method: String,
    /// Path as sent.
    pub(crate) path: String,
    /// Query as sent.
    pub(crate) query: String,
    /// Headers in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Bytes,
    /// The site, for requests to sites.
    pub(crate) site: Option<Site>,
    /// Whether only the first half of a batch shall take effect.
    pub(crate) half: bool,
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Bytes,
    /// Whether state was changed.
    pub(crate) applied: bool,
}

/// The connection is closed without an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed on purpose")
    }
}

impl std::error::Error for Closed {}

impl Ask {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The decoded query.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        text::pairs(&self.query)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Reply {
    /// An answer of JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// An answer of text.
    pub(crate) fn text(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Self { status, headers, body: body.into(), applied: false }
    }

    /// The same answer, having changed state.
    pub(crate) const fn applied(mut self) -> Self {
        self.applied = true;
        self
    }

    /// The same answer with one more header.
    pub(crate) fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// Serves a service on a listener until the process ends.
pub(crate) async fn serve(lab: Lab, service: Service, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(connection(lab.clone(), service, None, stream));
    }
}

/// Serves one connection.
pub(crate) async fn connection<S>(lab: Lab, service: Service, site: Option<Site>, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handler = service_fn(move |request| handle(lab.clone(), service, site, request));
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), handler)
        .await;
    drop(served); // a closed connection is nothing to report
}

async fn read(site: Option<Site>, request: Request<Incoming>) -> Result<Ask, Closed> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| Closed)?.to_bytes();
    let headers = parts
        .headers
        .iter()
        .map(|(k, v)| (k.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()));
    Ok(Ask {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body,
        site,
        half: false,
    })
}

async fn handle(
    lab: Lab,
    service: Service,
    site: Option<Site>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Closed> {
    let ask = read(site, request).await?;
    if service == Service::Control {
        return Ok(response(&ask, lab.answer(service, ask.clone()).await));
    }
    let mut arrival = Arrival {
        method: ask.method.clone(),
        path: ask.path.clone(),
        query: ask.query.clone(),
        headers: ask.headers.clone(),
        body: ask.body.to_vec(),
        ..Arrival::default()
    };
    Lab::classify(service, &ask, &mut arrival);
    // Before anybody can see that it has come.
    let goes = lab.goes();
    let (n, generation, rule) = lab.with(|world| {
        let n = world.calls.begin(service, &arrival);
        let rule = crate::fault::take(&mut world.faults, service, &arrival);
        if let Some(rule) = &rule {
            world.calls.update(n, |call| call.fault = Some(rule.action.clone()));
        }
        (n, world.generation, rule)
    });
    let ticket = Ticket { lab, service, n, generation, goes };
    // On its own task: a client that goes away does not undo what it asked for.
    let task = tokio::spawn(ticket.run(ask.clone(), rule));
    task.await.unwrap_or(Err(Closed)).map(|reply| response(&ask, reply))
}

/// A recorded request on its way.
struct Ticket {
    lab: Lab,
    service: Service,
    n: u64,
    generation: u64,
    goes: watch::Receiver<()>,
}

impl Ticket {
    /// Carries the request out, as the fault says.
    async fn run(self, ask: Ask, rule: Option<Rule>) -> Result<Reply, Closed> {
        let provider = matches!(self.service, Service::Cloudflare | Service::Gitlab | Service::Aws);
        let late = self.lab.with(|world| world.settings.provider_delay_s);
        if provider && late > 0.0 {
            tokio::time::sleep(text::seconds(late)).await;
        }
        let Some(rule) = rule else {
            let reply = self.effect(ask).await;
            self.end(&reply);
            return Ok(reply);
        };
        match rule.action().unwrap_or(Action::Refuse) {
            Action::Refuse | Action::Cut => self.close(false),
            Action::Status(code) => {
                let reply = canned(self.service, code).with("retry-after", rule.retry_after);
                self.end(&reply);
                Ok(reply)
            }
            Action::ServerErrorAfter => self.lie(ask).await,
            Action::Half => self.lie(Ask { half: true, ..ask }).await,
            Action::TimeoutBefore => {
                self.held(rule.hold_s).await;
                self.close(false)
            }
            Action::TimeoutAfter => {
                let done = self.effect(ask).await;
                self.applied(done.applied);
                self.held(rule.hold_s).await;
                self.close(done.applied)
            }
            Action::Late => {
                tokio::spawn(async move {
                    self.held(rule.late_s).await;
                    if self.lab.with(|world| world.generation) == self.generation {
                        let done = self.effect(ask).await;
                        self.end(&Reply { status: 0, ..done });
                    }
                });
                Err(Closed)
            }
        }
    }

    /// Waits so long, or until it is told to go on.
    async fn held(&self, seconds: f64) {
        let mut goes = self.goes.clone();
        tokio::select! {
            () = tokio::time::sleep(text::seconds(seconds)) => (),
            _ = goes.changed() => (),
        }
    }

    async fn effect(&self, ask: Ask) -> Reply {
        self.lab.answer(self.service, ask).await
    }

    /// Lets the effect happen and answers that the server failed.
    async fn lie(&self, ask: Ask) -> Result<Reply, Closed> {
        let done = self.effect(ask).await;
        let reply = Reply { applied: done.applied, ..canned(self.service, 500) };
        self.end(&reply);
        Ok(reply)
    }

    fn applied(&self, applied: bool) {
        self.update(|world| world.calls.update(self.n, |call| call.applied = applied));
    }

    fn close(&self, applied: bool) -> Result<Reply, Closed> {
        self.update(|world| world.calls.end(self.n, 0, b"", applied));
        Err(Closed)
    }

    fn end(&self, reply: &Reply) {
        self.update(|world| world.calls.end(self.n, reply.status, &reply.body, reply.applied));
    }

    /// A request of an earlier world leaves no trace in a later one.
    fn update(&self, change: impl FnOnce(&mut crate::world::World)) {
        self.lab.with(|world| {
            if world.generation == self.generation {
                change(world);
            }
        });
    }
}

/// An error in the words of its service.
fn canned(service: Service, status: u16) -> Reply {
    match service {
        Service::Cloudflare => {
            let code = if status == 429 { 971 } else { 10000 + u32::from(status) };
            crate::cloudflare::failure(status, code, "the practice cloud was asked to fail")
        }
        Service::Aws => {
            let code = if status == 429 { "Throttling" } else { "InternalFailure" };
            crate::aws::error(status, code, "the practice cloud was asked to fail")
        }
        Service::Gitlab | Service::Host | Service::Dns | Service::Control => {
            Reply::json(status, &json!({"message": format!("{status} asked to fail")}))
        }
        Service::Site | Service::Webhook => Reply::text(status, "text/plain", "asked to fail\n"),
    }
}

fn response(ask: &Ask, reply: Reply) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        let framing = ["connection", "transfer-encoding"].contains(&name.as_str());
        if !framing && (ask.method == "HEAD" || name != header::CONTENT_LENGTH.as_str()) {
            builder = builder.header(name, value);
        }
    }
    builder.body(Full::new(reply.body)).unwrap_or_default()
}
