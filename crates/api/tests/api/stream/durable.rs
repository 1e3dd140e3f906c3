//! The durable stream.

use super::client::Client;
use crate::world::{World, from_earliest};
use headgate_queue::{AckMode, Queue};
use insta::assert_snapshot;
use serde_json::json;
use std::time::Duration;

const AGENT: &str = "?subscription=agent";

async fn world_of(count: usize) -> World {
    let world = World::new();
    world.store_many(count).await;
    world.subscribe(from_earliest("agent")).await;
    world
}

fn ack(id: &str) -> String {
    json!({"type": "ack", "id": id}).to_string()
}

/// A frame that is answered, so that all frames before it are known to be settled.
async fn until_settled(client: &mut Client) {
    client.say("{}").await;
    while client.frame().await["type"] != "error" {}
}

impl World {
    async fn number(&self, field: &str) -> u64 {
        let status = self.get("/v1/subscriptions/agent").await.json();
        status[field].as_u64().expect("a number")
    }
}

#[tokio::test]
async fn what_is_settled_never_comes_again_and_the_rest_comes_to_the_next_connection() {
    let world = world_of(4).await;
    let address = world.listen().await;
    let mut first = Client::connect(address, AGENT).await;
    let mut ids = Vec::new();
    for expected in 0..4 {
        let frame = first.frame().await;
        assert_eq!(frame["data"]["body"]["n"], expected);
        assert_eq!(frame["delivery"]["attempt"], 1);
        ids.push(frame["delivery"]["id"].as_str().expect("id").to_owned());
    }
    first.say(&ack(&ids[0])).await;
    first.say(&ack(&ids[2])).await;
    until_settled(&mut first).await;
    // Gone without a word.
    drop(first);
    let mut second = Client::connect(address, AGENT).await;
    for expected in [1, 3] {
        let frame = second.frame().await;
        assert_eq!(frame["data"]["body"]["n"], expected);
        assert_eq!(frame["delivery"]["attempt"], 2);
        second.say(&ack(frame["delivery"]["id"].as_str().expect("id"))).await;
    }
    until_settled(&mut second).await;
    assert_eq!(world.number("lag").await, 0);
    world.store_many(1).await;
    assert_eq!(second.event().await.0, 0, "only what is new comes");
}

#[tokio::test]
async fn what_is_given_back_a_second_time_waits_as_the_policy_says() {
    let world = world_of(1).await;
    let address = world.listen().await;
    for attempt in 1..=2 {
        let mut client = Client::connect(address, AGENT).await;
        assert_eq!(client.frame().await["delivery"]["attempt"], attempt);
        client.leave().await;
        world.api.streams_ended().await;
    }
    assert_eq!(world.number("waiting").await, 1);
    let lease = "/v1/subscriptions/agent/lease";
    assert_eq!(world.post(lease, "").await.deliveries(), [""; 0]);
    world.clock.advance(Duration::from_secs(30));
    let answer = world.post(lease, "").await;
    assert_eq!(answer.json()["deliveries"][0]["delivery"]["attempt"], 3);
}

#[tokio::test]
async fn each_verb_does_what_it_says() {
    let world = world_of(4).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, "?subscription=agent&lease_ms=30000").await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(client.event().await.1);
    }
    client.say(&ack(&ids[0])).await;
    client.say(&json!({"type": "retry", "id": ids[1], "after_ms": 0}).to_string()).await;
    client.say(&json!({"type": "extend", "id": ids[2], "lease_ms": 90_000}).to_string()).await;
    client.say(&json!({"type": "bury", "id": ids[3], "reason": "poison"}).to_string()).await;
    let again = client.frame().await;
    assert_eq!(again["data"]["body"]["n"], 1);
    assert_eq!(again["delivery"]["attempt"], 2);
    until_settled(&mut client).await;
    assert_eq!((world.number("in_flight").await, world.number("dead").await), (2, 1));
    world.clock.advance(Duration::from_secs(60));
    let answer = world.post("/v1/subscriptions/agent/lease", "").await;
    assert_eq!(answer.numbers("deliveries"), [1], "only the lease of 1 is over");
}

