//! What other people's clients send is stored byte for byte, whichever way they send it.

use super::{FROM, SUPPORT, channel, events, raw};
use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_tests::{Gateway, MailConnection, binary, python, write_config_of_server};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A gateway with TLS for `localhost`, on both kinds of listener.
fn configuration(folder: &Path) -> Result<PathBuf> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    let key = KeyPair::generate()?;
    fs::write(folder.join("cert.pem"), params.self_signed(&key)?.pem())?;
    fs::write(folder.join("key.pem"), key.serialize_pem())?;
    let server = "listen = \"127.0.0.1:0\"\napi_listen = \"127.0.0.1:0\"\n\
                  tls = { certificate = \"cert.pem\", key = \"key.pem\" }";
    let email = "[email]\nlisten = \"127.0.0.1:0\"\ntls_listen = \"127.0.0.1:0\"\n\
                 resolver = \"off\"\n\n";
    let support = channel("support", &format!("{SUPPORT:?}"), "");
    write_config_of_server(folder, server, &format!("{email}{support}"))
}

/// The events of a gateway whose API has its own listener.
fn stored(gateway: &mut Gateway) -> Result<Vec<Value>> {
    gateway.address.clone_from(&gateway.api_address);
    events(gateway)
}

fn of_subject<'a>(events: &'a [Value], subject: &str) -> Result<&'a Value> {
    let mut found = events.iter().filter(|event| event["data"]["subject"] == subject);
    let event = found.next().with_context(|| format!("no event of `{subject}`"))?;
    ensure!(found.next().is_none(), "`{subject}` is stored twice");
    Ok(event)
}

#[test]
fn python_delivers_plain_with_tls_pipelined_and_in_chunks() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut gateway = Gateway::start(&configuration(folder.path())?)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mail_sender.py");
    let port = |address: &str| address.rsplit(':').next().unwrap_or_default().to_owned();
    let mut command = Command::new(python()?);
    command.arg(script).arg(port(&gateway.mail_address)).arg(port(&gateway.mail_tls_address));
    let ended = command.arg(folder.path().join("cert.pem")).output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let sent: Value = serde_json::from_slice(&ended.stdout)?;
    let sent = sent.as_object().context("what was sent")?;
    ensure!(sent.len() == 8, "{:?}", sent.keys());
    let events = stored(&mut gateway)?;
    ensure!(events.len() == sent.len(), "{} events", events.len());
    for (way, one) in sent {
        let reply = one["reply"].as_str().unwrap_or_default();
        ensure!(reply.contains("stored as") || reply == "250", "{way}: {reply}");
        let event = of_subject(&events, way)?;
        let bytes = STANDARD.decode(one["raw"].as_str().context("bytes")?)?;
        ensure!(raw(&gateway, event)? == bytes, "{way}: other bytes are stored than were sent");
        let envelope = &event["data"]["envelope"];
        ensure!(envelope["tls"] == way.ends_with("tls"), "{way}: {envelope}");
        ensure!(envelope["mail_from"] == FROM && envelope["rcpt_to"][0] == SUPPORT, "{way}");
        ensure!(envelope["remote_ip"] == "127.0.0.1", "{way}: {envelope}");
    }
    Ok(())
}

#[test]
fn swaks_delivers_plain_and_with_starttls() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut gateway = Gateway::start(&configuration(folder.path())?)?;
    for (subject, more) in [("swaks plain", &[][..]), ("swaks tls", &["--tls"][..])] {
        let mut swaks = Command::new("swaks");
        swaks.args(["--server", &gateway.mail_address, "--from", FROM, "--to", SUPPORT]);
        let swaks = swaks.args(["--header", &format!("Subject: {subject}")]).args(more);
        let ended = swaks.output().context("`swaks` is missing; `tests/run` installs it")?;
        let said = String::from_utf8_lossy(&ended.stdout);
        ensure!(ended.status.success() && said.contains("stored as"), "{said}");
    }
    let events = stored(&mut gateway)?;
    ensure!(of_subject(&events, "swaks plain")?["data"]["envelope"]["tls"] == false);
    ensure!(of_subject(&events, "swaks tls")?["data"]["envelope"]["tls"] == true);
    Ok(())
}

#[test]
fn the_command_line_delivers_with_tls_to_a_server_that_it_trusts_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut gateway = Gateway::start(&configuration(folder.path())?)?;
    let port = |address: &str| address.rsplit(':').next().unwrap_or_default().to_owned();
    let (plain, immediate) = (port(&gateway.mail_address), port(&gateway.mail_tls_address));
    let (certificate, other) = (folder.path().join("cert.pem"), folder.path().join("other.pem"));
    let stranger = KeyPair::generate()?;
    let params = CertificateParams::new(vec!["localhost".to_owned()])?;
    fs::write(&other, params.self_signed(&stranger)?.pem())?;
    let send = |to: String, trusted: bool| -> Result<(bool, String)> {
        let mut send = Command::new(binary()?);
        send.args(["send", "email", "--to", &to]).env_remove("SSL_CERT_DIR");
        let trusts = if trusted { &certificate } else { &other };
        let ended = send.env("SSL_CERT_FILE", trusts).output()?;
        let said = [ended.stdout, ended.stderr].concat();
        Ok((ended.status.success(), String::from_utf8(said)?))
    };
    let ways =
        [format!("smtp+starttls://localhost:{plain}"), format!("smtps://localhost:{immediate}")];
    for way in &ways {
        let (good, said) = send(format!("{way}/{SUPPORT}"), true)?;
        ensure!(good && said.contains("stored as"), "{way}: {said}");
        let (good, said) = send(format!("{way}/{SUPPORT}"), false)?;
        ensure!(!good && said.contains("no TLS with"), "{way}: it is not trusted, and {said}");
    }
    // A name that is not in the certificate.
    let (good, said) = send(format!("smtps://127.0.0.1:{immediate}/{SUPPORT}"), true)?;
    ensure!(!good && said.contains("no TLS with"), "{said}");
    let events = stored(&mut gateway)?;
    ensure!(events.len() == ways.len(), "{} events", events.len());
    ensure!(events.iter().all(|event| event["data"]["envelope"]["tls"] == true), "{events:?}");
    Ok(())
}

#[test]
fn a_client_that_asks_for_tls_and_cannot_is_counted_and_harms_nobody() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut gateway = Gateway::start(&configuration(folder.path())?)?;
    let mut broken = MailConnection::open(&gateway.mail_address)?;
    broken.ask("EHLO client.example")?;
    let ready = broken.ask("STARTTLS")?;
    ensure!(ready.starts_with("220 2.0.0"), "{ready}");
    broken.send(b"MAIL FROM:<not-a-handshake@example.org>\r\n")?;
    while broken.reply().is_ok() {}
    let mut good = MailConnection::open(&gateway.mail_address)?;
    let reply = good.deliver(FROM, &[SUPPORT], &super::message("after", "x"))?;
    ensure!(reply.starts_with("250"), "{reply}");
    gateway.address.clone_from(&gateway.api_address);
    let metrics = String::from_utf8(super::get(&gateway, "/metrics")?.body)?;
    for line in [
        "headgate_smtp_tls_handshakes_failed_total 1",
        "headgate_smtp_messages_total{outcome=\"stored\"} 1",
        "headgate_email_events_total{channel=\"support\"} 1",
    ] {
        ensure!(metrics.contains(line), "`{line}` is not in the metrics");
    }
    Ok(())
}
