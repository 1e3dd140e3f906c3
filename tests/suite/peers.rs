//! Clients that nobody here wrote judge what we take and what we give.

use anyhow::{Context, Result, bail, ensure};
use headgate_tests::{
    Gateway, binary, python, request, senders, write_config, write_config_of_server,
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const STRIPE: &str = "whsec_a_secret_of_stripe";
const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const KEY: &str = "a-key-of-the-reader";

#[test]
fn a_request_signed_by_the_stripe_package_becomes_an_event() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path())?)?;
    let answer = send("stripe", &gateway.address, "billing", STRIPE)?;
    assert_eq!(answer.get("status"), Some(&200.into()), "{answer}");
    let event = newest(&gateway.address)?;
    assert_eq!(event.get("dedupe_key"), Some(&"evt_from_python".into()));
    assert_eq!(event.get("provider_event"), Some(&"invoice.paid".into()));
    assert_eq!(event.pointer("/verification/covers"), Some(&"body+time".into()));
    let again = send("stripe", &gateway.address, "billing", STRIPE)?;
    assert_eq!(again.pointer("/body/duplicate"), Some(&true.into()), "{again}");
    Ok(())
}

#[test]
fn what_compressors_of_others_make_is_proved_as_it_came_and_read_as_it_was() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path())?)?;
    for codings in ["gzip", "deflate", "bare-deflate", "br", "br,gzip", "gzip,deflate,br"] {
        let output =
            sender("stripe", &gateway.address, "compressed", STRIPE)?.arg(codings).output()?;
        let answer = said(&output).context(codings)?;
        assert_eq!(answer.get("status"), Some(&200.into()), "{codings}: {answer}");
        let event = newest(&gateway.address)?;
        assert_eq!(event.get("id"), answer.pointer("/body/id"), "{codings}");
        assert_eq!(event.pointer("/data/body/id"), Some(&"evt_from_python".into()), "{codings}");
        let header = codings.replace("bare-", "").replace(',', ", ");
        assert_eq!(event.pointer("/data/content_encoding"), Some(&header.into()));
    }
    Ok(())
}

#[test]
fn a_request_signed_by_the_stripe_package_with_another_secret_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path())?)?;
    let answer = send("stripe", &gateway.address, "billing", "whsec_another")?;
    assert_eq!(answer.get("status"), Some(&401.into()), "{answer}");
    assert_eq!(answer.pointer("/body/error/code"), Some(&"signature_mismatch".into()));
    Ok(())
}

#[test]
fn a_request_signed_by_the_standardwebhooks_package_becomes_an_event() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path())?)?;
    let answer = send("standardwebhooks", &gateway.address, "users", STANDARD)?;
    assert_eq!(answer.get("status"), Some(&200.into()), "{answer}");
    let event = newest(&gateway.address)?;
    assert_eq!(event.get("dedupe_key"), Some(&"msg_from_python".into()));
    assert_eq!(event.pointer("/data/body/data/name"), Some(&"Zoë".into()));
    Ok(())
}

/// Bodies that are made up, signed by the senders' own packages and changed: they say of each what
/// we say. What we sign they take, and not with another body.
#[test]
fn the_packages_of_senders_agree_with_us_both_ways() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&judged(folder.path())?)?;
    let mut command = Command::new(python()?);
    command.arg(script("judges.py")?).arg(binary()?).args([&gateway.address, "120", "7"]);
    let counts = said(&command.output()?)?;
    let counts = counts.as_object().context("counts")?;
    assert_eq!(counts.len(), 7);
    for (package, counts) in counts {
        let of = |name: &str| counts.get(name).and_then(Value::as_u64).unwrap_or_default();
        assert!(of("taken") >= 30 && of("refused") >= 30, "{package}: {counts}");
        let is_again = ["Svix", "TwilioJson"].contains(&package.as_str());
        assert!(of("ours") > 0 || is_again, "{package}: {counts}");
    }
    Ok(())
}

#[test]
fn a_websocket_client_that_only_brings_a_key_and_reads_gets_every_event() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path())?)?;
    // A durable subscription that settles by sending, and a live tail.
    for target in ["/v1/stream?subscription=reader", "/v1/stream"] {
        let url = format!("ws://{}{target}", gateway.address);
        let mut reader = Command::new(python()?)
            .arg(script("reader.py")?)
            .args([&url, "3", KEY])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(reader.stdout.take().context("its output")?).lines();
        let hello: Value = serde_json::from_str(&lines.next().context("hello")??)?;
        assert_eq!(hello.get("type"), Some(&"hello".into()));
        assert_eq!(hello.get("project_id"), Some(&"default".into()));
        let sent = (0..3).map(|number| send_push(&gateway.address, target, number));
        let sent = sent.collect::<Result<Vec<_>>>()?;
        for id in sent {
            let event: Value = serde_json::from_str(&lines.next().context("an event")??)?;
            assert_eq!(event.get("id"), Some(&id));
            assert_eq!(event.get("schema"), Some(&"headgate.event.v1".into()));
        }
        ensure!(reader.wait()?.success(), "the reader failed");
    }
    Ok(())
}

