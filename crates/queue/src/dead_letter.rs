//! Dead letters, as an operator looks at them.

use crate::{DeliveryId, Seq};
use headgate_event::{EventId, Timestamp};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// A delivery that never comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadLetter {
    /// The last delivery.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub delivery: DeliveryId,
    /// The event, which may not be stored any more; none where an older version did not note it.
    pub event_id: Option<EventId>,
    /// Why it is dead: `buried`, `exhausted`, `damaged`, or `expired` when retention removed the
    /// event before it was settled.
    pub reason: String,
    /// How many attempts it had.
    pub attempts: u32,
    /// What was said last about why it failed.
    pub last_error: Option<String>,
    /// When it died.
    pub at: Timestamp,
}

/// Which dead letters of a subscription to list, in the order of their events, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadLetterQuery {
    /// Only letters of events before this place: where the last page ended.
    pub before: Option<Seq>,
    /// At most so many.
    pub limit: usize,
}

/// One page of dead letters.
#[derive(Clone, Debug)]
pub struct DeadLetterPage {
    /// The letters, those of the newest events first.
    pub dead_letters: Vec<DeadLetter>,
    /// What to give as `before` for the next page; none at the end.
    pub next: Option<Seq>,
}

impl DeadLetterPage {
    /// The page that begins these letters, of which there is one more than asked when there is a
    /// next page.
    pub(crate) fn of(mut dead_letters: Vec<DeadLetter>, limit: usize) -> Self {
        let more = dead_letters.len() > limit;
        dead_letters.truncate(limit);
        let next = dead_letters.last().map(|last| last.delivery.seq).filter(|_| more);
        Self { dead_letters, next }
    }
}

fn as_text<S: Serializer>(id: &DeliveryId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}
