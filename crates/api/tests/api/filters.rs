//! Filters of lists and subscriptions, and trying them out.

use crate::world::{World, draft, from_earliest};
use headgate_event::Draft;
use insta::assert_snapshot;

async fn world() -> World {
    let world = World::new();
    let event = |name: &str, n: u64| Draft {
        provider_event: Some(name.to_owned()),
        ..draft("billing", Some("stripe"), &format!("{{\"n\":{n}}}"))
    };
    let names = ["invoice.paid", "invoice.sent", "charge.made", "invoice.paid"];
    world.store(names.into_iter().zip(0..).map(|(name, n)| event(name, n))).await;
    world
}

fn escaped(filter: &str) -> String {
    filter.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[tokio::test]
async fn a_list_has_what_fits_and_its_cursor_is_good_for_that_filter() {
    let world = world().await;
    let list = |filter: &str, more: &str| format!("/v1/events?filter={}{more}", escaped(filter));
    let numbers = async |path: &str| world.get(path).await.numbers("events");
    assert_eq!(numbers(&list("data.body.n >= 1 && data.body.n != 2", "")).await, [3, 1]);
    assert_eq!(numbers(&list("data.body.n > 0", "&provider_event=invoice.*")).await, [3, 1]);
    assert_eq!(numbers("/v1/events?provider_event=invoice.*").await, [3, 1, 0]);
    assert_eq!(numbers("/v1/events?provider_event=charge.*&provider_event=x*").await, [2]);
    let first = world.get(&list("data.body.n > 0", "&limit=1")).await;
    let cursor = first.json()["next_cursor"].as_str().expect("more").to_owned();
    let next = list("data.body.n > 0", &format!("&limit=1&cursor={cursor}"));
    assert_eq!(numbers(&next).await, [2]);
    let other = list("data.body.n > 1", &format!("&limit=1&cursor={cursor}"));
    assert_eq!(world.get(&other).await.json()["error"]["code"], "invalid_cursor");
    let wrong = world.get(&list("data.body.n = 1", "")).await;
    assert_snapshot!(wrong.shown());
    assert_eq!(world.get("/v1/events?filter=&limit=1").await.status, 422);
    assert_eq!(world.get("/v1/events?filter=type&filter=type").await.status, 422);
}

#[tokio::test]
async fn a_subscription_gets_what_fits_its_filter() {
    let world = world().await;
    let body = r#"{"start": "earliest", "filter": "data.body.n in [1, 3] || provider == 'x'"}"#;
    let made = world.call("PUT", "/v1/subscriptions/agent", body).await;
    assert_eq!(made.json()["filter"], "data.body.n in [1, 3] || provider == 'x'");
    let leased = world.post("/v1/subscriptions/agent/lease", "{}").await;
    assert_eq!(leased.numbers("deliveries"), [1, 3]);
    let wrong = r#"{"filter": "data.body.n in 1"}"#;
    assert_snapshot!(world.call("PUT", "/v1/subscriptions/agent", wrong).await.shown());
}

#[tokio::test]
async fn a_subscription_can_be_tried_before_it_is_changed() {
    let world = world().await;
    world.subscribe(from_earliest("agent")).await;
    let test = "/v1/subscriptions/agent/test";
    let tried = world.post(test, "").await.json();
    assert_eq!((&tried["matched"], &tried["left_out"]), (&4.into(), &0.into()));
    let body = r#"{"events": {"filter": "data.body.n > 0", "provider_event": ["invoice.*"]},
        "since": "2026-11-21T00:00:00.002Z"}"#;
    let tried = world.post(test, body).await.json();
    assert_eq!((&tried["matched"], &tried["left_out"]), (&2.into(), &1.into()));
    assert_eq!(tried["samples"][0]["provider_event"], "invoice.paid");
    assert_eq!(tried["complete"], true);
    let never = r#"{"events": {"filter": "provider == 'a' && provider == 'b'"}}"#;
    let tried = world.post(test, never).await.json();
    assert_eq!(tried["fits_nothing"], "`provider` would have to be several things at once");
    let mut shown = String::new();
    for body in [r#"{"events": {"filter": "x"}}"#, r#"{"events": 1}"#, r#"{"since": "x"}"#] {
        shown += &format!("{body}\n  {}\n", world.post(test, body).await.shown());
    }
    shown += &world.post("/v1/subscriptions/nobody/test", "").await.shown();
    assert_snapshot!(shown);
}
