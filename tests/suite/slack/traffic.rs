//! What goes wrong between Slack and us, as real traffic: certificates that are not believed, bodies
//! that come slowly or stop. Slack sends again, and each event is stored once.

use super::{SECRET, TARGET, configuration, events, get};
use anyhow::{Context, Result, ensure};
use headgate_event::{Secret, Timestamp};
use headgate_testkit::slack::{EventsApi, Outcome, SignedRequest};
use headgate_tests::{Connection, Gateway, senders, write_config_of_server};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

/// Slack gives an answer so long.
const PATIENCE: Duration = Duration::from_secs(3);

fn slack() -> EventsApi {
    EventsApi::new(Secret::new(SECRET)).retrying_after([Duration::ZERO; 3])
}

fn now() -> Timestamp {
    Timestamp::from_unix_s(i64::try_from(senders::unix_now()).unwrap_or(i64::MAX))
}

/// The request that is due, as the bytes of a head; its body comes apart.
fn due(slack: &mut EventsApi) -> Result<(SignedRequest, Vec<u8>)> {
    let request = slack.due(now()).pop().context("a request is due")?;
    let mut head = format!("POST {TARGET} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    Ok((request, head.into_bytes()))
}

fn counted(gateway: &Gateway, reason: &str) -> Result<bool> {
    let metrics = String::from_utf8(get(gateway, "/metrics")?.body)?;
    let line = format!("headgate_slack_retries_total{{channel=\"team\",reason=\"{reason}\"}} 1");
    Ok(metrics.lines().any(|known| known == line))
}

/// A certificate for `127.0.0.1`, in files of the folder; its bytes.
fn certificate(folder: &Path) -> Result<CertificateDer<'static>> {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    let key = KeyPair::generate()?;
    let made = params.self_signed(&key)?;
    std::fs::write(folder.join("cert.pem"), made.pem())?;
    std::fs::write(folder.join("key.pem"), key.serialize_pem())?;
    Ok(made.der().clone())
}

/// Sends over TLS, believing in these certificates alone; what came of it, as Slack sees it.
fn over_tls(address: &str, believed: &[CertificateDer<'static>], bytes: &[u8]) -> Result<Outcome> {
    let mut roots = RootCertStore::empty();
    for certificate in believed {
        roots.add(certificate.clone())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1")?;
    let connection = ClientConnection::new(Arc::new(config), name)?;
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut stream = StreamOwned::new(connection, socket);
    if let Err(error) = stream.write_all(bytes) {
        let refused = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        let is_certificate = matches!(refused, Some(rustls::Error::InvalidCertificate(_)));
        ensure!(is_certificate, "it failed otherwise: {error}");
        return Ok(Outcome::BadCertificate);
    }
    let (mut answer, mut buffer) = (Vec::new(), [0; 1024]);
    while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "no answer");
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    let status = String::from_utf8_lossy(&answer).split(' ').nth(1).map(str::to_owned);
    Ok(Outcome::Status(status.context("a status")?.parse()?))
}

#[test]
fn what_a_certificate_kept_away_is_stored_by_its_retry_when_that_is_right() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("secret"), SECRET)?;
    let right = certificate(folder.path())?;
    let server = "listen = \"127.0.0.1:0\"\napi_listen = \"127.0.0.1:0\"\n\
                  tls = { certificate = \"cert.pem\", key = \"key.pem\" }";
    let tables = "[[channel]]\nid = \"team\"\ntype = \"slack\"\n\
                  signing_secrets = [{ file = \"secret\" }]\n";
    let config = write_config_of_server(folder.path(), server, tables)?;
    let mut gateway = Gateway::start(&config)?;
    let (public, api) = (gateway.address.clone(), gateway.api_address.clone());
    let mut slack = slack();
    slack.emit(now());
    let other = certificate(tempfile::tempdir()?.path())?;
    let (first, head) = due(&mut slack)?;
    let bytes = [head.as_slice(), &first.body].concat();
    let outcome = over_tls(&public, &[other], &bytes)?;
    ensure!(outcome == Outcome::BadCertificate, "{outcome:?}");
    slack.answered(now(), &first.event_id, outcome);

    let (again, head) = due(&mut slack)?;
    let bytes = [head.as_slice(), &again.body].concat();
    let outcome = over_tls(&public, std::slice::from_ref(&right), &bytes)?;
    ensure!(outcome == Outcome::Status(200), "{outcome:?}");
    slack.answered(now(), &again.event_id, outcome);
    ensure!(slack.ledger().unacknowledged().next().is_none());
    // The API has a listener of its own, without TLS.
    gateway.address = api;
    ensure!(counted(&gateway, "ssl_error")?, "the retry is not counted with its reason");
    let stored = events(&gateway)?;
    let ids = stored.iter().filter_map(|event| event["data"]["event_id"].as_str());
    slack.ledger().check(ids)?;
    Ok(())
}

#[test]
fn a_body_that_comes_slowly_is_taken_and_one_that_stops_is_stored_by_its_retry() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let mut slack = slack();
    // Byte by byte, but within Slack's patience.
    slack.emit(now());
    let (slow, head) = due(&mut slack)?;
    let mut connection = Connection::open(&gateway.address)?;
    connection.send(&head)?;
    for byte in &slow.body {
        connection.send(&[*byte])?;
        thread::sleep(Duration::from_millis(4));
    }
    let status = connection.answer()?.status;
    ensure!(status == 200, "{status}");
    slack.answered(now(), &slow.event_id, Outcome::Status(status));
    // Half of it, and then nothing.
    slack.emit(now());
    let (half, head) = due(&mut slack)?;
    let mut connection = Connection::open(&gateway.address)?;
    connection.send(&head)?;
    connection.send(half.body.get(..half.body.len() / 2).unwrap_or_default())?;
    thread::sleep(PATIENCE);
    drop(connection);
    slack.answered(now(), &half.event_id, Outcome::TimedOut);
    ensure!(events(&gateway)?.len() == 1, "half a body became an event");
    let (again, head) = due(&mut slack)?;
    let mut connection = Connection::open(&gateway.address)?;
    connection.send(&[head.as_slice(), &again.body].concat())?;
    let status = connection.answer()?.status;
    slack.answered(now(), &again.event_id, Outcome::Status(status));
    ensure!(status == 200 && slack.ledger().unacknowledged().next().is_none());
    ensure!(counted(&gateway, "http_timeout")?, "the retry is not counted with its reason");
    let stored = events(&gateway)?;
    let ids = stored.iter().filter_map(|event| event["data"]["event_id"].as_str());
    slack.ledger().check(ids)?;
    Ok(())
}

/// The answer to the first was lost; Slack sends again beside a request that is still under way.
#[test]
fn the_same_event_twice_at_one_time_is_stored_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let mut slack = slack();
    slack.emit(now());
    let (request, head) = due(&mut slack)?;
    let bytes = [head.as_slice(), &request.body].concat();
    let (most, last) = bytes.split_at(bytes.len() - 1);
    let mut connections = Vec::new();
    for _ in 0..8 {
        let mut connection = Connection::open(&gateway.address)?;
        connection.send(most)?;
        connections.push(connection);
    }
    for connection in &mut connections {
        connection.send(last)?;
    }
    let mut new = 0;
    for connection in &mut connections {
        let answer = connection.answer()?;
        ensure!(answer.status == 200, "{}", answer.status);
        new += usize::from(answer.header("headgate-duplicate").is_none());
    }
    ensure!(new == 1 && events(&gateway)?.len() == 1, "{new} were taken for new");
    Ok(())
}
