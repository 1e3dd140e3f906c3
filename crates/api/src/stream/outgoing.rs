//! What is said to the client of a stream: events, errors, pings, the goodbye.

use super::{
    connection::Ended,
    frames::{ErrorFrame, ServerFrame},
    life::Life,
    voice::Voice,
};
use crate::shown::Shown;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{SinkExt, stream::SplitSink};
use serde::Serialize;
use std::{pin::pin, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

/// The sending half of a connection. It holds no more than one write buffer: whoever sends waits
/// until the client reads.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    sink: SplitSink<WebSocket, Message>,
    errors: mpsc::Receiver<ErrorFrame>,
    life: &'a Life,
    ping: Interval,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(
        sink: SplitSink<WebSocket, Message>,
        errors: mpsc::Receiver<ErrorFrame>,
        life: &'a Life,
        ping_every: Duration,
    ) -> Self {
        let mut ping = interval_at(Instant::now() + ping_every, ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { sink, errors, life, ping }
    }

    /// Writes a frame; it may stay in the write buffer until [`flush`](Voice::flush).
    #[expect(clippy::expect_used, reason = "frames are plain data, which always serializes")]
    async fn feed(&mut self, frame: &impl Serialize) -> Result<(), Ended> {
        let text = serde_json::to_string(frame).expect("plain data serializes");
        self.life.sending(text.len());
        self.sink.feed(Message::Text(text.into())).await.map_err(|_| Ended::ByClient)
    }

    /// Writes a frame to the socket.
    pub(super) async fn send(&mut self, frame: &impl Serialize) -> Result<(), Ended> {
        self.feed(frame).await?;
        self.flush().await
    }

    /// Says why the stream ends and closes it. Errors that still wait are not sent.
    pub(super) async fn close(&mut self, ended: &Ended) {
        self.errors.close();
        if let Ended::Queue(error) = ended {
            let last = ErrorFrame::of(error, None);
            let _ = self.send(&ServerFrame::Error(&last)).await;
        }
        if let Some((code, reason)) = ended.close_frame() {
            let frame = CloseFrame { code, reason: reason.into() };
            let _ = self.sink.send(Message::Close(Some(frame))).await;
        }
        // A client that is gone takes no leave.
        let _ = self.sink.flush().await;
    }
}

impl Voice for Outgoing<'_> {
    /// Errors and pings go out meanwhile.
    async fn until<T>(&mut self, wanted: impl Future<Output = T>) -> Result<T, Ended> {
        let mut wanted = pin!(wanted);
        loop {
            tokio::select! {
                biased;
                Some(error) = self.errors.recv() => self.send(&ServerFrame::Error(&error)).await?,
                _ = self.ping.tick() => {
                    let ping = Message::Ping(Default::default());
                    self.sink.send(ping).await.map_err(|_| Ended::ByClient)?;
                }
                result = &mut wanted => return Ok(result),
            }
        }
    }

    async fn event(&mut self, event: &Shown) -> Result<(), Ended> {
        self.feed(event).await
    }

    async fn lagged(&mut self, missed: Option<u64>) -> Result<(), Ended> {
        self.feed(&ServerFrame::Lagged { missed }).await
    }

    async fn drained(&mut self) -> Result<(), Ended> {
        self.send(&ServerFrame::Drained).await
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        self.sink.flush().await.map_err(|_| Ended::ByClient)
    }
}
