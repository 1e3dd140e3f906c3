//! Changes to schedules while they fire: each is stored before it counts.

use super::{ChangeError, CronSource, Inner, StoredSchedule, unsaved::Unsaved};
use crate::{
    Backlog, Cursor, GoesOn, ReloadError, Reloaded, Schedule, ScheduleOrigin, ScheduleView,
};
use headgate_event::{
    Channel, StoreError,
    limits::{SCHEDULE_TURN_WAIT, STORE_RETRY_AFTER},
};
use serde_json::value::RawValue;
use std::{future::Future, sync::Arc};
use tokio::{
    sync::{MutexGuard, OwnedMutexGuard},
    task::{spawn_blocking, yield_now},
    time::timeout,
};
use uuid::Uuid;

/// How many next runs an answer to a change shows.
const RUNS_SHOWN: usize = 5;

impl CronSource {
    /// Puts these in the place of all schedules from the configuration, and lets those made over
    /// the API fire into these channels, where they are other ones of the same id: with another
    /// label. On an error nothing has changed.
    pub async fn reload(
        &self,
        schedules: Vec<Schedule>,
        channels: Vec<Arc<Channel>>,
    ) -> Result<Reloaded, ChangeError> {
        self.apart(|inner| async move {
            // What is due fires meanwhile: that changes no schedule.
            let _changing = inner.changing.lock().await;
            let comparing = Arc::clone(&inner);
            let compare = move || {
                let compared = comparing.compare(&schedules)?;
                Ok(compared.difference(schedules))
            };
            let difference = spawn_blocking(compare).await;
            let difference: Result<_, ReloadError> =
                difference.map_err(|stopped| unavailable(stopped.to_string()))?;
            let difference = difference?;
            // From here on nothing fails: one turn is for both, or what is stored would be in part.
            let mut unsaved = inner.turn().await?;
            let now = inner.ports.clock.now();
            let mut reloaded = inner.core().apply_difference(difference, now);
            // Should they not be saved, the next start finds the same differences.
            unsaved.load(std::mem::take(&mut reloaded.moved));
            for slots in inner.pieces() {
                inner.core().adopt_channels(slots, &channels);
                yield_now().await;
            }
            inner.report.left_out(&reloaded.missed, now);
            inner.report.past(&reloaded.past);
            Ok(reloaded)
        })
        .await
    }

    /// Looks anew when everything is due: the rules of a zone have changed.
    pub async fn zones_changed(&self) -> Result<(), ChangeError> {
        self.apart(|inner| async move {
            let _changing = inner.changing.lock().await;
            for slots in inner.pieces() {
                let _alone = inner.turn().await?;
                inner.core().arm_again(slots);
            }
            Ok(())
        })
        .await
    }

    /// Makes a schedule, which is stored as `definition`.
    pub async fn create(
        &self,
        schedule: Schedule,
        definition: Box<RawValue>,
    ) -> Result<ScheduleView, ChangeError> {
        self.apart(|inner| async move {
            let _alone = inner.alone().await?;
            if let Some(there) = inner.core().schedule(schedule.id()) {
                let name = there.name().to_owned();
                return Err(ChangeError::Exists { id: schedule.id(), name });
            }
            inner.put(schedule, definition).await
        })
        .await
    }

    /// Puts a schedule in the place of the one made over the API that has this id.
    pub async fn change(
        &self,
        id: Uuid,
        schedule: Schedule,
        definition: Box<RawValue>,
    ) -> Result<ScheduleView, ChangeError> {
        self.apart(move |inner| async move {
            let _alone = inner.alone().await?;
            inner.refuse_configured(id)?;
            if schedule.id() != id {
                return Err(ChangeError::OtherId { expected: id, found: schedule.id() });
            }
            inner.put(schedule, definition).await
        })
        .await
    }

    /// Takes away a schedule that was made over the API.
    pub async fn delete(&self, id: Uuid) -> Result<(), ChangeError> {
        self.apart(move |inner| async move {
            let _alone = inner.alone().await?;
            inner.refuse_configured(id)?;
            let now = inner.ports.clock.now();
            let gone = inner.core().removed(id, now);
            let GoesOn { cursor, missed } = gone.ok_or(ChangeError::Unknown { id })?;
            inner.ports.store.delete_schedule(id, cursor).await?;
            inner.core().remove(id, now);
            inner.report.left_out(&missed, now);
            Ok(())
        })
        .await
    }

