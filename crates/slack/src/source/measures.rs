//! What is counted of the requests of Slack.

use headgate_event::{
    Timestamp,
    limits::{SLACK_CLOCK_SKEW_S_WARNED, SLACK_SLOW_ANSWER},
};
use headgate_http::RefusalLog;
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

/// What a clock that is off is called where lines of the log are held back.
const SKEW: &str = "clock_skew";

/// How long the answer to a proven request took. Slack waits 3 s; what takes a third of that is counted by itself.
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

/// A mention that was stored together with its message.
pub(crate) fn joined(channel: &str) {
    let name = channel.to_owned();
    counter!("headgate_slack_mentions_joined_total", "channel" => name).increment(1);
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
pub(crate) fn skewed(
    channel: &str,
    now: Timestamp,
    signed_at: Option<Timestamp>,
    log: &RefusalLog,
) {
    let Some(signed_at) = signed_at else { return };
    let seconds = now.unix_s().saturating_sub(signed_at.unix_s());
    let name = channel.to_owned();
    #[expect(clippy::cast_precision_loss, reason = "the window is 300 s")]
    gauge!("headgate_slack_clock_skew_seconds", "channel" => name).set(seconds as f64);
    if seconds.unsigned_abs() >= SLACK_CLOCK_SKEW_S_WARNED
        && let Some(suppressed) = log.count(channel, SKEW, now)
    {
        let text = "the clock is far from the time that Slack signed";
        tracing::warn!(channel, seconds, suppressed, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::{
        Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
        with_local_recorder,
    };
    use std::{
        collections::BTreeMap,
        sync::{Arc, Mutex},
    };

    /// Counts by name and last label.
    #[derive(Clone, Default)]
    struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

    struct One(Counts, String);

    impl CounterFn for One {
        fn increment(&self, by: u64) {
            *self.0.0.lock().expect("not poisoned").entry(self.1.clone()).or_default() += by;
        }

        fn absolute(&self, _: u64) {}
    }

    impl Recorder for Counts {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let label = key.labels().last().map_or("", metrics::Label::value);
            let name = format!("{} {label}", key.name());
            Counter::from_arc(Arc::new(One(self.clone(), name)))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    fn counted(measure: impl FnOnce()) -> Vec<(String, u64)> {
        let counts = Counts::default();
        with_local_recorder(&counts, measure);
        counts.0.lock().expect("not poisoned").clone().into_iter().collect()
    }

    #[test]
    fn an_answer_that_took_more_than_a_second_is_counted() {
        let counts = counted(|| {
            for ms in [5, 1000, 1001, 2900] {
                answered("team", Duration::from_millis(ms));
            }
        });
        assert_eq!(counts, [("headgate_slack_slow_answers_total team".to_owned(), 2)]);
    }

    #[test]
    fn retries_are_counted_by_reason_and_a_made_up_one_is_no_label_of_its_own() {
        let counts = counted(|| {
            for reason in [Some("http_timeout"), Some("made up"), None, Some("http_timeout")] {
                retried("team", reason);
            }
        });
        let name = |reason| format!("headgate_slack_retries_total {reason}");
        assert_eq!(counts, [(name("http_timeout"), 2), (name("other"), 2)]);
    }
}
