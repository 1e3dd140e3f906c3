//! Dead letters, page by page.

use crate::{
    failing::Faults,
    world::{World, draft, from_earliest},
};
use headgate_event::{Draft, EventType};
use insta::assert_snapshot;
use serde_json::{Value, json};

/// So many dead letters of the subscription `agent`.
async fn buried(world: &World, count: usize) {
    world.store_many(count).await;
    world.subscribe(from_earliest("agent")).await;
    let leased = world.post("/v1/subscriptions/agent/lease", r#"{"max": 100}"#).await;
    let bury: Vec<Value> = leased
        .deliveries()
        .into_iter()
        .map(|id| json!({"id": id, "reason": "no such customer"}))
        .collect();
    let body = json!({ "bury": bury }).to_string();
    let settled = world.post("/v1/subscriptions/agent/settle", &body).await;
    assert_eq!(settled.json()["settled"], count);
}

#[tokio::test]
async fn a_dead_letter_says_what_an_operator_needs() {
    let world = World::new();
    buried(&world, 1).await;
    let answer = world.get("/v1/dead-letters?subscription=agent").await;
    let json = answer.json();
    let letter = &json["dead_letters"][0];
    let newest = world.get("/v1/events").await.json()["events"][0]["id"].clone();
    assert_eq!(letter["event_id"], newest);
    assert_eq!(letter["at"], "2026-11-21T00:00:00.001Z");
    let mut names: Vec<_> = letter.as_object().expect("an object").keys().collect();
    names.sort();
    assert_eq!(names, ["at", "attempts", "delivery", "event_id", "last_error", "reason"]);
    let id = newest.as_str().expect("an id");
    assert_snapshot!(answer.shown().replace(id, "(its id)"));
}

#[tokio::test]
async fn dead_letters_come_in_pages() {
    let world = World::new();
    buried(&world, 5).await;
    let (mut path, mut places) = ("/v1/dead-letters?subscription=agent&limit=2".to_owned(), vec![]);
    loop {
        let json = world.get(&path).await.json();
        let letters = json["dead_letters"].as_array().expect("letters");
        places.extend(letters.iter().map(|one| one["delivery"].as_str().expect("id").to_owned()));
        let Some(cursor) = json["next_cursor"].as_str() else { break };
        path = format!("/v1/dead-letters?subscription=agent&limit=2&cursor={cursor}");
    }
    assert_eq!(places, ["agent.1.5.1", "agent.1.4.1", "agent.1.3.1", "agent.1.2.1", "agent.1.1.1"]);
    world.subscribe(from_earliest("other")).await;
    let other = path.replace("agent", "other");
    assert_eq!(world.get(&other).await.json()["error"]["code"], "invalid_cursor");
    let events = world.get("/v1/events?limit=1").await.json();
    let cursor = events["next_cursor"].as_str().expect("more");
    let path = format!("/v1/dead-letters?subscription=agent&cursor={cursor}");
    assert_eq!(world.get(&path).await.json()["error"]["code"], "invalid_cursor");
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused() {
    let world = World::new();
    world.subscribe(from_earliest("agent")).await;
    let mut shown = String::new();
    for query in [
        "?subscription=agent",
        "",
        "?subscription=nobody",
        "?subscription=",
        "?subscription=agent&limit=0",
        "?subscription=agent&limit=501",
        "?subscription=agent&cursor=x",
        "?subscription=agent&subscription=agent",
        "?subscription=agent&reason=buried",
    ] {
        let answer = world.get(&format!("/v1/dead-letters{query}")).await;
        shown += &format!("{query}\n  {}\n", answer.shown());
    }
    assert_snapshot!(shown);
}

async fn redrive(world: &World, body: Value) -> crate::world::Answer {
    world.post("/v1/dead-letters/redrive", &body.to_string()).await
}

#[tokio::test]
async fn letters_are_taken_up_by_delivery_by_filter_and_all() {
    let world = World::new();
    buried(&world, 5).await;
    let some = json!({"subscription": "agent", "deliveries": ["agent.1.1.1", "agent.1.9.1"]});
    assert_snapshot!(redrive(&world, some).await.shown());
    let fitting = json!({"subscription": "agent", "events": {"filter": "data.body.n in [2, 3]"}});
    assert_eq!(redrive(&world, fitting).await.json()["redriven"], 2);
    let all = json!({"subscription": "agent", "all": true});
    assert_eq!(redrive(&world, all).await.json()["redriven"], 2);
    let leased = world.post("/v1/subscriptions/agent/lease", r#"{"max": 100}"#).await;
    assert_eq!(leased.numbers("deliveries"), [0, 1, 2, 3, 4]);
    assert_eq!(leased.json()["deliveries"][0]["delivery"]["attempt"], 1);
    let letters = world.get("/v1/dead-letters?subscription=agent").await.json();
    assert_eq!(letters["dead_letters"], json!([]));
}

#[tokio::test]
async fn letters_are_deleted_by_delivery_or_all() {
    let world = World::new();
    buried(&world, 3).await;
    let path = "/v1/dead-letters?subscription=agent";
    let delete = async |more: &str| world.call("DELETE", &format!("{path}{more}"), "").await;
    let some = delete("&delivery=agent.1.1.1&delivery=agent.1.1.1").await.json();
    assert_eq!((&some["deleted"], &some["errors"][0]["code"]), (&1.into(), &"not_dead".into()));
    assert_eq!(delete("&all=true").await.json()["deleted"], 2);
    assert_eq!(world.get("/v1/subscriptions/agent").await.json()["dead"], 0);
    let mut shown = String::new();
    for more in ["", "&all=false", "&all=true&delivery=x", "&delivery=x&reason=y"] {
        shown += &format!("{more}\n  {}\n", delete(more).await.shown());
    }
    for body in [
        json!({}),
        json!({"subscription": "agent"}),
        json!({"subscription": "agent", "all": true, "deliveries": []}),
        json!({"subscription": "nobody", "all": true}),
        json!({"subscription": "agent", "events": {"filter": "data"}}),
    ] {
        shown += &format!("{body}\n  {}\n", redrive(&world, body.clone()).await.shown());
    }
    assert_snapshot!(shown);
}

#[tokio::test]
async fn a_letter_with_another_body_is_an_event_that_says_what_it_was() {
    let world = World::new();
    buried(&world, 1).await;
    let body = json!({"subscription": "agent", "edits": [
        {"delivery": "agent.1.1.1", "body": {"n": 7, "fixed": 1.50}},
        {"delivery": "agent.1.9.1", "body": {}},
    ]});
    let before = world.get("/v1/events").await.json()["events"][0]["id"].clone();
    let edited = redrive(&world, body).await.json();
    assert_eq!(edited["errors"][0]["code"], "not_dead");
    let id = edited["edited"][0]["id"].as_str().expect("an id");
    let event = world.get(&format!("/v1/events/{id}")).await.json();
    assert_eq!(event["metadata"]["edited_from"], before);
    assert_eq!(event["data"]["body"], json!({"n": 7, "fixed": 1.5}));
    assert_eq!((&event["data"]["method"], &event["provider"]), (&"POST".into(), &"stripe".into()));
    assert_ne!(event["verification"]["method"], "stripe");
    let leased = world.post("/v1/subscriptions/agent/lease", "{}").await;
    assert_eq!(leased.numbers("deliveries"), [7]);
    let letters = world.get("/v1/dead-letters?subscription=agent").await.json();
    assert_eq!(letters["dead_letters"], json!([]));
    let both = json!({"subscription": "agent", "all": true, "edits": []});
    assert_eq!(redrive(&world, both).await.status, 422);
}

/// Regression: a call whose event was stored and whose letter could not be taken away made a second
/// event when it was made again.
#[tokio::test]
async fn an_edit_that_is_asked_for_again_makes_one_event() {
    let failing = World::failing(Faults { letters: true, ..Faults::default() });
    buried(&failing, 1).await;
    let edit = |body: Value| {
        let edits = json!([{"delivery": "agent.1.1.1", "body": body}]);
        json!({"subscription": "agent", "edits": edits})
    };
    let events = async |world: &World| world.get("/v1/events").await.numbers("events");
    for _ in 0..2 {
        assert_eq!(redrive(&failing, edit(json!({"n": 7}))).await.status, 503);
        assert_eq!(events(&failing).await, [7, 0]);
    }
    let well = failing.mended();
    let made = redrive(&well, edit(json!({"n": 7}))).await.json();
    let stored = well.get("/v1/events").await.json()["events"][0]["id"].clone();
    assert_eq!(made["edited"][0]["id"], stored);
    assert_eq!(events(&well).await, [7, 0]);
    let again = redrive(&well, edit(json!({"n": 7}))).await.json();
    assert_eq!(again["errors"][0]["code"], "not_dead", "the letter is gone");
}

#[tokio::test]
async fn another_edit_of_the_same_letter_is_another_event() {
    let failing = World::failing(Faults { letters: true, ..Faults::default() });
    buried(&failing, 1).await;
    for n in [7, 8] {
        let edits = json!([{"delivery": "agent.1.1.1", "body": {"n": n}}]);
        redrive(&failing, json!({"subscription": "agent", "edits": edits})).await;
    }
    assert_eq!(failing.get("/v1/events").await.numbers("events"), [8, 7, 0]);
}

#[tokio::test]
async fn what_is_no_webhook_cannot_be_edited() {
    let world = World::new();
    let mail = EventType::EMAIL_RECEIVED;
    world.store([Draft { event_type: mail, ..draft("billing", None, r#"{"n":0}"#) }]).await;
    world.subscribe(from_earliest("agent")).await;
    let leased = world.post("/v1/subscriptions/agent/lease", "").await;
    let bury = json!({"bury": [{"id": leased.deliveries()[0]}]}).to_string();
    world.post("/v1/subscriptions/agent/settle", &bury).await;
    let edits = json!([{"delivery": "agent.1.1.1", "body": {"n": 1}}]);
    let refused = redrive(&world, json!({"subscription": "agent", "edits": edits})).await;
    assert_snapshot!(refused.shown());
    let letters = world.get("/v1/dead-letters?subscription=agent").await.json();
    assert_eq!(letters["dead_letters"][0]["delivery"], "agent.1.1.1", "it stays");
}
