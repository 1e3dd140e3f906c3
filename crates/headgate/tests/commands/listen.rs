//! `listen`: every event worked on until it succeeds, and nothing kept that is not settled.

use crate::{
    house::{House, until},
    run::{Running, run},
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread,
};

fn listen(house: &House, arguments: &[&str]) -> Running {
    let mut command = house.command(&["listen", "--subscription", "agent"]);
    Running::start(command.args(arguments).current_dir(house.folder.path()))
}

#[test]
fn a_command_gets_the_event_and_its_end_with_0_settles_it() {
    let house = House::open();
    let id = house.post("{\"hello\":\"world\"}");
    let command = "cat; echo \"$HEADGATE_EVENT_ID $HEADGATE_EVENT_TYPE $HEADGATE_CHANNEL\"; \
                   echo \"$HEADGATE_PROMPT\"";
    let listening = listen(&house, &["--exec", command]);
    let event: Value = serde_json::from_str(&listening.line()).expect("the event on stdin");
    assert_eq!(event["id"], id.as_str());
    assert_eq!(event["delivery"]["subscription"], "agent");
    assert_eq!(listening.line(), format!("{id} webhook.received open"));
    assert_eq!(
        Some(listening.line().as_str()),
        event["prompt_ready"].as_str().and_then(|text| text.lines().next())
    );
    assert_eq!(house.until_settled()["dead"], 0);
}

#[test]
fn a_command_that_fails_gets_the_event_again() {
    let house = House::open();
    house.post("{}");
    let command = "test -e tried || { touch tried; exit 3; }; cat";
    let listening = listen(&house, &["--exec", command]);
    let event: Value = serde_json::from_str(&listening.line()).expect("the event on stdin");
    assert_eq!(event["delivery"]["attempt"], 2);
    assert!(listening.said("comes again").contains("exit code 3"));
    assert_eq!(house.until_settled()["dead"], 0);
}

#[test]
fn a_command_that_never_succeeds_leaves_a_dead_letter() {
    let house = House::open();
    house.post("{}");
    let _listening = listen(&house, &["--exec", "kill -9 $$"]);
    until("it is dead", || (house.subscription()["dead"] == 1).then_some(()));
    assert_eq!(house.until_settled()["dead"], 1);
}

#[test]
fn a_command_that_does_not_read_its_input_settles_the_event() {
    let house = House::open();
    house.post(&format!("\"{}\"", "x".repeat(1 << 20)));
    let listening = listen(&house, &["--exec", "echo done"]);
    assert_eq!(listening.line(), "done");
    assert_eq!(house.until_settled()["dead"], 0);
}

#[test]
fn several_events_are_worked_on_at_one_time() {
    let house = House::open();
    house.post("{}");
    house.post("{}");
    // Each command waits for the other one to have begun.
    let command = "touch begun.$HEADGATE_EVENT_ID; \
                   while [ $(ls begun.* | wc -l) -lt 2 ]; do sleep 0.02; done; echo both";
    let listening = listen(&house, &["--exec", command, "--concurrency", "2"]);
    assert_eq!((listening.line(), listening.line()), ("both".into(), "both".into()));
    house.until_settled();
}

#[test]
fn the_lease_is_extended_while_the_command_works() {
    let house = House::open();
    house.post("{}");
    // Two and a half leases long.
    let listening = listen(&house, &["--exec", "sleep 2.5; cat", "--lease", "1s"]);
    let event: Value = serde_json::from_str(&listening.line()).expect("the event on stdin");
    assert_eq!(event["delivery"]["attempt"], 1);
    let status = house.until_settled();
    assert_eq!((&status["dead"], &status["lag"]), (&0.into(), &0.into()));
    listening.terminate();
    assert!(listening.ended().success());
    let again =
        Running::start(&mut house.command(&["listen", "--subscription", "agent", "--exec", "cat"]));
    let other = house.post("{\"other\":true}");
    assert!(again.line().contains(&other), "the first event came again");
}

#[test]
fn asked_to_stop_it_finishes_what_is_in_hand() {
    let house = House::open();
    house.post("{}");
    let command = "touch begun; while [ ! -e go ]; do sleep 0.02; done; echo finished";
    let listening = listen(&house, &["--exec", command]);
    until("the command runs", || house.path("begun").exists().then_some(()));
    listening.terminate();
    listening.said("finishing");
    fs::write(house.path("go"), "").expect("written");
    assert_eq!(listening.line(), "finished");
    assert!(listening.ended().success());
    house.until_settled();
}

