//! The figures of the server and the intake.

use crate::{gateway::Gateway, raw::Client};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::io::AsyncWriteExt;

/// Keeps every figure by name and labels.
#[derive(Clone, Default)]
struct Figures(Arc<Mutex<BTreeMap<String, f64>>>);

/// One of them.
struct Figure(Figures, String);

impl Figures {
    fn of(&self, name: &str) -> f64 {
        self.0.lock().expect("no panic").get(name).copied().unwrap_or_default()
    }

    fn figure(&self, key: &Key) -> Arc<Figure> {
        let labels = key.labels().map(|label| format!("{}={}", label.key(), label.value()));
        let name = std::iter::once(key.name().to_owned()).chain(labels).collect::<Vec<_>>();
        Arc::new(Figure(self.clone(), name.join(" ")))
    }
}

impl Figure {
    fn change(&self, by: f64) {
        *self.0.0.lock().expect("no panic").entry(self.1.clone()).or_default() += by;
    }
}

impl CounterFn for Figure {
    fn increment(&self, value: u64) {
        self.change(value as f64);
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Figure {
    fn increment(&self, value: f64) {
        self.change(value);
    }

    fn decrement(&self, value: f64) {
        self.change(-value);
    }

    fn set(&self, _: f64) {}
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.figure(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.figure(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

async fn talk(figures: Figures) {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").await;
    client.answer().await;
    let request = taken.next().await;
    assert_eq!(figures.of("headgate_http_bodies_in_flight_bytes"), 5.0);
    assert_eq!(figures.of("headgate_http_connections"), 1.0);
    drop(request);
    assert_eq!(figures.of("headgate_http_bodies_in_flight_bytes"), 0.0);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    client.answer().await;
    client.is_closed().await;
    drop(client);

    let mut large = Client::connect(gateway.address).await;
    large.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n").await;
    large.answer().await;
    let mut gone = Client::connect(gateway.address).await;
    gone.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf").await;
    gone.stream().shutdown().await.expect("open");
    gone.answer().await;
    drop((large, gone));
    gateway.stop().report().await;
}

#[test]
fn requests_connections_bodies_and_refusals_are_counted() {
    let figures = Figures::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    metrics::with_local_recorder(&figures, || runtime.block_on(talk(figures.clone())));
    let counted = figures.0.lock().expect("no panic").clone();
    let counted: Vec<_> = counted.iter().map(|(name, value)| format!("{name} {value}")).collect();
    insta::assert_snapshot!(counted.join("\n"), @r"
    headgate_http_bodies_in_flight_bytes 0
    headgate_http_body_refused_total code=body_incomplete 1
    headgate_http_body_refused_total code=body_too_large 1
    headgate_http_connections 0
    headgate_http_requests_total status=200 1
    headgate_http_requests_total status=400 2
    headgate_http_requests_total status=413 1
    ");
}
