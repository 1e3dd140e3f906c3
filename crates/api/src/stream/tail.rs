//! The live tail: events from the next one on, or from where a client says it was; nothing is kept
//! for it.

use super::{
    connection::Ended,
    frames::ErrorFrame,
    resume::{self, Resumption},
    voice::Voice,
};
use crate::{
    api::Shared,
    error::ApiError,
    shown::{Shown, View},
};
use headgate_event::{EventId, limits::TAIL_READ_EVENTS_MAX};
use headgate_queue::{Selection, Seq, Stored};
use std::{convert::Infallible, fmt};

/// A live tail.
pub(super) struct Tail {
    api: Shared,
    selection: Selection,
    behind_max: u64,
    begin: Begin,
    view: View,
}

/// Where a tail begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// With this event, the next one that is stored.
    Next(Seq),
    /// Where the client was before.
    Resumed(Resumption),
}

impl Tail {
    /// A tail that goes on after the event that was seen last, or begins with the next one.
    pub(super) async fn new(
        api: &Shared,
        selection: Selection,
        last_seen: Option<EventId>,
        view: View,
    ) -> Result<Self, ApiError> {
        let begin = match last_seen {
            Some(id) => Begin::Resumed(resume::after(&*api.queue, id).await?),
            None => Begin::Next(*api.queue.head().borrow() + 1),
        };
        let behind_max = api.rules.tail_behind_events_max;
        Ok(Self { api: api.clone(), selection, behind_max, begin, view })
    }

    /// Sends events until the stream ends.
    pub(super) async fn speak(&self, voice: &mut impl Voice) -> Result<Infallible, Ended> {
        let mut head = self.api.queue.head();
        // Who goes on where it was has a right to all of it, however much came meanwhile: it is
        // too slow only once it has caught up.
        let (mut next, mut catching_up) = match self.begin {
            Begin::Next(first) => (first, false),
            Begin::Resumed(Resumption { first, is_known }) => {
                if !is_known {
                    voice.lagged(None).await?;
                    voice.flush().await?;
                }
                (first, true)
            }
        };
        loop {
            let newest = *head.borrow_and_update();
            let behind = (newest + 1).saturating_sub(next);
            if behind > self.behind_max && !catching_up {
                next += behind;
                tell_missed(voice, behind).await?;
                voice.flush().await?;
            } else {
                let read = voice.until(self.api.queue.read(next, TAIL_READ_EVENTS_MAX)).await?;
                let stored = read.map_err(|error| Ended::Queue(error.into()))?;
                if !stored.is_empty() {
                    next = self.send(voice, next, stored).await?;
                    continue;
                }
                catching_up = false;
            }
            // Without a sender the queue is closed, and the program is about to stop.
            voice.until(head.changed()).await?.map_err(|_| Ended::Stopping)?;
        }
    }

    /// Sends those of the events that are wanted and returns the place after them.
    async fn send(
        &self,
        voice: &mut impl Voice,
        mut next: Seq,
        stored: Vec<Stored>,
    ) -> Result<Seq, Ended> {
        for Stored { seq, event, .. } in stored {
            // The oldest events may be gone before a slow tail comes to them.
            if seq > next {
                tell_missed(voice, seq - next).await?;
            }
            if self.selection.wants(&event) {
                voice.event(&Shown { event: self.api.served(event), view: self.view }).await?;
                metrics::counter!("headgate_stream_events_total", "kind" => "tail").increment(1);
            }
            next = seq + 1;
        }
        voice.flush().await?;
        Ok(next)
    }

    /// What a client is told that settles where nothing was leased.
    pub(super) fn nothing_to_settle() -> ErrorFrame {
        let message = "a live tail has nothing to settle: connect with `?subscription=`";
        ErrorFrame::of(&ApiError::invalid("no_subscription", message), None)
    }
}

async fn tell_missed(voice: &mut impl Voice, missed: u64) -> Result<(), Ended> {
    metrics::counter!("headgate_stream_missed_total").increment(missed);
    voice.lagged(Some(missed)).await
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("begin", &self.begin).finish_non_exhaustive()
    }
}
