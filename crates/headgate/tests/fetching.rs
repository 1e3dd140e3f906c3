//! Fetching from a local service with a certificate authority of its own.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use headgate::fetcher::Fetcher;
use headgate_email::inbound::{FetchHeld, NotHad, Wanted};
use headgate_event::{Secret, limits::FETCHED_BYTES_MAX};
use headgate_http::BodyBound;
use headgate_webhook::Fetch;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

const HOST: &str = "certificates.example";

/// The heads of the requests that came.
type Heads = Arc<Mutex<Vec<String>>>;

/// Answers every request with these bytes, over TLS, as `HOST`.
async fn serve(answer: Vec<u8>) -> (SocketAddr, CertificateDer<'static>) {
    serve_noting(answer, Heads::default()).await
}

/// The same, and notes what comes.
async fn serve_noting(answer: Vec<u8>, heads: Heads) -> (SocketAddr, CertificateDer<'static>) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"));
    let authority = authority.expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let own = CertificateParams::new(vec![HOST.to_owned()]).expect("a name");
    let own = own.signed_by(&key, &authority).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], key)
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    let trusted = authority.as_ref().der().clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 4096];
            let read = stream.read(&mut head).await.unwrap_or_default();
            assert!(head[..read].starts_with(b"GET /"));
            let text = String::from_utf8_lossy(&head[..read]).into_owned();
            heads.lock().expect("not poisoned").push(text);
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, trusted)
}

async fn fetched(answer: Vec<u8>, url: &str) -> Result<Vec<u8>, String> {
    let (address, trusted) = serve(answer).await;
    let hosts = BTreeMap::from([(HOST.to_owned(), address)]);
    let fetcher = Fetcher::of_given(hosts, &[trusted]).expect("a fetcher");
    fetcher.fetch(url).await.map(|bytes| bytes.to_vec()).map_err(|error| error.to_string())
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_certificate_is_fetched_from_a_host_that_proves_its_name() {
    let found = fetched(answer("200 OK", b"a certificate"), "https://certificates.example/x.pem");
    assert_eq!(found.await.as_deref(), Ok(&b"a certificate"[..]));
}

#[tokio::test]
async fn a_redirect_and_every_other_answer_is_a_failure() {
    for head in [
        "302 Found\r\nlocation: https://certificates.example/other.pem",
        "404 Not Found",
        "500 Internal Server Error",
        "204 No Content",
    ] {
        let found = fetched(answer(head, b""), "https://certificates.example/x.pem").await;
        let error = found.expect_err(head);
        assert!(error.contains("expected status 200, found "), "{error}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let body = vec![b'a'; FETCHED_BYTES_MAX + 1];
    let found = fetched(answer("200 OK", &body), "https://certificates.example/x.pem").await;
    assert!(found.expect_err("too large").contains("the answer ends early"));
}

#[tokio::test]
async fn plain_http_and_other_hosts_are_not_asked() {
    for (url, expected) in [
        ("http://certificates.example/x.pem", "it is not `https`"),
        ("https://other.example/x.pem", "no answer"),
        ("https:///x", "it is no URL"),
    ] {
        let found = fetched(answer("200 OK", b"x"), url).await;
        let error = found.expect_err(url);
        assert!(error.contains(expected), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_host_with_a_certificate_of_an_unknown_authority_is_not_believed() {
    let (address, _) = serve(answer("200 OK", b"x")).await;
    let (_, other) = serve(Vec::new()).await;
    let hosts = BTreeMap::from([(HOST.to_owned(), address)]);
    let fetcher = Fetcher::of_given(hosts, &[other]).expect("a fetcher");
    let found = fetcher.fetch("https://certificates.example/x.pem").await;
    assert!(found.expect_err("not trusted").reason.contains("no answer"));
}

#[tokio::test]
async fn a_name_of_this_machine_is_refused_after_it_was_resolved() {
    let found = Fetcher::of_system().fetch("https://localhost/x.pem").await;
    let reason = found.expect_err("private").reason;
    assert!(reason.contains("not public"), "{reason}");
}

/// What a message is had by, with these bytes as the answer, and the head of the request.
async fn held(
    answer: Vec<u8>,
    key: Option<&str>,
    bytes_max: usize,
    bound: &BodyBound,
) -> (Result<Vec<u8>, NotHad>, String) {
    let heads = Heads::default();
    let (address, trusted) = serve_noting(answer, Arc::clone(&heads)).await;
    let hosts = BTreeMap::from([(HOST.to_owned(), address)]);
    let fetcher = Fetcher::of_given(hosts, &[trusted]).expect("a fetcher");
    let key = key.map(Secret::new);
    let url = "https://certificates.example/emails/1";
    let wanted = Wanted { url, key: key.as_ref(), bytes_max, bound: bound.clone() };
    let had = fetcher.fetch_held(wanted).await.map(|had| had.bytes.to_vec());
    let head = heads.lock().expect("not poisoned").pop().unwrap_or_default();
    (had, head)
}

#[tokio::test]
async fn what_a_provider_keeps_is_fetched_with_the_key_of_the_channel() {
    let bound = BodyBound::new(1 << 20);
    let (had, head) = held(answer("200 OK", b"a message"), Some("re_123\n"), 9, &bound).await;
    assert_eq!(had.as_deref(), Ok(&b"a message"[..]));
    assert!(head.contains("authorization: Bearer re_123\r\n"), "{head}");
    let (had, head) = held(answer("200 OK", b"a message"), None, 9, &bound).await;
    assert_eq!(had.as_deref(), Ok(&b"a message"[..]));
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn what_a_provider_keeps_has_a_bound_and_counts_against_the_memory_for_bodies() {
    let (bound, message) = (BodyBound::new(20), vec![b'a'; 15]);
    let (had, _) = held(answer("200 OK", &message), None, 14, &bound).await;
    assert_eq!(had, Err(NotHad::TooLarge(14)));
    let heads = Heads::default();
    let (address, trusted) = serve_noting(answer("200 OK", &message), heads).await;
    let hosts = BTreeMap::from([(HOST.to_owned(), address)]);
    let fetcher = Fetcher::of_given(hosts, &[trusted]).expect("a fetcher");
    let url = "https://certificates.example/emails/1";
    let wanted = || Wanted { url, key: None, bytes_max: 15, bound: bound.clone() };
    let first = fetcher.fetch_held(wanted()).await.expect("there is room");
    let second = fetcher.fetch_held(wanted()).await;
    assert!(matches!(second, Err(NotHad::Failed(_))), "{second:?}");
    drop(first);
    assert!(fetcher.fetch_held(wanted()).await.is_ok(), "all is back");
}

#[tokio::test]
async fn a_refusal_and_a_redirect_of_a_provider_are_failures_without_the_key_in_them() {
    for head in ["401 Unauthorized", "302 Found\r\nlocation: https://other.example/", "429 Slow"] {
        let bound = BodyBound::new(1 << 20);
        let (had, _) = held(answer(head, b"no"), Some("re_secret"), 9, &bound).await;
        let Err(NotHad::Failed(why)) = had else { panic!("{head}: {had:?}") };
        assert!(why.contains("expected status 200") && !why.contains("re_secret"), "{why}");
    }
    let bound = BodyBound::new(1 << 20);
    let (had, _) = held(answer("200 OK", b"x"), Some("re\u{7f}secret"), 9, &bound).await;
    let Err(NotHad::Failed(why)) = had else { panic!("{had:?}") };
    assert!(!why.contains("secret"), "{why}");
}
