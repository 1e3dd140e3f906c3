//! The id of a rejection: a ULID of its arrival and its place in the file.

use headgate_event::{EventId, Timestamp};
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The id of a rejection, 26 characters as an event's. Its time is that of the arrival, the rest
/// is its place in the quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RejectionId {
    id: EventId,
}

/// A text that is not the id of a rejection.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not the id of a rejection: expected a ULID of 26 characters")]
pub struct RejectionIdError {
    text: String,
}

impl RejectionId {
    pub(crate) fn new(received_at: Timestamp, place: u64) -> Self {
        Self { id: EventId::from_parts(received_at, place.into()) }
    }

    /// When the rejection came.
    #[must_use]
    pub fn time(self) -> Timestamp {
        self.id.time()
    }

    /// Its place in the order of the quarantine.
    #[must_use]
    pub fn place(self) -> u64 {
        let [.., b0, b1, b2, b3, b4, b5, b6, b7] = self.id.to_bytes();
        u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
    }
}

impl fmt::Display for RejectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl FromStr for RejectionId {
    type Err = RejectionIdError;

    fn from_str(text: &str) -> Result<Self, RejectionIdError> {
        let wrong = || RejectionIdError { text: text.chars().take(64).collect() };
        text.parse().map(|id| Self { id }).map_err(|_| wrong())
    }
}

impl Serialize for RejectionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
