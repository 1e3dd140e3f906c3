//! `serve`: from its start to its stop.

use crate::{
    house::{House, request, start},
    run::{Running, finish, headgate},
};
use serde_json::Value;
use std::{fs, net::TcpListener};

#[test]
fn without_a_configuration_a_demo_runs_that_the_printed_line_works_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = headgate();
    command.args(["serve", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
    let gateway = Running::start(&mut command);
    let line: Value = serde_json::from_str(&gateway.said("\"listening\"")).expect("a log line");
    let address = line["address"].as_str().expect("an address");
    let answer = request(address, "POST", "/v1/webhook/demo", "{\"hello\":\"world\"}");
    assert_eq!(answer["duplicate"], false);
    let listed = request(address, "GET", "/v1/events", "");
    assert_eq!(listed["events"][0]["id"], answer["id"]);
    let status = request(address, "GET", "/v1/subscriptions/demo", "");
    assert_eq!(status["lag"], 1);
    assert!(folder.path().join("headgate-data").is_dir());
    gateway.terminate();
    assert!(gateway.ended().success());
}

#[test]
fn a_file_in_the_folder_is_taken_when_none_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("headgate.toml"), "nonsense = 1\n").expect("written");
    let ended = finish(headgate().arg("serve").current_dir(folder.path()));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.starts_with("headgate.toml:1: nonsense:"), "{}", ended.stderr);
}

#[test]
fn listening_beyond_this_machine_without_keys_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = headgate();
    let ended = finish(command.args(["serve", "--listen", "0.0.0.0:0"]).current_dir(folder.path()));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("[[api_key]]"), "{}", ended.stderr);
    assert!(!folder.path().join("headgate-data").exists(), "it made a folder all the same");
}

#[test]
fn a_folder_that_another_process_owns_ends_it_with_1() {
    let house = House::open();
    let config = house.path("headgate.toml");
    let mut second = headgate();
    second.args(["serve", "--config"]).arg(&config).env("GITHUB_SECRET", "x");
    let ended = finish(&mut second);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("headgate: cannot open the queue: `"), "{last}");
    assert!(last.contains("headgate-data` belongs to another running headgate"), "{last}");
}

#[test]
fn an_address_that_is_taken_ends_it_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = headgate();
    let ended = finish(command.args(["serve", "--listen", &address]).current_dir(folder.path()));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("cannot listen on `{address}`")), "{}", ended.stderr);
}

#[test]
fn a_subscription_that_left_the_configuration_goes_on() {
    let house = House::open();
    house.post("{}");
    assert_eq!(house.subscription()["configured"], true);
    let House { gateway, folder, .. } = house;
    gateway.terminate();
    assert!(gateway.ended().success());
    let config = folder.path().join("headgate.toml");
    let text = fs::read_to_string(&config).expect("text");
    let without = text.split("[[subscription]]").next().unwrap_or_default();
    fs::write(&config, format!("{without}[[subscription]]\nname = \"other\"\n")).expect("written");
    let (gateway, address) = start(&config);
    let status = request(&address, "GET", "/v1/subscriptions/agent", "");
    assert_eq!((&status["configured"], &status["lag"]), (&false.into(), &1.into()));
    let status = request(&address, "GET", "/v1/subscriptions/other", "");
    assert_eq!(status["configured"], true);
    drop(gateway);
}

#[test]
fn readiness_metrics_and_channels_are_shown() {
    let house = House::open();
    house.post("{}");
    assert_eq!(request(&house.address, "GET", "/readyz", "")["ready"], true);
    let channels = request(&house.address, "GET", "/v1/channels", "");
    let told: Vec<_> = channels["channels"].as_array().expect("channels").iter().collect();
    assert_eq!(told.len(), 3);
    assert!(told.iter().any(|channel| channel["path"] == "/v1/webhook/hub"
        && channel["verification"] == "github"
        && channel["provider"] == "github"));
    let ended = house.run(&["events", "list"]);
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_stop_ends_open_streams_by_itself_and_cuts_nothing() {
    let house = House::open();
    let tail = Running::start(&mut house.command(&["--log", "headgate=debug", "tail"]));
    tail.said("a frame that is no event");
    house.gateway.terminate();
    let line: Value =
        serde_json::from_str(&house.gateway.said("requests are finished")).expect("a log line");
    // Whether the stream was still open when the stop began to count is a matter of moments.
    assert_eq!(line["cut"], 0);
    tail.said("connecting again");
    assert!(house.gateway.ended().success());
}

#[test]
fn a_stop_with_a_delay_is_not_ready_and_still_receives() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("headgate.toml");
    let channel = "[[channel]]\nid = \"open\"\ntype = \"webhook\"\nverify = \"none\"\n";
    let server = "[server]\nlisten = \"127.0.0.1:0\"\ndrain_delay = \"60s\"\n";
    fs::write(&config, format!("{server}{channel}")).expect("written");
    let (gateway, address) = start(&config);
    assert_eq!(request(&address, "GET", "/readyz", "")["ready"], true);
    gateway.terminate();
    gateway.said("stopping soon");
    let ready = request(&address, "GET", "/readyz", "");
    assert_eq!(ready["receiving"]["reasons"][0], "a stop was asked for");
    assert!(request(&address, "POST", "/v1/webhook/open", "{}")["id"].is_string());
    // The second signal waits for nothing.
    gateway.terminate();
    gateway.said("cut by a second signal");
    assert!(gateway.ended().success());
}
