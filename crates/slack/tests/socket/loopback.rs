//! The shell against the fake Slack, over real sockets of this machine.

mod shell;

mod again;

use headgate_slack::socket::pool::Alarm;
use headgate_testkit::slack::{FakeSlack, Fault, Handshake, OpenAnswer, WorkspaceOptions};
use serde_json::json;
use shell::{Shell, TOKEN};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

/// Repeats come soon, so that nothing waits for them.
fn quick() -> WorkspaceOptions {
    WorkspaceOptions {
        ack_timeout: Duration::from_millis(300),
        notice: Duration::from_millis(200),
        attempts_max: 100,
        ..WorkspaceOptions::default()
    }
}

#[tokio::test]
async fn every_event_is_stored_once_and_then_acknowledged() {
    // Nothing is to come twice here, on a machine however busy.
    let patient = WorkspaceOptions { ack_timeout: Duration::from_secs(20), ..quick() };
    let shell = Shell::ready(patient).await;
    for _ in 0..200 {
        shell.slack.emit();
    }
    shell.slack.until(all_acknowledged).await;
    shell.assert_all_found_once();
    assert_eq!(shell.slack.acks_dropped(), 0);
    assert_eq!(shell.kept.repeats(), 0, "acknowledged in time");
    shell.mode.stop().await;
    shell.slack.until(|slack| slack.sockets().0 == 0).await;
}

#[tokio::test]
async fn an_event_becomes_a_draft_of_its_channel() {
    let shell = Shell::ready(quick()).await;
    shell.slack.emit();
    shell.slack.until(all_acknowledged).await;
    let event = shell.kept.event(0);
    let slack = event.slack().expect("a Slack event");
    assert_eq!(
        (slack.event_type.as_str(), slack.transport.as_deref()),
        ("app_mention", Some("socket"))
    );
    assert_eq!(slack.retry_num, None);
    let verification = event.verification();
    assert_eq!(serde_json::to_value(verification).expect("JSON")["covers"], "connection");
    assert_eq!(verification.method, "slack_socket");
}

#[tokio::test]
async fn nothing_is_acknowledged_while_the_store_fails_and_all_of_it_afterwards() {
    let shell = Shell::ready(quick()).await;
    shell.kept.fail(true);
    let id = shell.slack.emit();
    shell.slack.until(|slack| slack.ledger().attempts(&id) >= 3).await;
    assert!(!shell.slack.ledger().is_acknowledged(&id));
    shell.kept.fail(false);
    shell.slack.until(all_acknowledged).await;
    shell.assert_all_found_once();
    let retry = shell.kept.event(0).slack().and_then(|slack| slack.retry_num);
    assert!(retry.is_some_and(|retry| retry >= 2), "{retry:?}");
}

#[tokio::test]
async fn both_connections_may_be_refreshed_at_once_under_load() {
    let shell = Shell::ready(quick()).await;
    for round in 0..10 {
        for connection in shell.slack.connections() {
            let reason = if round % 2 == 0 { "warning" } else { "refresh_requested" };
            shell.slack.tell(connection, reason);
        }
        for _ in 0..20 {
            shell.slack.emit();
        }
        shell.slack.until(all_acknowledged).await;
    }
    shell.assert_all_found_once();
    assert!(shell.slack.sockets().1 <= 4, "{:?}", shell.slack.sockets());
}

#[tokio::test]
async fn connections_that_break_in_any_way_are_replaced_and_nothing_is_lost() {
    for fault in [Fault::Reset, Fault::Vanish] {
        let shell = Shell::ready(quick()).await;
        let first = shell.slack.connections()[0];
        shell.slack.fault(first, fault);
        for _ in 0..20 {
            shell.slack.emit();
        }
        shell.slack.until(all_acknowledged).await;
        shell.assert_all_found_once();
        shell.listening(2).await;
        shell.slack.until(|slack| slack.sockets().0 == 2).await;
    }
}

#[tokio::test]
async fn connections_that_fall_silent_are_found_within_ten_seconds() {
    let shell = Shell::ready(quick()).await;
    let both = shell.slack.connections();
    shell.slack.fault(both[0], Fault::BlackHole);
    shell.slack.fault(both[1], Fault::Deaf);
    let begun = Instant::now();
    shell.slack.until(|slack| both.iter().all(|gone| !slack.connections().contains(gone))).await;
    // Ten, and what a busy machine takes; the simulated ones are exact.
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    shell.slack.emit();
    shell.slack.until(all_acknowledged).await;
    shell.assert_all_found_once();
    assert!(shell.mode.is_ready());
}

