//! Where a live tail goes on for a client that says which event it has seen last.

use crate::{
    error::ApiError,
    parameters::{Parameters, invalid},
};
use headgate_event::EventId;
use headgate_queue::{Queue, QueueError, Seq};
use http::{HeaderMap, HeaderName};

/// What an `EventSource` sends when it connects again (HTML, 9.2.3).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The query parameter that says the same, for the first connection.
pub(super) const PARAMETER: &str = "last_event_id";

/// A place to go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resumption {
    /// The first event to show.
    pub(super) first: Seq,
    /// Whether the event that was seen last is stored. Otherwise what came between it and the
    /// first is not known.
    pub(super) is_known: bool,
}

/// The event that a client has seen last, when it says so. The header is the later word: a client
/// that connects again repeats the URL it began with.
pub(super) fn last_seen(
    parameters: &Parameters,
    headers: &HeaderMap,
) -> Result<Option<EventId>, ApiError> {
    let asked = parameters.one(PARAMETER)?;
    if let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) {
        let text = String::from_utf8_lossy(value.as_bytes());
        return text.parse().map(Some).map_err(|error| {
            let message = format!("header `Last-Event-ID`: {error}");
            ApiError::invalid("invalid_header", message)
        });
    }
    let asked = asked.filter(|text| !text.is_empty());
    asked.map(|text| text.parse().map_err(|error| invalid(PARAMETER, error))).transpose()
}

/// The place right after an event, also when it is erased or damaged; after all events of lower
/// ids, when it is not stored.
pub(super) async fn after(queue: &dyn Queue, id: EventId) -> Result<Resumption, QueueError> {
    let is_known = match queue.event(id).await {
        Ok(Some(stored)) => return Ok(Resumption { first: stored.seq + 1, is_known: true }),
        Err(QueueError::Damaged { seq, .. }) => {
            return Ok(Resumption { first: seq + 1, is_known: true });
        }
        // Nothing of it is left but its place, and a client that has seen it goes on from there.
        Err(QueueError::Erased { .. }) => true,
        Ok(None) => false,
        Err(error) => return Err(error),
    };
    // The order of ids is the order of places. The first event beyond `id` is in low..=high.
    let end = *queue.head().borrow() + 1;
    let (mut low, mut high) = (1, end);
    while low < high {
        let middle = low + (high - low) / 2;
        match queue.read(middle, 1).await?.first() {
            Some(stored) if stored.event.id() < id => low = stored.seq + 1,
            _ => high = middle,
        }
    }
    // The oldest events may be gone, and a read begins with the first that is there. Where none is,
    // what is left at the end are erased ones, the one that was seen perhaps among them.
    let first = queue.read(low, 1).await?.first().map_or(end, |stored| stored.seq);
    Ok(Resumption { first, is_known })
}
