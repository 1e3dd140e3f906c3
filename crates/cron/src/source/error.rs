//! Why a call to the schedules did nothing.

use crate::ReloadError;
use headgate_event::{
    StoreError, Timestamp,
    limits::{BACKFILL_MAX, RUN_KEY_BYTES_MAX},
};
use uuid::Uuid;

/// Why a call to the schedules did nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such schedule.
    #[error("there is no schedule `{id}`")]
    Unknown {
        /// The id.
        id: Uuid,
    },
    /// It comes from the configuration: it is changed there.
    #[error("schedule `{name}` comes from the configuration file: it is changed there")]
    ReadOnly {
        /// The name of the schedule.
        name: String,
    },
    /// Something that it needs is missing.
    #[error("schedule `{name}` cannot run: {why}")]
    Parked {
        /// The name of the schedule.
        name: String,
        /// What is missing.
        why: String,
    },
    /// There is one with this id.
    #[error("there is a schedule `{name}` with the id `{id}` already")]
    Exists {
        /// The id.
        id: Uuid,
        /// Its name.
        name: String,
    },
    /// What was sent is another schedule than the one that was named.
    #[error("the schedule has the id `{found}`, expected `{expected}`")]
    OtherId {
        /// The id in the call.
        expected: Uuid,
        /// The id of what was sent.
        found: Uuid,
    },
    /// Its id is another schedule's.
    #[error(transparent)]
    Duplicate(#[from] ReloadError),
    /// The idempotency key does not fit into a dedupe key.
    #[error(
        "idempotency key: expected 1 to {RUN_KEY_BYTES_MAX} visible ASCII characters, \
         found `{found}`"
    )]
    RunKey {
        /// The beginning of the key.
        found: String,
    },
    /// The times of a backfill are none.
    #[error("backfill from `{from}` to `{to}`: expected from <= to <= `{now}`")]
    Range {
        /// The first moment.
        from: Timestamp,
        /// The last moment.
        to: Timestamp,
        /// When it was asked for.
        now: Timestamp,
    },
    /// More runs than one call makes.
    #[error("backfill: expected at most {BACKFILL_MAX} runs in one call, found more")]
    TooMany,
    /// The store does not take it; it may later.
    #[error("the schedule is as it was")]
    Store(#[from] StoreError),
}
