//! What comes over a stream while its client stops, and streams that are refused.

use super::{
    client,
    fake::{DELIVERY, HELLO, Heard, delivered},
    gone, said_by,
};
use futures_util::{SinkExt, StreamExt};
use headgate_client::{ClientError, Event, Transport, testing};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

const LATE: &str = "agent.1.2.1";

/// A gateway that delivers one event, and another one when `late` says so.
async fn gateway(hello: Value, late: Arc<Notify>) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let heard = Heard::default();
    let hears = heard.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, hello.clone(), Arc::clone(&late), hears.clone()));
        }
    });
    (url, heard)
}

async fn serve(socket: TcpStream, hello: Value, late: Arc<Notify>, heard: Heard) {
    let mut first = [0; 4];
    if matches!(socket.peek(&mut first).await, Ok(4)) && first == *b"POST" {
        return gone::answer(socket, Vec::new(), heard).await;
    }
    let Ok(mut socket) = accept_async(socket).await else { return };
    let event = delivered(testing::event("webhook.received", json!({})));
    let mut second = delivered(testing::event("webhook.received", json!({})));
    second["delivery"]["id"] = LATE.into();
    for frame in [hello, event] {
        let _ = socket.send(Message::text(frame.to_string())).await;
    }
    loop {
        tokio::select! {
            () = late.notified() => {
                let _ = socket.send(Message::text(second.to_string())).await;
            }
            said = socket.next() => {
                let Some(Ok(said)) = said else { return };
                let Message::Text(text) = said else { continue };
                let said: Value = serde_json::from_str(text.as_str()).expect("JSON of a client");
                let drains = said["type"] == "drain";
                heard.note(said);
                if drains {
                    // It was on its way.
                    for frame in [&second, &json!({"type": "drained"})] {
                        let _ = socket.send(Message::text(frame.to_string())).await;
                    }
                }
            }
        }
    }
}

/// Runs a client until its first event stops it, and ends the handler when `end` says so; answers
/// what was handled.
async fn stopped_at_once(
    builder: headgate_client::Builder,
    stopped: Arc<Notify>,
    end: Arc<Notify>,
) -> Vec<String> {
    let mut client = builder.build().expect("a client");
    let (seen, stopper) = (Arc::new(Mutex::new(Vec::new())), client.stopper());
    let noted = Arc::clone(&seen);
    client.on_event(move |event: Event| {
        let id = event.delivery().map(|delivery| delivery.id.clone()).unwrap_or_default();
        noted.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        stopper.stop();
        stopped.notify_one();
        let end = Arc::clone(&end);
        async move { end.notified().await }
    });
    client.run().await.expect("it runs");
    seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[tokio::test]
async fn a_client_that_stops_asks_for_no_more_and_releases_what_it_did_not_begin() {
    let mut hello = HELLO.clone();
    hello["takes"] = json!(["ack", "retry", "extend", "bury", "release", "drain"]);
    let (url, heard) = gateway(hello, Arc::default()).await;
    let end = Arc::new(Notify::new());
    let running = tokio::spawn(stopped_at_once(client(&url), Arc::default(), Arc::clone(&end)));
    heard.until(|said| said == &json!({"type": "drain"})).await;
    heard.until(|said| said == &json!({"type": "release", "id": LATE})).await;
    end.notify_one();
    assert_eq!(running.await.expect("no panic"), [DELIVERY]);
    heard.until(|said| said == &json!({"type": "ack", "id": DELIVERY})).await;
    let said = said_by(&heard);
    assert!(!said.iter().any(|said| said["type"] == "retry"), "{said:?}");
}

#[tokio::test]
async fn what_a_gateway_that_cannot_be_asked_gives_late_is_kept_and_not_begun() {
    let late = Arc::new(Notify::new());
    let (url, heard) = gateway(HELLO.clone(), Arc::clone(&late)).await;
    let (stopped, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let builder = client(&url).lease(Duration::from_millis(300));
    let running = stopped_at_once(builder, Arc::clone(&stopped), Arc::clone(&end));
    let running = tokio::spawn(running);
    stopped.notified().await;
    late.notify_one();
    // Given back it would come again to the same stream, and use up its attempts.
    heard.until(|said| said["type"] == "extend" && said["id"] == LATE).await;
    end.notify_one();
    assert_eq!(running.await.expect("no panic"), [DELIVERY]);
    let said = said_by(&heard);
    let wrong = |said: &&Value| matches!(said["type"].as_str(), Some("drain" | "retry"));
    assert_eq!(said.iter().find(wrong), None);
}

#[tokio::test]
async fn a_stream_that_is_settled_by_sending_is_refused_for_good() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let asked = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let mut request = vec![0; 4096];
        let length = socket.read(&mut request).await.expect("a request");
        let text = String::from_utf8_lossy(request.get(..length).unwrap_or_default());
        noted.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        let body = r#"{"error": {"code": "settled_by_sending", "message": "it is on_send"}}"#;
        let head = format!("HTTP/1.1 409 Conflict\r\ncontent-length: {}\r\n\r\n", body.len());
        let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
    });
    let mut client = client(&url).transport(Transport::Auto).build().expect("a client");
    client.on_event(|_: Event| async {});
    let error = client.run().await.expect_err("it is refused");
    assert_eq!(error.code(), Some("settled_by_sending"), "{error}");
    assert!(matches!(error, ClientError::Refused { .. }) && !error.try_again());
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).to_lowercase();
    assert!(asked.contains("headgate-ack: explicit"), "{asked}");
}
