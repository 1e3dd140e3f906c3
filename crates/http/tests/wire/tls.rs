//! TLS on real sockets: what is spoken inside of it, which certificate is shown, and what is not
//! TLS at all.

use crate::gateway::Gateway;
use bytes::Bytes;
use headgate_event::Timestamp;
use headgate_http::{Answer, Renewal, ServerOptions, Tls, TlsFiles, text_answer};
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{convert::Infallible, fs, net::SocketAddr, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::service_fn;

const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate and its key, in PEM.
struct Pair {
    certificate: String,
    key: String,
}

/// A folder with the two files of a pair.
struct Folder(TempDir);

impl Pair {
    fn new() -> Self {
        Self::valid(2020, 2120)
    }

    /// Valid from the first day of one year to the first day of another.
    fn valid(from: i32, until: i32) -> Self {
        let mut params = CertificateParams::new(vec!["in.example.com".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Folder {
    fn with(pair: &Pair) -> Self {
        let folder = Self(TempDir::new().expect("a folder"));
        folder.put("cert.pem", &pair.certificate);
        folder.put("key.pem", &pair.key);
        folder
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("writes");
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.0.path().join("cert.pem"), key: self.0.path().join("key.pem") }
    }

    fn load(&self) -> Result<Tls, String> {
        let shown = |text: String| text.replace(&self.0.path().display().to_string(), "..");
        Tls::load(self.files(), now()).map_err(|error| shown(error.to_string()))
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_s(1_800_000_000)
}

async fn hello(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes().len());
    Ok(text_answer(StatusCode::OK, format!("took {}", body.unwrap_or(0))))
}

async fn start(tls: &Tls) -> Gateway {
    let options = ServerOptions {
        tls: Some(tls.clone()),
        handshake_timeout: Duration::from_millis(300),
        ..ServerOptions::default()
    };
    Gateway::start(service_fn(hello), options).await
}

/// Shakes hands as a client that knows this certificate alone.
async fn connect(
    address: SocketAddr,
    known: &Pair,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let der = CertificateDer::from_pem_slice(known.certificate.as_bytes()).expect("PEM");
    roots.add(der).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let name = ServerName::try_from("in.example.com").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn post(version: Version, body: &'static [u8]) -> Request<Full<Bytes>> {
    let request = Request::post("https://in.example.com/hook").version(version);
    let request = request.header("host", "in.example.com");
    request.body(Full::from(body)).expect("well formed")
}

/// All that the server says until it closes.
async fn rest(mut stream: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the server closes in time");
    bytes
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_inside() {
    let pair = Pair::new();
    let gateway = start(&Folder::with(&pair).load().expect("a pair")).await;
    let stream = connect(gateway.address, &pair, b"http/1.1").await.expect("shakes hands");
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.expect("speaks HTTP/1.1");
    tokio::spawn(connection);
    for _ in 0..2 {
        let answer = sender.send_request(post(Version::HTTP_11, b"hi")).await.expect("an answer");
        assert!(answer.headers().contains_key("x-request-id"));
        assert_eq!(answer.into_body().collect().await.expect("whole").to_bytes(), "took 2");
    }
    let stream = connect(gateway.address, &pair, b"h2").await.expect("shakes hands");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("speaks HTTP/2");
    tokio::spawn(connection);
    let answer = sender.send_request(post(Version::HTTP_2, b"hello")).await.expect("an answer");
    assert_eq!(answer.into_body().collect().await.expect("whole").to_bytes(), "took 5");
}

#[tokio::test]
async fn a_certificate_is_changed_under_open_connections() {
    let (old, new) = (Pair::new(), Pair::new());
    let folder = Folder::with(&old);
    let tls = folder.load().expect("a pair");
    let gateway = start(&tls).await;
    let stream = connect(gateway.address, &old, b"http/1.1").await.expect("shakes hands");
    let (mut kept, connection) =
        http1::handshake(TokioIo::new(stream)).await.expect("speaks HTTP/1.1");
    tokio::spawn(connection);

    folder.put("cert.pem", &new.certificate);
    let error = tls.reload(now()).expect_err("the key is the old one");
    assert!(error.to_string().starts_with("expected the key of the first certificate"), "{error}");
    connect(gateway.address, &old, b"h2").await.expect("the old pair is in use");
    assert_eq!(tls.reload(now()).expect("told of once"), Renewal::Unchanged);

    folder.put("key.pem", &new.key);
    assert_eq!(tls.reload(now()).expect("a pair"), Renewal::Renewed);
    connect(gateway.address, &new, b"h2").await.expect("the new pair is in use");
    connect(gateway.address, &old, b"h2").await.expect_err("the old one is not");
    let answer = kept.send_request(post(Version::HTTP_11, b"hi")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(tls.reload(now()).expect("a pair"), Renewal::Unchanged);
}

#[test]
fn a_pair_that_cannot_be_used_says_which_file_is_to_blame() {
    let pair = Pair::new();
    let folder = Folder::with(&pair);
    let tls = folder.load().expect("a pair");
    assert_eq!(tls.valid_until_unix_s(), Some(4_733_510_400)); // 2120-01-01
    let refused = |name: &str, text: &str| {
        let folder = Folder::with(&pair);
        folder.put(name, text);
        folder.load().expect_err("refused")
    };
    let errors = [
        refused("cert.pem", &Pair::valid(2010, 2020).certificate),
        refused("cert.pem", &Pair::valid(2110, 2120).certificate),
        refused("cert.pem", "no PEM"),
        refused("cert.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
        refused("cert.pem", &pair.key),
        refused("key.pem", &pair.certificate),
        refused("key.pem", &Pair::new().key),
    ];
    insta::assert_snapshot!(errors.join("\n"));
    fs::remove_file(folder.files().key).expect("removes");
    let error = folder.load().expect_err("refused");
    assert!(error.starts_with("expected a file that can be read, found `../key.pem`: "), "{error}");
}

#[tokio::test]
async fn what_is_not_tls_is_closed_and_disturbs_nobody() {
    let pair = Pair::new();
    let gateway = start(&Folder::with(&pair).load().expect("a pair")).await;
    for bytes in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\n", &[0; 100]] {
        let mut stream = TcpStream::connect(gateway.address).await.expect("the server listens");
        stream.write_all(bytes).await.expect("open");
        let said = rest(stream).await;
        assert!(said.len() < 16 && !said.starts_with(b"HTTP"), "{said:?}"); // an alert
    }
    // Says nothing, and half a hello: both have the time of a handshake.
    let silent = TcpStream::connect(gateway.address).await.expect("the server listens");
    let mut half = TcpStream::connect(gateway.address).await.expect("the server listens");
    half.write_all(&[0x16, 3, 1, 2, 0, 1]).await.expect("open");
    assert_eq!((rest(silent).await, rest(half).await), (Vec::new(), Vec::new()));
    connect(gateway.address, &pair, b"h2").await.expect("others shake hands");
}

#[tokio::test]
async fn the_heads_that_are_refused_without_tls_are_refused_with_it() {
    let pair = Pair::new();
    let gateway = start(&Folder::with(&pair).load().expect("a pair")).await;
    for (head, code) in [
        ("POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n", "head_malformed"),
        ("POST / HTTP/1.1\r\nHost: a\r\nX: y\0\r\n\r\n", "head_malformed"),
        ("POST / HTTP/1.1\r\nHost : a\r\n\r\n", "head_malformed"),
        ("GET /\r\n\r\n", "head_malformed"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "ambiguous_length",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
            "ambiguous_length",
        ),
    ] {
        let mut stream = connect(gateway.address, &pair, b"http/1.1").await.expect("shakes hands");
        stream.write_all(head.as_bytes()).await.expect("open");
        let answer = String::from_utf8(rest(stream).await).expect("text");
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
        assert!(answer.contains(&format!(r#""code":"{code}""#)), "{head:?}: {answer}");
    }
}

#[tokio::test]
async fn a_stop_waits_for_no_handshake() {
    let pair = Pair::new();
    let options = ServerOptions {
        tls: Some(Folder::with(&pair).load().expect("a pair")),
        ..ServerOptions::default()
    };
    let gateway = Gateway::start(service_fn(hello), options).await;
    let silent = TcpStream::connect(gateway.address).await.expect("the server listens");
    // Once another has shaken hands, the silent one was taken before it.
    connect(gateway.address, &pair, b"h2").await.expect("shakes hands");
    let report = gateway.stop().report().await;
    assert_eq!(report.cut, 0);
    assert!(report.took < Duration::from_secs(5), "{report:?}");
    assert_eq!(rest(silent).await, Vec::<u8>::new());
}
