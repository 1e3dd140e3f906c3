//! `cron next --batch`: questions as lines, answers as lines.

use crate::{
    cron::cron,
    run::{PATIENCE, lines},
};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    thread,
};

fn started() -> Child {
    let mut command = cron(&["next", "--batch"]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    piped.spawn().expect("the program starts")
}

/// The answers to a whole input.
fn answers(input: &[u8]) -> Vec<String> {
    let mut child = started();
    let (mut stdin, input) = (child.stdin.take().expect("stdin"), input.to_vec());
    let writing = thread::spawn(move || stdin.write_all(&input));
    let stdout = BufReader::new(child.stdout.take().expect("stdout"));
    let lines = stdout.lines().map(|line| line.expect("text")).collect();
    writing.join().expect("no panic").expect("all is read");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    lines
}

#[test]
fn each_line_is_answered_in_its_order() {
    let input = concat!(
        r#"{"expr":"0 14 * * THU","tz":"America/New_York","after":"2026-11-21T00:00:00Z","n":2}"#,
        "\n",
        r#"{"after":"2026-03-07T12:00:00+00:00","n":1,"tz":"America/New_York","#,
        r#""expr":"30 2 * * *"}"#,
        "\r\n",
        r#"{"expr":"30 2 * * *","tz":"America/New_York","after":"2026-03-07T12:00:00Z","n":1,"#,
        r#""dst_gap":"shift"}"#,
        "\n",
        r#"{"expr":"30 1 * * *","tz":"America/New_York","after":"2026-11-01T00:00:00Z","n":2,"#,
        r#""dst_fold":"both"}"#,
        "\n",
        r#"{"expr":"*/20 * * * * *","after":"2026-11-21T00:00:00Z","n":2,"seconds":true}"#,
        "\n",
        r#"{"expr":"0 0 0 1 1 * 2027","after":"2030-01-01T00:00:00Z","seconds":true}"#,
        "\n",
        r#"{"expr":"0 \u0030 * * *","after":"2026-11-21T00:00:00Z","n":0}"#,
        "\n",
        r#"{"expr":"0 0 * * *","after":"2026-11-21T00:00:00Z"}"#,
    );
    let midnights: Vec<_> = (22..27).map(|day| format!("\"2026-11-{day}T00:00:00Z\"")).collect();
    assert_eq!(
        answers(input.as_bytes()),
        [
            r#"{"next":["2026-11-26T19:00:00Z","2026-12-03T19:00:00Z"]}"#,
            r#"{"next":["2026-03-08T07:00:00Z"]}"#,
            r#"{"next":["2026-03-08T07:30:00Z"]}"#,
            r#"{"next":["2026-11-01T05:30:00Z","2026-11-01T06:30:00Z"]}"#,
            r#"{"next":["2026-11-21T00:00:20Z","2026-11-21T00:00:40Z"]}"#,
            r#"{"next":[]}"#,
            r#"{"next":[]}"#,
            &format!("{{\"next\":[{}]}}", midnights.join(",")),
        ]
    );
}

#[test]
fn a_line_that_is_no_question_is_an_error_and_the_next_is_answered() {
    let good = r#"{"expr":"0 0 * * *","after":"2026-11-21T00:00:00Z","n":1}"#;
    let wrong: [&[u8]; 14] = [
        b"",
        b"  ",
        b"hello",
        br#"["0 0 * * *"]"#,
        br#"{"expr":"0 0 * * *"}{"expr":"0 0 * * *"}"#,
        br#"{"expr":"0 0 * * *","expr":"1 0 * * *"}"#,
        b"\xff\xfe\x00",
        br#"{"expr":"0 0 * * *","tiemzone":"UTC"}"#,
        br#"{"tz":"UTC"}"#,
        br#"{"expr":"0 14 * * THUR"}"#,
        br#"{"expr":"0 0 * * *","tz":"Europe/Belin"}"#,
        br#"{"expr":"0 0 * * *","after":"yesterday"}"#,
        br#"{"expr":"0 0 * * *","n":1001}"#,
        br#"{"expr":"0 0 * * *","dst_fold":"never"}"#,
    ];
    let mut input = Vec::new();
    for line in wrong {
        input.extend([line, b"\n", good.as_bytes(), b"\n"].concat());
    }
    let answers = answers(&input);
    assert_eq!(answers.len(), 2 * wrong.len());
    let (errors, others): (Vec<_>, Vec<_>) =
        answers.chunks(2).map(|two| (two[0].clone(), two[1].clone())).unzip();
    assert!(others.iter().all(|line| line == r#"{"next":["2026-11-22T00:00:00Z"]}"#));
    insta::assert_snapshot!("batch_errors", errors.join("\n"));
}

#[test]
fn a_line_of_a_mebibyte_is_refused_and_the_next_is_answered() {
    let good = "{\"expr\":\"0 0 * * *\",\"after\":\"2026-11-21T00:00:00Z\",\"n\":1}";
    let long = format!("{{\"expr\":\"{}\"}}", "0,".repeat(1 << 19));
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    let input = format!("{long}\n{good}\n{}\n{}\n{long}", padded(64 << 10), padded((64 << 10) + 1));
    let next = r#"{"next":["2026-11-22T00:00:00Z"]}"#;
    let refused = r#"{"error":"expected at most 65536 bytes a line"}"#;
    assert_eq!(answers(input.as_bytes()), [refused, next, next, refused, refused]);
}

#[test]
fn who_waits_for_each_answer_gets_it() {
    let mut child = started();
    let mut stdin = child.stdin.take().expect("stdin");
    let answers = lines(child.stdout.take().expect("stdout"));
    for day in 21..24 {
        let after = format!("2026-11-{day}T00:00:00Z");
        // The first half of the question after it is no reason to keep an answer back.
        let asked = format!("{{\"expr\":\"0 0 * * *\",\"n\":1,\"after\":\"{after}\"}}\n ");
        stdin.write_all(asked.as_bytes()).expect("written");
        let answer = answers.recv_timeout(PATIENCE).expect("an answer");
        assert_eq!(answer, format!("{{\"next\":[\"2026-11-{}T00:00:00Z\"]}}", day + 1));
    }
    drop(stdin);
    let last = answers.recv_timeout(PATIENCE).expect("an answer");
    assert!(last.contains("found an empty line"), "{last}");
    assert!(child.wait().expect("it ends").success());
}
