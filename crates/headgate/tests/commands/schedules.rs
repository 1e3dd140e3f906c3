//! `schedules`: those of a gateway that fires them.

use crate::house::House;
use serde_json::Value;

/// Two channels; both have a `report`. Nothing of it fires while a test runs.
const TIMERS: &str = r#"
[[channel]]
id = "timers"
type = "cron"
[[channel.schedule]]
name = "report"
cron = "0 0 29 2 *"
timezone = "America/New_York"
payload = { report = "weekly\u001b[31m" }
[[channel.schedule]]
name = "daily/one"
at = "2099-12-24T18:00:00Z"

[[channel]]
id = "more"
type = "cron"
[[channel.schedule]]
name = "report"
cron = "0 0 29 2 *"
enabled = false
"#;

fn told(house: &House, arguments: &[&str]) -> String {
    let ended = house.run(&[&["schedules"], arguments].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ended.stdout
}

fn json(house: &House, arguments: &[&str]) -> Value {
    let told = told(house, &[arguments, &["--json"]].concat());
    serde_json::from_str(&told).expect("JSON")
}

#[test]
fn schedules_are_listed_as_a_table_and_as_lines_of_json() {
    let house = House::with(TIMERS);
    let table = told(&house, &["list"]);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert!(rows[0].starts_with("SCHEDULE          NEXT"), "{table}");
    assert!(rows[1].starts_with("more/report       off"), "{table}");
    assert!(rows[2].starts_with("timers/daily/one  in ") && rows[2].contains("2099-12-24T18:00"));
    assert!(rows[3].starts_with("timers/report     in "), "{table}");
    assert!(rows[3].ends_with("At 00:00 on day 29 of February, America/New_York"), "{table}");
    let lines = told(&house, &["list", "--json", "--channel", "timers", "--limit", "1"]);
    let only: Value = serde_json::from_str(&lines).expect("one line of JSON");
    assert_eq!((&only["channel"], &only["name"]), (&"timers".into(), &"daily/one".into()));
}

#[test]
fn a_schedule_is_named_by_id_by_place_or_by_a_name_that_only_one_has() {
    let house = House::with(TIMERS);
    let report = json(&house, &["show", "timers/report"]);
    assert_eq!(report["payload"]["report"], "weekly\u{1b}[31m");
    assert_eq!(report["next"].as_array().map(Vec::len), Some(5));
    let id = report["id"].as_str().expect("an id");
    assert_eq!(json(&house, &["show", id, "--runs", "1"])["name"], "report");
    assert_eq!(json(&house, &["show", "daily/one"])["channel"], "timers");
    let ended = house.run(&["schedules", "show", "report"]);
    assert_eq!(ended.code, Some(2));
    let several = "expected one schedule, found several `report`: `more/report`, `timers/report`";
    assert!(ended.stderr.contains(several), "{}", ended.stderr);
    for (name, says) in [
        ("nobody", "there is no schedule `nobody`"),
        ("timers/nobody", "there is no schedule `timers/nobody`"),
        ("0f9b1d0e-6f0c-5a55-9c3e-9d1a6f1f7c11", "unknown_schedule"),
    ] {
        let ended = house.run(&["schedules", "pause", name]);
        assert_eq!(ended.code, Some(1), "{name}");
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn a_schedule_is_shown_without_obeying_its_payload() {
    let house = House::with(TIMERS);
    let shown = told(&house, &["show", "timers/report", "--runs", "2"]);
    assert!(!shown.contains('\u{1b}') && shown.contains("weekly\\u001b[31m"), "{shown}");
    let at = |line: usize| shown.lines().nth(line).unwrap_or_default();
    assert_eq!(at(0), "schedule  timers/report");
    assert_eq!(at(2), "made by   config");
    assert!(shown.contains("\nfired     0 times\n"), "{shown}");
    assert!(shown.contains("          2028-02-29T05:00:00.000Z  2028-02-29T00:00:00-05:00  in "));
    assert_eq!(shown.lines().count(), 11, "{shown}");
}

#[test]
fn a_run_by_hand_is_an_event_and_the_same_key_is_the_same_run() {
    let house = House::with(TIMERS);
    let first = told(&house, &["run", "timers/report", "--key", "a"]);
    let event: Value =
        serde_json::from_str(&house.run(&["events", "get", first.trim(), "--json"]).stdout)
            .expect("JSON");
    assert_eq!(event["data"]["trigger"], "manual");
    let again = told(&house, &["run", "timers/report", "--key", "a"]);
    assert_eq!(again, format!("{}  made by this key before\n", first.trim()));
    let other = json(&house, &["run", "timers/report"]);
    assert_eq!(other["duplicate"], false);
    assert_ne!(other["id"], first.trim());
}

#[test]
fn a_schedule_is_paused_and_goes_on() {
    let house = House::with(TIMERS);
    assert_eq!(told(&house, &["pause", "timers/report"]), "timers/report: paused\n");
    assert!(told(&house, &["list"]).contains("timers/report     paused"));
    let on = told(&house, &["resume", "timers/report", "--catch-up"]);
    assert!(on.starts_with("timers/report: in "), "{on}");
    assert_eq!(json(&house, &["pause", "timers/report"])["paused"], true);
}

#[test]
fn runs_of_the_past_are_made_once() {
    let house = House::with(TIMERS);
    let span = ["--from", "2024-01-01T00:00:00Z", "--to", "2025-01-01T00:00:00Z"];
    let fill = [&["backfill", "timers/report"], &span[..]].concat();
    assert_eq!(told(&house, &fill), "fired 1, 0 had fired before\n");
    assert_eq!(json(&house, &fill)["duplicates"], 1);
    let wrong = ["backfill", "timers/report", "--from", "soon", "--to", "later"];
    let ended = house.run(&[&["schedules"], &wrong[..]].concat());
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("`soon` is not an RFC 3339 time"), "{}", ended.stderr);
}

#[test]
fn only_what_was_made_over_the_api_is_deleted() {
    let house = House::with(TIMERS);
    let ended = house.run(&["schedules", "delete", "timers/report"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("409"), "{}", ended.stderr);
    let body = r#"{"channel": "timers", "name": "mine", "every": "300d"}"#;
    crate::house::request(&house.address, "POST", "/v1/schedules", body);
    assert!(told(&house, &["show", "mine"]).contains("made by   api"));
    assert_eq!(told(&house, &["delete", "mine"]), "deleted 1\n");
    assert_eq!(house.run(&["schedules", "show", "mine"]).code, Some(1));
}
