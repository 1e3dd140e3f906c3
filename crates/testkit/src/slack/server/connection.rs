//! One WebSocket of the fake, and what befalls it.

use super::{Fault, Sent, Shared};
use crate::slack::ConnectionId;
use futures_util::{SinkExt, StreamExt};
use tokio::{io::AsyncReadExt, net::TcpStream, sync::mpsc};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

type Socket = WebSocketStream<TcpStream>;

/// What a connection is told.
#[derive(Debug)]
pub(super) enum Order {
    Sent(Sent),
    Fault(Fault),
}

/// Whether a connection goes on.
enum Going {
    On,
    /// Without being read.
    Deaf,
    Over,
}

/// What is made of what comes in.
#[derive(Clone, Copy)]
enum Reading {
    Messages,
    Nothing,
}

/// Carries a connection until it is gone.
pub(super) async fn carry(
    shared: &Shared,
    id: ConnectionId,
    mut socket: Socket,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut reading = Reading::Messages;
    loop {
        tokio::select! {
            read = read(&mut socket, reading) => match read {
                Some(Message::Text(text)) => {
                    shared.change(|state| state.workspace.received(id, text.as_str()));
                }
                Some(_) => {}
                None => return,
            },
            order = orders.recv() => match order {
                None => return,
                Some(Order::Sent(sent)) => {
                    // What cannot be sent is seen by the next read.
                    let _ = match sent {
                        Sent::Text(text) => socket.send(Message::text(text)).await,
                        Sent::Close => socket.close(None).await,
                    };
                }
                Some(Order::Fault(fault)) => match befall(&mut socket, fault).await {
                    Going::On => {}
                    Going::Deaf => reading = Reading::Nothing,
                    Going::Over => return,
                },
            },
        }
    }
}

/// The next message; none when the other side is gone.
async fn read(socket: &mut Socket, reading: Reading) -> Option<Message> {
    match reading {
        Reading::Messages => socket.next().await?.ok(),
        Reading::Nothing => {
            discard(socket.get_mut()).await;
            None
        }
    }
}

/// Takes bytes off the line and looks at none, until the other side is gone.
async fn discard(socket: &mut TcpStream) {
    let mut part = [0; 1024];
    while let Ok(1..) = socket.read(&mut part).await {}
}

/// Reads, so that pings are answered, and says nothing.
pub(super) async fn stay_silent(mut socket: Socket) {
    while let Some(Ok(_)) = socket.next().await {}
}

async fn befall(socket: &mut Socket, fault: Fault) -> Going {
    match fault {
        Fault::Reset => {
            let _ = socket.get_ref().set_zero_linger();
            Going::Over
        }
        Fault::Vanish => Going::Over,
        Fault::BlackHole => {
            discard(socket.get_mut()).await;
            Going::Over
        }
        Fault::Deaf => Going::Deaf,
        Fault::PingFlood(count) => {
            for _ in 0..count {
                if socket.feed(Message::Ping(bytes::Bytes::from_static(b"flood"))).await.is_err() {
                    return Going::Over;
                }
            }
            going(socket.flush().await.is_ok())
        }
        Fault::Raw(messages) => {
            for message in messages {
                if socket.send(message).await.is_err() {
                    return Going::Over;
                }
            }
            Going::On
        }
    }
}

fn going(on: bool) -> Going {
    if on { Going::On } else { Going::Over }
}
