//! `send`: samples that the gateway takes for genuine.

use crate::{
    house::{GITHUB_SECRET, House},
    run::{finish, run},
};
use serde_json::Value;

fn hub(house: &House) -> String {
    format!("http://{}/v1/webhook/hub", house.address)
}

#[test]
fn a_signed_sample_is_stored_as_verified() {
    let house = House::open();
    let mut command = house.command(&["send", "github", "--to", &hub(&house)]);
    let ended = finish(command.args(["--secret-env", "HUB"]).env("HUB", GITHUB_SECRET));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("200 OK {\"id\":"), "{}", ended.stdout);
    let listed = house.run(&["events", "list", "--json"]).stdout;
    let event: Value = serde_json::from_str(&listed).expect("one event");
    assert_eq!(event["verification"]["verdict"], "verified");
    assert_eq!(event["provider"], "github");
}

#[test]
fn a_sample_that_is_not_signed_or_wrongly_signed_is_refused() {
    let house = House::open();
    let ended = house.run(&["send", "github", "--to", &hub(&house)]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.starts_with("401"), "{}", ended.stdout);
    let mut command = house.command(&["send", "github", "--to", &hub(&house)]);
    let ended = finish(command.args(["--secret-env", "HUB"]).env("HUB", "another"));
    assert_eq!(ended.code, Some(1));
    assert_eq!(house.run(&["events", "list"]).stdout, "");
}

#[test]
fn what_cannot_be_sent_is_said_with_what_can() {
    let ended = run(["send", "gitlub", "--to", "http://127.0.0.1:1"]);
    assert_eq!(ended.code, Some(2));
    for known in ["`github`, `gitlab`", "`linear`", "`slack`", "`twilio`"] {
        assert!(ended.stderr.contains(known), "{known}: {}", ended.stderr);
    }
    let ended = run(["send", "github", "no.such", "--to", "http://127.0.0.1:1"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("`no.such`") && ended.stderr.contains("pull_request"));
    let ended = run(["send", "stripe", "--list"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.lines().count() >= 1, "{}", ended.stdout);
}
