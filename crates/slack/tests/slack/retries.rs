//! Hours of Slack's retries against the source: what it sends again, and when it gives up.

use crate::gate::{Gate, Post, SECRET};
use headgate_event::{Clock, Secret, StoreError, Timestamp};
use headgate_testkit::slack::{EventsApi, Outcome, SignedRequest};
use std::time::Duration;

/// Slack and the source, with one clock.
struct Day {
    gate: Gate,
    slack: EventsApi,
}

impl Day {
    fn new() -> Self {
        Self { gate: Gate::new(), slack: EventsApi::new(Secret::new(SECRET)) }
    }

    fn now(&self) -> Timestamp {
        self.gate.clock.now()
    }

    async fn post(&self, request: &SignedRequest) -> u16 {
        let mut post = Post::unsigned(request.body.clone());
        for (name, value) in &request.headers {
            post = post.header(name, value.as_bytes());
        }
        self.gate.send(&post).await.status.as_u16()
    }

    /// Sends what is due; what becomes of it is for `seen` to say.
    async fn send_due(&mut self, seen: impl Fn(u16) -> Outcome) -> usize {
        let due = self.slack.due(self.now());
        for request in &due {
            let status = self.post(request).await;
            self.slack.answered(self.now(), &request.event_id, seen(status));
        }
        due.len()
    }

    fn assert_all_found_once(&self) {
        let found = self.gate.sink.event_ids();
        self.slack.ledger().check(found.iter().map(String::as_str)).expect("each event once");
    }
}

#[tokio::test]
async fn an_answer_that_slack_never_saw_is_given_again_to_each_retry_and_stored_once() {
    let mut day = Day::new();
    for _ in 0..20 {
        day.slack.emit(day.now());
    }
    let begun = day.now();
    let mut waits = Vec::new();
    while let Some(due) = day.slack.wake_at() {
        day.gate.clock.set(due);
        waits.push(due.unix_s() - begun.unix_s());
        assert_eq!(day.send_due(|_| Outcome::TimedOut).await, 20);
    }
    assert_eq!(waits, [0, 0, 60, 360]);
    day.assert_all_found_once();
    assert_eq!(day.slack.ledger().abandoned().count(), 20, "it knows nothing of what is stored");
}

#[tokio::test]
async fn what_could_not_be_stored_is_stored_by_a_retry() {
    let mut day = Day::new();
    let id = day.slack.emit(day.now()).expect("sent");
    let full = StoreError::Unavailable { reason: "full".into(), retry_after: Duration::ZERO };
    day.gate.sink.fail(Some(full));
    day.send_due(Outcome::Status).await;
    day.send_due(Outcome::Status).await;
    day.gate.sink.fail(None);
    assert_eq!(day.send_due(Outcome::Status).await, 0, "the next one is due in a minute");
    day.gate.clock.advance(Duration::from_secs(60));
    assert_eq!(day.send_due(Outcome::Status).await, 1);
    assert!(day.slack.ledger().is_acknowledged(&id));
    assert_eq!(day.slack.ledger().attempts(&id), 3);
    day.assert_all_found_once();
}

#[tokio::test]
async fn an_hour_beyond_the_rate_ends_with_a_notice_and_the_app_stays_switched_on() {
    let mut day = Day::new();
    let mut sent = 0;
    for _ in 0..31_000 {
        sent += usize::from(day.slack.emit(day.now()).is_some());
    }
    assert_eq!(sent, 30_000);
    // All but the notice take the same way; a few of them tell as much.
    let due = day.slack.due(day.now());
    assert_eq!(due.len(), 30_001, "one notice a minute");
    let notice = due.iter().find(|request| request.event_id.starts_with("app_rate_limited"));
    assert_eq!(day.post(notice.expect("a notice")).await, 200);
    let event = day.gate.sink.last();
    assert_eq!(event.slack().expect("data").event_type, "app_rate_limited");
    assert!(!day.slack.is_disabled());
}

#[tokio::test]
async fn an_app_that_answers_badly_for_an_hour_is_switched_off() {
    let mut day = Day::new();
    for _ in 0..1_000 {
        day.slack.emit(day.now());
    }
    let mut number = 0;
    for request in day.slack.due(day.now()) {
        number += 1;
        // One in 25 is less than 5 %.
        let status = if number % 25 == 0 { 200 } else { 500 };
        day.slack.answered(day.now(), &request.event_id, Outcome::StatusNoRetry(status));
    }
    assert!(day.slack.is_disabled());
    assert_eq!(day.slack.emit(day.now()), None);
}

#[tokio::test]
async fn every_reason_of_a_retry_is_told_by_the_event_that_it_brings() {
    for (outcome, reason) in [
        (Outcome::TimedOut, "http_timeout"),
        (Outcome::Unreachable, "connection_failed"),
        (Outcome::TooManyRedirects, "too_many_redirects"),
        (Outcome::BadCertificate, "ssl_error"),
        (Outcome::Status(500), "http_error"),
    ] {
        let mut day = Day::new();
        let id = day.slack.emit(day.now()).expect("sent");
        // The first attempt came to somebody else, such as a proxy.
        assert_eq!(day.slack.due(day.now()).len(), 1);
        day.slack.answered(day.now(), &id, outcome);
        assert_eq!(day.send_due(Outcome::Status).await, 1);
        let event = day.gate.sink.last();
        let told = event.slack().expect("data");
        assert_eq!((told.retry_num, told.retry_reason.as_deref()), (Some(1), Some(reason)));
        assert!(day.slack.ledger().is_acknowledged(&id));
        day.assert_all_found_once();
    }
}
