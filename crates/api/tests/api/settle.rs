//! Settling over HTTP.

use crate::world::{World, from_earliest};
use insta::assert_snapshot;
use serde_json::json;
use std::time::Duration;

const LEASE: &str = "/v1/subscriptions/agent/lease";
const SETTLE: &str = "/v1/subscriptions/agent/settle";

async fn leased(count: usize) -> (World, Vec<String>) {
    let world = World::new();
    world.store_many(count).await;
    world.subscribe(from_earliest("agent")).await;
    let deliveries = world.post(LEASE, r#"{"max": 500}"#).await.deliveries();
    assert_eq!(deliveries.len(), count);
    (world, deliveries)
}

#[tokio::test]
async fn what_is_acked_never_comes_again_and_the_rest_does() {
    let (world, ids) = leased(3).await;
    let answer = world.post(SETTLE, &json!({"ack": [ids[0], ids[2]]}).to_string()).await;
    assert_snapshot!(answer.shown(), @r#"200 {"settled":2,"errors":[]}"#);
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(world.post(LEASE, "").await.numbers("deliveries"), [1]);
}

#[tokio::test]
async fn each_verb_does_what_it_says() {
    let (world, ids) = leased(4).await;
    let body = json!({
        "ack": [ids[0]],
        "retry": [{"id": ids[1], "after_ms": 1000, "reason": "busy"}],
        "extend": [{"id": ids[2], "lease_ms": 600_000}],
        "bury": [{"id": ids[3], "reason": "poison"}],
    });
    let answer = world.post(SETTLE, &body.to_string()).await;
    assert_eq!(answer.json(), json!({"settled": 4, "errors": []}));
    assert_eq!(world.post(LEASE, "").await.deliveries(), [""; 0]);
    world.clock.advance(Duration::from_secs(1));
    let again = world.post(LEASE, "").await;
    assert_eq!(again.numbers("deliveries"), [1]);
    assert_eq!(again.json()["deliveries"][0]["delivery"]["attempt"], 2);
    let status = world.get("/v1/subscriptions/agent").await.json();
    assert_eq!((&status["in_flight"], &status["dead"]), (&json!(2), &json!(1)));
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(world.post(LEASE, "").await.numbers("deliveries"), [1], "2 is extended");
}

#[tokio::test]
async fn each_id_that_cannot_be_settled_says_why_and_the_others_are() {
    let (world, ids) = leased(3).await;
    world.post(SETTLE, &json!({"ack": [ids[0]]}).to_string()).await;
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(world.post(LEASE, r#"{"max": 1}"#).await.numbers("deliveries"), [1]);
    let good = world.post(LEASE, r#"{"max": 1}"#).await.deliveries();
    let body = json!({
        "ack": [ids[0], "agent.1.99.1", "other.1.1.1", "nonsense", "", good[0], good[0]],
        "extend": [{"id": good[0], "lease_ms": 1000}, {"id": ids[1], "lease_ms": 1000}],
    });
    let answer = world.post(SETTLE, &body.to_string()).await;
    assert_eq!(answer.status, 200);
    let answer = serde_json::to_string_pretty(&answer.json()).expect("json");
    assert_snapshot!(answer);
}

#[tokio::test]
async fn a_wrong_call_settles_nothing() {
    let (world, ids) = leased(1).await;
    let mut shown = String::new();
    for body in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        r#"{"ack": "x"}"#.to_owned(),
        r#"{"nack": []}"#.to_owned(),
        json!({"ack": [ids[0]], "retry": [{"id": "x", "after_ms": -1}]}).to_string(),
        json!({"ack": [ids[0]], "retry": [{"id": "x", "after_ms": 604_800_001_u64}]}).to_string(),
        json!({"ack": [ids[0]], "retry": [{"after_ms": 1}]}).to_string(),
        json!({"ack": [ids[0]], "extend": [{"id": "x"}]}).to_string(),
        json!({"ack": [ids[0]], "extend": [{"id": "x", "lease_ms": 0}]}).to_string(),
        json!({"ack": [ids[0]], "bury": [{"id": "x", "why": "y"}]}).to_string(),
    ] {
        let answer = world.post(SETTLE, &body).await;
        assert_eq!(answer.status, 422, "{body}");
        let error = &answer.json()["error"];
        shown += &format!("{body}\n  {}: {}\n", error["code"], error["message"]);
    }
    assert_snapshot!(shown);
    let answer = world.post(SETTLE, &json!({"ack": vec!["x"; 5_001]}).to_string()).await;
    assert_snapshot!(answer.shown());
    let answer = world.post(SETTLE, &json!({"ack": ids}).to_string()).await;
    assert_eq!(answer.json()["settled"], 1, "it was still leased");
}

#[tokio::test]
async fn an_empty_call_settles_nothing_and_is_no_error() {
    let (world, _) = leased(1).await;
    assert_snapshot!(world.post(SETTLE, "{}").await.shown(), @r#"200 {"settled":0,"errors":[]}"#);
}

#[tokio::test]
async fn a_long_reason_is_cut_and_not_refused() {
    let (world, ids) = leased(1).await;
    let body = json!({"bury": [{"id": ids[0], "reason": "ü".repeat(5_000)}]});
    assert_eq!(world.post(SETTLE, &body.to_string()).await.json()["settled"], 1);
}

#[tokio::test]
async fn settling_for_an_unknown_subscription_is_404() {
    assert_eq!(World::new().post(SETTLE, "{}").await.status, 404);
}