/// The gateway is killed while the client reads and starts again at the same address: the client
/// says where it was, and gets each event once.
#[test]
fn a_client_of_server_sent_events_goes_on_after_a_kill_without_gap_or_repeat() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path())?;
    let mut gateway = Gateway::start(&config)?;
    let address = gateway.address.clone();
    let fixed = std::fs::read_to_string(&config)?.replace("127.0.0.1:0", &address);
    std::fs::write(&config, fixed)?;
    let url = format!("http://{address}/v1/stream?channel=hub&provider_event=push");
    let mut reader = Command::new(python()?)
        .arg(script("event_source.py")?)
        .args([&url, "30", KEY])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(reader.stdout.take().context("its output")?).lines();
    ensure!(lines.next().context("connected")??.contains("connected"));
    let mut sent = Vec::new();
    for round in 0..3 {
        for number in 0..5 {
            sent.push(send_push(&address, &format!("round-{round}"), number)?);
        }
        gateway.kill()?;
        gateway = Gateway::start(&config)?;
        for number in 5..10 {
            sent.push(send_push(&address, &format!("round-{round}"), number)?);
        }
    }
    let mut shown = Vec::new();
    while shown.len() < sent.len() {
        let line: Value = serde_json::from_str(&lines.next().context("an event")??)?;
        if line.get("connected").is_none() {
            assert_eq!(line.get("name"), Some(&"message".into()), "{line}");
            assert_eq!(line.get("id"), line.pointer("/data/id"));
            shown.push(line.get("id").context("an id")?.clone());
        }
    }
    assert_eq!(shown, sent);
    ensure!(reader.wait()?.success(), "the reader failed");
    Ok(())
}

fn send(package: &str, address: &str, channel: &str, secret: &str) -> Result<Value> {
    said(&sender(package, address, channel, secret)?.output()?)
}

fn sender(package: &str, address: &str, channel: &str, secret: &str) -> Result<Command> {
    let url = format!("http://{address}/v1/webhook/{channel}");
    let mut command = Command::new(python()?);
    command.arg(script("senders.py")?).args([package, &url, secret]);
    Ok(command)
}

fn said(output: &Output) -> Result<Value> {
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn send_push(address: &str, run: &str, number: usize) -> Result<Value> {
    let body = br#"{"ref": "refs/heads/main"}"#;
    let signature = senders::github("of github", body);
    let delivery = format!("{run}-{number}");
    let headers = [
        ("x-github-event", "push"),
        ("x-github-delivery", delivery.as_str()),
        ("x-hub-signature-256", signature.as_str()),
    ];
    let answer = request(address, "POST", "/v1/webhook/hub", &headers, body)?;
    answer.json()?.get("id").cloned().context("an id")
}

fn newest(address: &str) -> Result<Value> {
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", bearer.as_str())];
    let page = request(address, "GET", "/v1/events?limit=1", &headers, b"")?.json()?;
    page.pointer("/events/0").cloned().context("an event")
}

fn script(name: &str) -> Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name))
}

fn configuration(folder: &Path) -> Result<PathBuf> {
    let tables = format!(
        r#"[[api_key]]
name = "reader"
key = {{ insecure_inline = "{KEY}" }}
scopes = ["consume", "read"]

[[channel]]
id = "billing"
type = "webhook"
provider = "stripe"
secrets = [{{ insecure_inline = "{STRIPE}" }}]

[[channel]]
id = "compressed"
type = "webhook"
provider = "stripe"
secrets = [{{ insecure_inline = "{STRIPE}" }}]
dedupe = "off"

[[channel]]
id = "users"
type = "webhook"
provider = "standard-webhooks"
secrets = [{{ insecure_inline = "{STANDARD}" }}]

[[channel]]
id = "hub"
type = "webhook"
provider = "github"
secrets = [{{ insecure_inline = "of github" }}]

[[subscription]]
name = "reader"
ack = "on_send"
"#
    );
    write_config(folder, &tables)
}

/// The channels of `judges.py`, which has their secrets too.
fn judged(folder: &Path) -> Result<PathBuf> {
    let channels = [
        ("stripe", "stripe", STRIPE),
        ("standard-webhooks", "standard-webhooks", STANDARD),
        ("discord", "discord", "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"),
        ("twilio", "twilio", "12345678901234567890123456789012"),
    ];
    let mut tables = format!(
        "[[api_key]]\nname = \"reader\"\nkey = {{ insecure_inline = \"{KEY}\" }}\n\
         scopes = [\"read\"]\n\n"
    );
    for (id, provider, secret) in channels {
        tables.push_str(&format!(
            "[[channel]]\nid = \"{id}\"\ntype = \"webhook\"\nprovider = \"{provider}\"\n\
             secrets = [{{ insecure_inline = \"{secret}\" }}]\n\n"
        ));
    }
    tables.push_str(
        "[[channel]]\nid = \"slack\"\ntype = \"slack\"\n\
         signing_secrets = [{ insecure_inline = \"8f742231b10e8888abcd99yyyzzz85a5\" }]\n",
    );
    let server = "listen = \"127.0.0.1:0\"\npublic_url = \"https://in.example.com\"";
    write_config_of_server(folder, server, &tables)
}
