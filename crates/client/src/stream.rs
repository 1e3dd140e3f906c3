//! The line over a WebSocket: events as they are, settled by frames.

use crate::{
    address::Address,
    arrival::Frame,
    client::Settings,
    error::ClientError,
    http::{Http, tls},
    limits::{CONNECT_TIMEOUT, FRAME_BYTES_MAX, FRAMES_AT_ONCE_MAX, SILENCE_MAX},
    line::{Ended, Heard, Refusal},
    verdict::Batch,
};
use ::http::{HeaderName, HeaderValue, StatusCode, header};
use futures_util::{Sink, Stream as _, StreamExt};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        self, Message, client::IntoClientRequest, error::ProtocolError, protocol::WebSocketConfig,
    },
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Says who settles: this client, by what its handlers return.
const ACK_HEADER: HeaderName = HeaderName::from_static("headgate-ack");

/// An open stream of a subscription.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: Socket,
    url: String,
    server: String,
    /// Whether it takes the frames `drain` and `release`.
    may_drain: bool,
    /// Whether it was asked to drain, and has not said yet that it did.
    is_draining: bool,
    outgoing: VecDeque<Message>,
    /// When anything came last, be it a ping.
    heard_at: Instant,
}

/// The first frame of a gateway.
#[derive(Deserialize)]
struct Hello<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    server: Option<Cow<'a, str>>,
    /// The frames that it takes; none of a gateway that does not tell.
    #[serde(default)]
    takes: Vec<String>,
}

/// What is said of the stream itself, or of a delivery that was never begun.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Ending<'a> {
    /// Nothing more is wanted.
    Drain,
    /// It is as if it had not been given.
    Release { id: &'a str },
}

/// Why there is no stream.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// It failed.
    Failed(ClientError),
    /// It was cut before its hello.
    Cut(ClientError),
    /// Something between us and the gateway lets no WebSocket through.
    NoStream(String),
}

impl Stream {
    /// Connects and hears the hello.
    pub(crate) async fn open(http: &Http, settings: &Settings) -> Result<Self, NotOpened> {
        let address = &http.address;
        let url = address.base().to_owned();
        let opening = connect(address, settings);
        let socket = match tokio::time::timeout(CONNECT_TIMEOUT, opening).await {
            Ok(socket) => socket?,
            Err(_) => {
                return Err(NotOpened::Failed(ClientError::timed_out(&url, CONNECT_TIMEOUT)));
            }
        };
        let mut stream = Self::new(socket, url);
        stream.hello().await?;
        Ok(stream)
    }

    fn new(socket: Socket, url: String) -> Self {
        Self {
            socket,
            url,
            server: String::new(),
            may_drain: false,
            is_draining: false,
            outgoing: VecDeque::new(),
            heard_at: Instant::now(),
        }
    }

    /// What the gateway calls itself.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Has frames sent by the next [`receive`](Self::receive).
    pub(crate) fn say(&mut self, batch: &Batch) {
        batch.frames().for_each(|frame| self.put(&frame));
    }

    /// Asks for no more deliveries, where the gateway knows how to be asked.
    pub(crate) fn drain(&mut self) {
        if self.may_drain {
            self.put(&Ending::Drain);
            self.is_draining = true;
        }
    }

    /// Whether it was asked to drain, and may still deliver.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// Whether deliveries can be let go of by [`release`](Self::release).
    pub(crate) fn may_release(&self) -> bool {
        self.may_drain
    }

    /// Lets go of a delivery that was never begun: it costs no attempt.
    pub(crate) fn release(&mut self, delivery: &str) {
        self.put(&Ending::Release { id: delivery });
    }

    #[expect(clippy::expect_used, reason = "plain data serializes")]
    fn put(&mut self, frame: &impl Serialize) {
        let text = serde_json::to_string(frame).expect("plain data serializes");
        self.outgoing.push_back(Message::Text(text.into()));
    }

    /// Sends what is to be said, and waits for frames that mean something: all that are there.
    ///
    /// Silence counts from what came last, a ping too, over however many calls.
    pub(crate) async fn receive(&mut self) -> Result<Heard, Ended> {
        loop {
            let silent_at = self.heard_at + SILENCE_MAX;
            tokio::select! {
                biased;
                heard = poll_fn(|context| self.poll_receive(context)) => {
                    return heard.map_err(Ended::Failed);
                }
                () = sleep_until(silent_at) => {}
            }
            if Instant::now() >= self.heard_at + SILENCE_MAX {
                return Err(self.lost("nothing was heard for too long").into());
            }
        }
    }

