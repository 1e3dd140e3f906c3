//! Schedules made over the API whose channel or zone is missing, a channel with another label, and
//! a program that did not run for a while.

use super::{count, listed, start, timers};
use anyhow::{Context, Result, ensure};
use headgate_tests::{
    Gateway,
    cron::{Fired, consume, moment, now, stored},
    request, write_config,
};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::path::Path;

const EXTRA: &str = "\n[[channel]]\nid = \"extra\"\ntype = \"cron\"\nlabel = \"Before\"\n";

fn with(tables: &str) -> String {
    format!("{}{tables}", timers(&[("beat", "every = \"1s\"")]))
}

fn started(folder: &Path, tables: &str) -> Result<Gateway> {
    Gateway::start(&write_config(folder, &with(tables))?)
}

fn call(gateway: &Gateway, method: &str, path: &str, body: &str, status: u16) -> Result<Value> {
    let target = format!("/v1/schedules{path}");
    let answer = request(&gateway.address, method, &target, &[], body.as_bytes())?;
    ensure!(answer.status == status, "{method} {path}: {} {}", answer.status, answer.code());
    if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
}

fn made(gateway: &Gateway, ask: &Value) -> Result<String> {
    let made = call(gateway, "POST", "", &ask.to_string(), 201)?;
    Ok(format!("/{}", made["id"].as_str().context("an id")?))
}

/// The state of the data folder, which nobody else uses meanwhile.
fn state(folder: &Path) -> Result<Connection> {
    Ok(Connection::open(folder.join("data/headgate.db"))?)
}

/// Lets all schedules have been dealt with so many seconds less.
fn set_back(folder: &Path, seconds: i64) -> Result<()> {
    let state = state(folder)?;
    let mut all =
        state.prepare("SELECT key, value FROM state_source_notes WHERE kind = 'cron.cursor'")?;
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    ensure!(!rows.is_empty(), "no cursor is stored");
    for (key, mut value) in rows {
        // Layout and flags are a byte each; then the time in milliseconds.
        let until = value.get_mut(2..10).context("a cursor")?;
        let before = i64::from_le_bytes(until.try_into()?) - seconds * 1_000;
        until.copy_from_slice(&before.to_le_bytes());
        let sql =
            "UPDATE state_source_notes SET value = ?2 WHERE key = ?1 AND kind = 'cron.cursor'";
        ensure!(state.execute(sql, params![key, value])? == 1);
    }
    Ok(())
}

fn is_late(fired: &Fired) -> bool {
    fired.data("trigger") == "catchup"
}

#[test]
fn a_schedule_whose_channel_is_gone_is_shown_with_the_reason_and_goes_on_when_it_is_back()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = started(folder.path(), EXTRA)?;
    let ask = json!({"channel": "extra", "name": "by call", "every": "2s", "catchup": "all"});
    let path = made(&gateway, &ask)?;
    consume(&gateway, "agent", |fired| count(fired, "by call") >= 1)?;
    gateway.stop()?;
    // The file has no such channel any more.
    let gateway = started(folder.path(), "")?;
    let shown = listed(&gateway)?["by call"].clone();
    let problem = shown["problem"].as_str().context("a problem")?;
    ensure!(problem.contains("`extra`"), "{problem}");
    assert_eq!((&shown["channel"], &shown["next"]), (&json!("extra"), &json!([])));
    assert_eq!(listed(&gateway)?["beat"]["problem"], Value::Null);
    let fires = shown["fires"].clone();
    call(&gateway, "POST", &format!("{path}/run"), "", 422)?;
    // Other reloads are none of its business; nor is another start.
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    gateway.kill()?;
    let gateway = started(folder.path(), "")?;
    assert_eq!(listed(&gateway)?["by call"]["fires"], fires);
    write_config(folder.path(), &with(EXTRA))?;
    gateway.hang_up()?;
    gateway.said("what was missing is there")?;
    let seen = now();
    consume(&gateway, "agent", |fired| {
        fired.iter().any(|fired| fired.name == "by call" && fired.second >= seen)
    })?;
    let fired = stored(&gateway.address)?;
    let seconds = fired.iter().filter(|fired| fired.name == "by call").map(|fired| fired.second);
    super::ensure_whole("by call", &seconds.collect::<Vec<_>>(), 2)?;
    assert_eq!(listed(&gateway)?["by call"]["problem"], Value::Null);
    Ok(())
}

