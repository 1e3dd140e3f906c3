//! Zone data that the system renews while the gateway runs: read anew on SIGHUP, whatever the
//! configuration is like, and by it schedules are due.

use super::{listed, timers};
use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, request, write_config};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// Release 2026f, by which Vancouver does not put its clock back any more.
const NEWER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/cron/zoneinfo");
const VANCOUVER: &str = "cron = \"0 9 * 1 *\"\ntimezone = \"America/Vancouver\"";

/// A zoneinfo folder of its own, which says that it is of this release.
fn zoneinfo(folder: &Path, release: &str, names: &str) -> Result<PathBuf> {
    let zoneinfo = folder.join("zoneinfo");
    for name in ["UTC", "America/Vancouver", "America/New_York"] {
        let file = zoneinfo.join(name);
        fs::create_dir_all(file.parent().context("a folder")?)?;
        fs::copy(Path::new(NEWER).join(name), file)?;
    }
    fs::write(zoneinfo.join("tzdata.zi"), format!("# version {release}\n{names}"))?;
    Ok(zoneinfo)
}

fn start(config: &Path, zoneinfo: &Path) -> Result<Gateway> {
    let arguments: [OsString; 3] = ["serve".into(), "--config".into(), config.into()];
    let zoneinfo = zoneinfo.to_str().context("a path of text")?;
    Gateway::start_with(&arguments, &[("TZDIR", zoneinfo)])
}

/// What `/readyz` says of zone data.
fn zones(gateway: &Gateway) -> Result<Value> {
    Ok(request(&gateway.address, "GET", "/readyz", &[], b"")?.json()?["zones"].clone())
}

/// The hour of the next run in UTC, `17:00`.
fn next(gateway: &Gateway, name: &str) -> Result<String> {
    let all = listed(gateway)?;
    let at = all[name]["next"][0]["scheduled_at"].as_str().context("a next run")?;
    Ok(at.get(11..16).context("a time")?.to_owned())
}

#[test]
fn newer_zone_data_counts_after_sighup_and_old_data_is_warned_of() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let zoneinfo_folder = zoneinfo(folder.path(), "2024a", "")?;
    let config = write_config(folder.path(), &timers(&[("morning", VANCOUVER)]))?;
    let gateway = start(&config, &zoneinfo_folder)?;
    let line = gateway.said("the time zone data is old")?;
    ensure!(line.contains("2025b (embedded; the system has 2024a)"), "{line}");
    let before = zones(&gateway)?;
    assert_eq!((&before["version"], &before["origin"]), (&json!("2025b"), &json!("embedded")));
    assert_eq!(before["stale"], true);
    ensure!(before["age_days"].as_u64() > Some(180), "{before}");
    assert_eq!(next(&gateway, "morning")?, "17:00", "nine o'clock in winter time");

    zoneinfo(folder.path(), "2026f", "")?;
    gateway.hang_up()?;
    let line = gateway.said("the rules of a time zone changed")?;
    ensure!(line.contains("2026f (system; built in is 2025b)"), "{line}");
    gateway.said("\"reloaded\"")?;
    let after = zones(&gateway)?;
    assert_eq!((&after["version"], &after["origin"]), (&json!("2026f"), &json!("system")));
    assert_eq!(after["stale"], false);
    assert_eq!(next(&gateway, "morning")?, "16:00", "it is summer time for ever");
    Ok(())
}

/// The file was read by the old data first, so that a zone of the new one was refused; and as it
/// was refused, the new data was not looked at.
#[test]
fn a_zone_that_only_the_new_data_knows_is_taken_by_the_same_sighup() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let zoneinfo_folder = zoneinfo(folder.path(), "2024a", "")?;
    let config = write_config(folder.path(), &timers(&[("morning", VANCOUVER)]))?;
    let gateway = start(&config, &zoneinfo_folder)?;
    zoneinfo(folder.path(), "2026f", "Z America/Headgate -5 - EST\n")?;
    fs::copy(Path::new(NEWER).join("America/New_York"), zoneinfo_folder.join("America/Headgate"))?;
    let there = "cron = \"0 9 * 1 *\"\ntimezone = \"America/Headgate\"";
    write_config(folder.path(), &timers(&[("morning", VANCOUVER), ("there", there)]))?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    assert_eq!(next(&gateway, "there")?, "14:00");
    Ok(())
}

#[test]
fn zone_data_is_read_anew_also_when_the_configuration_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let zoneinfo_folder = zoneinfo(folder.path(), "2024a", "")?;
    let config = write_config(folder.path(), &timers(&[("morning", VANCOUVER)]))?;
    let gateway = start(&config, &zoneinfo_folder)?;
    zoneinfo(folder.path(), "2026f", "")?;
    write_config(folder.path(), &timers(&[("morning", "cron = \"0 0 31 2 *\"")]))?;
    gateway.hang_up()?;
    gateway.said("not reloaded, nothing changed")?;
    assert_eq!(zones(&gateway)?["version"], "2026f");
    assert_eq!(next(&gateway, "morning")?, "16:00");
    Ok(())
}