#[tokio::test]
async fn what_cannot_be_done_is_answered_by_a_frame_and_the_stream_goes_on() {
    let world = world_of(1).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, AGENT).await;
    let (_, id) = client.event().await;
    client.say(&ack(&id)).await;
    until_settled(&mut client).await;
    let mut shown = String::new();
    for frame in [
        ack(&id),
        ack("agent.1.99.1"),
        ack("other.1.1.1"),
        ack(""),
        "hello".to_owned(),
        "[]".to_owned(),
        r#"{"id": "x"}"#.to_owned(),
        r#"{"type": "nack", "id": "x"}"#.to_owned(),
        r#"{"type": "ack"}"#.to_owned(),
        r#"{"type": "ack", "id": "x", "after_ms": 1}"#.to_owned(),
        r#"{"type": "retry", "id": "x", "after_ms": "5"}"#.to_owned(),
        r#"{"type": "retry", "id": "x", "after_ms": 604800001}"#.to_owned(),
        r#"{"type": "extend", "id": "x"}"#.to_owned(),
        r#"{"type": "extend", "id": "x", "lease_ms": 0}"#.to_owned(),
        "[".repeat(60_000),
    ] {
        client.say(&frame).await;
        let frame: String = frame.chars().take(60).collect();
        shown += &format!("{frame}\n  {}\n", client.frame().await);
    }
    assert_snapshot!(shown);
    world.store_many(1).await;
    assert_eq!(client.event().await.0, 0);
}

#[tokio::test]
async fn a_durable_stream_says_who_settles_and_which_frames_it_takes() {
    let world = world_of(0).await;
    let address = world.listen().await;
    let client = Client::connect(address, AGENT).await;
    assert_eq!(client.hello["ack"], "explicit");
    let takes = ["ack", "retry", "extend", "bury", "release", "drain"];
    assert_eq!(client.hello["takes"], json!(takes));
    // What is told is so: each is refused for what it lacks, not for what it is.
    let mut client = client;
    for kind in takes {
        client.say(&json!({"type": kind, "mood": "good"}).to_string()).await;
        let said = client.frame().await.to_string();
        assert!(said.contains("unknown field `mood`"), "{said}");
    }
}

#[tokio::test]
async fn a_client_that_drains_is_sent_no_more_and_what_it_releases_costs_no_attempt() {
    let world = world_of(4).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, "?subscription=agent&max_in_flight=2").await;
    let ((_, first), (_, second)) = (client.event().await, client.event().await);
    client.say(r#"{"type": "drain"}"#).await;
    assert_eq!(client.frame().await, json!({"type": "drained"}));
    client.say(&ack(&first)).await;
    client.say("{}").await;
    assert_eq!(client.frame().await["type"], "error", "there is room, and nothing is sent");
    assert_eq!(world.number("in_flight").await, 1);
    let release = |id: &str| json!({"type": "release", "id": id}).to_string();
    client.say(&release(&second)).await;
    client.say(&release(&second)).await;
    let error = client.frame().await;
    assert_eq!((&error["code"], &error["id"]), (&json!("lease_expired"), &json!(second)));
    let answer = world.post("/v1/subscriptions/agent/lease", "").await;
    assert_eq!(answer.numbers("deliveries"), [1, 2, 3]);
    assert_eq!(answer.json()["deliveries"][0]["delivery"]["attempt"], 1);
}

#[tokio::test]
async fn a_client_that_drains_a_waiting_stream_is_answered_at_once() {
    let world = world_of(0).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, AGENT).await;
    client.say(r#"{"type": "drain"}"#).await;
    assert_eq!(client.frame().await, json!({"type": "drained"}));
    world.store_many(1).await;
    client.say("{}").await;
    assert_eq!(client.frame().await["type"], "error", "what is stored then is not sent");
    assert_eq!(world.number("in_flight").await, 0);
}

#[tokio::test]
async fn what_was_renewed_elsewhere_is_not_given_back_when_its_stream_ends() {
    let world = world_of(2).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, AGENT).await;
    let ((_, elsewhere), (_, here)) = (client.event().await, client.event().await);
    world.clock.advance(Duration::from_secs(1));
    // A client whose line broke says it by a call, before we know that the line did.
    let renewed = json!({"extend": [{"id": elsewhere, "lease_ms": 60_000}]}).to_string();
    assert_eq!(world.post("/v1/subscriptions/agent/settle", &renewed).await.json()["settled"], 1);
    client.say(&json!({"type": "extend", "id": here, "lease_ms": 60_000}).to_string()).await;
    until_settled(&mut client).await;
    client.leave().await;
    world.api.streams_ended().await;
    let answer = world.post("/v1/subscriptions/agent/lease", "").await;
    assert_eq!(answer.numbers("deliveries"), [1], "the other one is worked on");
    let done = json!({"ack": [elsewhere]}).to_string();
    let settled = world.post("/v1/subscriptions/agent/settle", &done).await;
    assert_eq!(settled.json()["settled"], 1);
}

