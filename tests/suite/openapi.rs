//! The OpenAPI document of the running program, judged by packages that nobody here wrote.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, python, write_config};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

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

/// What schemathesis looks at in every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,allow_header_conformance";

/// How long schemathesis makes calls up, in seconds.
const MADE_UP_FOR: &str = "45";

/// A gateway with all that there is to call.
fn start(folder: &Path) -> Result<Gateway> {
    let backups = folder.join("backups");
    let tables = format!("[queue]\nbackup_dir = {backups:?}\n\n{CHANNELS}");
    Gateway::start(&write_config(folder, &tables)?)
}

#[test]
fn every_call_answers_as_the_document_says() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/openapi.py");
    let url = format!("http://{}", gateway.address);
    let judged =
        Command::new(python()?).arg(script).arg(&url).arg(&gateway.mail_address).output()?;
    let said = String::from_utf8_lossy(&judged.stderr);
    ensure!(judged.status.success(), "{said}");
    let calls: Value = serde_json::from_slice(&judged.stdout)?;
    // One of each kind, so that a judge who made no call at all does not pass.
    for call in
        ["listEvents", "putSubscription", "settleDeliveries", "runSchedule", "releaseRejection"]
    {
        ensure!(calls.get(call).is_some(), "`{call}` was not made: {calls}");
    }
    Ok(())
}

/// Calls that a package makes up from the document, right ones and wrong ones, of every operation
/// but the long poll, which waits as long as it is told to.
#[test]
fn whatever_is_made_up_is_answered_as_the_document_says() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path())?;
    let report = folder.path().join("report.json");
    let judged = Command::new(python()?.with_file_name("st"))
        .current_dir(folder.path())
        .args(["run", &format!("http://{}/openapi.json", gateway.address), "--checks", CHECKS])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", "7"])
        .args(["--max-time", MADE_UP_FOR, "--request-timeout", "40", "--continue-on-failure"])
        .args(["--exclude-operation-id", "leaseDeliveries"])
        .args(["--no-shrink", "--warnings", "off", "--report", "json", "--report-json-path"])
        .arg(&report)
        .output()?;
    let said = String::from_utf8_lossy(&judged.stdout);
    ensure!(judged.status.success(), "{said}");
    let report: Value = serde_json::from_slice(&fs::read(&report)?)?;
    let number = |place: &'static str| report.pointer(place).and_then(Value::as_u64).context(place);
    // One that made no calls has found no faults either.
    let (tested, selected) = (number("/operations/tested")?, number("/operations/selected")?);
    ensure!(tested == selected && selected >= 50, "{tested} of {selected} were called: {said}");
    ensure!(number("/test_cases/generated")? >= selected, "{said}");
    assert_eq!((&report["failures"], &report["errors"]), (&json!([]), &json!([])), "{said}");
    Ok(())
}
