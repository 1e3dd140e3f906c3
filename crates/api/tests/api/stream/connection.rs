//! How a connection begins, lives and ends, whatever it streams.

use super::client::{Client, Heard};
use crate::world::{World, from_earliest, request};
use futures_util::SinkExt;
use headgate_api::{Access, ApiKey, Bounds, Scope, StreamRules};
use headgate_event::Secret;
use headgate_queue::AckMode;
use http::HeaderValue;
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tokio_tungstenite::tungstenite::Message;

fn with_key(scopes: &[Scope]) -> World {
    let key = ApiKey::new("agent", Secret::new("s3cret"), scopes.iter().copied().collect());
    World::with(Access::Keys(vec![key]), StreamRules::default())
}

async fn refused(world: &World, query: &str, bearer: Option<&str>) -> (u16, String) {
    refused_at(world.listen().await, query, bearer).await
}

async fn refused_at(address: SocketAddr, query: &str, bearer: Option<&str>) -> (u16, String) {
    match Client::with_bearer(address, query, bearer).await {
        Ok(_) => panic!("connected"),
        Err((status, body)) => (status, body["error"]["code"].as_str().unwrap_or("").to_owned()),
    }
}

#[tokio::test]
async fn whoever_may_not_listen_is_refused_at_the_upgrade() {
    let world = with_key(&[Scope::Read]);
    world.subscribe(from_earliest("agent")).await;
    let agent = "?subscription=agent";
    let code = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(refused(&world, "", None).await, code(401, "missing_key"));
    assert_eq!(refused(&world, agent, Some("wrong")).await, code(401, "wrong_key"));
    assert_eq!(refused(&world, agent, Some("s3cret")).await, code(403, "missing_scope"));
    let world = with_key(&[Scope::Consume]);
    assert_eq!(refused(&world, "", Some("s3cret")).await, code(403, "missing_scope"));
}

