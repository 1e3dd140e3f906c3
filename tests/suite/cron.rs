//! Schedules in the real program: what is due fires once, whatever is killed, reloaded, changed,
//! copied or thrown away meanwhile.

mod api;
mod folder;
mod missing;
mod readme;
mod reload;
mod warnings;
mod zones;

use anyhow::{Context, Result, ensure};
use headgate_tests::{
    Gateway,
    cron::{self, Fired, Plan, acknowledge, by_name, consume, lease, moment, now, stored},
    request, write_config,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// A subscription that is given all there is.
const AGENT: &str = "\n[[subscription]]\nname = \"agent\"\nstart = \"earliest\"\n";

/// A cron channel with these schedules, each a name and its keys, and the subscription.
fn timers(schedules: &[(&str, &str)]) -> String {
    let mut tables = "[[channel]]\nid = \"timers\"\ntype = \"cron\"\n".to_owned();
    for (name, keys) in schedules {
        tables += &format!("\n[[channel.schedule]]\nname = \"{name}\"\n{keys}\n");
    }
    tables + AGENT
}

fn start(folder: &Path, schedules: &[(&str, &str)]) -> Result<Gateway> {
    Gateway::start(&write_config(folder, &timers(schedules))?)
}

/// All schedules by name, as the API shows them.
fn listed(gateway: &Gateway) -> Result<BTreeMap<String, Value>> {
    let page = request(&gateway.address, "GET", "/v1/schedules", &[], b"")?.json()?;
    let all = page.get("schedules").and_then(Value::as_array).context("schedules")?;
    let name = |one: &Value| one["name"].as_str().map(str::to_owned).context("a name");
    all.iter().map(|one| Ok((name(one)?, one.clone()))).collect()
}

fn count(fired: &[Fired], name: &str) -> usize {
    fired.iter().filter(|fired| fired.name == name).count()
}

/// Each second from the first to the last is there, once.
fn ensure_whole(name: &str, seconds: &[i64], step: i64) -> Result<()> {
    let gap = seconds.windows(2).find(|pair| pair[1] - pair[0] != step);
    ensure!(gap.is_none(), "`{name}` fired at {gap:?}, {step} s apart was expected");
    Ok(())
}

#[test]
fn a_schedule_fires_every_second_and_its_event_says_all_of_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cron = "cron = \"* * * * * *\"\nseconds = true\ntimezone = \"Australia/Lord_Howe\"\n\
                payload = { report = \"weekly\" }";
    let gateway = start(folder.path(), &[("by cron", cron), ("by span", "every = \"1s\"")])?;
    let fired = consume(&gateway, "agent", |fired| {
        count(fired, "by cron") >= 3 && count(fired, "by span") >= 3
    })?;
    for (name, seconds) in by_name(&fired)? {
        ensure_whole(name, &seconds, 1)?;
    }
    let event = fired.iter().find(|fired| fired.name == "by cron").context("one by cron")?;
    let due = moment(event.second).replace('Z', ".000Z");
    assert_eq!(event.data("scheduled_at"), &json!(due));
    assert_eq!(event.data("cron_expr"), "* * * * * *");
    assert_eq!(event.data("timezone"), "Australia/Lord_Howe");
    assert_eq!(event.data("payload"), &json!({"report": "weekly"}));
    assert_eq!(
        (event.data("trigger"), event.data("missed_count")),
        (&json!("schedule"), &json!(0))
    );
    assert_eq!(event.event["type"], "cron.fired");
    assert_eq!(event.event["channel"]["id"], "timers");
    assert_eq!(event.event["verification"]["method"], "internal");
    let id = event.data("schedule_id").as_str().context("an id")?;
    assert_eq!(event.event["dedupe_key"], json!(format!("cron:{id}:{due}")));
    let prompt = event.event["prompt_ready"].as_str().context("a prompt")?;
    ensure!(prompt.contains("Australia/Lord_Howe") && prompt.contains("weekly"), "{prompt}");
    Ok(())
}

