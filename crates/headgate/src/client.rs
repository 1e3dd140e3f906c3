//! The HTTP client of the commands that talk to a gateway or to an endpoint: `http` and `https`,
//! a limit on every wait and every answer, no redirects.

mod download;
mod error;
mod path;
mod socket;
mod tls;

pub use download::Download;
pub use error::ClientError;
pub(crate) use error::retry_after;
pub use path::CallPath;
pub use socket::Stream;
pub(crate) use tls::trusting_system;

use bytes::Bytes;
use headgate_event::Secret;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::pki_types::ServerName;
use std::{fmt, time::Duration};

/// How long connecting may take.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take, beyond what the request itself asks to wait.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// What goes wrong below HTTP.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// A client of one gateway.
#[derive(Clone)]
pub struct Client {
    base: String,
    server_name: Option<ServerName<'static>>,
    authorization: Option<HeaderValue>,
    transport: Transport,
}

/// What connects, speaks TLS where the URL says so, and keeps connections.
#[derive(Clone)]
pub struct Transport {
    client: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// A client of the gateway at `base`, an `http` or `https` URL.
    pub fn new(base: &str, key: Option<Secret>) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/');
        let uri = url(base)?;
        if uri.query().is_some() {
            return Err(ClientError::Url { url: base.to_owned() });
        }
        let authorization = key.map(|key| bearer(&key)).transpose()?;
        let transport = Transport::new(&uri)?;
        Ok(Self { base: base.to_owned(), server_name: None, authorization, transport })
    }

    /// The same, of a gateway whose certificate is made out to another name than that by which it
    /// is reached.
    pub fn named(self, server_name: ServerName<'static>) -> Result<Self, ClientError> {
        let transport = Transport::of(&url(&self.base)?, Some(&server_name))?;
        Ok(Self { server_name: Some(server_name), transport, ..self })
    }

    /// Asks for `path` (with its query) and takes a 2xx for an answer.
    pub async fn fetch(&self, path: &str) -> Result<Reply, ClientError> {
        self.call(Method::GET, path, Bytes::new(), Duration::ZERO).await
    }

    /// Asks for `path` and takes whatever answer comes, of any status.
    pub async fn ask(&self, path: &str) -> Result<Reply, ClientError> {
        self.request(Method::GET, path, Bytes::new(), Duration::ZERO).await
    }

    /// Sends JSON to `path` and takes a 2xx for an answer, which may take `wait` longer.
    pub async fn post(
        &self,
        path: &str,
        json: &serde_json::Value,
        wait: Duration,
    ) -> Result<Reply, ClientError> {
        self.call(Method::POST, path, json.to_string().into(), wait).await
    }

    /// Sends a text that is JSON already to `path` and takes a 2xx for an answer.
    pub async fn post_text(&self, path: &str, json: String) -> Result<Reply, ClientError> {
        self.call(Method::POST, path, json.into(), Duration::ZERO).await
    }

    /// Deletes what is at `path` and takes a 2xx for an answer.
    pub async fn delete(&self, path: &str) -> Result<Reply, ClientError> {
        self.call(Method::DELETE, path, Bytes::new(), Duration::ZERO).await
    }

    /// Opens the stream at `path`.
    pub async fn stream(&self, path: &str) -> Result<Stream, ClientError> {
        let url = format!("{}{path}", self.base);
        let name = self.server_name.as_ref();
        socket::open(&url, name, self.authorization.as_ref(), CONNECT_TIMEOUT).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        wait: Duration,
    ) -> Result<Reply, ClientError> {
        let reply = self.request(method, path, body, wait).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(ClientError::refused(&reply)) }
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        wait: Duration,
    ) -> Result<Reply, ClientError> {
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let url = format!("{}{path}", self.base);
        self.transport.send(method, &url, headers, body, ANSWER_TIMEOUT + wait).await
    }
}

impl Transport {
    /// What speaks the scheme of this URL. Root certificates are loaded for `https` alone.
    pub fn new(url: &Uri) -> Result<Self, ClientError> {
        Self::of(url, None)
    }

    fn of(url: &Uri, name: Option<&ServerName<'static>>) -> Result<Self, ClientError> {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let mut connector =
            HttpsConnectorBuilder::new().with_tls_config(tls::config(url)?).https_or_http();
        if let Some(name) = name {
            let resolver = FixedServerNameResolver::new(name.clone());
            connector = connector.with_server_name_resolver(resolver);
        }
        let connector = connector.enable_http1().wrap_connector(http);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(50))
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client })
    }

    /// Sends one request and reads the whole answer, whatever its status.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Reply, ClientError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self::url(url)?;
        *request.headers_mut() = headers;
        let agent = concat!("headgate/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(agent));
        let answer = async {
            let answer = self.client.request(request).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
            Ok::<_, Cause>(Reply { status: head.status, headers: head.headers, body })
        };
        match tokio::time::timeout(timeout, answer).await {
            Ok(answered) => answered.map_err(|cause| ClientError::unreachable(url, cause)),
            Err(_) => Err(ClientError::TimedOut { url: url.to_owned(), after: timeout }),
        }
    }
}

/// An absolute `http` or `https` URL.
pub fn url(text: &str) -> Result<Uri, ClientError> {
    let uri: Option<Uri> = text.parse().ok();
    let fits = |uri: &Uri| {
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        // Basic credentials on a command line would be seen by every user of the machine.
        scheme && uri.authority().is_some_and(|host| !host.as_str().contains('@'))
    };
    uri.filter(fits).ok_or_else(|| ClientError::Url { url: text.to_owned() })
}

fn bearer(key: &Secret) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::from_bytes(&[b"Bearer ", key.expose()].concat())
        .map_err(|_| ClientError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}
