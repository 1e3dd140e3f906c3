//! Mail that comes to the running program: by clients that nobody here wrote, cut off, killed,
//! refused, and served again.

mod changes;
mod delivery;
mod domains;
mod durability;
mod inbound;
mod views;

use anyhow::{Context, Result};
use headgate_tests::{Gateway, Response, request};
use serde_json::Value;

const FROM: &str = "ann@example.org";
const SUPPORT: &str = "support@in.example.com";
/// Nobody is asked about senders: there may be no network.
const LISTEN: &str = "[email]\nlisten = \"127.0.0.1:0\"\nresolver = \"off\"\n\n";

/// A channel of this id for these addresses.
fn channel(id: &str, addresses: &str, more: &str) -> String {
    format!("[[channel]]\nid = \"{id}\"\ntype = \"email\"\naddresses = [{addresses}]\n{more}\n")
}

/// A listener and one channel for [`SUPPORT`].
fn support() -> String {
    format!("{LISTEN}{}", channel("support", &format!("{SUPPORT:?}"), ""))
}

fn message(id: &str, body: &str) -> String {
    format!(
        "From: Ann <{FROM}>\r\nTo: {SUPPORT}\r\nSubject: {id}\r\nMessage-ID: <{id}@example.org>\r\n\
         \r\n{body}\r\n"
    )
}

fn get(gateway: &Gateway, target: &str) -> Result<Response> {
    request(&gateway.address, "GET", target, &[], b"")
}

/// All events, the newest first.
fn events(gateway: &Gateway) -> Result<Vec<Value>> {
    let page = get(gateway, "/v1/events?limit=500")?.json()?;
    page["events"].as_array().cloned().context("events")
}

fn raw(gateway: &Gateway, event: &Value) -> Result<Vec<u8>> {
    let id = event["id"].as_str().context("an id")?;
    Ok(get(gateway, &format!("/v1/events/{id}/raw"))?.body)
}
