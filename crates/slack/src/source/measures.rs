//! What is counted of the requests of Slack.

use headgate_event::{
    Timestamp,
    limits::{SLACK_CLOCK_SKEW_S_WARNED, SLACK_SLOW_ANSWER},
};
use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// Slack's reasons for a retry. Another is not a label: headers are not signed.
const REASONS: [&str; 7] = [
    "http_timeout",
    "too_many_redirects",
    "connection_failed",
    "ssl_error",
    "http_error",
    "unknown_error",
    "timeout",
];

/// How long an answer took. Slack waits 3 s; what takes a third of that is counted by itself.
pub(crate) fn answered(channel: &str, elapsed: Duration) {
    let name = channel.to_owned();
    histogram!("headgate_slack_answer_seconds", "channel" => name).record(elapsed);
    if elapsed > SLACK_SLOW_ANSWER {
        let name = channel.to_owned();
        counter!("headgate_slack_slow_answers_total", "channel" => name).increment(1);
    }
}

/// A delivery that Slack made before.
pub(crate) fn retried(channel: &str, reason: Option<&str>) {
    let reason = reason_label(reason);
    let name = channel.to_owned();
    counter!("headgate_slack_retries_total", "channel" => name, "reason" => reason).increment(1);
}

fn reason_label(reason: Option<&str>) -> &'static str {
    REASONS.into_iter().find(|known| Some(*known) == reason).unwrap_or("other")
}

/// An event that is stored, or was before.
pub(crate) fn stored(channel: &str, duplicate: bool) {
    let name = channel.to_owned();
    if duplicate {
        counter!("headgate_slack_duplicates_total", "channel" => name).increment(1);
    } else {
        counter!("headgate_slack_events_total", "channel" => name).increment(1);
    }
}

/// A question of Slack's that is no event.
pub(crate) fn checked(channel: &str, kind: &'static str) {
    let name = channel.to_owned();
    counter!("headgate_slack_checks_total", "channel" => name, "kind" => kind).increment(1);
}

/// What the app itself did, and the channel drops.
pub(crate) fn dropped_own(channel: &str) {
    let name = channel.to_owned();
    counter!("headgate_slack_own_events_dropped_total", "channel" => name).increment(1);
}

/// A request that is not taken.
pub(crate) fn rejected(channel: &str, code: &'static str) {
    let name = channel.to_owned();
    counter!("headgate_slack_rejected_total", "channel" => name, "code" => code).increment(1);
}

/// How far our clock is ahead of the time that Slack signed.
pub(crate) fn skewed(channel: &str, now: Timestamp, signed_at: Option<Timestamp>) {
    let Some(signed_at) = signed_at else { return };
    let seconds = now.unix_s().saturating_sub(signed_at.unix_s());
    let name = channel.to_owned();
    #[expect(clippy::cast_precision_loss, reason = "the window is 300 s")]
    gauge!("headgate_slack_clock_skew_seconds", "channel" => name).set(seconds as f64);
    if seconds.unsigned_abs() >= SLACK_CLOCK_SKEW_S_WARNED {
        tracing::warn!(channel, seconds, "the clock is far from the time that Slack signed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_nobody_knows_is_no_label_of_its_own() {
        assert_eq!(reason_label(Some("http_timeout")), "http_timeout");
        assert_eq!(reason_label(Some("made up")), "other");
        assert_eq!(reason_label(None), "other");
    }
}
