//! The line between a consumer and its gateway: a WebSocket, or long polls where none comes
//! through.

use crate::{
    address::segment,
    arrival::Arrival,
    client::{Settings, Transport},
    error::ClientError,
    http::{Call, Http},
    limits::{CUT_STREAMS_MAX, POLLED_FOR},
    poll::Poll,
    stream::{NotOpened, Stream},
    verdict::Batch,
};
use serde::Deserialize;
use std::time::Duration;

/// What came over a line.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Deliveries.
    pub(crate) arrivals: Vec<Arrival>,
    /// What could not be done.
    pub(crate) refusals: Vec<Refusal>,
    /// What was said and is answered.
    pub(crate) answered: Option<Batch>,
    /// Nothing more is delivered over this line.
    pub(crate) is_last: bool,
}

impl Heard {
    /// Whether the gateway does its work. One that only lets us in and complains does not.
    pub(crate) fn is_good(&self) -> bool {
        !self.arrivals.is_empty() || self.answered.is_some() || self.refusals.is_empty()
    }
}

/// What could not be done for one delivery; for none when there is no id.
#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// Why a line ends.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The next one may be opened at once.
    ByItself,
    /// The line failed.
    Failed(ClientError),
}

impl From<ClientError> for Ended {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

/// An open line.
#[derive(Debug)]
pub(crate) enum Line {
    Stream(Box<Stream>),
    Poll(Box<Poll>),
}

impl Line {
    /// Waits for what comes next, and sends what was said meanwhile. Dropping the future loses
    /// nothing.
    pub(crate) async fn receive(&mut self, room: usize) -> Result<Heard, Ended> {
        match self {
            Self::Stream(stream) => stream.receive().await,
            Self::Poll(poll) => poll.receive(room).await,
        }
    }

    /// Whether something may be said: over a call, when the last one is answered.
    pub(crate) fn may_say(&self) -> bool {
        match self {
            Self::Stream(_) => true,
            Self::Poll(poll) => poll.may_say(),
        }
    }

    /// Says it; true when nothing but refusals will answer it.
    pub(crate) fn say(&mut self, batch: Batch) -> bool {
        match self {
            Self::Stream(stream) => {
                stream.say(&batch);
                true
            }
            Self::Poll(poll) => {
                poll.say(batch);
                false
            }
        }
    }

    /// Asks for no more deliveries. Those on their way come until [`is_leasing`](Self::is_leasing)
    /// is false; a gateway that does not know the question goes on.
    pub(crate) fn drain(&mut self) {
        if let Self::Stream(stream) = self {
            stream.drain();
        }
    }

    /// Whether something may come that was leased already, and then nothing more.
    pub(crate) fn is_leasing(&self) -> bool {
        match self {
            Self::Stream(stream) => stream.is_draining(),
            Self::Poll(poll) => poll.is_leasing(),
        }
    }

    /// Takes leave; never fails. The gateway gives back what is unsettled of a stream.
    pub(crate) async fn close(self) {
        if let Self::Stream(stream) = self {
            stream.close().await;
        }
    }
}

/// Opens lines to one subscription.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) http: Http,
    settings: Settings,
    path: String,
    cut: u32,
}

impl Lines {
    pub(crate) fn new(http: Http, settings: Settings) -> Self {
        let path = format!("/v1/subscriptions/{}", segment(&settings.subscription));
        Self { http, settings, path, cut: 0 }
    }

    /// The next line; `now` is the moment on the clock of the hand.
    pub(crate) async fn open(&mut self, now: Duration) -> Result<Line, ClientError> {
        if self.settings.transport != Transport::Poll {
            match Stream::open(&self.http, &self.settings).await {
                Ok(stream) => {
                    self.cut = 0;
                    tracing::info!(server = stream.server(), "consuming");
                    return Ok(Line::Stream(Box::new(stream)));
                }
                Err(NotOpened::Failed(error)) => return Err(error),
                Err(NotOpened::Cut(error)) => {
                    self.cut += 1;
                    if self.cut < CUT_STREAMS_MAX || self.may_not_poll() {
                        return Err(error);
                    }
                    self.cut = 0;
                }
                Err(NotOpened::NoStream(reason)) if self.may_not_poll() => {
                    let url = self.http.address.base().to_owned();
                    return Err(ClientError::Unreachable { url, reason });
                }
                Err(NotOpened::NoStream(reason)) => {
                    tracing::warn!(reason, "no WebSocket comes through: using long polls");
                }
            }
        }
        let ends_at = match self.settings.transport {
            Transport::Poll => Duration::MAX,
            _ => now + POLLED_FOR,
        };
        let lease = self.settings.lease;
        let lasts = ends_at.saturating_sub(now);
        Ok(Line::Poll(Box::new(Poll::new(self.http.clone(), &self.path, lease, lasts))))
    }

    fn may_not_poll(&self) -> bool {
        self.settings.transport == Transport::WebSocket
    }

    /// Says it by a call, which is answered.
    pub(crate) async fn settle(&self, batch: &Batch) -> Result<Vec<Refusal>, ClientError> {
        settle(&self.http, &self.path, batch).await
    }
}

/// One settle call; answers what was refused.
pub(crate) async fn settle(
    http: &Http,
    path: &str,
    batch: &Batch,
) -> Result<Vec<Refusal>, ClientError> {
    #[derive(Deserialize)]
    struct Settled {
        errors: Vec<Refusal>,
    }
    let call = Call::post(format!("{path}/settle"), &batch.body());
    let settled: Settled = http.call(&call).await?;
    Ok(settled.errors)
}