#[tokio::test]
async fn a_client_that_settles_is_refused_where_sending_settles() {
    let world = World::new();
    let address = world.listen().await;
    let mut spec = from_earliest("agent");
    spec.ack = AckMode::OnSend;
    world.subscribe(spec).await;
    world.subscribe(from_earliest("other")).await;
    world.store_many(1).await;
    let explicit = Some(("headgate-ack", "explicit"));
    let refused = Client::with_header(address, AGENT, explicit).await.err().expect("refused");
    assert_eq!(refused.0, 409);
    assert_snapshot!(refused.1["error"]["message"].as_str().expect("a sentence"));
    assert_eq!(refused.1["error"]["code"], "settled_by_sending");
    assert_eq!(world.number("lag").await, 1, "nothing was sent");
    let wrong = Client::with_header(address, AGENT, Some(("headgate-ack", "maybe"))).await;
    assert_eq!(wrong.err().map(|refused| refused.0), Some(422));
    let mut client =
        Client::with_header(address, "?subscription=other", explicit).await.expect("in");
    assert_eq!(client.event().await.0, 0);
    assert_eq!(Client::connect(address, AGENT).await.hello["ack"], "on_send");
}

#[tokio::test]
async fn no_more_is_in_flight_than_the_client_asked_for() {
    let world = world_of(5).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, "?subscription=agent&max_in_flight=2").await;
    let (_, first) = client.event().await;
    assert_eq!(client.event().await.0, 1);
    until_settled(&mut client).await;
    assert_eq!(world.number("in_flight").await, 2);
    client.say(&ack(&first)).await;
    assert_eq!(client.event().await.0, 2);
    assert_eq!(world.number("in_flight").await, 2);
}

#[tokio::test]
async fn what_is_acked_on_send_never_comes_again() {
    let world = World::new();
    let address = world.listen().await;
    let mut spec = from_earliest("agent");
    spec.ack = AckMode::OnSend;
    world.subscribe(spec).await;
    world.store_many(70).await;
    let mut client = Client::connect(address, AGENT).await;
    assert_eq!(client.numbers(70).await, (0..70).collect::<Vec<_>>());
    client.leave().await;
    world.api.streams_ended().await;
    assert_eq!((world.number("lag").await, world.number("in_flight").await), (0, 0));
    world.store_many(1).await;
    let mut client = Client::connect(address, AGENT).await;
    assert_eq!(client.event().await.0, 0, "only what is new comes");
}

#[tokio::test]
async fn a_waiting_stream_gets_the_next_event_at_once() {
    let world = world_of(0).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, AGENT).await;
    for _ in 0..3 {
        world.store_many(1).await;
        assert_eq!(client.event().await.0, 0);
    }
}

#[tokio::test]
async fn acks_that_come_together_are_all_settled() {
    let world = world_of(300).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, "?subscription=agent&max_in_flight=300").await;
    let mut ids = Vec::new();
    for _ in 0..300 {
        ids.push(client.event().await.1);
    }
    for id in &ids {
        client.say(&ack(id)).await;
    }
    until_settled(&mut client).await;
    assert_eq!(world.number("lag").await, 0);
}

#[tokio::test]
async fn two_streams_of_one_subscription_share_its_events() {
    let world = world_of(4).await;
    let address = world.listen().await;
    let query = "?subscription=agent&max_in_flight=2";
    let mut first = Client::connect(address, query).await;
    let mut numbers = first.numbers(2).await;
    let mut second = Client::connect(address, query).await;
    numbers.extend(second.numbers(2).await);
    assert_eq!(numbers, [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_subscription_that_ends_closes_its_streams() {
    let world = world_of(0).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, AGENT).await;
    assert_eq!(world.call("DELETE", "/v1/subscriptions/agent", "").await.status, 204);
    assert_snapshot!(client.frame().await);
    assert_eq!(client.close_code().await, Some(1008));
}

#[tokio::test]
async fn a_queue_that_closes_ends_the_stream_with_try_again_later() {
    let world = world_of(0).await;
    let address = world.listen().await;
    let mut client = Client::connect(address, AGENT).await;
    world.queue.close().await;
    assert_eq!(client.frame().await["code"], "unavailable");
    assert_eq!(client.close_code().await, Some(1013));
}
