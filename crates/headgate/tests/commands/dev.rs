//! `dev fake-slack`, which a program built with the feature `dev` has.

use crate::run::{Running, headgate};
use serde_json::Value;
use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// Takes the next request, and reads it.
fn next(listener: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = listener.accept().expect("a request");
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).expect("read");
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if is_whole(&text) {
            return (stream, text);
        }
        assert!(count > 0, "it broke off: {text}");
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let mut lengths = head.lines().filter_map(|line| line.strip_prefix("content-length: "));
    lengths.next().is_some_and(|length| length.parse() == Ok(body.len()))
}

fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("set");
    let read = stream.peek(&mut [0; 1]);
    stream.set_nonblocking(false).expect("set");
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn answer(mut stream: &TcpStream) {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).expect("answered");
}

/// Symptom: while one answer was awaited, nothing else was sent and no signal heard. Cause: requests
/// were sent one after the other where everything else is waited for. Fix: each is a task.
#[test]
fn a_fake_slack_sends_its_events_beside_each_other_and_says_what_became_of_them() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let to = format!("http://{}/v1/slack/team", listener.local_addr().expect("an address"));
    let mut command = headgate();
    command.args(["dev", "fake-slack", "--every", "50ms", "--to", &to, "--secret-env", "SIGNING"]);
    let slack = Running::start(command.env("SIGNING", "a secret"));
    let begun: Value = serde_json::from_str(&slack.line()).expect("JSON");
    assert!(begun["api"].as_str().expect("a URL").starts_with("http://127.0.0.1:"), "{begun}");
    let waiting = [next(&listener), next(&listener), next(&listener)];
    for (stream, request) in &waiting {
        assert!(is_open(stream), "it was given up before the third came");
        assert!(request.contains("x-slack-signature: v0="), "{request}");
        answer(stream);
    }
    thread::spawn(move || {
        loop {
            answer(&next(&listener).0);
        }
    });
    slack.terminate();
    let ended: Value = serde_json::from_str(&slack.line()).expect("JSON");
    assert!(ended["http"]["events"].as_u64().is_some_and(|events| events >= 3), "{ended}");
    assert_eq!(ended["http"]["unacknowledged"], serde_json::json!([]));
    assert!(slack.ended().success());
}
