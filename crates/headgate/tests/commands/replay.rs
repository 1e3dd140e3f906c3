//! Giving stored events again, and trying out filters.

use crate::{
    house::{House, request},
    run::run,
};
use serde_json::{Value, json};

/// Settles all that there is, by a verb, and answers how many that were.
fn settle_all(house: &House, verb: &str) -> usize {
    let path = "/v1/subscriptions/agent/lease";
    let leased = request(&house.address, "POST", path, "{\"max\": 99}");
    let leased = leased["deliveries"].as_array().expect("a list");
    let ids: Vec<Value> = leased
        .iter()
        .map(|event| event["delivery"]["id"].clone())
        .map(|id| if verb == "ack" { id } else { json!({ "id": id }) })
        .collect();
    let body = json!({ verb: ids }).to_string();
    request(&house.address, "POST", "/v1/subscriptions/agent/settle", &body);
    ids.len()
}

fn said(house: &House, arguments: &[&str]) -> String {
    let ended = house.run(arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    ended.stdout.trim_end().to_owned()
}

#[test]
fn events_are_replayed_counted_listed_and_cancelled() {
    let house = House::open();
    let ids: Vec<String> = (0..5).map(|n| house.post(&format!("{{\"n\":{n}}}"))).collect();
    assert_eq!(settle_all(&house, "ack"), 5);
    let replay = |more: &[&str]| {
        let arguments = [&["replay", "--subscription", "agent"], more].concat();
        said(&house, &arguments)
    };
    let filter = ["--since", "1h", "--filter", "data.body.n >= 3"];
    assert_eq!(replay(&[&filter[..], &["--dry-run"]].concat()), "2 events would be replayed");
    let id = replay(&[&filter[..], &["--rate", "100/s"]].concat());
    assert_eq!(settle_all(&house, "ack"), 2);
    let row = said(&house, &["replay", "get", &id]);
    assert!(row.ends_with("done       2 of 2 delivered, 2 settled"), "{row}");
    let id = replay(&[&ids[0]]);
    let json: Value =
        serde_json::from_str(&said(&house, &["replay", "get", &id, "--json"])).expect("JSON");
    assert_eq!((&json["state"], &json["by"]), (&"running".into(), &"ids".into()));
    let row = said(&house, &["replay", "cancel", &id]);
    assert!(row.contains("cancelled"), "{row}");
    let twice = house.run(&["replay", "cancel", &id]);
    assert!(
        twice.code == Some(1) && twice.stderr.contains("is cancelled already"),
        "{}",
        twice.stderr
    );
    assert_eq!(said(&house, &["replay", "list"]).lines().count(), 2);
    for wrong in [
        &["replay"][..],
        &["replay", "--subscription", "agent"],
        &["replay", "--subscription", "agent", "--all", "--since", "soon"],
        &["replay", "--subscription", "agent", "x", "--all"],
        &["replay", "--subscription", "agent", "--dead-letters", "--channel", "open"],
    ] {
        assert_eq!(run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn dead_letters_are_taken_up_again_and_deleted() {
    let house = House::open();
    (0..4).for_each(|n| drop(house.post(&format!("{{\"n\":{n}}}"))));
    assert_eq!(settle_all(&house, "bury"), 4);
    let letters = |verb: &str, more: &[&str]| {
        let arguments = [&["dead-letters", verb, "--subscription", "agent"], more].concat();
        house.run(&arguments)
    };
    let redriven = letters("redrive", &["--all", "--filter", "data.body.n < 2"]);
    assert_eq!(redriven.stdout, "redriven 2\n", "{}", redriven.stderr);
    assert_eq!(settle_all(&house, "ack"), 2);
    let replayed =
        said(&house, &["replay", "--subscription", "agent", "--dead-letters", "--dry-run"]);
    assert_eq!(replayed, "2 events would be replayed");
    let listed = letters("list", &["--json"]).stdout;
    let letter: Value = serde_json::from_str(listed.lines().next().expect("one")).expect("JSON");
    let id = letter["delivery"].as_str().expect("an id");
    assert_eq!(letters("delete", &[id]).stdout, "deleted 1\n");
    let again = letters("delete", &[id]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), "deleted 0\n"));
    assert!(again.stderr.contains("is no dead letter of this subscription"), "{}", again.stderr);
    assert_eq!(letters("delete", &["--all"]).stdout, "deleted 1\n");
    assert_eq!(letters("redrive", &["--all"]).stdout, "redriven 0\n");
}

#[test]
fn a_subscription_is_tried_out_before_it_is_changed() {
    let house = House::open();
    (0..4).for_each(|n| drop(house.post(&format!("{{\"n\":{n}}}"))));
    let test = |more: &[&str]| said(&house, &[&["subscriptions", "test", "agent"], more].concat());
    let told = test(&["--since", "7d", "--filter", "data.body.n > 1"]);
    assert!(told.starts_with("2 would be delivered, 2 would not\n01"), "{told}");
    assert!(test(&[]).starts_with("4 would be delivered, 0 would not\n"), "its own filters");
    let told = test(&["--filter", "channel == 'a' && channel == 'b'"]);
    assert!(told.contains("nothing can ever fit: `channel` would have to be several"), "{told}");
    let wrong = house.run(&["subscriptions", "test", "agent", "--filter", "n > 1"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("found `n` (column 1)"), "{}", wrong.stderr);
    let listed = said(&house, &["events", "list", "--filter", "data.body.n == 2", "--json"]);
    assert_eq!(listed.lines().count(), 1);
}