#[test]
fn a_backlog_of_all_is_worked_off_once_although_it_is_killed_on_the_way() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let begin = now() - 1_200;
    let keys = format!(
        "every = \"1s\"\ncatchup = \"all\"\ncatchup_limit = 10000\nstart_at = {}",
        moment(begin)
    );
    let schedules = [("behind", keys.as_str()), ("beat", "every = \"1s\"")];
    for _ in 0..3 {
        let gateway = start(folder.path(), &schedules)?;
        // In the midst of it: something of the backlog is there, nobody knows what is stored.
        ensure!(!lease(&gateway.address, "agent")?.is_empty(), "nothing fired");
        gateway.kill()?;
    }
    let gateway = start(folder.path(), &schedules)?;
    let last = now();
    let reached = |fired: &[Fired]| {
        let come = |name| fired.iter().any(|fired| fired.name == name && fired.second >= last);
        come("behind") && come("beat")
    };
    consume(&gateway, "agent", reached)?;
    let fired = stored(&gateway.address)?;
    let by_name = by_name(&fired)?;
    for (name, seconds) in &by_name {
        ensure_whole(name, seconds, 1)?;
    }
    assert_eq!(by_name.get("behind").and_then(|seconds| seconds.first()), Some(&begin));
    let caught_up = |fired: &&Fired| fired.data("trigger") == "catchup";
    ensure!(fired.iter().filter(caught_up).count() > 1_000, "it was no backlog");
    Ok(())
}

#[test]
fn after_an_outage_one_run_fires_says_what_it_missed_and_a_kill_does_not_repeat_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let begin = (now() - 1_200) / 2 * 2;
    // `one` is the default.
    let keys = format!("every = \"2s\"\nstart_at = {}", moment(begin));
    let mut gateway = start(folder.path(), &[("behind", &keys)])?;
    let line: Value = serde_json::from_str(&gateway.said("cron.missed")?)?;
    consume(&gateway, "agent", |fired| !fired.is_empty())?;
    gateway.kill()?;
    gateway = start(folder.path(), &[("behind", &keys)])?;
    consume(&gateway, "agent", |fired| fired.len() >= 2)?;
    let fired = stored(&gateway.address)?;
    let first = fired.first().context("one")?;
    let missed = (first.second - begin) / 2;
    ensure!(missed > 500, "it missed only {missed}");
    assert_eq!(first.data("missed_count"), &json!(missed));
    assert_eq!(first.data("trigger"), "catchup");
    assert_eq!(line["fields"]["count"].as_i64().or(line["count"].as_i64()), Some(missed));
    let again = fired.iter().skip(1).find(|fired| *fired.data("missed_count") != json!(0));
    ensure!(again.is_none(), "told twice: {again:?}");
    by_name(&fired)?.iter().try_for_each(|(name, seconds)| ensure_whole(name, seconds, 2))
}

#[test]
fn a_schedule_that_minds_waits_until_its_event_is_settled_and_says_what_it_left_out() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let keys = "every = \"1s\"\noverlap = \"skip\"\noverlap_subscription = \"agent\"";
    let gateway = start(folder.path(), &[("careful", keys)])?;
    let first = lease(&gateway.address, "agent")?;
    assert_eq!(first.len(), 1);
    let line = gateway.said("cron.missed")?;
    ensure!(line.contains("overlap"), "{line}");
    let fired = stored(&gateway.address)?;
    assert_eq!(fired.len(), 1, "it fired beside an event that is not settled");
    acknowledge(&gateway.address, "agent", &first)?;
    let next = consume(&gateway, "agent", |fired| !fired.is_empty())?;
    let (first, next) = (first.first().context("one")?, next.first().context("another")?);
    let missed = next.second - first.second - 1;
    ensure!(missed >= 1, "it left out nothing");
    assert_eq!(next.data("missed_count"), &json!(missed));
    Ok(())
}

#[test]
fn a_thousand_schedules_a_second_lose_and_double_nothing_when_it_is_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let report = cron::run(&Plan { rounds: 3, schedules: 1_000, seed: 5 }, folder.path())?;
    ensure!(report.seconds > 3, "too little happened to show anything: {report:?}");
    ensure!(report.late > 0, "no kill left anything out: {report:?}");
    Ok(())
}
