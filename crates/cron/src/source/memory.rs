//! A store of schedules in memory, for tests: nothing outlives it.

use super::{ScheduleStore, StoredSchedule, StoredSchedules};
use crate::Cursor;
use headgate_event::{BoxFuture, StoreError};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// A store of schedules in memory, for tests: nothing outlives it.
#[derive(Debug, Default)]
pub struct MemoryScheduleStore {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    cursors: BTreeMap<Uuid, Cursor>,
    schedules: BTreeMap<Uuid, StoredSchedule>,
}

impl MemoryScheduleStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(std::future::ready(Ok(value)))
}

impl ScheduleStore for MemoryScheduleStore {
    fn load(&self) -> BoxFuture<'_, Result<StoredSchedules, StoreError>> {
        let tables = self.tables();
        done(StoredSchedules {
            cursors: tables.cursors.values().cloned().collect(),
            schedules: tables.schedules.values().cloned().collect(),
        })
    }

    fn save_cursors(&self, cursors: Vec<Cursor>) -> BoxFuture<'_, Result<(), StoreError>> {
        let cursors = cursors.into_iter().map(|cursor| (cursor.schedule_id, cursor));
        self.tables().cursors.extend(cursors);
        done(())
    }

    fn forget_cursors(&self, ids: Vec<Uuid>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.tables().cursors.retain(|id, _| !ids.contains(id));
        done(())
    }

    fn save_schedule(
        &self,
        schedule: StoredSchedule,
        cursor: Cursor,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let mut tables = self.tables();
        tables.cursors.insert(cursor.schedule_id, cursor);
        tables.schedules.insert(schedule.id, schedule);
        done(())
    }

    fn delete_schedule(&self, id: Uuid, cursor: Cursor) -> BoxFuture<'_, Result<(), StoreError>> {
        let mut tables = self.tables();
        tables.schedules.remove(&id);
        tables.cursors.insert(cursor.schedule_id, cursor);
        done(())
    }
}
