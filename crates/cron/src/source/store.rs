//! What outlives the program: how far each schedule has come, and those made over the API.

use crate::Cursor;
use headgate_event::{BoxFuture, StoreError};
use serde_json::value::RawValue;
use uuid::Uuid;

/// A schedule as it was made over the API. The text is the caller's; whoever wires the source
/// makes a [`Schedule`](crate::Schedule) of it.
#[derive(Clone, Debug)]
pub struct StoredSchedule {
    /// Its id.
    pub id: Uuid,
    /// The definition, as JSON.
    pub definition: Box<RawValue>,
}

/// All that is stored.
#[derive(Clone, Debug, Default)]
pub struct StoredSchedules {
    /// How far each schedule has come, removed ones too.
    pub cursors: Vec<Cursor>,
    /// The schedules made over the API.
    pub schedules: Vec<StoredSchedule>,
}

/// Keeps cursors and the schedules made over the API. `Ok` means durable; each call is one
/// transaction, all or nothing.
pub trait ScheduleStore: Send + Sync {
    /// All that is stored.
    fn load(&self) -> BoxFuture<'_, Result<StoredSchedules, StoreError>>;

    /// Puts these cursors in the place of those with the same ids.
    fn save_cursors(&self, cursors: Vec<Cursor>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Takes away the cursors of these schedules.
    fn forget_cursors(&self, ids: Vec<Uuid>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Puts a schedule and its cursor in the place of those with its id.
    fn save_schedule(
        &self,
        schedule: StoredSchedule,
        cursor: Cursor,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Takes a schedule away and puts the cursor that remembers it in the place of its own.
    fn delete_schedule(&self, id: Uuid, cursor: Cursor) -> BoxFuture<'_, Result<(), StoreError>>;
}
