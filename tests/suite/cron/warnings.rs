//! What is allowed in a schedule and may not be meant is said to whoever configures it: in the log
//! at a start and at a reload, and in the answer of the API.

use super::{start, timers};
use anyhow::{Result, ensure};
use headgate_tests::{Gateway, request, write_config};
use serde_json::{Value, json};

const EITHER: &str = "cron = \"0 9 1 * MON\"\ntimezone = \"EST\"";

fn made(gateway: &Gateway, ask: &Value) -> Result<Value> {
    let answer =
        request(&gateway.address, "POST", "/v1/schedules", &[], ask.to_string().as_bytes())?;
    ensure!(answer.status == 201, "{} {}", answer.status, answer.code());
    answer.json()
}

#[test]
fn doubts_about_schedules_are_in_the_log_at_a_start_and_at_a_reload() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[("either", EITHER)])?;
    let line = gateway.said("schedule `timers/either`: day-of-month `1` and day-of-week `MON`")?;
    ensure!(line.contains("\"level\":\"WARN\""), "{line}");
    gateway.said("schedule `timers/either`: `EST` names an hour and not a place")?;
    let past = "at = \"2020-01-01T00:00:00Z\"";
    let uneven = "cron = \"*/7 * * * *\"";
    let tables = timers(&[("either", EITHER), ("uneven", uneven), ("past", past)]);
    write_config(folder.path(), &tables)?;
    gateway.hang_up()?;
    let line = gateway.said("a schedule is new and never fires")?;
    ensure!(line.contains("\"past\"") && line.contains("2020-01-01"), "{line}");
    gateway.said("schedule `timers/uneven`: minute: 7 does not divide 60")?;
    gateway.stop()?;
    // It is not new any more.
    write_config(folder.path(), &tables)?;
    let gateway = Gateway::start(&folder.path().join("headgate.toml"))?;
    gateway.said("schedule `timers/uneven`")?;
    gateway.hang_up()?;
    let mut said = String::new();
    while !said.contains("\"reloaded\"") {
        said = gateway.said("")?;
        ensure!(!said.contains("is new and never fires"), "{said}");
    }
    Ok(())
}

#[test]
fn the_answer_to_a_made_or_changed_schedule_says_what_may_not_be_meant() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[])?;
    let ask = json!({"channel": "timers", "name": "a", "cron": "0 9 1 * MON", "timezone": "EST"});
    let answer = made(&gateway, &ask)?;
    let warnings = answer["warnings"].as_array().map(Vec::len);
    assert_eq!(warnings, Some(2), "{answer}");
    let path = format!("/v1/schedules/{}", answer["id"].as_str().unwrap_or_default());
    let ask = json!({"channel": "timers", "name": "a", "cron": "0 9 * * MON"});
    let changed = request(&gateway.address, "PUT", &path, &[], ask.to_string().as_bytes())?;
    assert_eq!(changed.json()?["warnings"], json!([]));
    let ask = json!({"channel": "timers", "name": "b", "at": "2020-01-01T00:00:00Z"});
    let past = made(&gateway, &ask)?;
    ensure!(past["warnings"][0].as_str().is_some_and(|it| it.contains("never fires")), "{past}");
    let ask =
        json!({"channel": "timers", "name": "c", "at": "2099-01-01T00:00:00Z", "timezone": "x"});
    let wrong =
        request(&gateway.address, "POST", "/v1/schedules", &[], ask.to_string().as_bytes())?;
    assert_eq!((wrong.status, wrong.code().as_str()), (422, "invalid_schedule"));
    Ok(())
}
