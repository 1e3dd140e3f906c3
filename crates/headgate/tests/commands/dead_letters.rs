//! Looking at what was given up.

use crate::{
    house::{House, request},
    run::run,
};
use serde_json::{Value, json};

#[test]
fn dead_letters_are_listed_for_people_and_for_programs() {
    let house = House::open();
    let list = |more: &[&str]| {
        let arguments = [&["dead-letters", "list", "--subscription", "agent"], more].concat();
        let ended = house.run(&arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    };
    assert_eq!(list(&[]), "");
    let ids: Vec<String> = (0..3).map(|n| house.post(&format!("{{\"n\":{n}}}"))).collect();
    let path = "/v1/subscriptions/agent/lease";
    let leased = request(&house.address, "POST", path, "{\"max\": 9}");
    let reason = "no such customer\u{1b}[2J\nand more";
    let bury = |event: &Value| json!({"id": event["delivery"]["id"], "reason": reason});
    let all: Vec<Value> = leased["deliveries"].as_array().expect("some").iter().map(bury).collect();
    let body = json!({ "bury": all }).to_string();
    request(&house.address, "POST", "/v1/subscriptions/agent/settle", &body);
    let rows = list(&[]);
    let lines: Vec<&str> = rows.lines().collect();
    assert_eq!(lines.len(), 3, "{rows}");
    assert!(lines[0].starts_with(&ids[2]), "the newest first: {rows}");
    let end = "  buried      1 attempt  no such customer\\u{1b}[2J\\nand more";
    assert!(lines[2].starts_with(&ids[0]) && lines[2].ends_with(end), "{rows}");
    assert_eq!(list(&["--limit", "2"]).lines().count(), 2);
    for (line, id) in list(&["--json"]).lines().zip(ids.iter().rev()) {
        let letter: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(letter["event_id"], id.as_str());
        assert_eq!(letter["last_error"], reason);
    }
}

#[test]
fn dead_letters_of_nobody_are_a_failure() {
    let house = House::open();
    let ended = house.run(&["dead-letters", "list", "--subscription", "nobody"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("there is no subscription `nobody`"), "{}", ended.stderr);
    assert_eq!(run(["dead-letters"]).code, Some(2));
    assert_eq!(run(["dead-letters", "redrive", "--subscription", "a"]).code, Some(2));
}
