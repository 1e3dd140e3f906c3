//! Lists, single events, raw bytes.

use crate::world::{World, draft};
use headgate_event::Correlation;
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn a_list_is_newest_first_and_ends_with_null() {
    let world = World::new();
    world.store_many(3).await;
    let answer = world.get("/v1/events").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.numbers("events"), [2, 1, 0]);
    assert_eq!(answer.json()["next_cursor"], json!(null));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-request-id"), "req-1");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn an_empty_list_is_a_list() {
    assert_snapshot!(World::new().get("/v1/events").await.shown());
}

#[tokio::test]
async fn fifty_events_are_a_page_unless_asked_otherwise() {
    let world = World::new();
    world.store_many(51).await;
    assert_eq!(world.get("/v1/events").await.numbers("events").len(), 50);
    assert_eq!(world.get("/v1/events?limit=500").await.numbers("events").len(), 51);
    assert_eq!(world.get("/v1/events?limit=1").await.numbers("events"), [50]);
}

#[tokio::test]
async fn filters_are_anded_and_their_values_are_ored() {
    let world = World::new();
    world
        .store([
            draft("a", Some("github"), r#"{"n":0}"#),
            draft("a", Some("stripe"), r#"{"n":1}"#),
            draft("b", Some("stripe"), r#"{"n":2}"#),
            draft("c", None, r#"{"n":3}"#),
        ])
        .await;
    let numbers =
        async |query: &str| world.get(&format!("/v1/events?{query}")).await.numbers("events");
    assert_eq!(numbers("channel=a").await, [1, 0]);
    assert_eq!(numbers("channel=a&channel=c").await, [3, 1, 0]);
    assert_eq!(numbers("provider=stripe").await, [2, 1]);
    assert_eq!(numbers("provider=stripe&channel=a").await, [1]);
    assert_eq!(numbers("type=webhook.received").await, [3, 2, 1, 0]);
    assert_eq!(numbers("type=cron.fired").await, [0; 0]);
    assert_eq!(numbers("type=cron.fired&type=webhook.received&channel=b").await, [2]);
    // The events were received at .001 to .004 of this second.
    let (second, third) = ("2026-11-21T00:00:00.002Z", "2026-11-21T00:00:00.003Z");
    assert_eq!(numbers(&format!("since={second}")).await, [3, 2, 1]);
    assert_eq!(numbers(&format!("until={third}")).await, [1, 0]);
    assert_eq!(numbers(&format!("since={second}&until={third}")).await, [1]);
    assert_eq!(numbers("since=2026-11-21T01:00:00.004%2B01:00").await, [3]);
}

#[tokio::test]
async fn events_are_found_by_each_of_their_keys() {
    let world = World::new();
    let keyed = |n: u64, thread: Option<&str>, flow: &str| {
        let text = |name: &str| Some(format!("{name}-{flow}"));
        let mut draft = draft("a", Some("stripe"), &format!("{{\"n\":{n}}}"));
        draft.provider_event = Some(["invoice.paid", "invoice.failed"][n as usize % 2].into());
        draft.thread_key = thread.map(str::to_owned);
        draft.correlation = Correlation {
            flow_id: text("flow"),
            flow_type: text("kind"),
            proposal_id: text("proposal"),
            deal_id: text("deal"),
            session_id: text("session"),
        };
        draft
    };
    let drafts = [keyed(0, Some("cus 1/ä"), "x"), keyed(1, None, "y"), keyed(2, Some("y"), "y")];
    world.store(drafts).await;
    let numbers =
        async |query: &str| world.get(&format!("/v1/events?{query}")).await.numbers("events");
    assert_eq!(numbers("provider_event=invoice.paid").await, [2, 0]);
    assert_eq!(numbers("provider_event=invoice.paid&provider_event=invoice.failed").await.len(), 3);
    assert_eq!(numbers("thread_key=cus%201%2F%C3%A4").await, [0]);
    for name in ["flow_id", "flow_type", "proposal_id", "deal_id", "session_id"] {
        let prefix = name.strip_suffix("_id").unwrap_or("kind");
        assert_eq!(numbers(&format!("{name}={prefix}-y")).await, [2, 1], "{name}");
        assert_eq!(numbers(&format!("{name}={prefix}-y&thread_key=y")).await, [2], "{name}");
        assert_eq!(numbers(&format!("{name}={prefix}-y&channel=b")).await, [0; 0], "{name}");
        assert_eq!(numbers(&format!("{name}=y")).await, [0; 0], "{name}");
    }
    let first = world.get("/v1/events?flow_id=flow-y&limit=1").await;
    let cursor = first.json()["next_cursor"].as_str().expect("more").to_owned();
    assert_eq!(numbers(&format!("flow_id=flow-y&cursor={cursor}")).await, [1]);
    for other in ["", "flow_id=flow-x&", "deal_id=flow-y&"] {
        let answer = world.get(&format!("/v1/events?{other}cursor={cursor}")).await;
        assert_eq!(answer.json()["error"]["code"], "invalid_cursor", "{other}");
    }
    assert_snapshot!(world.get("/v1/events?session_id=").await.shown());
}

#[tokio::test]
async fn pages_stay_what_they_are_while_events_arrive() {
    let world = World::new();
    world.store_many(7).await;
    let first = world.get("/v1/events?limit=3").await;
    assert_eq!(first.numbers("events"), [6, 5, 4]);
    world.store_many(5).await;
    let cursor = first.json()["next_cursor"].as_str().expect("more").to_owned();
    let second = world.get(&format!("/v1/events?limit=2&cursor={cursor}")).await;
    assert_eq!(second.numbers("events"), [3, 2], "another limit is allowed");
    world.store_many(5).await;
    let cursor = second.json()["next_cursor"].as_str().expect("more").to_owned();
    let third = world.get(&format!("/v1/events?cursor={cursor}")).await;
    assert_eq!(third.numbers("events"), [1, 0]);
    assert_eq!(third.json()["next_cursor"], json!(null));
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_filters_in_any_order_and_no_others() {
    let world = World::new();
    world.store_many(3).await;
    let first = world.get("/v1/events?limit=1&channel=billing&channel=other").await;
    let cursor = first.json()["next_cursor"].as_str().expect("more").to_owned();
    let same = format!("/v1/events?channel=other&channel=billing&limit=1&cursor={cursor}");
    assert_eq!(world.get(&same).await.numbers("events"), [1]);
    for other in [
        String::new(),
        "channel=billing&".to_owned(),
        "type=billing&channel=other&".to_owned(),
        "channel=billing&channel=other&since=2026-01-01T00:00:00Z&".to_owned(),
        "channel=billing&channel=other&until=2036-01-01T00:00:00Z&".to_owned(),
        "channel=billing&channel=other&provider=stripe&".to_owned(),
    ] {
        let answer = world.get(&format!("/v1/events?{other}cursor={cursor}")).await;
        assert_eq!(answer.json()["error"]["code"], "invalid_cursor", "{other}");
        assert_eq!(answer.status, 422);
    }
    assert_snapshot!(world.get(&format!("/v1/events?cursor={cursor}")).await.shown());
}

#[tokio::test]
async fn a_cursor_with_any_character_changed_is_refused() {
    let world = World::new();
    world.store_many(3).await;
    let first = world.get("/v1/events?limit=1").await;
    let cursor = first.json()["next_cursor"].as_str().expect("more").to_owned();
    for at in 0..cursor.len() {
        let mut changed = cursor.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ascii");
        let answer = world.get(&format!("/v1/events?cursor={changed}")).await;
        assert_eq!(answer.json()["error"]["code"], "invalid_cursor", "{changed}");
    }
    for bad in ["", "x", "%00", "%ff", &cursor[1..], &format!("{cursor}="), &cursor.repeat(1000)] {
        let answer = world.get(&format!("/v1/events?cursor={bad}")).await;
        assert_eq!(answer.json()["error"]["code"], "invalid_cursor", "{bad}");
    }
    assert_snapshot!(world.get("/v1/events?cursor=abc").await.shown());
}

#[tokio::test]
async fn every_wrong_parameter_is_named_with_what_was_expected() {
    let world = World::new();
    let mut shown = String::new();
    for query in [
        "limit=0",
        "limit=-1",
        "limit=501",
        "limit=abc",
        "limit=",
        "limit=%2B5",
        "limit=99999999999999999999999",
        "limit=1&limit=2",
        "since=yesterday",
        "until=2026-13-01T00:00:00Z",
        "since=2026-11-21T01:00:00+01:00",
        "since=2026-01-01T00:00:00Z&since=2026-01-01T00:00:00Z",
        "type=",
        "type=two%20words",
        "channel=",
        "channel=No%20Such",
        "provider=%F0%9F%92%A9",
        "thread_key=",
        "flow=x",
        "q=text",
        "Limit=1",
    ] {
        let answer = world.get(&format!("/v1/events?{query}")).await;
        assert_eq!(answer.status, 422, "{query}");
        let error = &answer.json()["error"];
        assert_eq!(error["request_id"], "req-1");
        shown += &format!("{query}\n  {}: {}\n", error["code"], error["message"]);
    }
    assert_snapshot!(shown);
}

#[tokio::test]
async fn more_values_than_a_filter_takes_are_refused() {
    let world = World::new();
    let query = "channel=a&".repeat(101);
    let answer = world.get(&format!("/v1/events?{query}")).await;
    assert_snapshot!(answer.shown());
}

#[tokio::test]
async fn an_event_is_the_same_alone_as_in_a_list() {
    let world = World::new();
    let id = world.store_many(1).await[0];
    let alone = world.get(&format!("/v1/events/{id}")).await;
    assert_eq!(alone.status, 200);
    let list = world.get("/v1/events").await;
    assert_eq!(alone.json(), list.json()["events"][0]);
    assert_eq!(alone.json()["schema"], "headgate.event.v1");
    assert_eq!(alone.json()["delivery"], json!(null), "nothing is delivered by looking");
}

#[tokio::test]
async fn numbers_and_key_order_of_a_body_survive() {
    let world = World::new();
    let body = r#"{"z":1.10,"a":12345678901234567890123,"z":1E5}"#;
    let id = world.store([draft("a", None, body)]).await[0];
    let answer = world.get(&format!("/v1/events/{id}")).await;
    assert!(String::from_utf8_lossy(&answer.bytes).contains(body));
}

#[tokio::test]
async fn an_unknown_id_is_404_and_a_malformed_one_422() {
    let world = World::new();
    let unknown = "01KAJ3V3W2N9E6W0V8R3M5T7QZ";
    for tail in ["", "/raw"] {
        let answer = world.get(&format!("/v1/events/{unknown}{tail}")).await;
        assert_eq!((answer.status.as_u16(), code(&answer)), (404, "unknown_event".into()));
        let answer = world.get(&format!("/v1/events/evt_1{tail}")).await;
        assert_eq!((answer.status.as_u16(), code(&answer)), (422, "invalid_id".into()));
    }
    assert_snapshot!(world.get(&format!("/v1/events/{unknown}")).await.shown());
    assert_snapshot!(world.get("/v1/events/evt_1/raw").await.shown());
    assert_eq!(code(&world.get("/v1/events/%ff").await), "bad_request");
}

#[tokio::test]
async fn raw_bytes_are_exact_and_no_browser_shows_them() {
    let world = World::new();
    let mut binary = draft("a", None, "");
    binary.data = headgate_event::DataText::whole(&json!({}));
    binary.raw = bytes::Bytes::from((0..=255).collect::<Vec<u8>>());
    let id = world.store([binary.clone()]).await[0];
    let answer = world.get(&format!("/v1/events/{id}/raw")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.bytes, binary.raw);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{id}.bin\""));
}

fn code(answer: &crate::world::Answer) -> String {
    answer.json()["error"]["code"].as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn an_erased_event_is_gone_for_good_and_says_so() {
    let world = World::new();
    let ids = world.store_many(3).await;
    let target = format!("/v1/events/{}", ids[1]);
    let erased = world.call("DELETE", &target, "").await;
    assert_eq!(erased.status, 200);
    let said = erased.json();
    assert_eq!(said["id"], json!(ids[1].to_string()));
    assert!(said["created_at"].is_string() && said["erased_at"].is_string());
    assert_eq!(world.call("DELETE", &target, "").await.json(), said);
    for path in [target.clone(), format!("{target}/raw")] {
        let answer = world.get(&path).await;
        assert_eq!(answer.status, 410);
        assert_eq!(answer.json()["error"]["code"], json!("erased"));
    }
    assert_eq!(world.get("/v1/events").await.numbers("events"), [2, 0]);
    let unknown = world.call("DELETE", "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ", "").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(world.call("DELETE", "/v1/events/nonsense", "").await.status, 422);
}
