//! What was refused is kept, and is an event once the secret was mended; who floods the gateway
//! with forgeries holds up nobody.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Connection, Gateway, binary, request, senders, write_config};
use serde_json::Value;
use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

const RIGHT: &str = "the secret of the sender";
const ADMIN: &str = "admin-key-123456";
const TABLES: &str = r#"
[[api_key]]
name = "admin"
key = { insecure_inline = "admin-key-123456" }
scopes = ["admin"]

[[api_key]]
name = "reader"
key = { insecure_inline = "reader-key-12345" }
scopes = ["read", "consume"]
"#;

/// A configuration whose GitHub channels have these secrets.
fn config(folder: &Path, channels: &[(&str, &str)]) -> Result<std::path::PathBuf> {
    let mut tables = TABLES.to_owned();
    for (id, secret) in channels {
        tables.push_str(&format!(
            "\n[[channel]]\nid = \"{id}\"\ntype = \"webhook\"\nprovider = \"github\"\n\
             secrets = [{{ insecure_inline = \"{secret}\" }}]\n"
        ));
    }
    write_config(folder, &tables)
}

/// The status of a delivery of this number.
fn deliver(gateway: &Gateway, channel: &str, number: usize, body: &[u8]) -> Result<u16> {
    let (signature, id) = (senders::github(RIGHT, body), format!("delivery-{number}"));
    let headers = [
        ("x-github-event", "push"),
        ("x-github-delivery", id.as_str()),
        ("x-hub-signature-256", signature.as_str()),
        ("content-type", "application/json"),
    ];
    let target = format!("/v1/webhook/{channel}");
    Ok(request(&gateway.address, "POST", &target, &headers, body)?.status)
}

fn admin(gateway: &Gateway, method: &str, target: &str, body: &[u8]) -> Result<Vec<u8>> {
    let bearer = format!("Bearer {ADMIN}");
    let headers = [("authorization", bearer.as_str())];
    let answer = request(&gateway.address, method, target, &headers, body)?;
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    ensure!(answer.status == 200, "{method} {target}: {} {said}", answer.status);
    Ok(answer.body)
}

fn json(bytes: &[u8]) -> Result<Value> {
    Ok(serde_json::from_slice(bytes)?)
}

/// The command with these arguments, against a gateway.
fn headgate(gateway: &Gateway, arguments: &[&str], stdin: &[u8]) -> Result<Output> {
    let mut child = Command::new(binary()?)
        .args(arguments)
        .env("HEADGATE_URL", format!("http://{}", gateway.address))
        .env("HEADGATE_KEY", ADMIN)
        .env("RIGHT", RIGHT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("its stdin")?.write_all(stdin)?;
    Ok(child.wait_with_output()?)
}

#[test]
fn a_mended_secret_releases_what_was_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&config(folder.path(), &[("code", "a wrong secret")])?)?;
    let bodies: Vec<Vec<u8>> =
        (0..5).map(|n| format!("{{\"n\" : {n},  \"x\": \"\\u00fc\"}}\r\n").into()).collect();
    for (number, body) in bodies.iter().enumerate() {
        ensure!(deliver(&gateway, "code", number, body)? == 401);
    }
    let forged = [("x-hub-signature-256", "sha256=00")];
    let answer = request(&gateway.address, "POST", "/v1/webhook/code", &forged, b"forged")?;
    ensure!(answer.status == 401);
    let listed = json(&admin(&gateway, "GET", "/v1/rejections", b"")?)?;
    let all = listed["rejections"].as_array().context("a list")?;
    ensure!(all.len() == 6 && all[5]["code"] == "signature_mismatch", "{listed}");
    ensure!(all[5]["channel"] == "code" && all[5]["remote_ip"] == "127.0.0.1", "{listed}");
    // What is exported is what `verify` takes, and it says what the gateway would have to know.
    let id = all[5]["id"].as_str().context("an id")?.to_owned();
    let raw = admin(&gateway, "GET", &format!("/v1/rejections/{id}/raw"), b"")?;
    let verify = ["verify", "-", "--provider", "github", "--secret-env", "RIGHT"];
    let verified = headgate(&gateway, &verify, &raw)?;
    let said = String::from_utf8_lossy(&verified.stdout);
    ensure!(verified.status.success() && said.starts_with("verified: github"), "{said}");
    ensure!(gateway.stop()?.success());

    let gateway = Gateway::start(&config(folder.path(), &[("code", RIGHT)])?)?;
    // The sender's own retry of one of them comes before the release.
    ensure!(deliver(&gateway, "code", 2, &bodies[2])? == 200);
    let release = ["rejections", "release", "--all", "--channel", "code", "--json"];
    let released = headgate(&gateway, &release, b"")?;
    let counts = json(&released.stdout)?;
    ensure!(counts["released"] == 5 && counts["duplicates"] == 1, "{counts}");
    ensure!(counts["refused"] == 1, "{counts}");

    let events = json(&admin(&gateway, "GET", "/v1/events", b"")?)?;
    let events = events["events"].as_array().context("events")?.clone();
    let keys: Vec<&str> = events.iter().filter_map(|event| event["dedupe_key"].as_str()).collect();
    let expected = ["delivery-4", "delivery-3", "delivery-1", "delivery-0", "delivery-2"];
    ensure!(keys == expected, "{keys:?}");
    for (event, number) in events.iter().zip([4, 3, 1, 0, 2]) {
        let id = event["id"].as_str().context("an id")?;
        let raw = admin(&gateway, "GET", &format!("/v1/events/{id}/raw"), b"")?;
        ensure!(raw == bodies[number], "{}", String::from_utf8_lossy(&raw));
        let released = event["metadata"]["released_from"].is_string();
        ensure!(released == (number != 2), "{event}");
    }
    ensure!(events[3]["metadata"]["released_from"] == id.as_str(), "{}", events[3]);
    let listed = json(&admin(&gateway, "GET", "/v1/rejections", b"")?)?;
    ensure!(listed["rejections"].as_array().map(Vec::len) == Some(1), "{listed}");
    let reader = [("authorization", "Bearer reader-key-12345")];
    let read = request(&gateway.address, "GET", "/v1/rejections", &reader, b"")?;
    ensure!(read.status == 403, "{}", read.status);
    ensure!(gateway.stop()?.success());
    Ok(())
}

