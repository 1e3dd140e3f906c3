//! Replays, as their callers see them.

use crate::world::{Answer, World, from_earliest};
use insta::assert_snapshot;
use serde_json::{Value, json};

/// A subscription that has settled so many events, and their ids.
async fn settled(count: usize) -> (World, Vec<String>) {
    let world = World::new();
    let ids = world.store_many(count).await;
    world.subscribe(from_earliest("agent")).await;
    let leased = lease(&world).await;
    settle(&world, "ack", &leased.deliveries()).await;
    (world, ids.iter().map(ToString::to_string).collect())
}

async fn lease(world: &World) -> Answer {
    world.post("/v1/subscriptions/agent/lease", r#"{"max": 100}"#).await
}

async fn settle(world: &World, verb: &str, ids: &[String]) {
    let body = json!({ verb: ids }).to_string();
    let answer = world.post("/v1/subscriptions/agent/settle", &body).await;
    assert_eq!(answer.json()["settled"], ids.len());
}

async fn begin(world: &World, body: &Value) -> Answer {
    world.post("/v1/replays", &body.to_string()).await
}

/// The answer without its id, which is another one each time.
fn shown(answer: &Answer) -> String {
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    answer.shown().replace(&id, "(its id)")
}

#[tokio::test]
async fn a_replay_is_counted_begun_shown_and_ends() {
    let (world, _) = settled(3).await;
    let events = json!({"filter": "data.body.n > 0", "since": "2026-11-21T00:00:00Z"});
    let mut ask = json!({"subscription": "agent", "events": events, "rate": "50/s"});
    ask["dry_run"] = true.into();
    let counted = begin(&world, &ask).await;
    assert_eq!((counted.status.as_u16(), &counted.json()["matched"]), (200, &2.into()));
    assert_eq!(world.get("/v1/replays").await.json(), json!({"replays": []}));
    ask["dry_run"] = false.into();
    let begun = begin(&world, &ask).await;
    assert_snapshot!(shown(&begun));
    let path = format!("/v1/replays/{}", begun.json()["id"].as_str().expect("an id"));
    let leased = lease(&world).await;
    assert_eq!(leased.numbers("deliveries"), [1, 2]);
    assert_eq!(leased.json()["deliveries"][0]["origin"], "replay");
    assert_eq!(leased.json()["deliveries"][0]["delivery"]["replay_id"], begun.json()["id"]);
    assert_eq!(world.get(&path).await.json()["in_flight"], 2);
    settle(&world, "ack", &leased.deliveries()).await;
    assert_snapshot!(shown(&world.get(&path).await));
    let late = world.call("DELETE", &path, "").await;
    assert_eq!(
        (late.status.as_u16(), &late.json()["error"]["code"]),
        (409, &"replay_ended".into())
    );
}

#[tokio::test]
async fn a_replay_is_cancelled_once() {
    let (world, ids) = settled(3).await;
    let begun = begin(&world, &json!({"subscription": "agent", "ids": ids[..2]})).await;
    assert_eq!(begun.json()["matched"], 2);
    let path = format!("/v1/replays/{}", begun.json()["id"].as_str().expect("an id"));
    let cancelled = world.call("DELETE", &path, "").await;
    assert_eq!(cancelled.json()["state"], "cancelled");
    assert!(lease(&world).await.deliveries().is_empty());
    assert_eq!(world.call("DELETE", &path, "").await.status, 409);
    let all = world.get("/v1/replays").await.json();
    assert_eq!(all["replays"][0]["state"], "cancelled");
}

#[tokio::test]
async fn what_cannot_be_replayed_is_refused() {
    let (world, ids) = settled(1).await;
    let unknown = "01KAJ3V3W2N9E6W0V8R3M5T7QZ";
    let mut text = String::new();
    for ask in [
        json!({}),
        json!({"subscription": "agent"}),
        json!({"subscription": "agent", "ids": ids, "dead_letters": true}),
        json!({"subscription": "nobody", "ids": ids}),
        json!({"subscription": "agent", "ids": [unknown]}),
        json!({"subscription": "agent", "ids": ["x"]}),
        json!({"subscription": "agent", "ids": []}),
        json!({"subscription": "agent", "dead_letters": true}),
        json!({"subscription": "agent", "events": {"channels": ["nothing"]}}),
        json!({"subscription": "agent", "events": {"filter": "n == 1"}}),
        json!({"subscription": "agent", "events": {"q": "x"}}),
        json!({"subscription": "agent", "events": {}, "rate": "fast"}),
        json!({"subscription": "agent", "events": {}, "rate": 7}),
        json!({"subscription": "agent", "events": {}, "to": "x"}),
    ] {
        let answer = begin(&world, &ask).await.shown().replace(&ids[0], "(an id)");
        text += &format!("{}\n  {answer}\n", ask.to_string().replace(&ids[0], "(an id)"));
    }
    for path in ["/v1/replays/x", "/v1/replays/01KAJ3V3W2N9E6W0V8R3M5T7QZ", "/v1/replays?a=1"] {
        text += &format!("{path}\n  {}\n", world.get(path).await.shown());
    }
    assert_snapshot!(text);
}
