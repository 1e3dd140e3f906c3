//! What callers are told when the queue fails.

use crate::{
    failing::Faults,
    stream::client::Client,
    world::{World, from_earliest},
};
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn damage_is_500_and_says_where_to_the_log_alone() {
    let world = World::failing(Faults { damaged: true, ..Faults::default() });
    let id = "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ";
    assert_snapshot!(world.get(id).await.shown());
    assert_eq!(world.get(&format!("{id}/raw")).await.status, 500);
}

#[tokio::test]
async fn a_list_names_what_is_damaged_beside_the_events() {
    let world = World::failing(Faults { damaged: true, ..Faults::default() });
    assert_snapshot!(world.get("/v1/events").await.shown());
}

#[tokio::test]
async fn damage_ends_a_live_tail_and_not_the_server() {
    let world = World::failing(Faults { damaged: true, ..Faults::default() });
    let address = world.listen().await;
    let mut client = Client::connect(address, "").await;
    assert_eq!(client.frame().await["code"], "damaged");
    assert_eq!(client.close_code().await, Some(1011));
    assert_eq!(world.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn one_subscription_too_many_is_409() {
    let world = World::failing(Faults { full: true, ..Faults::default() });
    assert_snapshot!(world.call("PUT", "/v1/subscriptions/agent", "").await.shown());
}

#[tokio::test]
async fn a_settlement_that_is_not_stored_is_never_answered_as_if_it_were() {
    let world = World::failing(Faults { settle: true, ..Faults::default() });
    world.store_many(2).await;
    world.subscribe(from_earliest("agent")).await;
    let leased = world.post("/v1/subscriptions/agent/lease", r#"{"max": 1}"#).await.deliveries();
    let body = json!({"ack": leased}).to_string();
    let answer = world.post("/v1/subscriptions/agent/settle", &body).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "9"));

    let address = world.listen().await;
    let mut client = Client::connect(address, "?subscription=agent").await;
    let (_, id) = client.event().await;
    client.say(&json!({"type": "ack", "id": id}).to_string()).await;
    let error = client.frame().await;
    assert_eq!((&error["code"], &error["id"]), (&json!("unavailable"), &json!(id)));
    client.say(&json!({"type": "ack", "id": id}).to_string()).await;
    assert_eq!(client.frame().await["code"], "unavailable", "the stream goes on");
}
