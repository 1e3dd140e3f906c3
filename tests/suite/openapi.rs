//! The OpenAPI document of the running program, judged by packages that nobody here wrote.

use anyhow::{Result, ensure};
use headgate_tests::{Gateway, python, write_config};
use std::{path::Path, process::Command};

const CHANNELS: &str = r#"[[channel]]
id = "demo"
type = "webhook"
verify = "none"

[[channel]]
id = "billing"
type = "webhook"
provider = "stripe"
secrets = [{ insecure_inline = "whsec_judge" }]

[[channel]]
id = "support"
type = "email"
addresses = ["support@in.example.com"]

[email]
listen = "127.0.0.1:0"

[[channel]]
id = "timers"
type = "cron"
"#;

#[test]
fn every_call_answers_as_the_document_says() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let backups = folder.path().join("backups");
    let tables = format!("[queue]\nbackup_dir = {backups:?}\n\n{CHANNELS}");
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/openapi.py");
    let url = format!("http://{}", gateway.address);
    let judged =
        Command::new(python()?).arg(script).arg(&url).arg(&gateway.mail_address).output()?;
    let said = String::from_utf8_lossy(&judged.stderr);
    ensure!(judged.status.success(), "{said}");
    let calls: serde_json::Value = serde_json::from_slice(&judged.stdout)?;
    // One of each kind, so that a judge who made no call at all does not pass.
    for call in
        ["listEvents", "putSubscription", "settleDeliveries", "runSchedule", "releaseRejection"]
    {
        ensure!(calls.get(call).is_some(), "`{call}` was not made: {calls}");
    }
    Ok(())
}