#[tokio::test]
async fn what_a_stream_cannot_be_is_refused_at_the_upgrade() {
    let world = World::new();
    world.subscribe(from_earliest("agent")).await;
    for (query, status, code) in [
        ("?subscription=nobody", 404, "unknown_subscription"),
        ("?subscription=", 404, "unknown_subscription"),
        ("?subscription=agent&subscription=agent", 422, "invalid_parameter"),
        ("?subscription=agent&channel=a", 422, "unknown_parameter"),
        ("?subscription=agent&max_in_flight=0", 422, "invalid_parameter"),
        ("?subscription=agent&max_in_flight=1001", 422, "invalid_parameter"),
        ("?subscription=agent&lease_ms=x", 422, "invalid_parameter"),
        ("?max_in_flight=5", 422, "unknown_parameter"),
        ("?channel=A", 422, "invalid_parameter"),
        ("?q=text", 422, "unknown_parameter"),
    ] {
        assert_eq!(refused(&world, query, None).await, (status, code.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_key_and_reading_is_all_a_client_needs() {
    let world = with_key(&[Scope::Read, Scope::Consume]);
    let address = world.listen().await;
    let mut spec = from_earliest("agent");
    spec.ack = AckMode::OnSend;
    world.subscribe(spec).await;
    let key = Some("s3cret");
    let mut tail = Client::with_bearer(address, "", key).await.expect("connected");
    let durable = Client::with_bearer(address, "?subscription=agent", key).await;
    let mut durable = durable.expect("connected");
    world.store_many(3).await;
    assert_eq!(tail.numbers(3).await, [0, 1, 2]);
    assert_eq!(durable.numbers(3).await, [0, 1, 2]);
}

fn impatient() -> World {
    let rules = StreamRules {
        ping_every: Duration::from_millis(20),
        silence_max: Duration::from_millis(400),
        ..StreamRules::default()
    };
    World::with(Access::Loopback, rules)
}

#[tokio::test]
async fn a_client_that_answers_pings_lives_however_silent_it_is() {
    let world = impatient();
    let address = world.listen().await;
    let mut client = Client::connect(address, "").await;
    // Twice as long as silence is borne.
    for _ in 0..40 {
        assert_eq!(client.heard().await, Heard::Ping);
    }
    world.store_many(1).await;
    assert_eq!(client.event().await.0, 0);
}

#[tokio::test]
async fn a_client_that_answers_nothing_is_taken_for_dead() {
    let world = impatient();
    let address = world.listen().await;
    // Not polled, it answers no ping.
    let _client = Client::connect(address, "").await;
    let ended = tokio::time::timeout(Duration::from_secs(20), world.api.streams_ended());
    ended.await.expect("in time");
}

#[tokio::test]
async fn a_stop_closes_streams_and_counts_what_was_said_before() {
    let world = World::new();
    let address = world.listen().await;
    world.subscribe(from_earliest("agent")).await;
    world.store_many(2).await;
    let mut tail = Client::connect(address, "").await;
    let mut durable = Client::connect(address, "?subscription=agent").await;
    let (_, first) = durable.event().await;
    let (_, second) = durable.event().await;
    world.stop.send_replace(true);
    // Said before the client hears of the stop.
    durable.say(&json!({"type": "ack", "id": first}).to_string()).await;
    assert_eq!(tail.close_code().await, Some(1001));
    assert_eq!(durable.close_code().await, Some(1001));
    while durable.heard().await != Heard::Closed(None) {}
    while tail.heard().await != Heard::Closed(None) {}
    world.api.streams_ended().await;
    let status = world.get("/v1/subscriptions/agent").await.json();
    assert_eq!(status["lag"], 1, "the ack counts");
    assert_eq!(status["waiting"], 0, "a stop costs the other no attempt");
    let settle = json!({"ack": [second]}).to_string();
    let answer = world.post("/v1/subscriptions/agent/settle", &settle).await;
    assert_eq!(answer.json()["settled"], 1);
}

#[tokio::test]
async fn no_stream_begins_when_the_program_is_about_to_stop() {
    let world = World::new();
    let address = world.listen().await;
    world.stop.send_replace(true);
    // Whichever is first: the listener closes, or the API refuses.
    let url = format!("ws://localhost:{}/v1/stream", address.port());
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
}

#[tokio::test]
async fn a_message_over_the_limit_closes_the_stream_and_no_other() {
    let world = World::new();
    let address = world.listen().await;
    let mut large = Client::connect(address, "").await;
    let mut other = Client::connect(address, "").await;
    large.say(&"x".repeat((64 << 10) + 1)).await;
    assert_eq!(large.close_code().await, Some(1009));
    world.store_many(1).await;
    assert_eq!(other.event().await.0, 0);
}

#[tokio::test]
async fn a_binary_message_is_answered_like_any_other_that_is_not_understood() {
    let world = World::new();
    let address = world.listen().await;
    world.subscribe(from_earliest("agent")).await;
    let mut client = Client::connect(address, "?subscription=agent").await;
    client.socket.send(Message::binary(vec![0xff, 0])).await.expect("sent");
    assert_eq!(client.frame().await["code"], "invalid_json");
}

#[tokio::test]
async fn errors_wait_for_a_client_that_reads_later() {
    let world = World::new();
    let address = world.listen().await;
    world.subscribe(from_earliest("agent")).await;
    let mut client = Client::connect(address, "?subscription=agent").await;
    for n in 0..1_000 {
        client.say(&json!({"type": "ack", "id": n.to_string()}).to_string()).await;
    }
    for n in 0..1_000 {
        assert_eq!(client.frame().await["id"], n.to_string());
    }
}

/// A subscription may be given channels that a key is not bound to.
#[tokio::test]
async fn a_stream_ends_when_its_subscription_leaves_what_the_key_is_bound_to() {
    let admin = ApiKey::new("boss", Secret::new("boss"), [Scope::Admin].into());
    let bounds = Bounds { channels: vec!["a".into()], ..Bounds::default() };
    let agent = ApiKey::new("agent", Secret::new("s3cret"), [Scope::Consume].into());
    let keys = vec![ApiKey { bounds, ..agent }, admin];
    let world = World::with(Access::Keys(keys), StreamRules::default());
    let put = async |channels: &str| {
        let body = format!(r#"{{"channels": {channels}}}"#);
        let mut call = request("PUT", "/v1/subscriptions/agent", &body);
        call.headers_mut().insert("authorization", HeaderValue::from_static("Bearer boss"));
        assert!(world.send(call).await.status.is_success());
    };
    put(r#"["a"]"#).await;
    let address = world.listen().await;
    let agent = "?subscription=agent";
    let mut socket = Client::with_bearer(address, agent, Some("s3cret")).await.expect("let in");
    put(r#"["a", "b"]"#).await;
    assert_eq!(socket.close_code().await, Some(1008));
    let refused = refused_at(address, agent, Some("s3cret")).await;
    assert_eq!(refused, (403, "outside_bounds".to_owned()));
}
