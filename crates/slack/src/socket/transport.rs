//! The sockets of Socket Mode: the request for a URL, and the handshake with what it names.

use super::{
    pool::Refusal,
    spec::{Endpoint, SocketSpec, SocketSpecError},
    url::{Security, TicketUrl},
};
use bytes::Bytes;
use headgate_event::limits::{
    SOCKET_MESSAGE_BYTES_MAX, SOCKET_OPEN_TIMEOUT, SOCKET_URL_ANSWER_BYTES_MAX,
};
use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{error::Error, fmt::Write, sync::Arc};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{self, client::IntoClientRequest, protocol::WebSocketConfig},
};

/// One open connection.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How much one read of a connection takes, in bytes: what comes is small and seldom.
const READ_BYTES: usize = 16 << 10;

/// What opens the connections of one app.
#[derive(Clone)]
pub(super) struct Transport {
    endpoint: Endpoint,
    client: legacy::Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    tls: Arc<ClientConfig>,
}

impl Transport {
    pub(super) fn new(spec: &SocketSpec) -> Result<Self, SocketSpecError> {
        let endpoint = spec.endpoint()?;
        let tls = tls(endpoint.security)?;
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(SOCKET_OPEN_TIMEOUT));
        http.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        // A connection is opened every few hours: none to the Web API is worth keeping.
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Self { endpoint, client, tls: Arc::new(tls) })
    }

    /// Asks for a URL and connects to it. How long it may take is up to the caller.
    pub(super) async fn open(&self) -> Result<Socket, Refusal> {
        let url = self.url().await?;
        self.connect(&url).await
    }

    async fn url(&self) -> Result<TicketUrl, Refusal> {
        let unreachable = |cause: &(dyn Error + 'static)| {
            Refusal::Passing(format!("`apps.connections.open` cannot be asked: {}", chain(cause)))
        };
        let mut request = Request::new(Empty::new());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.open.clone();
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, self.endpoint.bearer.clone());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form);
        let agent = concat!("headgate/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        let answer = self.client.request(request).await.map_err(|error| unreachable(&error))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, SOCKET_URL_ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| unreachable(error.as_ref()))?.to_bytes();
        let retry_after = head.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        TicketUrl::read(head.status, retry_after, &body, self.endpoint.security)
    }

    async fn connect(&self, url: &TicketUrl) -> Result<Socket, Refusal> {
        let refused = |words: String| Refusal::Passing(words);
        let Some(uri) = url.expose() else { return Err(refused("no URL".to_owned())) };
        let request = (&uri).into_client_request();
        // The error tells the URL, and with it the ticket.
        let request = request.map_err(|_| refused("expected a URL of a WebSocket".to_owned()))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .max_message_size(Some(SOCKET_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(SOCKET_MESSAGE_BYTES_MAX));
        let connector = Connector::Rustls(Arc::clone(&self.tls));
        let socket = TcpStream::connect(place(&uri)).await.map_err(|error| {
            refused(format!("the connection cannot be made: {}", chain(&error)))
        })?;
        // Without it an acknowledgement waits for more to send.
        let _ = socket.set_nodelay(true);
        client_async_tls_with_config(request, socket, Some(config), Some(connector))
            .await
            .map(|(socket, _)| socket)
            .map_err(|error| refused(handshake_words(&error)))
    }
}

/// Certificates are looked for only where they are needed: a test has none.
fn tls(security: Security) -> Result<ClientConfig, SocketSpecError> {
    let missing = |reason: String| SocketSpecError::Certificates { reason };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| missing(error.to_string()))?;
    let builder = match security {
        Security::Tls => builder.with_native_roots().map_err(|error| missing(error.to_string()))?,
        Security::Any => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}

/// Host and port; the host without the brackets of IPv6.
fn place(uri: &Uri) -> (&str, u16) {
    let host = uri.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let port = if uri.scheme_str() == Some("wss") { 443 } else { 80 };
    (bare.unwrap_or(host), uri.port_u16().unwrap_or(port))
}

/// Why the handshake failed, in words that cannot hold the URL.
fn handshake_words(error: &tungstenite::Error) -> String {
    let reason = match error {
        tungstenite::Error::Http(answer) => format!("answered {}", answer.status().as_u16()),
        tungstenite::Error::Io(error) => error.to_string(),
        tungstenite::Error::Tls(error) => error.to_string(),
        tungstenite::Error::Protocol(error) => error.to_string(),
        _ => "no WebSocket".to_owned(),
    };
    format!("the handshake failed: {reason}")
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(words, ": {error}");
        cause = error.source();
    }
    words
}
