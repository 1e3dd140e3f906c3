//! One connection from its first frame to its last.

use super::{
    durable::Durable,
    frames::{ErrorFrame, ServerFrame, TAKEN},
    incoming,
    life::Life,
    outgoing::Outgoing,
    permit::Permit,
    tail::Tail,
    voice::Voice,
};
use crate::{api::Shared, error::ApiError};
use axum::extract::ws::{CloseCode, WebSocket, close_code};
use futures_util::StreamExt;
use headgate_event::limits::{STREAM_CLOSE_TIMEOUT, STREAM_ERRORS_WAITING_MAX};
use headgate_http::RequestId;
use std::{pin::pin, time::Duration};
use tokio::sync::mpsc;

/// What is streamed.
#[derive(Debug)]
pub(super) enum Kind {
    Tail(Tail),
    Durable(Durable),
}

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Ended {
    /// The client closed it, or is gone.
    ByClient,
    /// Nothing was heard of the client for too long.
    Silent,
    /// The program is about to stop.
    Stopping,
    /// The client's key was taken away, lacks the scope, or is bound to something else.
    Revoked,
    /// The client sent a message over the limit.
    TooLarge,
    /// The client sent what is no WebSocket frame.
    Unreadable,
    /// The queue cannot go on.
    Queue(ApiError),
}

/// Serves a connection until one side ends it.
pub(super) async fn serve(
    socket: WebSocket,
    api: &Shared,
    kind: &Kind,
    permit: &Permit,
    id: &RequestId,
) {
    let (sink, stream) = socket.split();
    let (errors, waiting) = mpsc::channel(STREAM_ERRORS_WAITING_MAX);
    let life = Life::new(kind.silence_max(api));
    let mut outgoing = Outgoing::new(sink, waiting, &life, api.rules.ping_every);
    let mut listening = pin!(incoming::listen(stream, &life, kind, errors));
    let hello = ServerFrame::Hello {
        connection_id: id.as_str(),
        project_id: "default",
        server: format!("headgate/{}", api.version),
        ack: kind.durable().map(Durable::ack),
        takes: kind.durable().map_or(&[][..], |_| &TAKEN[..]),
    };
    let (ended, client_may_speak) = tokio::select! {
        ended = speak(&mut outgoing, &hello, kind) => (ended, true),
        () = api.stopped() => (Ended::Stopping, true),
        () = permit.revoked(api, kind) => (Ended::Revoked, false),
        ended = &mut listening => (ended, false),
    };
    tracing::debug!(connection_id = %id, ?ended, "a stream ends");
    let goodbye = async {
        outgoing.close(&ended).await;
        if client_may_speak {
            // What it said before it heard of the end counts.
            listening.await;
        }
    };
    // A client that does not take its leave is left without it.
    let _ = tokio::time::timeout(STREAM_CLOSE_TIMEOUT, goodbye).await;
    if let Some(durable) = kind.durable() {
        durable.give_back(&ended).await;
    }
}

async fn speak(outgoing: &mut Outgoing<'_>, hello: &ServerFrame<'_>, kind: &Kind) -> Ended {
    match outgoing.send(hello).await {
        Ok(()) => kind.speak(outgoing).await,
        Err(ended) => ended,
    }
}

impl Kind {
    fn durable(&self) -> Option<&Durable> {
        match self {
            Self::Tail(_) => None,
            Self::Durable(durable) => Some(durable),
        }
    }

    /// Says what there is until the stream ends, and answers why.
    pub(super) async fn speak(&self, voice: &mut impl Voice) -> Ended {
        let Err(ended) = match self {
            Self::Tail(tail) => tail.speak(voice).await,
            Self::Durable(durable) => durable.speak(voice).await,
        };
        ended
    }

    /// Does what the client said, and answers what could not be done.
    pub(super) async fn take(&self, texts: &[String]) -> Vec<ErrorFrame> {
        match self {
            Self::Tail(_) => texts.iter().map(|_| Tail::nothing_to_settle()).collect(),
            Self::Durable(durable) => durable.take(texts).await,
        }
    }

    /// Who works on a delivery may be silent for as long as its lease.
    fn silence_max(&self, api: &Shared) -> Duration {
        match self {
            Self::Tail(_) => api.rules.silence_max,
            Self::Durable(durable) => api.rules.silence_max.max(durable.lease()),
        }
    }
}

impl Ended {
    /// The code and reason of the close frame; none when there is nobody to read it.
    pub(super) fn close_frame(&self) -> Option<(CloseCode, &'static str)> {
        match self {
            Self::ByClient => None,
            Self::Silent => Some((close_code::POLICY, "nothing was heard for too long")),
            Self::Revoked => Some((close_code::POLICY, "the key is no longer good for this")),
            Self::Stopping => Some((close_code::AWAY, "the server is about to stop")),
            Self::TooLarge => Some((close_code::SIZE, "the message is too large")),
            Self::Unreadable => Some((close_code::PROTOCOL, "the frame cannot be read")),
            Self::Queue(error) => Some((queue_code(error), "the stream cannot go on")),
        }
    }
}

fn queue_code(error: &ApiError) -> CloseCode {
    match error.code() {
        "unavailable" => close_code::AGAIN,
        "unknown_subscription" => close_code::POLICY,
        _ => close_code::ERROR,
    }
}
