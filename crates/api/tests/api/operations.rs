//! Health, metrics, channels, and what every answer has in common.

use crate::{
    failing::Faults,
    world::{World, from_earliest, request},
};
use headgate_http::Arrival;
use headgate_queue::Queue;
use insta::assert_snapshot;
use metrics_exporter_prometheus::PrometheusBuilder;

#[tokio::test]
async fn the_program_is_healthy_as_long_as_it_lives() {
    let world = World::new();
    world.queue.close().await;
    world.stop.send_replace(true);
    assert_snapshot!(world.get("/healthz").await.shown(), @r#"200 {"status":"ok"}"#);
}

#[tokio::test]
async fn readiness_names_every_reason_why_not() {
    let world = World::new();
    assert_snapshot!(world.get("/readyz").await.shown());
    world.unready.lock().unwrap().push("the SMTP listener is not bound".into());
    world.queue.close().await;
    world.stop.send_replace(true);
    assert_snapshot!(world.get("/readyz").await.shown());
}

#[tokio::test]
async fn a_balancer_hears_of_receiving_unless_it_asks_for_consuming() {
    let world = World::failing(Faults { settle: true, ..Faults::default() });
    for (query, status, ready) in
        [("", 200, true), ("?of=receiving", 200, true), ("?of=consuming", 503, false)]
    {
        let answer = world.get(&format!("/readyz{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        let json = answer.json();
        assert_eq!(json["ready"], ready);
        assert_eq!(json["receiving"], serde_json::json!({"ok": true, "reasons": []}));
        assert_eq!(json["consuming"]["reasons"][0], "queue: the disk is full");
    }
    assert_snapshot!(world.get("/readyz?of=sending").await.shown());
}

#[tokio::test]
async fn channels_are_shown_without_secrets() {
    assert_snapshot!(World::new().get("/v1/channels").await.shown());
}

#[tokio::test]
async fn metrics_show_each_subscription_that_is() {
    let world = World::new();
    world.store_many(2).await;
    world.subscribe(from_earliest("agent")).await;
    world.post("/v1/subscriptions/agent/lease", r#"{"max": 1}"#).await;
    let answer = world.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_snapshot!(String::from_utf8_lossy(&answer.bytes));
    world.call("DELETE", "/v1/subscriptions/agent", "").await;
    let answer = world.get("/metrics").await;
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("agent"));
}

#[tokio::test]
async fn metrics_show_what_was_recorded() {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        metrics::counter!("headgate_things_total", "kind" => "good").increment(3);
    });
    let world = World::with_metrics(recorder.handle());
    let text = String::from_utf8(world.get("/metrics").await.bytes.to_vec()).expect("text");
    assert!(text.contains("headgate_things_total{kind=\"good\"} 3\n"), "{text}");
}

#[tokio::test]
async fn what_does_not_exist_is_404_in_json() {
    let world = World::new();
    assert_snapshot!(world.get("/v1/nothing").await.shown());
    for path in ["/", "/v1", "/v1/events/", "/v1/subscriptions/a/b", "/V1/events"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["error"]["code"], "not_found");
        assert_eq!(answer.header("x-request-id"), "req-1");
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_says_which_are_right() {
    let world = World::new();
    let mut shown = String::new();
    for (method, path) in [
        ("PUT", "/v1/events"),
        ("POST", "/events/evt-1"),
        ("PUT", "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ"),
        ("DELETE", "/v1/subscriptions"),
        ("PATCH", "/v1/subscriptions/agent"),
        ("GET", "/v1/subscriptions/agent/lease"),
        ("GET", "/v1/subscriptions/agent/settle"),
        ("GET", "/v1/subscriptions/agent/pause"),
        ("POST", "/v1/stream"),
        ("POST", "/healthz"),
        ("DELETE", "/metrics"),
    ] {
        let answer = world.call(method, path, "").await;
        assert_eq!(answer.status, 405, "{method} {path}");
        let message = answer.json()["error"]["message"].clone();
        shown += &format!("{method} {path}: allow {} {message}\n", answer.header("allow"));
    }
    assert_snapshot!(shown);
}

#[tokio::test]
async fn a_queue_that_is_not_available_is_503_with_a_time_to_try_again() {
    let world = World::new();
    world.queue.close().await;
    let answer = world.get("/v1/events").await;
    assert_ne!(answer.header("retry-after"), "");
    assert_snapshot!(answer.shown());
    for path in ["/v1/subscriptions", "/metrics", "/v1/stream?subscription=agent"] {
        assert_eq!(world.get(path).await.status, 503, "{path}");
    }
    assert_eq!(world.post("/v1/subscriptions/agent/lease", "").await.status, 503);
    assert_eq!(world.post("/v1/subscriptions/agent/settle", "{}").await.status, 503);
}

#[tokio::test]
async fn parameters_are_refused_where_none_are_taken() {
    let world = World::new();
    for path in [
        "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ",
        "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ/raw",
        "/v1/channels",
        "/v1/subscriptions",
        "/v1/subscriptions/agent",
        "/metrics",
    ] {
        let answer = world.get(&format!("{path}?verbose=1")).await;
        assert_eq!(answer.status, 422, "{path}");
        assert_eq!(answer.json()["error"]["code"], "unknown_parameter");
    }
    let answer = world.post("/v1/subscriptions/agent/lease?max=5", "").await;
    assert_snapshot!(answer.shown());
}

#[tokio::test]
async fn a_request_without_an_id_gets_one_that_no_other_has() {
    let world = World::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut bare = request("GET", "/v1/nothing", "");
        bare.extensions_mut().remove::<Arrival>();
        let answer = world.send(bare).await;
        let id = answer.header("x-request-id").to_owned();
        assert_eq!(answer.json()["error"]["request_id"], id);
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_stream_without_an_upgrade_says_what_is_expected() {
    let world = World::new();
    let answer = world.get("/v1/stream").await;
    assert_eq!(answer.header("upgrade"), "websocket");
    assert_snapshot!(answer.shown());
}