#[test]
fn asked_twice_it_gives_back_what_is_in_hand() {
    let house = House::open();
    let id = house.post("{}");
    let listening = listen(&house, &["--exec", "touch begun; exec sleep 1000"]);
    until("the command runs", || house.path("begun").exists().then_some(()));
    listening.terminate();
    listening.said("finishing");
    listening.terminate();
    assert!(listening.ended().success());
    let next = listen(&house, &["--exec", "cat"]);
    let event: Value = serde_json::from_str(&next.line()).expect("the event on stdin");
    assert_eq!(
        (event["id"].as_str(), &event["delivery"]["attempt"]),
        (Some(id.as_str()), &2.into())
    );
}

#[test]
fn an_event_is_forwarded_until_the_other_side_takes_it() {
    let house = House::open();
    let id = house.post("{}");
    let endpoint = TcpListener::bind("127.0.0.1:0").expect("an endpoint");
    let url = format!("http://{}/hook?a=b", endpoint.local_addr().expect("an address"));
    let answers = ["503 Service Unavailable\r\nretry-after: 0", "302 Found", "204 No Content"];
    let asked = thread::spawn(move || {
        // Whether somebody listens there is looked at before the first event is leased.
        drop(endpoint.accept().expect("a connection"));
        answers.map(|answer| serve_one(&endpoint, answer))
    });
    let _listening = listen(&house, &["--forward", &url]);
    let bodies = asked.join().expect("three requests");
    let attempts = bodies.map(|(head, body)| {
        assert!(head.starts_with("POST /hook?a=b HTTP/1.1"), "{head}");
        let event: Value = serde_json::from_str(&body).expect("the event");
        assert_eq!(event["id"], id.as_str());
        event["delivery"]["attempt"].as_u64()
    });
    assert_eq!(attempts, [Some(1), Some(2), Some(3)]);
    assert_eq!(house.until_settled()["dead"], 0);
}

/// Symptom: an endpoint that was down for a minute left dead letters. Cause: each refused
/// connection counted as an attempt. Fix: what cannot be sent waits, and nothing more is leased.
#[test]
fn while_nobody_listens_at_the_url_no_attempt_is_lost() {
    let house = House::open();
    // A port that was free a moment ago, and that nobody listens on until the end of the wait.
    let reserved = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = reserved.local_addr().expect("an address");
    drop(reserved);
    house.post("{}");
    let listening = listen(&house, &["--forward", &format!("http://{address}/"), "--json"]);
    for _ in 0..5 {
        listening.said("nobody listens there, nothing is leased");
    }
    let status = house.subscription();
    assert_eq!((&status["in_flight"], &status["waiting"]), (&0.into(), &0.into()));
    let endpoint = TcpListener::bind(address).expect("the port is free");
    let (probe, _) = endpoint.accept().expect("it is looked for");
    drop(probe);
    serve_one(&endpoint, "204 No Content");
    let line: Value = serde_json::from_str(&listening.line()).expect("JSON");
    assert_eq!((&line["outcome"], &line["attempt"]), (&"done".into(), &1.into()), "{line}");
    // It is down again, with an event in hand: more attempts than the subscription has.
    drop(endpoint);
    house.post("{}");
    for _ in 0..5 {
        listening.said("nobody listens there, nothing is leased");
    }
    let endpoint = TcpListener::bind(address).expect("the port is free");
    let (probe, _) = endpoint.accept().expect("it is looked for");
    drop(probe);
    serve_one(&endpoint, "204 No Content");
    let line: Value = serde_json::from_str(&listening.line()).expect("JSON");
    assert_eq!((&line["outcome"], &line["attempt"]), (&"done".into(), &1.into()), "{line}");
    assert_eq!((&line["settled"], &line["reason"]), (&true.into(), &Value::Null));
    assert_eq!(house.until_settled()["dead"], 0);
}

/// Takes one request and gives one answer.
fn serve_one(endpoint: &TcpListener, answer: &str) -> (String, String) {
    let (stream, _) = endpoint.accept().expect("a connection");
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).expect("answered");
    (head, String::from_utf8(body).expect("UTF-8"))
}

#[test]
fn what_trying_again_cannot_mend_ends_it() {
    let house = House::locked();
    let ended = house.run(&["listen", "--subscription", "agent", "--exec", "true"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("401"), "{}", ended.stderr);
    let house = House::open();
    let ended = house.run(&["listen", "--subscription", "nobody", "--exec", "true"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("there is no subscription `nobody`"), "{}", ended.stderr);
}

#[test]
fn a_gateway_that_is_not_there_yet_is_waited_for() {
    let listening = Running::start(crate::run::headgate().args([
        "listen",
        "--subscription",
        "agent",
        "--exec",
        "true",
        "--url",
        "http://127.0.0.1:1",
    ]));
    listening.said("trying again");
    listening.said("trying again");
    listening.terminate();
    assert!(listening.ended().success());
    assert_eq!(run(["--version"]).code, Some(0));
}
