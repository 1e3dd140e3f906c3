//! What is served of a stored message: its attachments by signed URLs, its data as the command line
//! reads it.

use super::{FROM, SUPPORT, events, message, raw, support};
use crate::push::{subscription, well};
use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, MailConnection, binary, request, sink::Sink, write_config};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::process::Command;

const KEYS: &str = "[[api_key]]\nname = \"reader\"\nkey = { insecure_inline = \"reader-key-12345\" }\n\
                    scopes = [\"read\"]\n\n";
const BEARER: (&str, &str) = ("authorization", "Bearer reader-key-12345");

fn sample(gateway: &Gateway) -> Result<()> {
    let to = format!("smtp://{}/{SUPPORT}", gateway.mail_address);
    let sent = Command::new(binary()?).args(["send", "email", "--to", &to]).output()?;
    ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    Ok(())
}

/// What stands behind the host of a URL.
fn target(url: &Value) -> Result<&str> {
    let url = url.as_str().context("a URL")?;
    let rest = url.strip_prefix("http://").context("http")?;
    Ok(&rest[rest.find('/').context("a path")?..])
}

#[test]
fn an_attachment_is_fetched_without_a_key_by_its_url_and_stays_the_same_after_a_restart()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), &format!("{KEYS}{}", support()))?;
    let gateway = Gateway::start(&config)?;
    sample(&gateway)?;
    let shown = |gateway: &Gateway| -> Result<Value> {
        let page = request(&gateway.address, "GET", "/v1/events", &[BEARER], b"")?.json()?;
        Ok(page["events"][0].clone())
    };
    let event = shown(&gateway)?;
    let (attachment, id) = (&event["data"]["attachments"][0], &event["id"]);
    let (url, raw_url) = (target(&attachment["url"])?, target(&event["data"]["raw_url"])?);
    let fetch = |gateway: &Gateway, url: &str| request(&gateway.address, "GET", url, &[], b"");
    let file = fetch(&gateway, url)?;
    ensure!(file.status == 200, "{}", file.status);
    ensure!(hex::encode(Sha256::digest(&file.body)) == attachment["sha256"], "other bytes");
    let disposition = file.header("content-disposition").unwrap_or_default();
    ensure!(disposition.starts_with("attachment; filename=\"invoice.png\""), "{disposition}");
    ensure!(file.header("x-content-type-options") == Some("nosniff"));
    let whole = fetch(&gateway, raw_url)?;
    ensure!(whole.body.starts_with(b"From: Ann Lee"), "not the message");
    let bare = url.split('?').next().unwrap_or_default();
    ensure!(fetch(&gateway, bare)?.status == 401);
    ensure!(fetch(&gateway, &url.replace("signature=", "signature=A"))?.status == 403);
    let keyed = request(&gateway.address, "GET", bare, &[BEARER], b"")?;
    ensure!(keyed.body == file.body);
    gateway.stop()?;
    // The key of the installation is kept: what was handed out before is still good.
    let gateway = Gateway::start(&config)?;
    ensure!(fetch(&gateway, url)?.body == file.body);
    ensure!(shown(&gateway)?["id"] == *id);
    Ok(())
}

#[test]
fn no_url_is_stored() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), &support())?;
    let gateway = Gateway::start(&config)?;
    sample(&gateway)?;
    gateway.stop()?;
    let exported = folder.path().join("events.jsonl");
    let mut export = Command::new(binary()?);
    export.arg("export").arg("--config").arg(&config).arg("--out").arg(&exported);
    let ended = export.output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let text = std::fs::read_to_string(&exported)?;
    ensure!(text.contains("invoice.png") && text.contains("\"raw_url\":null"), "{text}");
    ensure!(!text.contains("signature="), "{text}");
    Ok(())
}

#[test]
fn the_command_line_reads_a_message_as_its_channel_did() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), &support())?)?;
    sample(&gateway)?;
    let mut sender = MailConnection::open(&gateway.mail_address)?;
    sender.deliver(FROM, &[SUPPORT], &message("second", ".\r\n..dots\r\n"))?;
    for event in events(&gateway)? {
        let file = folder.path().join("message.eml");
        std::fs::write(&file, raw(&gateway, &event)?)?;
        let mut parse = Command::new(binary()?);
        let ended = parse.args(["email", "parse", "--jsonl"]).arg(&file).output()?;
        let line: Value = serde_json::from_slice(&ended.stdout)?;
        let (mut parsed, mut stored) = (line["data"].clone(), event["data"].clone());
        for data in [&mut parsed, &mut stored] {
            let data = data.as_object_mut().context("data")?;
            // What its delivery tells, and links.
            for name in ["envelope", "matched_address", "received_at", "raw_url", "tag", "auth"] {
                data.remove(name);
            }
            for attachment in data["attachments"].as_array_mut().context("attachments")? {
                attachment["url"] = Value::Null;
            }
        }
        ensure!(parsed == stored, "{parsed:#}\n{stored:#}");
    }
    Ok(())
}

#[test]
fn a_push_has_links_that_are_good() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(well)?;
    let push = subscription("agent", &sink.address, "");
    let tables = format!("{}{push}", support());
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    sample(&gateway)?;
    let posted = sink.wait_for("one push", |posted| !posted.is_empty())?;
    let event: Value = serde_json::from_slice(&posted[0].body)?;
    let url = target(&event["data"]["attachments"][0]["url"])?;
    ensure!(request(&gateway.address, "GET", url, &[], b"")?.status == 200, "{event}");
    Ok(())
}