    /// Says what is left to say, and goodbye; the gateway gives back what was not settled.
    pub(crate) async fn close(mut self) {
        let goodbye = async {
            let _ = poll_fn(|context| self.poll_send(context)).await;
            if self.socket.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // The other side may be gone already, which is what was wanted.
        let _ = tokio::time::timeout(Duration::from_secs(3), goodbye).await;
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Result<Heard, ClientError>> {
        let mut heard = Heard::default();
        loop {
            if let Poll::Ready(Err(error)) = self.poll_send(context) {
                return Poll::Ready(Err(ClientError::unreachable(&self.url, &error)));
            }
            for _ in 0..FRAMES_AT_ONCE_MAX {
                match Pin::new(&mut self.socket).poll_next(context) {
                    Poll::Pending if heard.is_empty() => return Poll::Pending,
                    Poll::Pending => return Poll::Ready(Ok(heard)),
                    Poll::Ready(message) => self.sort(message, &mut heard)?,
                }
            }
            if !heard.is_empty() {
                return Poll::Ready(Ok(heard));
            }
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), tungstenite::Error>> {
        while !self.outgoing.is_empty() {
            ready!(Pin::new(&mut self.socket).poll_ready(context))?;
            if let Some(message) = self.outgoing.pop_front() {
                Pin::new(&mut self.socket).start_send(message)?;
            }
        }
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn sort(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
        heard: &mut Heard,
    ) -> Result<(), ClientError> {
        if matches!(message, Some(Ok(_))) {
            self.heard_at = Instant::now();
        }
        match message {
            None => Err(self.lost("the connection was closed")),
            Some(Err(error)) => Err(ClientError::unreachable(&self.url, &error)),
            Some(Ok(Message::Close(frame))) => {
                let said = frame.map(|frame| format!("{} {}", frame.code, frame.reason));
                Err(self.lost(&format!("the stream ended: {}", said.unwrap_or_default())))
            }
            Some(Ok(Message::Text(text))) => self.sort_text(text.as_str(), heard),
            Some(Ok(_)) => Ok(()),
        }
    }

    fn sort_text(&mut self, text: &str, heard: &mut Heard) -> Result<(), ClientError> {
        let wrong = |error: String| ClientError::incompatible(&self.url, error);
        let frame = Frame::read(text).map_err(wrong)?;
        if frame.schema.is_some() {
            heard.arrivals.push(frame.arrival(text).map_err(wrong)?);
        } else if frame.kind.as_deref() == Some("error") {
            let refusal = serde_json::from_str::<Refusal>(text);
            heard.refusals.push(refusal.map_err(|error| wrong(error.to_string()))?);
        } else if frame.kind.as_deref() == Some("drained") {
            self.is_draining = false;
            heard.is_last = true;
        }
        Ok(())
    }

    async fn hello(&mut self) -> Result<(), NotOpened> {
        let first = tokio::time::timeout(CONNECT_TIMEOUT, self.socket.next()).await;
        let cut = |stream: &Self| NotOpened::Cut(stream.lost("the stream ended before its hello"));
        let Ok(Some(Ok(message))) = first else { return Err(cut(self)) };
        let Message::Text(text) = message else { return Err(cut(self)) };
        match serde_json::from_str(text.as_str()) {
            Ok(Hello { kind, server, takes }) if kind == "hello" => {
                self.server = server.map_or_else(|| "unknown".to_owned(), Cow::into_owned);
                self.may_drain =
                    ["drain", "release"].iter().all(|kind| takes.iter().any(|one| one == kind));
                self.heard_at = Instant::now();
                Ok(())
            }
            _ => Err(NotOpened::Failed(ClientError::incompatible(
                &self.url,
                "expected the frame `hello` first, found another",
            ))),
        }
    }

    fn lost(&self, reason: &str) -> ClientError {
        ClientError::Unreachable { url: self.url.clone(), reason: reason.to_owned() }
    }
}

impl Heard {
    fn is_empty(&self) -> bool {
        self.arrivals.is_empty() && self.refusals.is_empty() && !self.is_last
    }
}

async fn connect(address: &Address, settings: &Settings) -> Result<Socket, NotOpened> {
    let failed = |error: &dyn std::error::Error| {
        NotOpened::Failed(ClientError::unreachable(address.base(), error))
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("subscription", &settings.subscription)
        .append_pair("max_in_flight", &settings.concurrency.to_string())
        .append_pair("lease_ms", &settings.lease.as_millis().to_string())
        .finish();
    let url = address.web_socket(&format!("/v1/stream?{query}"));
    let mut request = url.as_str().into_client_request().map_err(|error| failed(&error))?;
    // Where sending settles, what a handler fails on would be lost: such a stream is refused.
    request.headers_mut().insert(ACK_HEADER, HeaderValue::from_static("explicit"));
    if let Some(key) = address.authorization() {
        request.headers_mut().insert(header::AUTHORIZATION, key.clone());
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let connector = Connector::Rustls(tls(address).map_err(NotOpened::Failed)?.into());
    let socket = TcpStream::connect(address.place()).await.map_err(|error| failed(&error))?;
    socket.set_nodelay(true).map_err(|error| failed(&error))?;
    match client_async_tls_with_config(request, socket, Some(config), Some(connector)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            Err(refused(ClientError::of_answer(answer.status(), answer.headers(), body)))
        }
        // Whoever answered went away meanwhile: a gateway that stops does, too.
        Err(error @ tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete)) => {
            Err(NotOpened::Cut(ClientError::unreachable(address.base(), &error)))
        }
        Err(tungstenite::Error::Protocol(error)) => Err(NotOpened::NoStream(error.to_string())),
        Err(error) => Err(failed(&error)),
    }
}

/// Whether it is the gateway that refuses, or something before it that knows no WebSocket.
fn refused(error: ClientError) -> NotOpened {
    let ClientError::Refused { status, code, .. } = &error else { return NotOpened::Failed(error) };
    let is_about_keys = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(status);
    let is_ours = !code.is_empty() || is_about_keys || error.try_again();
    if code == "upgrade_required" || !is_ours {
        return NotOpened::NoStream(format!("the upgrade was answered {status}"));
    }
    NotOpened::Failed(error)
}
