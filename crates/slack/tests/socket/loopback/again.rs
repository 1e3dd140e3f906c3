//! What comes again: because nobody read the acknowledgement, or because it never was one event.

use super::{
    all_acknowledged, quick,
    shell::{Kept, Shell},
};
use headgate_testkit::slack::{FakeSlack, Fault, Handshake, OpenAnswer};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

/// What is wrong with each of the events that are kept.
fn defects(kept: &Kept, count: usize) -> Vec<String> {
    let of = |at| {
        let metadata: Value = serde_json::from_str(kept.event(at).metadata().get()).expect("JSON");
        metadata["body_defects"][0].as_str().expect("a defect").to_owned()
    };
    let mut defects: Vec<_> = (0..count).map(of).collect();
    defects.sort();
    defects
}

#[tokio::test]
async fn acknowledgements_that_nobody_reads_bring_repeats_and_no_second_event() {
    let shell = Shell::ready(quick()).await;
    for connection in shell.slack.connections() {
        shell.slack.fault(connection, Fault::Deaf);
    }
    for _ in 0..5 {
        shell.slack.emit();
    }
    shell.slack.until(all_acknowledged).await;
    shell.assert_all_found_once();
    assert!(shell.kept.repeats() >= 5, "{} repeats", shell.kept.repeats());
}

/// Symptom: an envelope without a payload was another event with each repeat. Cause: the whole
/// message was the event and its bytes were the key, and a repeat says in it that it is one. Fix: the
/// id of the envelope is the key, and the event says what is wrong.
#[tokio::test]
async fn an_envelope_without_a_payload_that_comes_again_is_one_event_and_says_so() {
    let shell = Shell::ready(quick()).await;
    let first = shell.slack.connections()[0];
    let empty = |attempt: u32| {
        format!(
            r#"{{"envelope_id":"e1","type":"events_api","payload":null,"retry_attempt":{attempt}}}"#
        )
    };
    let broken =
        |attempt: u32| format!(r#"{{"envelope_id":"e2","retry_attempt":{attempt},"payload":{{"#);
    let all = [empty(0), empty(1), broken(0), broken(1)].map(Message::text);
    shell.slack.fault(first, Fault::Raw(all.into()));
    // Acknowledgements of what the ledger does not know are what it drops.
    shell.slack.until(|slack| slack.acks_dropped() == 4).await;
    assert_eq!(shell.kept.repeats(), 2);
    assert_eq!(defects(&shell.kept, 2), ["no_json", "no_payload"]);
    for at in 0..2 {
        let event = shell.kept.event(at);
        assert_eq!(event.slack().expect("data").event_type, "unreadable");
        assert!(!event.prompt_ready().contains("envelope_id"), "{}", event.prompt_ready());
    }
}

#[tokio::test]
async fn what_people_do_twice_without_a_trigger_is_two_events() {
    let shell = Shell::ready(quick()).await;
    let closed = json!({"type": "view_closed", "user": {"id": "U1"}});
    shell.slack.emit_envelope("interactive", "one", &closed);
    shell.slack.emit_envelope("interactive", "two", &closed);
    shell.slack.until(all_acknowledged).await;
    shell.kept.until(2).await;
}

#[tokio::test]
async fn a_handshake_that_hangs_and_a_silent_connection_are_given_up_within_ten_seconds() {
    let after = |handshake| async move {
        let slack = FakeSlack::start(quick()).await.expect("a port");
        slack.answer_handshake(handshake);
        let begun = Instant::now();
        let shell = Shell::start(slack);
        shell.listening(2).await;
        assert!(begun.elapsed() >= Duration::from_secs(10), "{:?}", begun.elapsed());
        assert_eq!(shell.slack.asked(), 3, "{handshake:?}");
    };
    tokio::join!(after(Handshake::Hang), after(Handshake::AcceptInSilence));
}

#[tokio::test]
async fn a_ticket_that_was_used_is_replaced_by_another() {
    let slack = FakeSlack::start(quick()).await.expect("a port");
    let place = slack.api().replace("http://", "ws://").replace("/api", "/link/?ticket=used");
    slack.answer_open(OpenAnswer::Body(json!({"ok": true, "url": place}).to_string()));
    let shell = Shell::start(slack);
    shell.listening(2).await;
    assert_eq!(shell.slack.asked(), 3);
    shell.slack.emit();
    shell.slack.until(all_acknowledged).await;
    shell.assert_all_found_once();
}
