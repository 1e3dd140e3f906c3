//! What the client of a stream says.

use super::{
    connection::{Ended, Kind},
    frames::ErrorFrame,
    life::Life,
};
use axum::extract::ws::{Message, WebSocket};
use futures_util::{StreamExt, stream::SplitStream};
use headgate_event::limits::STREAM_MESSAGES_PER_SETTLE_MAX;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite;

/// Listens until the client says no more. What has come together is settled together.
///
/// Errors wait in a short line until the client reads them; while it does not, nothing more of
/// what it says is read.
pub(super) async fn listen(
    stream: SplitStream<WebSocket>,
    life: &Life,
    kind: &Kind,
    errors: mpsc::Sender<ErrorFrame>,
) -> Ended {
    let mut messages = stream.ready_chunks(STREAM_MESSAGES_PER_SETTLE_MAX);
    loop {
        let heard = tokio::select! {
            heard = messages.next() => heard,
            () = life.over() => return Ended::Silent,
        };
        let Some(heard) = heard else { return Ended::ByClient };
        let (texts, ended) = sort(heard);
        for error in kind.take(&texts).await {
            // Nobody waits for errors once the stream is about to close.
            let _ = errors.send(error).await;
        }
        if let Some(ended) = ended {
            return ended;
        }
        // Only now: the client cannot be heard while what it said is settled.
        life.heard();
    }
}

/// The texts among the messages, and the end when it is among them.
fn sort(heard: Vec<Result<Message, axum::Error>>) -> (Vec<String>, Option<Ended>) {
    let mut texts = Vec::new();
    for message in heard {
        match message {
            Ok(Message::Text(text)) => texts.push(text.as_str().to_owned()),
            // Read as text it is answered like any other frame that is not ours.
            Ok(Message::Binary(bytes)) => texts.push(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(Message::Close(_)) => return (texts, Some(Ended::ByClient)),
            Err(error) => return (texts, Some(ended_by(error))),
        }
    }
    (texts, None)
}

fn ended_by(error: axum::Error) -> Ended {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => Ended::TooLarge,
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => Ended::ByClient,
        Some(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => Ended::Unreadable,
        _ => Ended::ByClient,
    }
}
