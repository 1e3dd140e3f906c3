//! A folder of a version that kept what a push is signed with, and not for which URL.

use super::{SECRET, call, send, stands, verified, well};
use anyhow::{Result, ensure};
use headgate_tests::{Gateway, sink::Sink, write_config};
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;

const HUB: &str = "[[channel]]\nid = \"hub\"\ntype = \"webhook\"\nverify = \"none\"\n";
const AGENT: &str = "/v1/subscriptions/agent";

/// Writes the credentials of the push as that version did.
fn as_they_were(data_dir: &Path) -> Result<()> {
    let kept = json!({"secrets": [SECRET], "headers": {"x-kept": "for whoever it is"}});
    let state = Connection::open(data_dir.join("headgate.db"))?;
    let sql = "UPDATE state_source_notes SET value = ?1
         WHERE kind = 'push.credentials' AND key = CAST('agent' AS BLOB)";
    let changed = state.execute(sql, [kept.to_string().into_bytes()])?;
    ensure!(changed == 1, "expected one row, found {changed}");
    Ok(())
}

/// Symptom: a push that was made over the API by an earlier version ended with an update. Cause:
/// credentials of no URL could not be read. Fix: they are those of the push until it changes.
#[test]
fn what_an_earlier_version_kept_signs_after_a_restart_until_the_url_changes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(well)?;
    let config = write_config(folder.path(), HUB)?;
    let push = |path: &str| json!({"url": format!("http://{}/{path}", sink.address)});
    let mut ask = json!({"start": "earliest", "push": push("first")});
    ask["push"]["secrets"] = json!([SECRET]);
    let gateway = Gateway::start(&config)?;
    call(&gateway, "PUT", AGENT, &ask)?;
    ensure!(gateway.stop()?.success());
    as_they_were(&folder.path().join("data"))?;
    let gateway = Gateway::start(&config)?;
    let first = send(&gateway, "{}")?;
    stands(&gateway, &first, "agent", "settled")?;
    // A call that names no secrets keeps those that there are, from here on for the new URL.
    call(&gateway, "PUT", AGENT, &json!({"start": "earliest", "push": push("second")}))?;
    ensure!(gateway.stop()?.success());
    let gateway = Gateway::start(&config)?;
    let second = send(&gateway, r#"{"n": 2}"#)?;
    stands(&gateway, &second, "agent", "settled")?;
    let posted = sink.posted();
    let paths: Vec<_> = posted.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["/first", "/second"]);
    assert!(posted.iter().all(|one| one.headers["x-kept"] == "for whoever it is"));
    assert_eq!(verified(&posted, SECRET)?, 2);
    Ok(())
}
