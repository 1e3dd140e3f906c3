//! Gateways of other ages, what is none, and one that was gone for long.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod calls;
mod elsewhere;
mod fake;
mod gone;
mod handlers;
mod silent;
mod stopping;

use fake::{DELIVERY, HELLO, delivered, says};
use headgate_client::{Builder, Client, ClientError, Event, Origin, Transport, testing};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A client that says nothing more once it is stopped.
fn client(url: &str) -> Builder {
    let builder = Client::builder().url(url).subscription("agent");
    builder.transport(Transport::WebSocket).drain_timeout(Duration::from_secs(5))
}

/// Runs until the first event is handled; answers all that were.
async fn first(builder: Builder) -> Result<Vec<Event>, ClientError> {
    let mut client = builder.build()?;
    let (seen, stopper) = (Arc::new(Mutex::new(Vec::new())), client.stopper());
    let noted = Arc::clone(&seen);
    client.on_event(move |event: Event| {
        noted.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        stopper.stop();
        std::future::ready(())
    });
    client.run().await?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(seen)
}

#[tokio::test]
async fn what_this_crate_cannot_speak_with_is_final() {
    let later = json!({"schema": "headgate.event.v2", "delivery": {"id": DELIVERY}});
    let undelivered = json!({"schema": "headgate.event.v1"});
    for (frames, said) in [
        (vec![json!({"type": "welcome"})], "expected the frame `hello` first"),
        (vec![json!("hello")], "expected the frame `hello` first"),
        (vec![HELLO.clone(), json!(5)], "is no gateway that this client knows"),
        (vec![HELLO.clone(), later], "found `headgate.event.v2`: the gateway is newer"),
        (vec![HELLO.clone(), undelivered], "expected `delivery`"),
    ] {
        let (url, _) = says(frames).await;
        let error = first(client(&url)).await.expect_err(said);
        assert!(error.to_string().contains(said), "{error}");
        assert!(matches!(error, ClientError::Incompatible { .. }) && !error.try_again());
    }
}

#[tokio::test]
async fn what_a_later_gateway_adds_is_passed_over() {
    let mut event = delivered(testing::event("webhook.received", json!({"mood": "good"})));
    event["channel"]["type"] = "fax".into();
    event["origin"] = "rehearsal".into();
    event["verification"] = json!({"verdict": "attested", "covers": "page", "method": "stamp",
        "detail": null, "key": null});
    event["delivery"]["zone"] = "eu".into();
    event["server"] = json!({"region": "eu"});
    let weather = json!({"type": "weather", "sun": true});
    let lagged = json!({"type": "lagged", "missed": null});
    let (url, heard) = says(vec![HELLO.clone(), weather, lagged, event]).await;
    let seen = first(client(&url)).await.expect("it runs");
    let [event] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(event.channel().kind.to_string(), "fax");
    assert_eq!(event.verification().covers.as_str(), "page");
    assert!(!event.verification().is_verified() && *event.origin() != Origin::Live);
    let webhook = event.webhook().expect("a webhook");
    assert_eq!(webhook.method, "POST");
    heard.until(|said| said == &json!({"type": "ack", "id": DELIVERY})).await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_comes_again_and_others_are_handled() {
    let mut bad = delivered(testing::event("webhook.received", json!({})));
    bad["created_at"] = "yesterday".into();
    bad["delivery"]["id"] = "agent.1.1.0".into();
    let good = delivered(testing::event("webhook.received", json!({})));
    let (url, heard) = says(vec![HELLO.clone(), bad, good]).await;
    assert_eq!(first(client(&url)).await.expect("it runs").len(), 1);
    heard
        .until(|said| {
            let reason = said["reason"].as_str().unwrap_or_default();
            said["type"] == "retry"
                && said["id"] == "agent.1.1.0"
                && reason.starts_with("the client cannot read the event:")
        })
        .await;
}

#[tokio::test]
async fn what_answers_and_is_no_gateway_is_told_apart_and_final() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let page = "HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\n<html>";
            let _ = socket.write_all(page.as_bytes()).await;
        }
    });
    for transport in [Transport::Auto, Transport::Poll] {
        let error = first(client(&url).transport(transport)).await.expect_err("no gateway");
        assert!(!error.try_again(), "{error}");
        assert!(error.to_string().contains("none of a gateway; is the URL right?"), "{error}");
    }
}

/// What a client said, so far.
fn said_by(heard: &fake::Heard) -> Vec<Value> {
    heard.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
