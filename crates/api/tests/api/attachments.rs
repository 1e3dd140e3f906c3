//! What hangs on a message, and the signed URLs by which it is fetched.

use crate::{
    stream::client::Client,
    world::{Answer, START, World, arrival, draft, from_earliest, request},
};
use axum::body::Body;
use headgate_api::{Access, ApiKey, Links, Scope};
use headgate_event::{
    Channel, ChannelType, DataText, Draft, EventType, Secret,
    data::{Attachment, TransferEncoding},
};
use http::Request;
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const RAW: &str = "Subject: x\r\n\r\nhello";

/// The bytes of the place, as they are.
fn read(raw: &[u8], attachment: &Attachment) -> Option<Vec<u8>> {
    let place = attachment.place.as_ref()?;
    assert_eq!(place.encoding, TransferEncoding::Identity);
    let start = place.offset as usize;
    Some(raw.get(start..start + place.length as usize)?.to_vec())
}

/// A world where messages have links, with one reader's key.
fn world() -> World {
    World::changed(|options| {
        let scopes = [Scope::Read, Scope::Consume].into();
        let key = ApiKey::new("agent", Secret::new("agent"), scopes);
        options.access = Access::Keys(vec![key]);
        let base = "https://in.example.com".to_owned();
        let lifetime = Duration::from_secs(900);
        options.links = Some(Links { key: [7; 32], base, lifetime, attachment: read });
    })
}

/// A message with two attachments, of which one has no place in it.
fn message() -> Draft {
    let place = json!({"offset": 14, "length": 5, "encoding": "identity"});
    let attachment = |name: &str, place: Value| {
        json!({
            "filename": name, "content_type": "text/html", "size_bytes": 5, "url": null,
            "place": place,
        })
    };
    let data = json!({
        "message_id": "<1@example.org>", "from": "ann@example.org", "to": [], "cc": [], "bcc": [],
        "subject": "x", "text": null, "html": null, "received_at": START,
        "attachments": [attachment("größe.html", place), attachment("gone.txt", json!(null))],
    });
    let channel = Channel::new("support", "support", ChannelType::Email).expect("a channel");
    Draft {
        event_type: EventType::EMAIL_RECEIVED,
        channel: Arc::new(channel),
        data: DataText::whole(&data),
        raw: RAW.into(),
        ..draft("support", None, "")
    }
}

fn with_key(method: &str, path: &str, body: &str) -> Request<Body> {
    let mut request = request(method, path, body);
    let headers = request.headers_mut();
    headers.insert("authorization", "Bearer agent".parse().expect("a header"));
    request
}

/// The event of an answer with only its links.
fn links(event: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("a URL").to_owned();
    assert_eq!(event["data"]["attachments"][1]["url"], json!(null), "it has no place: {event}");
    (text(&event["data"]["attachments"][0]["url"]), text(&event["data"]["raw_url"]))
}

/// Fetches a URL from anywhere, without a key.
async fn fetch(world: &World, url: &str) -> Answer {
    let path = url.strip_prefix("https://in.example.com").expect("our base");
    let mut request = request("GET", path, "");
    request.extensions_mut().insert(arrival("203.0.113.9"));
    world.send(request).await
}

#[tokio::test]
async fn wherever_an_event_is_served_its_links_are_good_for_a_while_without_a_key() {
    let world = world();
    world.subscribe(from_earliest("agent")).await;
    let id = world.store([message()]).await[0];
    let shown = world.send(with_key("GET", &format!("/v1/events/{id}"), "")).await.json();
    let listed = world.send(with_key("GET", "/v1/events", "")).await.json()["events"][0].clone();
    let lease = with_key("POST", "/v1/subscriptions/agent/lease", "{}");
    let leased = world.send(lease).await.json()["deliveries"][0].clone();
    assert!(leased["delivery"]["id"].is_string());
    for event in [&shown, &listed, &leased] {
        let (attachment, raw) = links(event);
        let answer = fetch(&world, &attachment).await;
        assert_eq!((answer.status.as_u16(), &answer.bytes[..]), (200, &b"hello"[..]));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(
            answer.header("content-disposition"),
            "attachment; filename=\"gr__e.html\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.html"
        );
        assert_eq!(fetch(&world, &raw).await.bytes, RAW);
    }
    let (attachment, raw) = links(&shown);
    world.clock.advance(Duration::from_secs(901));
    assert_snapshot!(fetch(&world, &attachment).await.shown());
    assert_eq!(fetch(&world, &raw).await.status, 403);
    let (fresh, _) =
        links(&world.send(with_key("GET", &format!("/v1/events/{id}"), "")).await.json());
    assert_eq!(fetch(&world, &fresh).await.status, 200);
}