#[tokio::test]
async fn whatever_a_message_is_it_is_stored_and_acknowledged_by_its_id() {
    let shell = Shell::ready(quick()).await;
    let first = shell.slack.connections()[0];
    let large = "x".repeat(1 << 20);
    let fragment = |text: &'static str, code, last| {
        Message::Frame(Frame::message(text, OpCode::Data(code), last))
    };
    let cases = [
        vec![Message::text("not json")],
        vec![Message::binary(&b"\x00\xff"[..])],
        vec![Message::binary(
            &br#"{"envelope_id":"b","type":"events_api","payload":{"event_id":"bin"}}"#[..],
        )],
        vec![Message::text(format!(r#"{{"envelope_id":"l","payload":{{"large":"{large}"}}}}"#))],
        vec![
            fragment(r#"{"envelope_id":"f","pay"#, Data::Text, false),
            Message::Ping(bytes::Bytes::new()),
            fragment(r#"load":{"event_id":"#, Data::Continue, false),
            fragment(r#""fragments"}}"#, Data::Continue, true),
        ],
        vec![Message::text(r#"{"envelope_id":"u","type":"from_2031","payload":{"a":1}}"#)],
        vec![Message::text(r#"{"type":"from_2031"}"#)],
    ];
    let count = cases.len();
    for case in cases {
        shell.slack.fault(first, Fault::Raw(case));
    }
    shell.kept.until(count).await;
    assert_eq!(shell.kept.raw(0), "not json");
    assert_eq!(shell.kept.raw(1), &b"\x00\xff"[..]);
    assert_eq!(shell.kept.raw(3).len(), large.len() + r#"{"large":""}"#.len());
    assert_eq!(shell.kept.raw(4), r#"{"event_id":"fragments"}"#);
    // Acknowledgements of what the ledger does not know are what it drops.
    shell.slack.until(|slack| slack.acks_dropped() == 4).await;
    shell.listening(2).await;
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_and_no_ping_at_all_is_no_fault() {
    let shell = Shell::ready(quick()).await;
    shell.slack.fault(shell.slack.connections()[0], Fault::PingFlood(10_000));
    for _ in 0..20 {
        shell.slack.emit();
    }
    shell.slack.until(all_acknowledged).await;
    shell.assert_all_found_once();
    assert_eq!(shell.slack.asked(), 2, "nothing was replaced");
}

#[tokio::test]
async fn a_handshake_that_fails_is_tried_again_with_another_ticket() {
    let slack = FakeSlack::start(quick()).await.expect("a port");
    slack.answer_handshake(Handshake::Status(409));
    slack.answer_open(OpenAnswer::Status(500));
    let shell = Shell::start(slack);
    shell.listening(2).await;
    assert_eq!(shell.slack.asked(), 4);
}

#[tokio::test]
async fn what_is_fatal_is_an_alarm_and_not_tried_again_until_somebody_resumes() {
    for code in ["invalid_auth", "token_expired", "not_allowed_token_type"] {
        let slack = FakeSlack::start(quick()).await.expect("a port");
        slack.answer_every_open(OpenAnswer::Error(code.to_owned()));
        let shell = Shell::start(slack);
        let expected = Some(Alarm::Refused(code.to_owned()));
        shell.until(|status| status.pool.alarm == expected).await;
        assert!(!shell.mode.is_ready());
        assert_eq!(shell.slack.asked(), 1);
        shell.slack.answer_every_open(OpenAnswer::Ok);
        shell.mode.resume();
        shell.listening(2).await;
        assert_eq!(shell.mode.status().pool.alarm, None);
    }
}

/// Symptom: Socket Mode was dead and said that it was ready. Cause: its task had panicked, and what
/// it had shown last stayed. Fix: it is not ready then, says so in the log, and begins anew.
#[tokio::test]
async fn what_panics_is_not_ready_and_begins_anew() {
    let slack = FakeSlack::start(quick()).await.expect("a port");
    let panics = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&panics);
    let shell = Shell::drawing(slack, move || {
        assert!(!told.swap(false, Ordering::SeqCst), "a test breaks it");
        0
    });
    shell.listening(2).await;
    panics.store(true, Ordering::SeqCst);
    shell.mode.resume();
    shell.until(|status| !status.pool.ready).await;
    shell.listening(2).await;
    assert!(shell.mode.is_ready());
    shell.slack.emit();
    shell.slack.until(all_acknowledged).await;
    shell.assert_all_found_once();
    shell.mode.stop().await;
    shell.slack.until(|slack| slack.sockets().0 == 0).await;
}

#[tokio::test]
async fn what_panics_while_it_stops_has_stopped() {
    let slack = FakeSlack::start(quick()).await.expect("a port");
    let panics = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&panics);
    let shell = Shell::drawing(slack, move || {
        assert!(!told.swap(false, Ordering::SeqCst), "a test breaks it");
        0
    });
    shell.listening(2).await;
    panics.store(true, Ordering::SeqCst);
    let stopping = shell.mode.stop();
    tokio::time::timeout(Duration::from_secs(20), stopping).await.expect("in time");
}

#[tokio::test]
async fn a_rate_limit_is_waited_for() {
    let slack = FakeSlack::start(quick()).await.expect("a port");
    slack.answer_open(OpenAnswer::RateLimited(1));
    let begun = Instant::now();
    let shell = Shell::start(slack);
    shell.listening(2).await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(shell.slack.asked(), 3);
}

#[tokio::test]
async fn an_answer_that_hangs_holds_up_no_stop() {
    let slack = FakeSlack::start(quick()).await.expect("a port");
    slack.answer_open(OpenAnswer::Hang);
    let shell = Shell::start(slack);
    shell.slack.until(|slack| slack.asked() == 1).await;
    shell.mode.stop().await;
}

#[tokio::test]
async fn a_switched_off_app_is_told_and_not_asked_for_again() {
    let shell = Shell::ready(quick()).await;
    for connection in shell.slack.connections() {
        shell.slack.tell(connection, "link_disabled");
    }
    shell.listening(0).await;
    assert_eq!(shell.mode.status().pool.alarm, Some(Alarm::LinkDisabled));
    assert_eq!(shell.slack.asked(), 2);
}

#[tokio::test]
async fn too_many_connections_are_an_alarm_and_no_loop() {
    let options = WorkspaceOptions { connections_max: 1, ..quick() };
    let slack = FakeSlack::start(options).await.expect("a port");
    let shell = Shell::start(slack);
    let expected = Some(Alarm::TooManyWebsockets(Some(1)));
    shell.until(|status| status.pool.alarm == expected).await;
    assert_eq!(shell.slack.asked(), 2);
    assert!(shell.mode.is_ready());
}

#[tokio::test]
async fn a_command_is_answered_in_its_acknowledgement() {
    let shell = Shell::ready(quick()).await;
    let command =
        json!({"command": "/deploy", "text": "payload=", "team_id": "T1", "trigger_id": "1.2"});
    shell.slack.emit_envelope("slash_commands", "1.2", &command);
    shell.slack.until(all_acknowledged).await;
    let event = shell.kept.event(0);
    assert_eq!(event.slack().expect("data").event_type, "slash_command");
    let menu = json!({"type": "block_suggestion", "value": "a", "trigger_id": "1.3"});
    shell.slack.emit_envelope("interactive", "1.3", &menu);
    shell.slack.until(all_acknowledged).await;
    let expected = [
        ("1.2".to_owned(), json!({"text": "on its way"})),
        ("1.3".to_owned(), json!({"options": []})),
    ];
    assert_eq!(shell.slack.answers(), expected);
}

#[tokio::test]
async fn a_thousand_flaps_leak_no_socket() {
    let shell = Shell::ready(quick()).await;
    // Each one is opened by hand, as if what failed before were mended: pauses are tried elsewhere.
    for _ in 0..1_000 {
        let before = shell.slack.connections();
        shell.slack.fault(before[0], Fault::Vanish);
        shell.slack.until(|slack| !slack.connections().contains(&before[0])).await;
        while shell.slack.connections().len() < 2 || shell.mode.status().pool.listening < 2 {
            shell.mode.resume();
            tokio::task::yield_now().await;
        }
    }
    assert!(shell.slack.sockets().1 <= 4, "{:?}", shell.slack.sockets());
    shell.mode.stop().await;
    shell.slack.until(|slack| slack.sockets().0 == 0).await;
}

#[tokio::test]
async fn neither_the_token_nor_a_ticket_is_told_anywhere() {
    let slack = FakeSlack::start(quick()).await.expect("a port");
    let bad = |url: &str| OpenAnswer::Body(json!({"ok": true, "url": url}).to_string());
    slack.answer_open(bad("wss://127.0.0.1:1/link/?ticket=hunter2"));
    slack.answer_open(bad("https://hunter2"));
    slack.answer_open(bad("ws://127.0.0.1:1/ hunter2"));
    let (shell, logged) = Shell::logged(slack);
    shell.listening(2).await;
    let logged = logged.text();
    assert!(logged.contains("no connection to Slack"), "{logged}");
    assert!(!logged.contains("hunter2") && !logged.contains(TOKEN), "{logged}");
    assert!(!logged.contains("ticket"), "{logged}");
    assert!(!format!("{:?}", shell.mode).contains("hunter2"));
}

fn all_acknowledged(slack: &FakeSlack) -> bool {
    slack.ledger().unacknowledged().next().is_none()
}
