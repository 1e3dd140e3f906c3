//! The live tail.

use super::client::Client;
use crate::world::{World, draft};
use headgate_api::{Access, StreamRules};
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn a_tail_says_hello_and_shows_what_comes_after() {
    let world = World::new();
    let address = world.listen().await;
    world.store_many(2).await;
    let mut client = Client::connect(address, "").await;
    let hello = json!({
        "type": "hello",
        "connection_id": client.request_id,
        "project_id": "default",
        "server": "headgate/1.2.3",
    });
    assert_eq!(client.hello, hello);
    world
        .store([draft("a", None, "{\"n\": 7,\n \"t\": \"x\"}"), draft("a", None, r#"{"n":8}"#)])
        .await;
    let event = client.frame().await;
    assert_eq!(event["schema"], "headgate.event.v1");
    assert_eq!(event["data"]["body"], json!({"n": 7, "t": "x"}));
    assert_eq!(event["delivery"], json!(null));
    assert_eq!(client.event().await.0, 8);
}

#[tokio::test]
async fn a_tail_shows_what_its_filters_want() {
    let world = World::new();
    let address = world.listen().await;
    let mut client = Client::connect(address, "?channel=a&channel=b&provider=github").await;
    world
        .store([
            draft("a", Some("stripe"), r#"{"n":0}"#),
            draft("a", Some("github"), r#"{"n":1}"#),
            draft("c", Some("github"), r#"{"n":2}"#),
            draft("b", Some("github"), r#"{"n":3}"#),
        ])
        .await;
    assert_eq!(client.numbers(2).await, [1, 3]);
}

#[tokio::test]
async fn a_tail_has_nothing_to_settle_and_goes_on() {
    let world = World::new();
    let address = world.listen().await;
    let mut client = Client::connect(address, "").await;
    client.say(r#"{"type":"ack","id":"agent.1.1.1"}"#).await;
    assert_snapshot!(client.frame().await);
    world.store_many(1).await;
    assert_eq!(client.event().await.0, 0);
}

#[tokio::test]
async fn a_tail_that_is_too_slow_jumps_ahead_and_is_told_how_many_it_missed() {
    let rules = StreamRules { tail_behind_events_max: 20, ..StreamRules::default() };
    let world = World::with(Access::Loopback, rules);
    let address = world.listen().await;
    let mut client = Client::connect(address, "").await;
    // The client does not read: what the sockets do not take stays in the queue.
    let large = "x".repeat(1 << 20);
    let count = 60;
    world
        .store((0..count).map(|n| draft("a", None, &format!("{{\"n\":{n},\"x\":\"{large}\"}}"))))
        .await;
    let mut next = 0;
    let missed = loop {
        let frame = client.frame().await;
        if frame["type"] == "lagged" {
            break frame["missed"].as_u64().expect("a number");
        }
        assert_eq!(frame["data"]["body"]["n"], next, "no gap before it is told");
        next += 1;
    };
    assert_eq!(next + missed, count, "it jumps to the next event");
    assert!(missed > 20);
    world.store([draft("a", None, &format!("{{\"n\":{count}}}"))]).await;
    assert_eq!(client.event().await.0, count);
}
