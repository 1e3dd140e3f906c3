//! Leasing over HTTP.

use crate::world::{World, from_earliest, request};
use axum::body::Body;
use headgate_http::BodyBound;
use insta::assert_snapshot;
use serde_json::json;
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

const LEASE: &str = "/v1/subscriptions/agent/lease";

#[tokio::test]
async fn a_lease_without_a_body_takes_ten_with_the_lease_of_the_subscription() {
    let world = World::new();
    world.store_many(12).await;
    let mut spec = from_earliest("agent");
    spec.lease_ms = 5_000;
    world.subscribe(spec).await;
    let answer = world.post(LEASE, "").await;
    assert_eq!(answer.numbers("deliveries"), (0..10).collect::<Vec<_>>());
    let delivery = answer.json()["deliveries"][0]["delivery"].clone();
    assert_eq!(delivery["subscription"], "agent");
    assert_eq!(delivery["attempt"], 1);
    assert_eq!(delivery["lease_expires_at"], "2026-11-21T00:00:05.012Z");
    assert_eq!(delivery["replay_id"], json!(null));
}

#[tokio::test]
async fn what_the_body_asks_for_is_given() {
    let world = World::new();
    world.store_many(3).await;
    world.subscribe(from_earliest("agent")).await;
    let answer = world.post(LEASE, r#" {"max": 2, "lease_ms": 1000} "#).await;
    assert_eq!(answer.numbers("deliveries"), [0, 1]);
    let delivery = answer.json()["deliveries"][0]["delivery"].clone();
    assert_eq!(delivery["lease_expires_at"], "2026-11-21T00:00:01.003Z");
    assert_eq!(world.post(LEASE, "{}").await.numbers("deliveries"), [2]);
    assert_snapshot!(world.post(LEASE, "{}").await.shown(), @r#"200 {"deliveries":[]}"#);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_woken_by_an_event() {
    let begun = tokio::time::Instant::now();
    let world = World::new();
    world.subscribe(from_earliest("agent")).await;
    let poll = world.post(LEASE, r#"{"wait_ms": 60000}"#);
    let store = async {
        tokio::task::yield_now().await;
        world.store_many(1).await;
    };
    let (answer, ()) = tokio::join!(poll, store);
    assert_eq!(answer.numbers("deliveries"), [0]);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_empty_after_its_wait() {
    let world = World::new();
    world.subscribe(from_earliest("agent")).await;
    let begun = tokio::time::Instant::now();
    assert_snapshot!(world.post(LEASE, r#"{"wait_ms": 20000}"#).await.shown());
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(20) && waited < Duration::from_secs(21), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_at_once_when_the_program_stops() {
    let begun = tokio::time::Instant::now();
    let world = World::new();
    world.subscribe(from_earliest("agent")).await;
    let poll = world.post(LEASE, r#"{"wait_ms": 60000}"#);
    let stop = async {
        tokio::task::yield_now().await;
        world.stop.send_replace(true);
    };
    let (answer, ()) = tokio::join!(poll, stop);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.deliveries(), [""; 0]);
    world.store_many(1).await;
    let answer = world.post(LEASE, r#"{"wait_ms": 60000}"#).await;
    assert_eq!(answer.numbers("deliveries"), [0], "what there is is still given");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_paused_subscription_leases_nothing() {
    let world = World::new();
    world.store_many(1).await;
    world.subscribe(from_earliest("agent")).await;
    assert_eq!(world.post("/v1/subscriptions/agent/pause", "").await.status, 200);
    assert_eq!(world.post(LEASE, "").await.deliveries(), [""; 0]);
    assert_eq!(world.post("/v1/subscriptions/agent/resume", "").await.status, 200);
    assert_eq!(world.post(LEASE, "").await.numbers("deliveries"), [0]);
}

#[tokio::test]
async fn a_wrong_body_is_refused_with_its_place() {
    let world = World::new();
    world.store_many(1).await;
    world.subscribe(from_earliest("agent")).await;
    let mut shown = String::new();
    for body in [
        "hello",
        "{",
        "[1, 0, 5]",
        "null",
        "7",
        r#"{"max": 1} {"max": 2}"#,
        r#"{"max": "5"}"#,
        r#"{"max": 0}"#,
        r#"{"max": 501}"#,
        r#"{"max": -1}"#,
        r#"{"max": 1.5}"#,
        r#"{"maximum": 1}"#,
        r#"{"max": 1, "max": 2}"#,
        r#"{"wait_ms": 60001}"#,
        r#"{"lease_ms": 0}"#,
        r#"{"lease_ms": 43200001}"#,
        "\u{0}",
    ] {
        let answer = world.post(LEASE, body).await;
        assert_eq!(answer.status, 422, "{body}");
        let error = &answer.json()["error"];
        shown += &format!("{body:?}\n  {}: {}\n", error["code"], error["message"]);
    }
    assert_snapshot!(shown);
    let deep = "[".repeat(100_000);
    assert_eq!(world.post(LEASE, &deep).await.status, 422);
    assert_eq!(world.post(LEASE, "").await.numbers("deliveries"), [0], "nothing was leased");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_closes_the_connection() {
    let world = World::new();
    world.subscribe(from_earliest("agent")).await;
    let answer = world.post(LEASE, &" ".repeat((8 << 20) + 1)).await;
    assert_eq!(answer.header("connection"), "close");
    assert_snapshot!(answer.shown());
}

/// A body that is never whole: its next byte always comes after the same time.
fn dripping(every: Duration) -> Body {
    let drops = futures_util::stream::unfold((), move |()| async move {
        tokio::time::sleep(every).await;
        Some((Ok::<_, std::convert::Infallible>(" "), ()))
    });
    Body::from_stream(drops)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_or_stands_still_is_408_and_closes_the_connection() {
    let world = World::new();
    world.subscribe(from_earliest("agent")).await;
    for (every, seconds, said) in [(5, 30, "a second"), (3600, 10, "stood still")] {
        let started = tokio::time::Instant::now();
        let body = dripping(Duration::from_secs(every));
        let answer = world.send(request("POST", LEASE, "").map(|_| body)).await;
        assert_eq!((answer.status.as_u16(), answer.header("connection")), (408, "close"));
        assert!(answer.shown().contains("\"body_too_slow\"") && answer.shown().contains(said));
        assert_eq!(started.elapsed().as_secs(), seconds);
    }
}

/// Goes on with it as far as it goes, and says whether it waits.
async fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    poll_fn(|context| Poll::Ready(pin!(&mut *future).poll(context).is_pending())).await
}

/// What came of a body that is never whole.
fn begun(bytes: usize) -> Body {
    use futures_util::{StreamExt, stream};
    let part = stream::once(async move { Ok::<_, std::convert::Infallible>(" ".repeat(bytes)) });
    Body::from_stream(part.chain(stream::pending()))
}

// Symptom: 45 calls whose bodies were never finished held 400 MB. Cause: the bodies of calls counted
// against no total. Fix: they share the memory for bodies with the other ways in.
#[tokio::test]
async fn bodies_of_calls_share_one_memory_and_are_503_when_it_is_used_up() {
    let world = World::changed(|options| options.bodies = BodyBound::new(1_000));
    world.subscribe(from_earliest("agent")).await;
    let mut first = Box::pin(world.send(request("POST", LEASE, "").map(|_| begun(600))));
    assert!(is_pending(&mut first).await);
    let full = world.post(LEASE, &" ".repeat(600)).await;
    assert_eq!((full.status.as_u16(), full.header("retry-after")), (503, "5"));
    assert_eq!(full.header("connection"), "close");
    assert_snapshot!(full.shown());
    assert_eq!(world.post(LEASE, &" ".repeat(400)).await.status, 200, "there is room for it");
    drop(first);
    assert_eq!(world.post(LEASE, &" ".repeat(1_000)).await.status, 200, "all is given back");
    assert_eq!(world.post(LEASE, &" ".repeat(1_001)).await.status, 503);
}

// A call that waits holds its body until it is answered.
#[tokio::test(start_paused = true)]
async fn a_body_counts_until_its_call_is_answered() {
    let world = World::changed(|options| options.bodies = BodyBound::new(1_000));
    world.subscribe(from_earliest("agent")).await;
    let waits = format!("{{\"wait_ms\": 5000}}{}", " ".repeat(600));
    let mut first = Box::pin(world.post(LEASE, &waits));
    assert!(is_pending(&mut first).await);
    assert_eq!(world.post(LEASE, &" ".repeat(600)).await.status, 503);
    assert_eq!(first.await.status, 200);
    assert_eq!(world.post(LEASE, &" ".repeat(600)).await.status, 200);
}

#[tokio::test]
async fn an_unknown_subscription_is_404() {
    let world = World::new();
    assert_snapshot!(world.post(LEASE, "").await.shown());
    assert_eq!(world.post(LEASE, r#"{"lease_ms": 5}"#).await.status, 404);
    assert_eq!(world.post("/v1/subscriptions/No%20Such/lease", "").await.status, 404);
    assert_eq!(world.post("/v1/subscriptions/%ff/lease", "").await.status, 400);
}
