//! A gateway that says what it is told to say.

use super::said_by;
use futures_util::{SinkExt, StreamExt};
use headgate_client::Event;
use serde_json::{Value, json};
use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// The id of what [`delivered`] delivers.
pub(super) const DELIVERY: &str = "agent.1.1.1";

pub(super) static HELLO: LazyLock<Value> = LazyLock::new(
    || json!({"type": "hello", "connection_id": "c1", "server": "headgate/9.9.9", "mood": "good"}),
);

/// What a client said.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pub(super) said: Arc<Mutex<Vec<Value>>>,
}

impl Heard {
    /// Waits until a client said what is looked for, on its stream or by a call.
    pub(super) async fn until(&self, is_it: impl Fn(&Value) -> bool) {
        for _ in 0..500 {
            if said_by(self).iter().any(&is_it) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it was not said: {:?}", said_by(self));
    }

    pub(super) fn note(&self, said: Value) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }
}

/// The event as one delivery.
pub(super) fn delivered(event: Event) -> Value {
    let mut event = serde_json::to_value(event).expect("JSON");
    event["delivery"] = json!({"id": DELIVERY, "subscription": "agent", "attempt": 1,
        "lease_expires_at": "2999-01-01T00:00:00Z", "replay_id": null});
    event
}

/// A server that says this on each stream and listens; answers its URL and what it hears.
pub(super) async fn says(frames: Vec<Value>) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let heard = Heard::default();
    let hears = heard.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(speak(socket, frames.clone(), hears.clone()));
        }
    });
    (url, heard)
}

/// One stream, or a call that settles what a client that stops has left to say.
pub(super) async fn speak(socket: TcpStream, frames: Vec<Value>, heard: Heard) {
    let mut first = [0; 4];
    let is_call = matches!(socket.peek(&mut first).await, Ok(4)) && first == *b"POST";
    if is_call {
        return super::gone::answer(socket, Vec::new(), heard).await;
    }
    let Ok(mut socket) = accept_async(socket).await else { return };
    for frame in frames {
        let _ = socket.send(Message::text(frame.to_string())).await;
    }
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            heard.note(serde_json::from_str(text.as_str()).expect("JSON of a client"));
        }
    }
}
