//! Fetches what senders prove themselves by, certificates and sets of keys, and what providers keep
//! of messages.
//!
//! An address comes out of a request that nobody has proved yet. So it is `https` only, no redirect
//! is followed, every address that a name stands for has to be a public one (looked at after the
//! name was resolved, and connected to as it was looked at), and size and time are bounded. Which
//! hosts may be asked at all was decided before, by the provider's file.

mod public;

use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use headgate_email::inbound::{FetchHeld, Had, NotHad, Wanted};
use headgate_event::{
    BoxFuture, Secret,
    limits::{FETCH_TIMEOUT, FETCHED_BYTES_MAX, INBOUND_FETCH_TIMEOUT},
};
use headgate_webhook::{Fetch, FetchError};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use public::is_public;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, TrustAnchor},
};
use std::{
    collections::BTreeMap,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

/// Fetches over `https`.
pub struct Fetcher {
    names: Names,
    /// The certificates that are trusted; those of the system are loaded when first needed.
    roots: OnceLock<RootCertStore>,
}

/// How something is asked for.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Openly,
    /// With a key in the head.
    By(&'a Secret),
    /// By a POST of JSON, with credentials in it.
    With(&'a Secret),
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How names become addresses.
#[derive(Clone)]
enum Names {
    /// As the system has it, as far as they are public.
    System,
    /// As given, for services that stand in for the real ones.
    Given(Arc<BTreeMap<String, SocketAddr>>),
}

impl Fetcher {
    /// What asks the system for addresses and trusts what the system trusts.
    #[must_use]
    pub fn of_system() -> Self {
        Self { names: Names::System, roots: OnceLock::new() }
    }

    /// What finds hosts at these addresses alone and trusts these certificates alone.
    pub fn of_given(
        hosts: BTreeMap<String, SocketAddr>,
        trusted: &[CertificateDer<'static>],
    ) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in trusted {
            roots.add(certificate.clone())?;
        }
        Ok(Self { names: Names::Given(Arc::new(hosts)), roots: OnceLock::from(roots) })
    }

    fn roots(&self) -> &RootCertStore {
        self.roots.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a certificate of this system cannot be read");
            }
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(found.certs);
            roots
        })
    }

    /// What answers with 200.
    async fn answer(&self, url: &str, asked: Asked<'_>) -> Result<Response<Incoming>> {
        let uri: Uri = url.parse().context("it is no URL")?;
        ensure!(uri.scheme_str() == Some("https"), "it is not `https`");
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots().clone())
            .with_no_client_auth();
        let names = self.names.clone();
        let resolver = tower::service_fn(move |name: Name| {
            let names = names.clone();
            async move { names.addresses(name.as_str()).await }
        });
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_connect_timeout(Some(FETCH_TIMEOUT));
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1();
        let client = Client::builder(TokioExecutor::new()).build(connector.wrap_connector(http));
        let mut request = Request::get(uri)
            .header(header::USER_AGENT, concat!("headgate/", env!("CARGO_PKG_VERSION")));
        let mut body = Bytes::new();
        match asked {
            Asked::Openly => {}
            Asked::By(key) => request = request.header(header::AUTHORIZATION, bearer(key)?),
            Asked::With(json) => {
                request = request.method(Method::POST).header(header::CONTENT_TYPE, JSON);
                body = Bytes::copy_from_slice(json.expose());
            }
        }
        let answer = client.request(request.body(Full::new(body))?).await;
        let answer = answer.context("no answer")?;
        let status = answer.status();
        ensure!(status == StatusCode::OK, "expected status 200, found {}", status.as_u16());
        Ok(answer)
    }

    async fn fetched(&self, url: &str, asked: Asked<'_>) -> Result<Bytes> {
        let answer = self.answer(url, asked).await?;
        let body = Limited::new(answer.into_body(), FETCHED_BYTES_MAX).collect().await;
        Ok(body.map_err(|error| anyhow!(error)).context("the answer ends early")?.to_bytes())
    }

    async fn held(&self, wanted: Wanted<'_>) -> Result<Had, NotHad> {
        let failed = |error: anyhow::Error| NotHad::Failed(format!("{error:#}"));
        let answer = self
            .answer(wanted.url, wanted.key.map_or(Asked::Openly, Asked::By))
            .await
            .map_err(failed)?;
        let (body, hold) = wanted.bound.count(answer.into_body());
        match Limited::new(body, wanted.bytes_max).collect().await {
            Ok(body) => Ok(Had { bytes: body.to_bytes(), hold }),
            Err(error) if error.is::<LengthLimitError>() => Err(NotHad::TooLarge(wanted.bytes_max)),
            Err(error) => Err(failed(anyhow!(error).context("the answer ends early"))),
        }
    }
}

/// A key as a header has it. The header is told nowhere, and neither is what is wrong with it.
fn bearer(key: &Secret) -> Result<HeaderValue> {
    let text = [b"Bearer ", key.expose().trim_ascii()].concat();
    let mut value =
        HeaderValue::from_bytes(&text).map_err(|_| anyhow!("the key holds what no header does"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Names {
    async fn addresses(&self, name: &str) -> io::Result<std::vec::IntoIter<SocketAddr>> {
        let refused = |why: String| io::Error::new(io::ErrorKind::PermissionDenied, why);
        let found: Vec<SocketAddr> = match self {
            Self::Given(hosts) => hosts.get(name).copied().into_iter().collect(),
            Self::System => {
                let found: Vec<_> = tokio::net::lookup_host((name, 443)).await?.collect();
                if let Some(private) = found.iter().find(|address| !is_public(address.ip())) {
                    return Err(refused(format!("`{name}` is at {}, not public", private.ip())));
                }
                found
            }
        };
        if found.is_empty() {
            return Err(refused(format!("`{name}` has no address")));
        }
        Ok(found.into_iter())
    }
}

impl Fetcher {
    /// The body of an answer, within the time for it.
    async fn in_time(&self, url: &str, asked: Asked<'_>) -> Result<Bytes, FetchError> {
        let failed = |reason: String| FetchError { url: url.to_owned(), reason };
        match tokio::time::timeout(FETCH_TIMEOUT, self.fetched(url, asked)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(failed(format!("{error:#}"))),
            Err(_) => Err(failed(format!("no answer within {FETCH_TIMEOUT:?}"))),
        }
    }
}

impl Fetch for Fetcher {
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        Box::pin(self.in_time(url, Asked::Openly))
    }

    fn post<'a>(
        &'a self,
        url: &'a str,
        body: &'a Secret,
    ) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        Box::pin(self.in_time(url, Asked::With(body)))
    }

    fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.roots().roots
    }
}

impl FetchHeld for Fetcher {
    fn fetch_held<'a>(&'a self, wanted: Wanted<'a>) -> BoxFuture<'a, Result<Had, NotHad>> {
        Box::pin(async move {
            match tokio::time::timeout(INBOUND_FETCH_TIMEOUT, self.held(wanted)).await {
                Ok(found) => found,
                Err(_) => {
                    Err(NotHad::Failed(format!("no answer within {INBOUND_FETCH_TIMEOUT:?}")))
                }
            }
        })
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}