#[test]
fn a_schedule_whose_zone_is_not_known_any_more_can_be_paused_changed_and_taken_away() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let gateway = started(folder.path(), "")?;
    let ask = |name: &str| json!({"channel": "timers", "name": name, "cron": "0 9 * * *", "timezone": "Europe/Berlin"});
    let (one, two) = (made(&gateway, &ask("one"))?, made(&gateway, &ask("two"))?);
    gateway.stop()?;
    let sql = "UPDATE state_source_notes SET value = CAST(REPLACE(CAST(value AS TEXT), 'Berlin', \
               'Atlantis') AS BLOB) WHERE kind = 'cron.schedule'";
    ensure!(state(folder.path())?.execute(sql, [])? == 2);
    let gateway = started(folder.path(), "")?;
    let shown = listed(&gateway)?["one"].clone();
    assert_eq!(
        (&shown["cron_expr"], &shown["timezone"]),
        (&json!("0 9 * * *"), &json!("Europe/Atlantis"))
    );
    ensure!(shown["problem"].as_str().is_some_and(|it| it.contains("Atlantis")), "{shown}");
    assert_eq!(call(&gateway, "POST", &format!("{one}/pause"), "", 200)?["paused"], true);
    let changed = call(&gateway, "PUT", &one, &ask("one").to_string(), 200)?;
    assert_eq!((&changed["problem"], &changed["paused"]), (&Value::Null, &json!(true)));
    call(&gateway, "DELETE", &two, "", 204)?;
    gateway.stop()?;
    let gateway = started(folder.path(), "")?;
    let all = listed(&gateway)?;
    assert_eq!(all.keys().collect::<Vec<_>>(), ["beat", "one"]);
    assert_eq!(all["one"]["problem"], Value::Null);
    Ok(())
}

/// Its events went on with the label that the channel had when the schedule was made.
#[test]
fn a_schedule_made_over_the_api_takes_the_new_label_of_its_channel() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = started(folder.path(), EXTRA)?;
    made(&gateway, &json!({"channel": "extra", "name": "by call", "every": "1s"}))?;
    let labelled = |label: &'static str| {
        move |fired: &[Fired]| {
            fired.iter().any(|it| it.event.pointer("/channel/label") == Some(&json!(label)))
        }
    };
    consume(&gateway, "agent", labelled("Before"))?;
    write_config(folder.path(), &with(&EXTRA.replace("Before", "After")))?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    consume(&gateway, "agent", labelled("After"))?;
    Ok(())
}

#[test]
fn after_ten_minutes_without_the_program_each_schedule_does_what_it_is_told_to() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let schedules = [
        ("one", "cron = \"* * * * *\""),
        ("all", "cron = \"* * * * *\"\ncatchup = \"all\""),
        ("few", "cron = \"* * * * *\"\ncatchup = \"all\"\ncatchup_limit = 3"),
        ("none", "cron = \"* * * * *\"\ncatchup = \"skip\""),
        ("beat", "every = \"1s\""),
    ];
    let gateway = start(folder.path(), &schedules)?;
    consume(&gateway, "agent", |fired| count(fired, "beat") >= 1)?;
    gateway.stop()?;
    // Eleven minutes begin in that time, of which the last may be the present one.
    set_back(folder.path(), 660)?;
    let begun = now();
    let gateway = start(folder.path(), &schedules)?;
    gateway.said("cron.missed")?;
    consume(&gateway, "agent", |fired| {
        let late = |name: &str| fired.iter().filter(|it| it.name == name && is_late(it)).count();
        late("one") >= 1 && late("few") >= 3 && late("all") >= 10
    })?;
    let fired = stored(&gateway.address)?;
    let of = |name: &'static str| {
        fired.iter().filter(|it| it.name == name && is_late(it)).collect::<Vec<_>>()
    };
    // One more if this took so long.
    let all = of("all").len();
    ensure!((10..=12).contains(&all), "{all} of `all` at {}", moment(begun));
    assert_eq!((of("one").len(), of("few").len(), of("none").len()), (1, 3, 0));
    let missed = of("one")[0].data("missed_count").as_u64().context("a number")?;
    ensure!((9..=12).contains(&missed), "{missed} missed before it");
    ensure!(of("all").iter().all(|it| it.data("missed_count") == &json!(0)));
    let late = of("few")[0].data("late_by_ms").as_u64().context("a number")?;
    ensure!(late >= 120_000, "the oldest of three is {late} ms late");
    Ok(())
}
