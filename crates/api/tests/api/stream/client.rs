//! A WebSocket client that says what it is told to.

use crate::world::World;
use futures_util::{SinkExt, StreamExt};
use headgate_http::{ServerOptions, serve};
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};

/// Longer than anything here takes; a test that comes to it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client of the stream.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) hello: Value,
    pub(crate) request_id: String,
}

/// What came.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Text(String),
    Ping,
    Closed(Option<u16>),
}

impl World {
    /// Serves on a port of its own until the world's stop.
    pub(crate) async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (router, clock) = (self.router.clone(), self.clock.clone());
        let mut stop = self.stop.subscribe();
        tokio::spawn(async move {
            let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
            serve(listener, router, ServerOptions::default(), clock, stopped).await;
        });
        address
    }
}

impl Client {
    /// Connects without a key and reads the first frame.
    pub(crate) async fn connect(address: SocketAddr, query: &str) -> Self {
        Self::with_bearer(address, query, None).await.expect("connected")
    }

    /// Connects; the status and the body when that is refused.
    pub(crate) async fn with_bearer(
        address: SocketAddr,
        query: &str,
        bearer: Option<&str>,
    ) -> Result<Self, (u16, Value)> {
        let bearer = bearer.map(|bearer| format!("Bearer {bearer}"));
        Self::with_header(address, query, bearer.as_deref().map(|it| ("authorization", it))).await
    }

    /// The same with any header.
    pub(crate) async fn with_header(
        address: SocketAddr,
        query: &str,
        header: Option<(&'static str, &str)>,
    ) -> Result<Self, (u16, Value)> {
        let url = format!("ws://localhost:{}/v1/stream{query}", address.port());
        let mut request = url.into_client_request().expect("a request");
        if let Some((name, value)) = header {
            let value = HeaderValue::from_str(value).expect("a header");
            request.headers_mut().insert(name, value);
        }
        match connect_async(request).await {
            Ok((socket, answer)) => {
                let request_id = answer.headers()["x-request-id"].to_str().expect("ascii");
                let request_id = request_id.to_owned();
                let mut client = Self { socket, hello: Value::Null, request_id };
                client.hello = client.frame().await;
                Ok(client)
            }
            Err(tungstenite::Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                let body = serde_json::from_slice(body).unwrap_or(Value::Null);
                Err((answer.status().as_u16(), body))
            }
            Err(error) => panic!("not connected: {error}"),
        }
    }

    /// What comes next, pings included.
    pub(crate) async fn heard(&mut self) -> Heard {
        let next = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("in time");
        match next {
            Some(Ok(Message::Text(text))) => Heard::Text(text.as_str().to_owned()),
            Some(Ok(Message::Ping(_))) => Heard::Ping,
            Some(Ok(Message::Close(frame))) => Heard::Closed(frame.map(|it| it.code.into())),
            Some(Ok(other)) => panic!("unexpected: {other:?}"),
            Some(Err(_)) | None => Heard::Closed(None),
        }
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Value {
        loop {
            match self.heard().await {
                Heard::Text(text) => {
                    assert!(!text.contains('\n'), "a frame is one line");
                    return serde_json::from_str(&text).expect("JSON");
                }
                Heard::Ping => {}
                Heard::Closed(code) => panic!("closed with {code:?}"),
            }
        }
    }

    /// The next frame, which is an event: its number and its delivery's id.
    pub(crate) async fn event(&mut self) -> (u64, String) {
        let frame = self.frame().await;
        let number = frame["data"]["body"]["n"].as_u64();
        let id = frame["delivery"]["id"].as_str().unwrap_or_default().to_owned();
        (number.unwrap_or_else(|| panic!("no event: {frame}")), id)
    }

    /// The numbers of the next events.
    pub(crate) async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(self.event().await.0);
        }
        numbers
    }

    /// The code of the close frame, which comes after whatever else.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Heard::Closed(code) = self.heard().await {
                return code;
            }
        }
    }

    pub(crate) async fn say(&mut self, frame: &str) {
        self.socket.send(Message::text(frame)).await.expect("sent");
    }

    /// Takes its leave, and returns when the server has too.
    pub(crate) async fn leave(mut self) {
        self.socket.close(None).await.expect("closed");
        while self.heard().await != Heard::Closed(None) {}
    }
}
