//! Mail that providers hand to the running program, and who is believed to have written it: over
//! SMTP and over HTTP alike, by a DNS on loopback.

use super::{channel, events, get, raw};
use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_testkit::dns::{DnsServer, Names};
use headgate_tests::{Gateway, MailConnection, Response, binary, request, senders, write_config};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const SECRET: &str = "a secret of ours";
const FROM: &str = "anna@orchard.example";
const TO: &str = "support+gate@in.example.com";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/email")
}

fn signed_message() -> Result<Vec<u8>> {
    Ok(fs::read(fixtures().join("auth/messages/ed25519.eml"))?)
}

/// A DNS that knows the senders of the fixtures.
fn dns() -> Result<DnsServer> {
    let text = fs::read_to_string(fixtures().join("auth/messages/cases.json"))?;
    let names: Value = serde_json::from_str(&text)?;
    let names: Names = serde_json::from_value(names["names"].clone())?;
    Ok(DnsServer::start(names)?)
}

/// A channel that a provider hands mail to.
fn provided(id: &str, provider: &str, secret: &str, more: &str) -> String {
    format!(
        "[[channel]]\nid = \"{id}\"\ntype = \"email\"\nprovider = \"{provider}\"\n\
         secrets = [{{ insecure_inline = \"{secret}\" }}]\n{more}\n"
    )
}

fn email(resolver: &str) -> String {
    format!(
        "[email]\nlisten = \"127.0.0.1:0\"\nresolver = \"{resolver}\"\nauth_timeout = \"30s\"\n\n"
    )
}

/// A message posted as it is.
fn hand_over(gateway: &Gateway, id: &str, secret: &str, message: &[u8]) -> Result<Response> {
    let now = senders::unix_now();
    let (time, signature) = (now.to_string(), senders::hand_over(secret, now, FROM, TO, message));
    let headers = [
        ("content-type", "message/rfc822"),
        ("x-headgate-timestamp", time.as_str()),
        ("x-headgate-signature", signature.as_str()),
        ("x-envelope-from", FROM),
        ("x-envelope-to", TO),
    ];
    request(&gateway.address, "POST", &format!("/v1/email/{id}"), &headers, message)
}

/// The event of a channel.
fn event_of(gateway: &Gateway, channel: &str) -> Result<Value> {
    let found = events(gateway)?.into_iter().find(|event| event["channel"]["id"] == channel);
    found.with_context(|| format!("no event of `{channel}`"))
}

#[test]
fn one_signed_message_is_believed_alike_by_smtp_and_from_a_provider() -> Result<()> {
    let (folder, dns) = (tempfile::tempdir()?, dns()?);
    let strict = "addresses = [\"support@in.example.com\"]\nrequire = \"dmarc\"\n";
    let direct = channel("direct", "\"support@in.example.com\"", "require = \"dmarc\"\n");
    let tables = email(&dns.address.to_string()) + &direct + &provided("by", "raw", SECRET, strict);
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    let message = signed_message()?;

    let mut server = MailConnection::open(&gateway.mail_address)?;
    let text = String::from_utf8(message.clone())?;
    let reply = server.deliver(FROM, &[TO], &text)?;
    ensure!(reply.starts_with("250"), "{reply}");
    let answer = hand_over(&gateway, "by", SECRET, &message)?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.code());

    let (direct, by) = (event_of(&gateway, "direct")?, event_of(&gateway, "by")?);
    for event in [&direct, &by] {
        ensure!(event["verification"]["verdict"] == "verified", "{event}");
        ensure!(event["verification"]["method"] == "dmarc", "{event}");
        ensure!(event["data"]["auth"]["from_verified"] == true, "{event}");
        ensure!(event["data"]["tag"] == "gate", "{event}");
        let prompt = event["prompt_ready"].as_str().unwrap_or_default();
        ensure!(
            prompt.lines().nth(1).is_some_and(|line| line.contains("verified: dmarc")),
            "{prompt}"
        );
        ensure!(prompt.contains("(sender verified)"), "{prompt}");
        ensure!(raw(&gateway, event)? == message, "other bytes are stored than came");
    }
    let mut data = [direct["data"].clone(), by["data"].clone()];
    for data in &mut data {
        let data = data.as_object_mut().context("an object")?;
        for own in ["envelope", "auth", "received_at", "raw_url"] {
            data.remove(own);
        }
    }
    ensure!(data[0] == data[1], "{data:#?}");

    // Not a word of it may be changed.
    let forged = text.replace("open again", "shut again");
    let reply = server.deliver(FROM, &[TO], &forged)?;
    ensure!(reply.starts_with("550 5.7.1"), "{reply}");
    let answer = hand_over(&gateway, "by", SECRET, forged.as_bytes())?;
    ensure!((answer.status, answer.code().as_str()) == (403, "sender_not_proved"), "{answer:?}");
    Ok(())
}

