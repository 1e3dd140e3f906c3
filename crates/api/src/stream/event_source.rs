//! The stream as server-sent events (HTML, 9.2), for clients that can only read.
//!
//! An event has its id, so that a client that connects again says where it was, and no name, so
//! that `onmessage` of a browser gets it. What is no event of the queue has a name.
//!
//! An empty line ends an event, and some clients take each for one, with data or without. So there
//! is none where no event ends: not after the greeting, and not after a comment.

use super::{
    connection::{Ended, Kind},
    frames::{ErrorFrame, ServerFrame},
    permit::Permit,
    voice::Voice,
};
use crate::{api::Shared, shown::Shown};
use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use headgate_event::limits::{EVENT_SOURCE_PIECE_BYTES_MAX, EVENT_SOURCE_RETRY};
use headgate_http::RequestId;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;
use std::{convert::Infallible, pin::pin, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// The sending half: lines that wait for room in the answer's body.
#[derive(Debug)]
struct Lines {
    buffer: Vec<u8>,
    body: mpsc::Sender<Bytes>,
    keep_alive: Interval,
    stall_max: Duration,
}

/// Whether a client asks for server-sent events.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let kind = range.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// An answer that ends when the stream does.
pub(super) fn answer(api: &Shared, kind: Kind, permit: Permit, id: RequestId) -> Response {
    let (body, mut pieces) = mpsc::channel(1);
    let (api, open) = (api.clone(), api.open_stream());
    tokio::spawn(async move {
        serve(&api, &kind, &permit, &id, body).await;
        drop(open);
    });
    let pieces = futures_util::stream::poll_fn(move |cx| {
        pieces.poll_recv(cx).map(|piece| piece.map(Ok::<_, Infallible>))
    });
    // Without the second header, nginx holds an answer back until its buffer is full.
    let buffering = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    ([(header::CONTENT_TYPE, EVENT_STREAM), buffering], Body::from_stream(pieces)).into_response()
}

/// Serves a stream until one side ends it.
async fn serve(
    api: &Shared,
    kind: &Kind,
    permit: &Permit,
    id: &RequestId,
    body: mpsc::Sender<Bytes>,
) {
    let mut keep_alive = interval_at(Instant::now() + api.rules.ping_every, api.rules.ping_every);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stall_max = api.rules.stall_max;
    let mut lines = Lines { buffer: Vec::new(), body, keep_alive, stall_max };
    let ended = tokio::select! {
        ended = lines.speak(kind) => ended,
        () = api.stopped() => Ended::Stopping,
        () = permit.revoked(api, kind) => Ended::Revoked,
    };
    tracing::debug!(connection_id = %id, ?ended, "an event stream ends");
    if let Ended::Queue(error) = &ended {
        let last = ErrorFrame::of(error, None);
        lines.named("failure", &ServerFrame::Error(&last));
        // A client that is gone takes no leave.
        let _ = lines.flush().await;
    }
    if let Kind::Durable(durable) = kind {
        durable.give_back(&ended).await;
    }
}

impl Lines {
    async fn speak(&mut self, kind: &Kind) -> Ended {
        // Something has to come at once: until then the client does not know that it is heard.
        let retry = format!(": connected\nretry: {}\n", EVENT_SOURCE_RETRY.as_millis());
        self.buffer.extend(retry.into_bytes());
        match self.flush().await {
            Ok(()) => kind.speak(self).await,
            Err(ended) => ended,
        }
    }

    /// An event of another kind, which leaves the client's last id as it is.
    fn named(&mut self, name: &str, frame: &ServerFrame<'_>) {
        self.buffer.extend(format!("event: {name}\n").into_bytes());
        self.data(frame);
    }

    /// The line that ends an event. JSON as it is written here has no line break in it.
    #[expect(clippy::expect_used, reason = "frames are plain data, which always serializes")]
    fn data(&mut self, frame: &impl Serialize) {
        self.buffer.extend(b"data: ");
        serde_json::to_writer(&mut self.buffer, frame).expect("plain data serializes");
        self.buffer.extend(b"\n\n");
    }

    /// Returns when the body has room, which is when what was given before is on its way.
    async fn room(&self) -> Result<mpsc::Permit<'_, Bytes>, Ended> {
        let room = timeout(self.stall_max, self.body.reserve()).await;
        room.map_err(|_| Ended::Silent)?.map_err(|_| Ended::ByClient)
    }
}

impl Voice for Lines {
    async fn until<T>(&mut self, wanted: impl Future<Output = T>) -> Result<T, Ended> {
        let mut wanted = pin!(wanted);
        loop {
            tokio::select! {
                biased;
                () = self.body.closed() => return Err(Ended::ByClient),
                _ = self.keep_alive.tick() => {
                    self.buffer.extend(b":\n");
                    self.flush().await?;
                }
                result = &mut wanted => return Ok(result),
            }
        }
    }

    async fn event(&mut self, event: &Shown) -> Result<(), Ended> {
        self.buffer.extend(format!("id: {}\n", event.event.id()).into_bytes());
        self.data(event);
        if self.buffer.len() < EVENT_SOURCE_PIECE_BYTES_MAX {
            return Ok(());
        }
        self.flush().await
    }

    async fn lagged(&mut self, missed: Option<u64>) -> Result<(), Ended> {
        self.named("lagged", &ServerFrame::Lagged { missed });
        Ok(())
    }

    async fn drained(&mut self) -> Result<(), Ended> {
        // Nobody can ask for it here.
        Ok(())
    }

    /// In pieces, so that a large event on a slow line is not taken for a client that stands still.
    async fn flush(&mut self) -> Result<(), Ended> {
        let mut whole = Bytes::from(std::mem::take(&mut self.buffer));
        while !whole.is_empty() {
            let piece = whole.split_to(whole.len().min(EVENT_SOURCE_PIECE_BYTES_MAX));
            self.room().await?.send(piece);
        }
        self.room().await.map(drop)
    }
}
