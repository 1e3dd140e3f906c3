//! Cursors of schedules and those made over the API, in the state of the queue.

use headgate_cron::{Cursor, ScheduleStore, StoredSchedule, StoredSchedules};
use headgate_event::{BoxFuture, StoreError, limits::STORE_RETRY_AFTER};
use headgate_queue::{KeptNote, QueueError, SourceNote, SourceNotes};
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

const CURSOR: &str = "cron.cursor";
const SCHEDULE: &str = "cron.schedule";

/// The notes that schedules keep in the state of the queue.
pub(crate) struct Notes(Arc<dyn SourceNotes>);

impl Notes {
    /// Keeps them there.
    pub(crate) fn new(state: Arc<dyn SourceNotes>) -> Self {
        Self(state)
    }

    fn keep(&self, notes: Vec<SourceNote>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.0.keep_notes(notes).await.map_err(unavailable) })
    }
}

impl ScheduleStore for Notes {
    fn load(&self) -> BoxFuture<'_, Result<StoredSchedules, StoreError>> {
        Box::pin(async move {
            let cursors = self.0.notes(CURSOR).await.map_err(unavailable)?;
            let schedules = self.0.notes(SCHEDULE).await.map_err(unavailable)?;
            Ok(StoredSchedules {
                cursors: cursors.into_iter().map(cursor).collect::<Result<_, _>>()?,
                schedules: schedules.into_iter().map(stored).collect::<Result<_, _>>()?,
            })
        })
    }

    fn save_cursors(&self, cursors: Vec<Cursor>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.keep(cursors.iter().map(note).collect())
    }

    fn forget_cursors(&self, ids: Vec<Uuid>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.keep(ids.into_iter().map(|id| of(CURSOR, id, None)).collect())
    }

    fn save_schedule(
        &self,
        schedule: StoredSchedule,
        cursor: Cursor,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let definition = String::from(Box::<str>::from(schedule.definition)).into_bytes();
        let schedule = of(SCHEDULE, schedule.id, Some(definition));
        self.keep(vec![schedule, note(&cursor)])
    }

    fn delete_schedule(&self, id: Uuid, cursor: Cursor) -> BoxFuture<'_, Result<(), StoreError>> {
        self.keep(vec![of(SCHEDULE, id, None), note(&cursor)])
    }
}

fn of(kind: &'static str, id: Uuid, value: Option<Vec<u8>>) -> SourceNote {
    SourceNote { kind, key: id.as_bytes().to_vec(), value }
}

fn note(cursor: &Cursor) -> SourceNote {
    let (key, value) = cursor.to_bytes();
    SourceNote { kind: CURSOR, key, value: Some(value) }
}

fn cursor((key, value): KeptNote) -> Result<Cursor, StoreError> {
    Cursor::from_bytes(&key, &value).map_err(|error| unreadable("the cursor of a schedule", error))
}

fn stored((key, value): KeptNote) -> Result<StoredSchedule, StoreError> {
    let definition: Box<RawValue> =
        serde_json::from_slice(&value).map_err(|error| unreadable("a schedule", error))?;
    Ok(StoredSchedule { id: id(&key)?, definition })
}

fn id(key: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(key).map_err(|error| unreadable("the id of a schedule", error))
}

fn unreadable(what: &str, error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable {
        reason: format!("{what} in the state is not what was written: {error}"),
        retry_after: STORE_RETRY_AFTER,
    }
}

fn unavailable(error: QueueError) -> StoreError {
    match error {
        QueueError::Unavailable { reason, retry_after } => {
            StoreError::Unavailable { reason, retry_after }
        }
        other => {
            StoreError::Unavailable { reason: other.to_string(), retry_after: STORE_RETRY_AFTER }
        }
    }
}
