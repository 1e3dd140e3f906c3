//! The live tail: events from the next one on, for whoever looks; nothing is kept for it.

use super::{
    connection::Ended,
    frames::{ErrorFrame, ServerFrame},
    outgoing::Outgoing,
};
use crate::{api::Shared, error::ApiError};
use headgate_event::limits::TAIL_READ_EVENTS_MAX;
use headgate_queue::{Queue, Selection, Seq, Stored};
use std::{convert::Infallible, fmt, sync::Arc};

/// A live tail.
pub(super) struct Tail {
    queue: Arc<dyn Queue>,
    selection: Selection,
    behind_max: u64,
    /// The first event that it shows.
    first: Seq,
}

impl Tail {
    /// A tail that begins with the next event that is stored.
    pub(super) fn new(api: &Shared, selection: Selection) -> Self {
        let first = *api.queue.head().borrow() + 1;
        let behind_max = api.rules.tail_behind_events_max;
        Self { queue: Arc::clone(&api.queue), selection, behind_max, first }
    }

    /// Sends events until the stream ends.
    pub(super) async fn speak(&self, outgoing: &mut Outgoing<'_>) -> Result<Infallible, Ended> {
        let mut head = self.queue.head();
        let mut next = self.first;
        loop {
            let newest = *head.borrow_and_update();
            let behind = (newest + 1).saturating_sub(next);
            if behind > self.behind_max {
                next += behind;
                tell_missed(outgoing, behind).await?;
                outgoing.flush().await?;
            } else {
                let read = outgoing.until(self.queue.read(next, TAIL_READ_EVENTS_MAX)).await?;
                let stored = read.map_err(|error| Ended::Queue(error.into()))?;
                if !stored.is_empty() {
                    next = self.send(outgoing, next, stored).await?;
                    continue;
                }
            }
            // Without a sender the queue is closed, and the program is about to stop.
            outgoing.until(head.changed()).await?.map_err(|_| Ended::Stopping)?;
        }
    }

    /// Sends those of the events that are wanted and returns the place after them.
    async fn send(
        &self,
        outgoing: &mut Outgoing<'_>,
        mut next: Seq,
        stored: Vec<Stored>,
    ) -> Result<Seq, Ended> {
        for Stored { seq, event, .. } in stored {
            // The oldest events may be gone before a slow tail comes to them.
            if seq > next {
                tell_missed(outgoing, seq - next).await?;
            }
            if self.selection.wants(&event) {
                outgoing.feed(&event).await?;
                metrics::counter!("headgate_stream_events_total", "kind" => "tail").increment(1);
            }
            next = seq + 1;
        }
        outgoing.flush().await?;
        Ok(next)
    }

    /// What a client is told that settles where nothing was leased.
    pub(super) fn nothing_to_settle() -> ErrorFrame {
        let message = "a live tail has nothing to settle: connect with `?subscription=`";
        ErrorFrame::of(&ApiError::invalid("no_subscription", message), None)
    }
}

async fn tell_missed(outgoing: &mut Outgoing<'_>, missed: u64) -> Result<(), Ended> {
    metrics::counter!("headgate_stream_missed_total").increment(missed);
    outgoing.feed(&ServerFrame::Lagged { missed }).await
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("first", &self.first).finish_non_exhaustive()
    }
}
