//! `events` and `tail`.

use crate::{
    house::{House, KEY, until},
    run::Running,
};
use serde_json::Value;
use std::process::Stdio;

#[test]
fn events_are_listed_newest_first_over_as_many_pages_as_it_takes() {
    let house = House::open();
    let ids: Vec<String> = (0..3).map(|n| house.post(&format!("{{\"n\":{n}}}"))).collect();
    let ended = house.run(&["events", "list", "--json", "--limit", "2"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let listed: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["id"], &listed[1]["id"]),
        (&ids[2].clone().into(), &ids[1].clone().into())
    );
    let ended = house.run(&["events", "list", "--channel", "open", "--type", "webhook.received"]);
    let rows: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[2].starts_with(&ids[0]) && rows[2].contains("open"), "{}", rows[2]);
    assert_eq!(house.run(&["events", "list", "--channel", "hub"]).stdout, "");
    let lines = |arguments: &[&str]| {
        house.run(&[&["events", "list"], arguments].concat()).stdout.lines().count()
    };
    assert_eq!(lines(&["--since", "1h"]), 3);
    assert_eq!(lines(&["--until", "1h"]), 0);
    assert_eq!(lines(&["--since", "2026-01-01", "--until", "2100-01-01T00:00:00Z"]), 3);
}

#[test]
fn a_filter_that_is_wrong_is_told_in_the_words_of_the_gateway() {
    let house = House::open();
    let ended = house.run(&["events", "list", "--type", "two words"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("422") && ended.stderr.contains("type"), "{}", ended.stderr);
}

#[test]
fn one_event_is_shown_as_prompt_as_json_and_as_it_came() {
    let house = House::open();
    let body = "{ \"n\" : 1.10 }\n";
    let id = house.post(body);
    let prompt = house.run(&["events", "get", &id]).stdout;
    assert!(prompt.contains("NOT VERIFIED") && prompt.contains("n: 1.10"), "{prompt}");
    let json: Value =
        serde_json::from_str(&house.run(&["events", "get", &id, "--json"]).stdout).expect("JSON");
    assert_eq!(json["prompt_ready"].as_str().map(|text| format!("{text}\n")), Some(prompt));
    assert_eq!(house.run(&["events", "get", &id, "--raw"]).stdout, body);
    let ended = house.run(&["events", "get", "01KAJ3V3W2N9E6W0V8R3M5T7QZ"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("404"), "{}", ended.stderr);
}

#[test]
fn a_key_is_taken_from_the_variable_that_is_named() {
    let house = House::locked();
    let ended = house.run(&["events", "list"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("401"), "{}", ended.stderr);
    for (name, arguments) in [("HEADGATE_KEY", vec![]), ("MY_KEY", vec!["--key-env", "MY_KEY"])] {
        let mut command = house.command(&["events", "list"]);
        command.args(arguments).env(name, KEY);
        let ended = crate::run::finish(&mut command);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

#[test]
fn the_address_is_taken_from_a_configuration_whose_secrets_are_elsewhere() {
    let house = House::open();
    let id = house.post("{}");
    let config = house.path("client.toml");
    let text = format!(
        "[server]\nlisten = \"{}\"\n[[channel]]\nid = \"a\"\nsecrets = [{{ env = \"NOPE\" }}]\n",
        house.address
    );
    std::fs::write(&config, text).expect("written");
    let ended = crate::run::run(["events", "list", "--config", config.to_str().expect("a path")]);
    assert!(ended.stdout.starts_with(&id), "{}", ended.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let house = House::open();
    house.post(&format!("\"{}\"", "x".repeat(1 << 20)));
    let mut command = house.command(&["events", "list", "--json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn tail_shows_events_as_they_come_one_a_line() {
    let house = House::open();
    house.post("{\"before\":true}");
    let tail = Running::start(
        house.command(&["--log", "headgate=debug", "tail", "--channel", "open"]).env("A", "b"),
    );
    tail.said("a frame that is no event");
    let id = house.post("{\"after\":true}");
    let line: Value = serde_json::from_str(&tail.line()).expect("JSON");
    assert_eq!(line["id"], id.as_str());
    assert_eq!(line["data"]["body"]["after"], true);
}

#[test]
fn tail_goes_on_when_the_gateway_comes_back() {
    let house = House::open();
    let tail = Running::start(&mut house.command(&["--log", "headgate=debug", "tail"]));
    tail.said("a frame that is no event");
    let House { gateway, address, folder } = house;
    gateway.terminate();
    assert!(gateway.ended().success());
    tail.said("connecting again");
    let config = folder.path().join("headgate.toml");
    let text = std::fs::read_to_string(&config).expect("text").replace("127.0.0.1:0", &address);
    std::fs::write(&config, text).expect("written");
    let (gateway, address) = crate::house::start(&config);
    let house = House { gateway, address, folder };
    // It has shown nothing to go on after, so it begins anew.
    tail.said("a frame that is no event");
    let id = house.post("{}");
    until("the event is shown", || tail.line().contains(&id).then_some(()));
}

#[test]
fn tail_goes_on_after_the_last_event_it_showed() {
    let house = House::open();
    let first = house.post("{}");
    let tail = Running::start(&mut house.command(&["tail", "--after", &first]));
    let shown = house.post("{}");
    assert!(tail.line().contains(&shown));
    let House { gateway, address, folder } = house;
    gateway.terminate();
    assert!(gateway.ended().success());
    let config = folder.path().join("headgate.toml");
    let text = std::fs::read_to_string(&config).expect("text").replace("127.0.0.1:0", &address);
    std::fs::write(&config, text).expect("written");
    let (gateway, address) = crate::house::start(&config);
    // Before or after it has connected again, it is shown, and what was shown is not.
    let house = House { gateway, address, folder };
    let ids = [house.post("{}"), house.post("{}")];
    for id in ids {
        assert!(tail.line().contains(&id));
    }
}

#[test]
fn tail_shows_only_events_with_the_keys_it_is_given() {
    let house = House::open();
    let first = house.post("{}");
    let github = |event: &str| {
        let to = format!("http://{}/v1/webhook/hub", house.address);
        let mut command = house.command(&["send", "github", event, "--to", &to, "--json"]);
        let ended = crate::run::finish(
            command.args(["--secret-env", "HUB"]).env("HUB", crate::house::GITHUB_SECRET),
        );
        let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        assert_eq!((&told["status"], &told["signed"]), (&200.into(), &true.into()), "{told}");
        told["body"]["id"].as_str().expect("an id").to_owned()
    };
    github("push");
    let wanted = github("pull_request.opened");
    let filter = ["--provider-event", "pull_request.opened", "--provider", "github"];
    let mut command = house.command(&["tail", "--after", &first]);
    let tail = Running::start(command.args(filter));
    assert!(tail.line().contains(&wanted));
}

#[test]
fn tail_without_a_key_ends() {
    let house = House::locked();
    let ended = house.run(&["tail"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("401"), "{}", ended.stderr);
}
