//! A small HTTP client for the loopback: towards moto, and from host programs to the lab.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client as Inner;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::front::Reply;

/// The client; clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    inner: Inner<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// A client without connections.
    pub(crate) fn new() -> Self {
        Self { inner: Inner::builder(TokioExecutor::new()).build_http() }
    }

    /// Sends one request to a loopback address.
    pub(crate) async fn send(
        &self,
        to: SocketAddr,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<Reply, String> {
        let mut builder = Request::builder().method(method).uri(format!("http://{to}{target}"));
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(body)).map_err(|error| error.to_string())?;
        let answer = self.inner.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let headers = parts.headers.iter().map(|(k, v)| {
            (k.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned())
        });
        Ok(Reply {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body,
            applied: false,
        })
    }

    /// Posts JSON and reads JSON.
    pub(crate) async fn post(
        &self,
        to: SocketAddr,
        target: &str,
        body: &Value,
    ) -> Result<Value, String> {
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let reply = self.send(to, "POST", target, &headers, Bytes::from(body.to_string())).await?;
        serde_json::from_slice(&reply.body).map_err(|error| error.to_string())
    }
}
