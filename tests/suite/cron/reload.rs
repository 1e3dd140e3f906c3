//! SIGHUP: what is the same goes on, what is due at other times begins anew, and a configuration
//! with anything wrong in it changes nothing.

use super::{listed, start, timers};
use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, cron::moment, cron::now, request, write_config};
use serde_json::{Value, json};
use std::path::Path;

const YEARLY: &str = "cron = \"0 0 1 1 *\"";
const SUMMER: &str = "cron = \"0 0 1 7 *\"";

/// Puts other schedules into the file and lets it be read.
fn reload(gateway: &Gateway, folder: &Path, tables: &str, says: &str) -> Result<String> {
    write_config(folder, tables)?;
    gateway.hang_up()?;
    gateway.said(says)
}

/// How far a schedule has come.
fn until(gateway: &Gateway, name: &str) -> Result<String> {
    let all = listed(gateway)?;
    let one = all.get(name).with_context(|| format!("no `{name}`"))?;
    Ok(one["dealt_with_until"].as_str().context("a moment")?.to_owned())
}

#[test]
fn what_is_unchanged_keeps_its_cursor_and_other_times_begin_anew() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let before = [("kept", YEARLY), ("moved", YEARLY), ("gone", YEARLY), ("said", YEARLY)];
    let gateway = start(folder.path(), &before)?;
    let made = until(&gateway, "kept")?;
    let said = format!("{YEARLY}\npayload = \"another\"");
    let after = [("kept", YEARLY), ("moved", SUMMER), ("said", &said), ("added", YEARLY)];
    let line = reload(&gateway, folder.path(), &timers(&after), "schedules are reloaded")?;
    for told in ["\"added\":1", "\"changed\":2", "\"removed\":1", "\"unchanged\":1"] {
        ensure!(line.contains(told), "{told} is not in {line}");
    }
    gateway.said("\"reloaded\"")?;
    assert_eq!(until(&gateway, "kept")?, made);
    assert_eq!(until(&gateway, "said")?, made, "what it says is not when it is due");
    ensure!(until(&gateway, "moved")? > made, "it is due at other times");
    ensure!(until(&gateway, "gone").is_err());
    let moved = until(&gateway, "moved")?;
    gateway.stop()?;
    let gateway = start(folder.path(), &after)?;
    assert_eq!((until(&gateway, "kept")?, until(&gateway, "moved")?), (made, moved));
    Ok(())
}

#[test]
fn a_beat_goes_on_through_reloads_without_a_gap() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[("beat", "every = \"1s\"")])?;
    for number in 0..3 {
        let other = format!("every = \"1h\"\npayload = {number}");
        let tables = timers(&[("beat", "every = \"1s\""), ("other", &other)]);
        super::consume(&gateway, "agent", |fired| fired.len() >= 2)?;
        reload(&gateway, folder.path(), &tables, "\"reloaded\"")?;
    }
    super::consume(&gateway, "agent", |fired| fired.len() >= 2)?;
    let fired = super::stored(&gateway.address)?;
    let by_name = super::by_name(&fired)?;
    super::ensure_whole("beat", by_name.get("beat").context("beats")?, 1)
}

#[test]
fn a_file_with_one_wrong_schedule_changes_none() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[("kept", YEARLY)])?;
    let before = listed(&gateway)?;
    for wrong in ["cron = \"0 0 31 2 *\"", "every = \"1s\"\ntimezone = \"UTC\"", "at = \"soon\""] {
        let tables = timers(&[("kept", SUMMER), ("added", YEARLY), ("wrong", wrong)]);
        let line = reload(&gateway, folder.path(), &tables, "not reloaded, nothing changed")?;
        ensure!(line.contains("\"problems\":1"), "{line}");
        ensure!(listed(&gateway)? == before, "something changed");
    }
    Ok(())
}

#[test]
fn a_channel_that_schedules_made_over_the_api_fire_into_cannot_go() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[("kept", YEARLY)])?;
    let ask = json!({"channel": "timers", "name": "by call", "at": moment(now() + 3_600)});
    let made = request(&gateway.address, "POST", "/v1/schedules", &[], ask.to_string().as_bytes())?;
    ensure!(made.status == 201, "{} {}", made.status, made.code());
    let before = listed(&gateway)?;
    let line = reload(&gateway, folder.path(), super::AGENT, "made over the API")?;
    ensure!(line.contains("`by call`") && line.contains("`timers`"), "{line}");
    gateway.said("not reloaded, nothing changed")?;
    ensure!(listed(&gateway)? == before, "something changed");
    let id = before.get("by call").and_then(|one| one["id"].as_str()).context("an id")?;
    let gone = request(&gateway.address, "DELETE", &format!("/v1/schedules/{id}"), &[], b"")?;
    ensure!(gone.status == 204, "{}", gone.status);
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    assert_eq!(listed(&gateway)?.values().collect::<Vec<&Value>>(), [&Value::Null; 0]);
    Ok(())
}

/// The reload was made in part, because ids were looked at when other steps had been made; and the
/// next start refused everything.
#[test]
fn a_file_that_takes_the_place_of_a_schedule_made_over_the_api_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[("kept", YEARLY)])?;
    let ask = json!({"channel": "timers", "name": "by call", "at": moment(now() + 3_600)});
    let made = request(&gateway.address, "POST", "/v1/schedules", &[], ask.to_string().as_bytes())?;
    ensure!(made.status == 201, "{} {}", made.status, made.code());
    let before = listed(&gateway)?;
    let tables = timers(&[("kept", SUMMER), ("by call", YEARLY)]);
    let line = reload(&gateway, folder.path(), &tables, "have the same id")?;
    ensure!(line.contains("`by call`"), "{line}");
    gateway.said("not reloaded, nothing changed")?;
    ensure!(listed(&gateway)? == before, "something changed");
    gateway.stop()?;
    // A start goes by the file, and says so.
    let gateway = start(folder.path(), &[("kept", SUMMER), ("by call", YEARLY)])?;
    gateway.said("cannot fire")?;
    let all = listed(&gateway)?;
    assert_eq!(all["by call"]["origin"], "config");
    gateway.stop()?;
    // The other one was kept, and comes back when the file has none of its id.
    let gateway = start(folder.path(), &[("kept", SUMMER)])?;
    assert_eq!(listed(&gateway)?["by call"]["origin"], "api");
    Ok(())
}

#[test]
fn a_schedule_that_minds_a_subscription_that_is_not_there_is_warned_of() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let minds =
        |name: &str| format!("{YEARLY}\noverlap = \"skip\"\noverlap_subscription = \"{name}\"");
    let gateway = start(folder.path(), &[("a", &minds("agent")), ("b", &minds("agnet"))])?;
    let line = gateway.said("look at a subscription that does not exist")?;
    ensure!(line.contains("\"agnet\""), "{line}");
    Ok(())
}
