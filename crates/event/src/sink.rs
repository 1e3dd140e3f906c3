//! Where sources hand their events.

use crate::{Draft, EventId};
use std::{future::Future, pin::Pin, time::Duration};

/// A future on the heap, so that the seams can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What became of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accepted {
    /// Stored under this id.
    New(EventId),
    /// The event with the same dedupe key, or the same event of an application, stored before.
    Duplicate(EventId),
}

/// Why drafts were not stored. None of them was.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Our fault, and it may pass: the sender should try again.
    #[error("the store cannot take events: {reason}")]
    Unavailable {
        /// What is the matter.
        reason: String,
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// The event is larger than the store can ever take.
    #[error("the event has {bytes} bytes, more than the {bytes_max} that the store takes")]
    TooLarge {
        /// The size of the event with its raw bytes.
        bytes: usize,
        /// The most the store takes.
        bytes_max: usize,
    },
    /// The call holds more drafts than one commit takes.
    #[error("{drafts} drafts in one call are more than the {drafts_max} that one commit takes")]
    TooMany {
        /// How many were given.
        drafts: usize,
        /// How many one commit takes.
        drafts_max: usize,
    },
    /// The name of an application's event belongs to another one already.
    #[error("draft {place} of the call has a name that belongs to an event with other content")]
    Conflict {
        /// Which draft of the call, counted from 0.
        place: usize,
        /// The event that has the name; none when it is another draft of the same call.
        stored: Option<EventId>,
    },
}

/// Where sources hand their events. The queue is one.
pub trait Sink: Send + Sync {
    /// Stores the drafts, all or none, and answers for each in their order. `Ok` means durable.
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>>;
}

impl Accepted {
    /// The id under which the event is stored, whoever stored it.
    #[must_use]
    pub fn id(self) -> EventId {
        match self {
            Self::New(id) | Self::Duplicate(id) => id,
        }
    }
}
