//! What is counted and logged of requests: of those that proved themselves, and not without end.

use crate::gate::{Gate, NOW, Post, SECRET, spec};
use headgate_event::Timestamp;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

const BODY: &str = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"x"}}"#;

/// Keeps the times that answers took, in seconds.
#[derive(Default)]
struct Answers(Arc<Times>);

#[derive(Default)]
struct Times(Mutex<Vec<f64>>);

impl HistogramFn for Times {
    fn record(&self, seconds: f64) {
        self.0.lock().expect("not poisoned").push(seconds);
    }
}

impl Answers {
    fn all(&self) -> Vec<f64> {
        self.0.0.lock().expect("not poisoned").clone()
    }
}

impl Recorder for Answers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        assert_eq!(key.name(), "headgate_slack_answer_seconds");
        Histogram::from_arc(Arc::clone(&self.0))
    }
}

/// Symptom: anyone could raise the alarm of slow answers. Cause: the time was taken of every
/// request, and a body comes as slowly as its sender likes. Fix: of those that are signed.
#[tokio::test]
async fn the_time_of_an_answer_is_measured_where_slack_asked() {
    let answers = Answers::default();
    let _guard = set_default_local_recorder(&answers);
    let gate = Gate::new();
    let measured = || answers.all().len();
    gate.send(&Post::unsigned(BODY)).await;
    gate.send(&Post::signed_at(NOW, "another secret", BODY)).await;
    gate.send(&Post::unsigned("ssl_check=1").header("content-type", crate::gate::FORM)).await;
    assert_eq!(measured(), 0);
    gate.send(&Post::json(BODY)).await;
    assert_eq!(measured(), 1);
}

/// Symptom: with `merge_mentions_ms = 1000` each message in vain was a slow answer. Cause: the wait for
/// its mention was taken for slowness. Fix: it is no part of the time.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_mention_is_no_part_of_the_time_of_an_answer() {
    let answers = Answers::default();
    let _guard = set_default_local_recorder(&answers);
    let mut spec = spec();
    spec.merge_mentions = Some(Duration::from_secs(1));
    let gate = Gate::of(spec);
    let said = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message",
        "channel":"C1","user":"U1","text":"<@UB>","ts":"1712.0001"}}"#;
    let begun = tokio::time::Instant::now();
    gate.event(&Post::json(said)).await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(answers.all(), [0.0]);
}

/// Where lines of the log go.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Symptom: with a clock that was a minute off, each event was a line in the log. Cause: no limit.
/// Fix: the one that refusals have.
#[tokio::test]
async fn a_clock_that_is_off_is_one_line_a_minute() {
    let lines = Lines::default();
    let written = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || written.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let gate = Gate::new();
    let signed = Timestamp::from_unix_s(NOW.unix_s() - 120);
    for number in 0..50 {
        let body = BODY.replace("Ev1", &format!("Ev{number}"));
        gate.send(&Post::signed_at(signed, SECRET, body)).await;
    }
    gate.clock.set(Timestamp::from_unix_s(NOW.unix_s() + 60));
    gate.send(&Post::signed_at(signed, SECRET, BODY.replace("Ev1", "last"))).await;
    let text = String::from_utf8(lines.0.lock().expect("not poisoned").clone()).expect("text");
    let warned: Vec<_> = text.lines().filter(|line| line.contains("clock is far")).collect();
    assert_eq!(warned.len(), 2, "{text}");
    assert!(warned[0].contains("suppressed=0") && warned[1].contains("suppressed=49"), "{text}");
}
