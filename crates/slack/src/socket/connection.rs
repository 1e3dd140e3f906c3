//! One connection: what comes becomes an input, what is to be sent is sent. It decides nothing.

use super::{
    pool::{Input, LinkId},
    transport::{Socket, Transport},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{self, Message};

/// What a connection is told to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Send this text.
    Text(String),
    /// Send a ping.
    Ping,
    /// Begin to close.
    Close,
}

/// Opens the connection and carries it until it is gone, which is the last that it says.
pub(super) async fn carry(
    link: LinkId,
    transport: Transport,
    commands: mpsc::UnboundedReceiver<Command>,
    inputs: mpsc::Sender<Input>,
) {
    let last = match transport.open().await {
        Ok(socket) => {
            // Whoever does not listen any more has stopped all connections.
            let _ = inputs.send(Input::Connected(link)).await;
            if let Err(error) = converse(link, socket, commands, &inputs).await {
                tracing::debug!(link = ?link, error = words(&error), "a connection broke");
            }
            Input::Closed(link)
        }
        Err(refusal) => Input::Refused(link, refusal),
    };
    let _ = inputs.send(last).await;
}

async fn converse(
    link: LinkId,
    mut socket: Socket,
    mut commands: mpsc::UnboundedReceiver<Command>,
    inputs: &mpsc::Sender<Input>,
) -> Result<(), tungstenite::Error> {
    loop {
        let input = tokio::select! {
            message = socket.next() => match message {
                None => return Ok(()),
                Some(Err(error)) => return Err(error),
                Some(Ok(Message::Text(text))) => Input::Message(link, Bytes::from(text)),
                Some(Ok(Message::Binary(bytes))) => Input::Message(link, bytes),
                Some(Ok(Message::Pong(_))) => Input::Pong(link),
                // The library answers pings and closes; after a close the next read ends it.
                Some(Ok(Message::Ping(_) | Message::Close(_) | Message::Frame(_))) => continue,
            },
            command = commands.recv() => {
                match command {
                    None => return Ok(()),
                    Some(Command::Text(text)) => socket.send(Message::text(text)).await?,
                    Some(Command::Ping) => socket.send(Message::Ping(Bytes::new())).await?,
                    Some(Command::Close) => socket.close(None).await?,
                }
                continue;
            }
        };
        if inputs.send(input).await.is_err() {
            return Ok(());
        }
    }
}

/// What broke, in words that cannot hold what was sent or the URL.
fn words(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Io(error) => error.to_string(),
        tungstenite::Error::Protocol(error) => error.to_string(),
        tungstenite::Error::Capacity(error) => error.to_string(),
        tungstenite::Error::Tls(error) => error.to_string(),
        tungstenite::Error::Utf8(_) => "a text message is not UTF-8".to_owned(),
        _ => "closed".to_owned(),
    }
}