    /// Puts schedules in the place of those of their ids that are parked: what was missing is back.
    /// Those that are not parked any more stay as they are. Answers how many it put.
    pub async fn revive(&self, schedules: Vec<Schedule>) -> Result<usize, ChangeError> {
        self.apart(move |inner| async move {
            let (_changing, mut unsaved) = inner.alone().await?;
            let now = inner.ports.clock.now();
            let mut revived = 0;
            for schedule in schedules {
                let mut core = inner.core();
                let there = core.schedule(schedule.id());
                if there.is_some_and(|there| there.timing().parked().is_some()) {
                    let put = core.put(schedule, now)?;
                    unsaved.extend(put.moved);
                    inner.report.left_out(&put.missed, now);
                    revived += 1;
                }
            }
            Ok(revived)
        })
        .await
    }

    /// Lets a schedule fire no more until it is resumed, wherever it comes from.
    pub async fn pause(&self, id: Uuid) -> Result<ScheduleView, ChangeError> {
        self.apart(move |inner| async move {
            let _alone = inner.alone().await?;
            let cursor = inner.core().paused(id, inner.ports.clock.now());
            inner.go_on_from(cursor.ok_or(ChangeError::Unknown { id })?).await
        })
        .await
    }

    /// Lets a paused schedule fire again.
    pub async fn resume(&self, id: Uuid, backlog: Backlog) -> Result<ScheduleView, ChangeError> {
        self.apart(move |inner| async move {
            let _alone = inner.alone().await?;
            let now = inner.ports.clock.now();
            let resumed = inner.core().resumed(id, backlog, now);
            let GoesOn { cursor, missed } = resumed.ok_or(ChangeError::Unknown { id })?;
            let view = inner.go_on_from(cursor).await?;
            inner.report.left_out(&missed, now);
            Ok(view)
        })
        .await
    }

    /// Does something to its end, also when nobody waits for it any more: what is stored must not
    /// differ from what fires.
    pub(super) async fn apart<T, F>(
        &self,
        work: impl FnOnce(Arc<Inner>) -> F,
    ) -> Result<T, ChangeError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ChangeError>> + Send + 'static,
    {
        let done = tokio::spawn(work(Arc::clone(&self.inner))).await;
        self.inner.wake.notify_one();
        done.unwrap_or_else(|stopped| Err(unavailable(stopped.to_string()).into()))
    }
}

impl Inner {
    /// Waits until no other change is made, and no batch is on its way.
    async fn alone(&self) -> Result<(MutexGuard<'_, ()>, OwnedMutexGuard<Unsaved>), ChangeError> {
        let alone = async { Ok((self.changing.lock().await, self.turn().await?)) };
        timeout(SCHEDULE_TURN_WAIT, alone).await.unwrap_or_else(|_| Err(waits()))
    }

    /// Waits until no batch is on its way and no cursor is being stored, and keeps the next ones
    /// waiting: what a change stores must not be overwritten by what was before it.
    async fn turn(&self) -> Result<OwnedMutexGuard<Unsaved>, ChangeError> {
        let turn = async {
            let mut unsaved = Arc::clone(&self.turn).lock_owned().await;
            // One that failed is offered again, as it is after the change.
            let _ = unsaved.finish().await;
            unsaved
        };
        timeout(SCHEDULE_TURN_WAIT, turn).await.map_err(|_| waits())
    }

    fn refuse_configured(&self, id: Uuid) -> Result<(), ChangeError> {
        match self.core().schedule(id) {
            None => Err(ChangeError::Unknown { id }),
            Some(there) if there.origin() == ScheduleOrigin::Toml => {
                Err(ChangeError::ReadOnly { name: there.name().to_owned() })
            }
            Some(_) => Ok(()),
        }
    }

    async fn put(
        &self,
        schedule: Schedule,
        definition: Box<RawValue>,
    ) -> Result<ScheduleView, ChangeError> {
        if schedule.origin() == ScheduleOrigin::Toml {
            return Err(ChangeError::ReadOnly { name: schedule.name().to_owned() });
        }
        let (id, now) = (schedule.id(), self.ports.clock.now());
        let cursor = self.core().cursor_for(&schedule, now);
        self.ports.store.save_schedule(StoredSchedule { id, definition }, cursor).await?;
        let put = self.core().put(schedule, now)?;
        self.report.left_out(&put.missed, now);
        self.core().view(id, RUNS_SHOWN).ok_or(ChangeError::Unknown { id })
    }

    async fn go_on_from(&self, cursor: Cursor) -> Result<ScheduleView, ChangeError> {
        let id = cursor.schedule_id;
        self.ports.store.save_cursors(vec![cursor.clone()]).await?;
        self.core().apply(cursor);
        self.core().view(id, RUNS_SHOWN).ok_or(ChangeError::Unknown { id })
    }
}

fn waits() -> ChangeError {
    unavailable("events of schedules wait for it".to_owned()).into()
}

fn unavailable(reason: String) -> StoreError {
    StoreError::Unavailable { reason, retry_after: STORE_RETRY_AFTER }
}
