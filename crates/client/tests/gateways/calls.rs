//! What the calls of a client ask for.

use super::elsewhere::{asked_of, bytes, server};
use headgate_client::{AppEvent, Client, Filter};
use serde_json::json;

#[tokio::test]
async fn each_filter_is_asked_for_by_its_name() {
    let (url, asked) = server(|| bytes(r#"{"events": [], "next_cursor": null}"#)).await;
    let client = Client::builder().url(url).build().expect("a client");
    let filter = Filter::all()
        .event_type("a.b")
        .event_type("c&d")
        .channel("in")
        .provider("stripe")
        .provider_event("invoice.*")
        .thread_key("t")
        .flow_id("f")
        .deal_id("d")
        .proposal_id("p")
        .session_id("s")
        .since("2026-11-21T00:00:00Z")
        .until("2026-11-22T00:00:00+01:00")
        .limit(7);
    let page = client.list_events(&filter, Some("c u")).await.expect("a page");
    assert!(page.events.is_empty() && page.next_cursor.is_none());
    let asked = asked_of(&asked);
    let expected = "GET /v1/events?type=a.b&type=c%26d&channel=in&provider=stripe&\
        provider_event=invoice.*&thread_key=t&flow_id=f&deal_id=d&proposal_id=p&session_id=s&\
        since=2026-11-21T00%3A00%3A00Z&until=2026-11-22T00%3A00%3A00%2B01%3A00&limit=7&cursor=c+u ";
    assert!(asked.starts_with(expected), "{asked}");
}

#[tokio::test]
async fn many_events_are_emitted_by_one_call_and_none_by_none() {
    let answer = r#"{"events": [{"id": "1", "event_id": "a", "duplicate": false},
        {"id": "2", "event_id": "b", "duplicate": true}]}"#;
    let (url, asked) = server(|| bytes(answer)).await;
    let client = Client::builder().url(url).build().expect("a client");
    assert_eq!(client.emit_many(&[]).await.expect("nothing"), []);
    assert_eq!(asked_of(&asked), "");
    let events = ["deal.created", "deal.synced"].map(|kind| AppEvent::new(kind, json!({"n": 1})));
    let emitted = client.emit_many(&events).await.expect("stored");
    let told: Vec<_> = emitted.iter().map(|one| (one.event_id.as_str(), one.duplicate)).collect();
    assert_eq!(told, [("a", false), ("b", true)]);
    let asked = asked_of(&asked);
    assert!(asked.starts_with("POST /v1/events "), "{asked}");
    assert!(asked.contains(r#"[{"type":"deal.created","payload":{"n":1},"event_id":""#), "{asked}");
    assert_eq!(asked.matches("event_id").count(), 2);
}
