//! Calls of the API: one request, its answer as JSON, its refusal as an error.

use crate::{
    address::Address,
    backoff::Backoff,
    error::ClientError,
    limits::{ANSWER_BYTES_MAX, ANSWER_TIMEOUT, CONNECT_TIMEOUT, TRIES_MAX},
};
use ::http::{HeaderValue, Method, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

/// Whatever hyper or a body complains of.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The calls to one gateway. Connections are kept; nothing follows a redirect.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) address: Address,
    client: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// A call; its body is JSON when there is one.
#[derive(Debug)]
pub(crate) struct Call {
    method: Method,
    path: String,
    body: Bytes,
    wait: Duration,
}

impl Call {
    /// Asks for a path with its query.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        let (method, body, wait) = (Method::GET, Bytes::new(), Duration::ZERO);
        Self { method, path: path.into(), body, wait }
    }

    /// Sends JSON. Every body of ours is plain data.
    #[expect(clippy::expect_used, reason = "plain data serializes")]
    pub(crate) fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("plain data serializes").into();
        Self { method: Method::POST, body, ..Self::get(path) }
    }

    /// The answer may take so much longer.
    pub(crate) fn waiting(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }
}

impl Http {
    pub(crate) fn new(address: Address) -> Result<Self, ClientError> {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(&address)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(50))
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { address, client })
    }

    /// The JSON of a 2xx; everything else is an error.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ClientError> {
        let url = format!("{}{}", self.address.base(), call.path);
        let body = self.send(call, &url, self.address.authorization()).await?;
        serde_json::from_slice(&body).map_err(|error| {
            ClientError::incompatible(self.address.base(), format!("unexpected answer: {error}"))
        })
    }

    /// The same for a call that may be made twice: what may pass is tried a few times.
    pub(crate) async fn call_again<T: DeserializeOwned>(
        &self,
        call: &Call,
    ) -> Result<T, ClientError> {
        let mut backoff = Backoff::default();
        for _ in 1..TRIES_MAX {
            match self.call(call).await {
                Err(error) if error.try_again() => {
                    tokio::time::sleep(backoff.next(error.retry_after())).await;
                }
                done => return done,
            }
        }
        self.call(call).await
    }

    /// The bytes at a signed URL. The key goes to the gateway alone.
    pub(crate) async fn bytes(&self, url: &str) -> Result<Bytes, ClientError> {
        let (url, is_ours) = self.address.resolve(url)?;
        let key = self.address.authorization().filter(|_| is_ours);
        self.send(&Call::get(""), &url, key).await
    }

    async fn send(
        &self,
        call: &Call,
        url: &str,
        authorization: Option<&HeaderValue>,
    ) -> Result<Bytes, ClientError> {
        let base = self.address.base();
        let wrong = |error: &dyn std::error::Error| ClientError::unreachable(base, error);
        let mut request = Request::builder().method(call.method.clone()).uri(url);
        let agent = concat!("headgate-client/", env!("CARGO_PKG_VERSION"));
        request = request.header(header::USER_AGENT, agent);
        if !call.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(key) = authorization {
            request = request.header(header::AUTHORIZATION, key.clone());
        }
        let request = request.body(Full::new(call.body.clone())).map_err(|error| wrong(&error))?;
        let answer = async {
            let (head, body) = self.client.request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
            Ok::<_, Cause>((head, body))
        };
        let timeout = ANSWER_TIMEOUT + call.wait;
        let answered = tokio::time::timeout(timeout, answer).await;
        let answered = answered.map_err(|_| ClientError::timed_out(base, timeout))?;
        let (head, body) = answered.map_err(|error| wrong(&*error))?;
        if head.status.is_success() {
            return Ok(body);
        }
        Err(ClientError::of_answer(head.status, &head.headers, &body))
    }
}

/// The TLS of a client for this address. Where no TLS is spoken no certificate is looked for, so
/// that `http` works on systems that have none.
pub(crate) fn tls(address: &Address) -> Result<ClientConfig, ClientError> {
    let missing = |reason: String| ClientError::Certificates { reason };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| missing(error.to_string()))?;
    let builder = if address.is_tls() {
        builder.with_native_roots().map_err(|error| missing(error.to_string()))?
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    Ok(builder.with_no_client_auth())
}
