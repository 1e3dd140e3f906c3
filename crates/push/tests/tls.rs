//! Pushing over TLS: whom it trusts, and HTTP/2 where that is spoken.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use headgate_event::{
    BoxFuture, Channel, ChannelType, Clock, Correlation, DataText, Draft, EventId, EventType, Fill,
    Secret, Sink, Timestamp, Verification, prompt::Prompt,
};
use headgate_push::{Configured, Credentials, Keyring, Pauser, PushPorts, Pushes, Running};
use headgate_queue::{
    Attempts, EventDelivery, Memory, PushFormat, PushSpec, Queue, QueueError, Standing, Start,
    SubscriptionSpec,
};
use headgate_testkit::ManualClock;
use http::{Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An endpoint that speaks TLS, and the authority that has signed its certificate.
struct Endpoint {
    port: u16,
    ca: String,
    connections: Arc<AtomicUsize>,
    versions: Arc<Mutex<Vec<Version>>>,
}

impl Endpoint {
    async fn start(protocols: &[&[u8]]) -> Self {
        let ca_key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).expect("an authority");
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("names");
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a pair");
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let endpoint =
            Self { port, ca: ca.pem(), connections: Arc::default(), versions: Arc::default() };
        let (connections, versions) =
            (Arc::clone(&endpoint.connections), Arc::clone(&endpoint.versions));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, versions) = (acceptor.clone(), Arc::clone(&versions));
                let connections = Arc::clone(&connections);
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    connections.fetch_add(1, Ordering::SeqCst);
                    let service =
                        service_fn(move |request: http::Request<hyper::body::Incoming>| {
                            versions.lock().expect("whole").push(request.version());
                            async move {
                                let _ = BodyExt::collect(request.into_body()).await;
                                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                            }
                        });
                    let http = auto::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        endpoint
    }
}

struct Nobody;

impl Pauser for Nobody {
    fn pause(&self, _: &str, _: &str) -> BoxFuture<'_, Result<bool, QueueError>> {
        Box::pin(async { Ok(false) })
    }
}

struct World {
    queue: Arc<Memory>,
    running: Running,
}

impl World {
    /// A subscription that pushes to this endpoint, and trusts this authority.
    async fn new(endpoint: &Endpoint, ca: Option<String>) -> Self {
        let clock: Arc<dyn Clock> =
            Arc::new(ManualClock::at(Timestamp::from_unix_s(1_795_000_000)));
        let queue = Arc::new(Memory::new(Arc::clone(&clock)));
        let mut spec =
            SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("agent") };
        spec.configured = true;
        let push = PushSpec {
            url: format!("https://localhost:{}/hook", endpoint.port),
            headers: Vec::new(),
            timeout_ms: 10_000,
            max_in_flight: 4,
            rate: None,
            ca,
            format: PushFormat::Event,
        };
        spec.push = Some(push.clone());
        queue.put_subscription(spec).await.expect("made");
        let credentials = Credentials::new(vec![Secret::new(SECRET)], BTreeMap::new());
        let mut configured = Configured::default();
        let keyring = Keyring::of(&push, credentials.expect("good"));
        configured.credentials.insert("agent".to_owned(), keyring);
        let pushes = Pushes::new(Arc::clone(&queue) as _, configured);
        let ports = PushPorts {
            queue: Arc::clone(&queue) as _,
            pauser: Arc::new(Nobody),
            clock,
            present: Arc::new(|event| event),
        };
        Self { queue, running: pushes.start(ports) }
    }

    async fn store(&self) -> EventId {
        let channel = Channel::new("hub", "Hub", ChannelType::Webhook).expect("a channel");
        let draft = Draft {
            event_type: EventType::WEBHOOK_RECEIVED,
            created_at: Timestamp::from_unix_s(1_795_000_000),
            channel: Arc::new(channel),
            provider: None,
            provider_event: None,
            verification: Verification::none(),
            dedupe: None,
            identity: None,
            thread_key: None,
            correlation: Correlation::default(),
            data: DataText::whole(&serde_json::json!({})).hole("body", Fill::Json),
            metadata: BTreeMap::new(),
            prompt: Prompt { text: "a test".to_owned(), version: 1 },
            raw: Bytes::from_static(b"{}"),
        };
        self.queue.accept(vec![draft]).await.expect("stored")[0].id()
    }

    /// How an event stands once an attempt at it has ended.
    async fn tried(&self, id: EventId) -> EventDelivery {
        let mut wait = tokio::time::interval(Duration::from_millis(5));
        loop {
            wait.tick().await;
            let found = self.queue.deliveries_of(id).await.expect("read").expect("stored");
            if let Some(one) = found.into_iter().find(|one| !one.attempts.is_empty()) {
                return one;
            }
        }
    }
}

#[tokio::test]
async fn with_the_authority_of_the_endpoint_events_share_one_http_2_connection() {
    let endpoint = Endpoint::start(&[b"h2", b"http/1.1"]).await;
    let world = World::new(&endpoint, Some(endpoint.ca.clone())).await;
    for _ in 0..20 {
        let id = world.store().await;
        let one = world.tried(id).await;
        assert_eq!(one.standing, Standing::Settled, "{one:?}");
    }
    world.running.stop(Duration::from_secs(5)).await;
    let versions = endpoint.versions.lock().expect("whole").clone();
    assert_eq!(versions, [Version::HTTP_2; 20]);
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_http_2_a_connection_is_kept_too() {
    let endpoint = Endpoint::start(&[b"http/1.1"]).await;
    let world = World::new(&endpoint, Some(endpoint.ca.clone())).await;
    for _ in 0..5 {
        let id = world.store().await;
        assert_eq!(world.tried(id).await.standing, Standing::Settled);
    }
    assert_eq!(*endpoint.versions.lock().expect("whole"), [Version::HTTP_11; 5]);
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_endpoint_that_nobody_trusted_has_signed_is_given_nothing() {
    let (endpoint, other) = (Endpoint::start(&[b"h2"]).await, Endpoint::start(&[b"h2"]).await);
    let world = World::new(&endpoint, Some(other.ca.clone())).await;
    let id = world.store().await;
    let one = world.tried(id).await;
    assert_eq!((one.standing, &*one.attempts[0].outcome), (Standing::Waiting, "tls"));
    assert!(endpoint.versions.lock().expect("whole").is_empty());
}