#[tokio::test]
async fn streams_have_links_and_what_is_stored_has_none() {
    let world = World::changed(|options| {
        let base = "https://in.example.com".to_owned();
        let lifetime = Duration::from_secs(900);
        options.links = Some(Links { key: [7; 32], base, lifetime, attachment: read });
    });
    world.subscribe(from_earliest("agent")).await;
    let address = world.listen().await;
    let mut tail = Client::connect(address, "").await;
    let id = world.store([message()]).await[0];
    let mut durable = Client::connect(address, "?subscription=agent").await;
    for client in [&mut tail, &mut durable] {
        let (attachment, _) = links(&client.frame().await);
        assert_eq!(fetch(&world, &attachment).await.status, 200);
    }
    let stored = headgate_queue::Queue::event(&*world.queue, id).await.expect("read");
    let data = stored.expect("there").event.email().expect("a message").clone();
    assert_eq!((data.raw_url, data.attachments[0].url.as_ref()), (None, None));
}

#[tokio::test]
async fn a_link_opens_nothing_else() {
    let world = world();
    let ids = world.store([message(), message()]).await;
    let show = with_key("GET", &format!("/v1/events/{}", ids[0]), "");
    let (attachment, raw) = links(&world.send(show).await.json());
    let query = attachment.split_once('?').expect("a query").1;
    let other = attachment.replace(&ids[0].to_string(), &ids[1].to_string());
    let second = attachment.replace("attachments/0", "attachments/1");
    let of_raw = format!("{}?{query}", raw.split_once('?').expect("a query").0);
    let later = attachment.replace("expires=17", "expires=27");
    for url in [&other, &second, &of_raw, &later] {
        assert_ne!(url, &attachment);
        let answer = fetch(&world, url).await;
        assert_eq!(answer.json()["error"]["code"], "wrong_signature", "{url}");
    }
    let bare = attachment.split_once('?').expect("a query").0;
    assert_eq!(fetch(&world, bare).await.status, 401);
    let event = format!("https://in.example.com/v1/events/{}?{query}", ids[0]);
    assert_eq!(fetch(&world, &event).await.status, 401, "an event itself needs a key");
}

#[tokio::test]
async fn an_attachment_that_is_not_there_is_said() {
    let world = world();
    let id = world.store([message()]).await[0];
    let webhook = world.store([draft("billing", None, "{}")]).await[0];
    let mut said = String::new();
    for path in [
        format!("/v1/events/{id}/attachments/1"),
        format!("/v1/events/{id}/attachments/2"),
        format!("/v1/events/{id}/attachments/first"),
        format!("/v1/events/{webhook}/attachments/0"),
        format!("/v1/events/{id}/attachments/0?width=5"),
        "/v1/events/x/attachments/0".to_owned(),
    ] {
        let answer = world.send(with_key("GET", &path, "")).await;
        let masked = answer.shown().replace(&id.to_string(), "ID");
        said.push_str(&masked.replace(&webhook.to_string(), "WEBHOOK"));
        said.push('\n');
    }
    assert_snapshot!(said);
    let good = world.send(with_key("GET", &format!("/v1/events/{id}/attachments/0"), "")).await;
    assert_eq!(good.bytes, "hello");
}
