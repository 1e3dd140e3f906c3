//! The embedded queue around a source of schedules, with notes of how late events were stored.

use anyhow::Result;
use headgate_cron::{Cursor, Ports, ScheduleStore, StoredSchedule, StoredSchedules, Unsettled};
use headgate_event::{
    Accepted, BoxFuture, Clock, Draft, EventId, Sink, StoreError, Timestamp,
    limits::STORE_RETRY_AFTER, prompt::PromptKey,
};
use headgate_queue::{Embedded, EmbeddedOptions, Queue, SourceNote, SourceNotes};
use std::{
    path::Path,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

const KIND: &str = "cron.cursor";

/// An open queue and what a source needs of it.
pub(super) struct Opened {
    pub(super) ports: Ports,
    pub(super) stored: Arc<Stored>,
    queue: Arc<Embedded>,
}

/// How late events were stored, in microseconds.
#[derive(Default)]
pub(super) struct Stored {
    late: Mutex<Vec<u64>>,
    count: AtomicUsize,
}

#[derive(Debug)]
struct SystemClock;
struct Measured(Arc<Embedded>, Arc<Stored>);
struct Kept(Arc<Embedded>);
struct NoneUnsettled;

impl Opened {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let options = EmbeddedOptions::default();
        let queue = Arc::new(Embedded::open(&folder.join("data"), Arc::clone(&clock), options)?);
        let stored = Arc::new(Stored::default());
        let ports = Ports {
            sink: Arc::new(Measured(Arc::clone(&queue), Arc::clone(&stored))),
            store: Arc::new(Kept(Arc::clone(&queue))),
            unsettled: Arc::new(NoneUnsettled),
            clock,
            prompt_key: PromptKey::new([7; 32]),
        };
        Ok(Self { ports, stored, queue })
    }

    /// The cursors that are stored.
    pub(super) async fn cursors(&self) -> Result<Vec<Cursor>> {
        Ok(self.ports.store.load().await?.cursors)
    }

    /// Waits until so many cursors are stored.
    pub(super) async fn kept(&self, count: usize) {
        while self.queue.notes(KIND).await.map_or(0, |notes| notes.len()) < count {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) async fn close(self) {
        let Self { ports, queue, .. } = self;
        drop(ports);
        queue.close().await;
    }
}

impl Stored {
    /// How late each was, since the last call.
    pub(super) fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "a benchmark has its own clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        FIRST.elapsed()
    }
}

/// How late a draft was when it was made, in milliseconds, as its data says.
fn late_ms(draft: &Draft) -> u64 {
    let data: serde_json::Value = serde_json::from_str(draft.data.parts().0).unwrap_or_default();
    data["late_by_ms"].as_u64().unwrap_or_default()
}

impl Sink for Measured {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        Box::pin(async move {
            let late: Vec<u64> = drafts.iter().map(late_ms).collect();
            let started = Instant::now();
            let accepted = self.0.accept(drafts).await?;
            let span = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mut all = self.1.late.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(late.iter().map(|late| late * 1_000 + span));
            let fresh = accepted.iter().filter(|one| matches!(one, Accepted::New(_))).count();
            self.1.count.fetch_add(fresh, Ordering::SeqCst);
            Ok(accepted)
        })
    }
}

impl Unsettled for NoneUnsettled {
    fn is_unsettled<'a>(
        &'a self,
        _: &'a str,
        _: EventId,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(std::future::ready(Ok(false)))
    }
}

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable { reason: error.to_string(), retry_after: STORE_RETRY_AFTER }
}

impl ScheduleStore for Kept {
    fn load(&self) -> BoxFuture<'_, Result<StoredSchedules, StoreError>> {
        Box::pin(async move {
            let notes = self.0.notes(KIND).await.map_err(unavailable)?;
            let cursors = notes.iter().map(|(key, value)| Cursor::from_bytes(key, value));
            let cursors = cursors.collect::<Result<_, _>>().map_err(unavailable)?;
            Ok(StoredSchedules { cursors, schedules: Vec::new() })
        })
    }

    fn save_cursors(&self, cursors: Vec<Cursor>) -> BoxFuture<'_, Result<(), StoreError>> {
        let note = |cursor: &Cursor| {
            let (key, value) = cursor.to_bytes();
            SourceNote { kind: KIND, key, value: Some(value) }
        };
        let notes = cursors.iter().map(note).collect();
        Box::pin(async move { self.0.keep_notes(notes).await.map_err(unavailable) })
    }

    fn forget_cursors(&self, _: Vec<Uuid>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn save_schedule(&self, _: StoredSchedule, _: Cursor) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn delete_schedule(&self, _: Uuid, _: Cursor) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