#[test]
fn a_provider_with_a_wrong_secret_is_refused_kept_and_released_once_it_is_right() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tables = |secret: &str| {
        email("off")
            + &provided("support", "postmark", secret, "")
            + &channel("x", "\"x@y.example\"", "")
    };
    let gateway = Gateway::start(&write_config(folder.path(), &tables("headgate:wrong"))?)?;
    let body = serde_json::json!({
        "RecordType": "Inbound", "MessageID": "pm-1", "OriginalRecipient": TO,
        "FromFull": {"Email": FROM, "Name": "Anna Gruber"}, "ToFull": [{"Email": TO, "Name": ""}],
        "Subject": "The gate", "TextBody": "It is open again.",
        "Headers": [{"Name": "Message-ID", "Value": "<gate-1@orchard.example>"}],
    });
    let credentials = format!("Basic {}", STANDARD.encode("headgate:right"));
    let post = || {
        let headers =
            [("authorization", credentials.as_str()), ("content-type", "application/json")];
        let body = body.to_string();
        request(&gateway.address, "POST", "/v1/email/support", &headers, body.as_bytes())
    };
    let answer = post()?;
    ensure!((answer.status, answer.code().as_str()) == (401, "credentials_mismatch"), "{answer:?}");
    let mut kept = Vec::new();
    // The quarantine writes behind the answer.
    while kept.is_empty() {
        let listed = get(&gateway, "/v1/rejections?channel=support")?.json()?;
        kept = listed["rejections"].as_array().context("rejections")?.clone();
    }
    ensure!(kept.iter().all(|one| one["source"] == "email" && one["method"] == "POST"), "{kept:?}");

    write_config(folder.path(), &tables("headgate:right"))?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    let url = format!("http://{}", gateway.address);
    let mut release = Command::new(binary()?);
    release.args(["rejections", "release", "--all", "--channel", "support", "--url", &url]);
    let released = release.output().context("headgate rejections")?;
    ensure!(released.status.success(), "{}", String::from_utf8_lossy(&released.stderr));
    let event = event_of(&gateway, "support")?;
    ensure!(event["provider"] == "postmark" && event["dedupe_key"] == "pm-1", "{event}");
    ensure!(event["data"]["subject"] == "The gate" && event["data"]["from"] == FROM, "{event}");
    ensure!(event["metadata"]["released_from"].is_string(), "{event}");
    // The provider's own retry comes after it.
    let again = post()?;
    ensure!(again.header("headgate-duplicate") == Some("true"), "{again:?}");
    let metrics = String::from_utf8(get(&gateway, "/metrics")?.body)?;
    for line in [
        "headgate_email_rejected_total{channel=\"support\",code=\"credentials_mismatch\"} 1",
        "headgate_email_duplicates_total{channel=\"support\"} 1",
    ] {
        ensure!(metrics.contains(line), "`{line}` is not in the metrics");
    }
    let view = get(&gateway, "/v1/channels")?.json()?;
    let views = view["channels"].as_array().context("channels")?;
    let support = views.iter().find(|one| one["id"] == "support").context("the channel")?;
    ensure!(support["path"] == "/v1/email/support" && support["provider"] == "postmark", "{view}");
    Ok(())
}

#[test]
fn the_script_that_is_shipped_hands_a_message_over() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tables = provided("support", "raw", SECRET, "senders_deny = [\"*@evil.example\"]\n");
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    let (right, wrong) = (folder.path().join("right"), folder.path().join("wrong"));
    fs::write(&right, format!("{SECRET}\n"))?;
    fs::write(&wrong, "another\n")?;
    let message = signed_message()?;
    let url = format!("http://{}/v1/email/support", gateway.address);
    let run = |url: &str, secret: &Path, from: &str| -> Result<Option<i32>> {
        let mut script = Command::new("sh");
        script.arg(fixtures().join("inbound/hand-over.sh")).arg(url).arg(secret).args([from, TO]);
        let mut script =
            script.arg("192.0.2.7 mx.orchard.example").stdin(Stdio::piped()).spawn()?;
        // A script that ends early leaves a part of it unread.
        let _ = script.stdin.take().context("its stdin")?.write_all(&message);
        Ok(script.wait()?.code())
    };
    ensure!(run(&url, &right, FROM)? == Some(0));
    ensure!(
        run(&url, &wrong, FROM)? == Some(75),
        "a fault of the set-up is no fault of the author"
    );
    ensure!(run(&url, &right, "x@evil.example")? == Some(77), "what is denied goes back");
    ensure!(run("http://127.0.0.1:1/", &right, FROM)? == Some(75));
    let event = event_of(&gateway, "support")?;
    ensure!(raw(&gateway, &event)? == message);
    let envelope = &event["data"]["envelope"];
    ensure!(envelope["mail_from"] == FROM && envelope["rcpt_to"][0] == TO, "{envelope}");
    ensure!(envelope["remote_ip"] == "192.0.2.7" && envelope["helo"] == "mx.orchard.example");
    Ok(())
}
