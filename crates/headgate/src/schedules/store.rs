//! Cursors of schedules and those made over the API, in the state of the queue.

use headgate_cron::{Cursor, ScheduleStore, StoredSchedule, StoredSchedules};
use headgate_event::{BoxFuture, EventId, StoreError, Timestamp, limits::STORE_RETRY_AFTER};
use headgate_queue::{KeptNote, QueueError, SourceNote, SourceNotes};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

const CURSOR: &str = "cron.cursor";
const SCHEDULE: &str = "cron.schedule";

/// The notes that schedules keep in the state of the queue.
pub(crate) struct Notes(Arc<dyn SourceNotes>);

/// A cursor as it is stored. Members are only ever added.
#[derive(Serialize, Deserialize)]
struct Kept {
    until: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nominal: Option<chrono::NaiveDateTime>,
    #[serde(default, skip_serializing_if = "is_none")]
    fires: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    missed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<EventId>,
    timing: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    removed_at: Option<i64>,
}

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
        match cursors.iter().map(note).collect() {
            Ok(notes) => self.keep(notes),
            Err(error) => Box::pin(async move { Err(error) }),
        }
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
        match note(&cursor) {
            Ok(cursor) => self.keep(vec![schedule, cursor]),
            Err(error) => Box::pin(async move { Err(error) }),
        }
    }

    fn delete_schedule(&self, id: Uuid, cursor: Cursor) -> BoxFuture<'_, Result<(), StoreError>> {
        match note(&cursor) {
            Ok(cursor) => self.keep(vec![of(SCHEDULE, id, None), cursor]),
            Err(error) => Box::pin(async move { Err(error) }),
        }
    }
}

fn of(kind: &'static str, id: Uuid, value: Option<Vec<u8>>) -> SourceNote {
    SourceNote { kind, key: id.as_bytes().to_vec(), value }
}

fn note(cursor: &Cursor) -> Result<SourceNote, StoreError> {
    let kept = Kept {
        until: cursor.until.unix_ms(),
        nominal: cursor.last_nominal,
        fires: cursor.fires,
        missed: cursor.missed,
        event: cursor.last_event,
        timing: cursor.timing,
        paused: cursor.paused,
        disabled: cursor.disabled,
        removed_at: cursor.removed_at.map(Timestamp::unix_ms),
    };
    let value = serde_json::to_vec(&kept).map_err(|error| unreadable("a cursor", error))?;
    Ok(of(CURSOR, cursor.schedule_id, Some(value)))
}

fn cursor((key, value): KeptNote) -> Result<Cursor, StoreError> {
    let kept: Kept = serde_json::from_slice(&value)
        .map_err(|error| unreadable("the cursor of a schedule", error))?;
    Ok(Cursor {
        schedule_id: id(&key)?,
        until: Timestamp::from_unix_ms(kept.until),
        last_nominal: kept.nominal,
        fires: kept.fires,
        missed: kept.missed,
        last_event: kept.event,
        timing: kept.timing,
        paused: kept.paused,
        disabled: kept.disabled,
        removed_at: kept.removed_at.map(Timestamp::from_unix_ms),
    })
}

fn stored((key, value): KeptNote) -> Result<StoredSchedule, StoreError> {
    let definition: Box<RawValue> =
        serde_json::from_slice(&value).map_err(|error| unreadable("a schedule", error))?;
    Ok(StoredSchedule { id: id(&key)?, definition })
}

fn id(key: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(key).map_err(|error| unreadable("the id of a schedule", error))
}

fn is_none(count: &u64) -> bool {
    *count == 0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let id = Uuid::from_u128(7);
        let whole = Cursor {
            schedule_id: id,
            until: Timestamp::from_unix_ms(1_795_219_200_123),
            last_nominal: chrono::NaiveDateTime::parse_from_str(
                "2026-03-08T02:30",
                "%Y-%m-%dT%H:%M",
            )
            .ok(),
            fires: 3,
            missed: 2,
            last_event: Some(EventId::from_parts(Timestamp::from_unix_s(5), 9)),
            timing: u64::MAX,
            paused: true,
            disabled: true,
            removed_at: Some(Timestamp::from_unix_ms(9)),
        };
        let bare = Cursor {
            last_nominal: None,
            fires: 0,
            missed: 0,
            last_event: None,
            paused: false,
            disabled: false,
            removed_at: None,
            ..whole.clone()
        };
        for cursor_before in [whole, bare] {
            let SourceNote { key, value, .. } = note(&cursor_before).expect("written");
            assert_eq!(cursor((key, value.expect("a value"))).expect("read"), cursor_before);
        }
    }
}