#[test]
fn a_flood_of_forgeries_holds_up_no_healthy_sender() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let channels = [("attacked", "another secret"), ("healthy", RIGHT)];
    let bounds = "[quarantine]\nbytes = \"4MiB\"\n";
    let path = config(folder.path(), &channels)?;
    std::fs::write(&path, std::fs::read_to_string(&path)? + bounds)?;
    let gateway = Gateway::start(&path)?;
    let ends = Arc::new(AtomicBool::new(false));
    let attackers: Vec<_> = (0..2)
        .map(|_| {
            let (address, ends) = (gateway.address.clone(), Arc::clone(&ends));
            thread::spawn(move || flood(&address, &ends))
        })
        .collect();
    let mut slowest = std::time::Duration::ZERO;
    for number in 0..200 {
        let started = Instant::now();
        ensure!(deliver(&gateway, "healthy", number, b"{\"a\":1}")? == 200);
        slowest = slowest.max(started.elapsed());
    }
    ends.store(true, Ordering::Relaxed);
    let mut forgeries = 0;
    for attacker in attackers {
        forgeries += attacker.join().map_err(|_| anyhow::anyhow!("an attacker panicked"))??;
    }
    ensure!(slowest.as_secs() < 10, "the slowest of 200 took {slowest:?}");
    ensure!(forgeries > 200, "{forgeries} are no flood");
    let lines = gateway.logged().iter().filter(|line| line.contains("\"refused\"")).count();
    ensure!(lines <= 5, "{lines} lines of {forgeries} forgeries");
    let quarantine = folder.path().join("data/quarantine");
    let files = std::fs::read_dir(&quarantine)?.map(|entry| Ok(entry?.metadata()?.len()));
    let bytes = files.sum::<Result<u64>>()?;
    ensure!(bytes < 32 << 20, "{bytes} bytes of quarantine");
    let metrics = admin(&gateway, "GET", "/metrics", b"")?;
    let metrics = String::from_utf8(metrics)?;
    let kept = "headgate_quarantine_kept_total{channel=\"attacked\",code=\"signature_mismatch\"}";
    ensure!(metrics.contains(kept), "{metrics}");
    Ok(())
}

/// Sends forgeries until it ends, and counts them.
fn flood(address: &str, ends: &AtomicBool) -> Result<usize> {
    let mut connection = Connection::open(address)?;
    let signature = senders::github("forged", b"something else");
    let body = vec![b'x'; 20_000];
    let mut count = 0;
    while !ends.load(Ordering::Relaxed) {
        let headers = [("x-hub-signature-256", signature.as_str())];
        let answer = connection.request("POST", "/v1/webhook/attacked", &headers, &body)?;
        ensure!(answer.status == 401, "{}", answer.status);
        count += 1;
    }
    Ok(count)
}
