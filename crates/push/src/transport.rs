//! The connections to one endpoint: its own, kept for a while, HTTP/2 where it is spoken. No
//! redirect is followed, and no more of an answer is read than is shown.

use crate::{
    allowance::Pool,
    resolver::{Lookups, ResolveError, Resolver},
    target::Target,
    verdict::{Answer, Fault, Reply},
};
use bytes::Bytes;
use headgate_event::limits::{PUSH_ANSWER_KEPT_BYTES, PUSH_ANSWER_READ_BYTES, PUSH_IDLE_TIMEOUT};
use http::header;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{
    error::Error,
    fmt::Write,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// The request of an attempt.
pub(crate) type Request = http::Request<Full<Bytes>>;

/// What the connections of all endpoints have in common. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    lookups: Lookups,
    /// What their large events may take of memory together.
    pub(crate) pool: Pool,
    /// TLS with the authorities of the system, read when it is needed first.
    system: Arc<OnceLock<ClientConfig>>,
}

/// The connections to one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    client: legacy::Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self { lookups: Lookups::new(), pool: Pool::new(), system: Arc::default() }
    }

    fn tls(&self, target: &Target) -> Result<ClientConfig, String> {
        let builder = || {
            ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())
        };
        let with = |roots: RootCertStore| {
            Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
        };
        if let Some(roots) = &target.roots {
            return with(roots.clone());
        }
        // Where no TLS is spoken no certificate is looked for.
        if target.url.scheme_str() != Some("https") {
            return with(RootCertStore::empty());
        }
        if let Some(config) = self.system.get() {
            return Ok(config.clone());
        }
        let config = builder()?.with_native_roots().map_err(|error| error.to_string())?;
        Ok(self.system.get_or_init(|| config.with_no_client_auth()).clone())
    }
}

impl Transport {
    /// The connections to this target, none yet; an error says what keeps TLS from it.
    pub(crate) fn new(shared: &Shared, target: &Target, idle_max: usize) -> Result<Self, String> {
        let resolver = Resolver::new(target.reach, shared.lookups.clone());
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(shared.tls(target)?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(PUSH_IDLE_TIMEOUT)
            .pool_max_idle_per_host(idle_max)
            .build(connector);
        Ok(Self { client })
    }

    /// What comes of a request within this time, connecting included.
    pub(crate) async fn send(&self, request: Request, within: Duration) -> Reply {
        let until = Instant::now() + within;
        let within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let answer = match timeout_at(until, self.client.request(request)).await {
            Err(_) => return Reply::Failed(Fault::TimedOut { within_ms }),
            Ok(Err(error)) => return Reply::Failed(fault(&error)),
            Ok(Ok(answer)) => answer,
        };
        let (head, body) = answer.into_parts();
        let retry_after = head.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = begin_of(body, until).await;
        Reply::Answered(Answer { status: head.status.as_u16(), retry_after, body })
    }
}

/// The begin of an answer's body. A short one is read to its end, so that its connection can be
/// used again; what is wrong with it changes nothing, because its status was heard.
async fn begin_of(mut body: Incoming, until: Instant) -> Vec<u8> {
    let (mut kept, mut read) = (Vec::new(), 0);
    while read <= PUSH_ANSWER_READ_BYTES {
        let Ok(Some(Ok(frame))) = timeout_at(until, body.frame()).await else { break };
        let Ok(data) = frame.into_data() else { continue };
        read += data.len();
        let room = PUSH_ANSWER_KEPT_BYTES - kept.len();
        kept.extend(data.iter().take(room));
    }
    kept
}

/// Why there was no answer, from what the client says.
fn fault(error: &legacy::Error) -> Fault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let (mut is_tls, mut parse) = (false, false);
    while let Some(at) = cause {
        match at.downcast_ref() {
            Some(ResolveError::Private) => return Fault::Private,
            Some(ResolveError::Unknown(reason)) => return Fault::Unresolved(reason.clone()),
            None => {}
        }
        is_tls |= at.is::<rustls::Error>();
        parse |= at.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse);
        // What an error of I/O wraps is not its source, but has that one.
        let wrapped = at.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| at.source());
    }
    let words = causes(error);
    match () {
        () if is_tls => Fault::Tls(words),
        () if error.is_connect() => Fault::Unreachable(words),
        () if parse => Fault::Garbage(words),
        () => Fault::Cut(words),
    }
}

/// The causes of an error, without its own words, which tell nothing.
fn causes(error: &dyn Error) -> String {
    let mut words = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let between = if words.is_empty() { "" } else { ": " };
        // Writing to a string cannot fail.
        let _ = write!(words, "{between}{error}");
        cause = error.source();
    }
    if words.is_empty() { error.to_string() } else { words }
}
