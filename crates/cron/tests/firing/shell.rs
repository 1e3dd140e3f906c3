//! The task that fires, with a store that fails and a clock that a test moves.

use crate::world::{at, every, schedule, seconds};
use headgate_cron::{
    CronSource, Cursor, KnownRuns, MemoryScheduleStore, Overlap, Ports, Rules, Schedule,
    ScheduleStore, StoredSchedule, StoredSchedules, Unsettled,
};
use headgate_event::{
    Accepted, BoxFuture, Clock, Dedupe, Draft, EventId, Sink, StoreError, Timestamp,
    prompt::PromptKey,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use uuid::Uuid;

/// A wall clock that goes on as the paused time of the test does.
#[derive(Debug)]
pub(crate) struct WallClock {
    start: Timestamp,
    begun: Instant,
    /// Whether who asks for the time panics, as a defect would make it.
    is_broken: Arc<AtomicBool>,
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        assert!(!self.is_broken.load(Ordering::SeqCst), "the clock is broken");
        self.start.plus(self.begun.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// A sink and a store of cursors that fail while they are told to, and note in which order they
/// were called.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) stored: Mutex<BTreeMap<String, EventId>>,
    pub(crate) kept: MemoryScheduleStore,
    pub(crate) calls: Mutex<Vec<String>>,
    pub(crate) sink_fails: AtomicBool,
    pub(crate) store_fails: AtomicBool,
    pub(crate) unsettled: AtomicBool,
    pub(crate) clock_is_broken: Arc<AtomicBool>,
    ids: AtomicU64,
}

fn down() -> StoreError {
    StoreError::Unavailable { reason: "the disk is full".into(), retry_after: seconds(5) }
}

impl World {
    fn note(&self, call: String) {
        self.calls.lock().expect("whole").push(call);
    }

    fn answer<T: Send + 'static>(
        &self,
        fails: &AtomicBool,
        call: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        if fails.load(Ordering::SeqCst) { Err(down()) } else { Ok(call()) }
    }

    fn accepted(&self, draft: &Draft) -> Accepted {
        let key = draft.dedupe.as_ref().expect("a key").key.clone();
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        let id = EventId::from_parts(draft.created_at, u128::from(number));
        let mut stored = self.stored.lock().expect("whole");
        if let Some(first) = stored.get(&key) {
            return Accepted::Duplicate(*first);
        }
        stored.insert(key, id);
        Accepted::New(id)
    }
}

impl Sink for World {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.note(format!("accept {}", drafts.len()));
            let all = || drafts.iter().map(|draft| self.accepted(draft)).collect();
            self.answer(&self.sink_fails, all)
        })
    }
}

impl ScheduleStore for World {
    fn load(&self) -> BoxFuture<'_, Result<StoredSchedules, StoreError>> {
        self.kept.load()
    }

    fn save_cursors(&self, cursors: Vec<Cursor>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.note(format!("save {}", cursors.len()));
        if self.store_fails.load(Ordering::SeqCst) {
            return Box::pin(std::future::ready(Err(down())));
        }
        self.kept.save_cursors(cursors)
    }

    fn forget_cursors(&self, ids: Vec<Uuid>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.kept.forget_cursors(ids)
    }

    fn save_schedule(
        &self,
        schedule: StoredSchedule,
        cursor: Cursor,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        if self.store_fails.load(Ordering::SeqCst) {
            return Box::pin(std::future::ready(Err(down())));
        }
        self.kept.save_schedule(schedule, cursor)
    }

    fn delete_schedule(&self, id: Uuid, cursor: Cursor) -> BoxFuture<'_, Result<(), StoreError>> {
        self.kept.delete_schedule(id, cursor)
    }
}

impl Unsettled for World {
    fn is_unsettled<'a>(
        &'a self,
        _: &'a str,
        _: EventId,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let unsettled = self.unsettled.load(Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(unsettled)))
    }
}

impl KnownRuns for World {
    fn known(
        &self,
        keys: Vec<(String, Dedupe)>,
    ) -> BoxFuture<'_, Result<Vec<Option<EventId>>, StoreError>> {
        let stored = self.stored.lock().expect("whole");
        let found = keys.iter().map(|(_, dedupe)| stored.get(&dedupe.key).copied()).collect();
        Box::pin(std::future::ready(Ok(found)))
    }
}

pub(crate) const START: &str = "2026-01-01T00:00:00Z";

/// A source over a world, at the start.
pub(crate) async fn source(world: &Arc<World>, schedules: Vec<Schedule>, now: &str) -> CronSource {
    let kept = world.load().await.expect("loads");
    let ports = Ports {
        sink: Arc::clone(world) as Arc<dyn Sink>,
        store: Arc::clone(world) as Arc<dyn ScheduleStore>,
        unsettled: Arc::clone(world) as Arc<dyn Unsettled>,
        known: Arc::clone(world) as Arc<dyn KnownRuns>,
        clock: Arc::new(WallClock {
            start: at(now),
            begun: Instant::now(),
            is_broken: Arc::clone(&world.clock_is_broken),
        }),
        prompt_key: PromptKey::new([7; 32]),
    };
    CronSource::new(schedules, kept.cursors, ports).expect("no two are the same")
}

fn minutely() -> Vec<Schedule> {
    vec![schedule("s", &every(60), Rules::default())]
}

async fn until(world: &World) -> Option<Timestamp> {
    let kept = world.load().await.expect("loads");
    kept.cursors.first().map(|cursor| cursor.until)
}

#[tokio::test(start_paused = true)]
async fn an_event_is_stored_first_and_its_cursor_after_it() {
    let world = Arc::new(World::default());
    let running = source(&world, minutely(), START).await.start();
    tokio::time::sleep(Duration::from_millis(60_500)).await;
    running.stop().await;
    let calls = world.calls.lock().expect("whole").clone();
    assert_eq!(calls, ["save 1", "accept 1", "save 1"]);
    assert_eq!(until(&world).await, Some(at("2026-01-01T00:01:00Z")));
}

#[tokio::test(start_paused = true)]
async fn what_the_sink_does_not_take_is_offered_until_it_does_and_no_cursor_moves() {
    let world = Arc::new(World::default());
    let running = source(&world, minutely(), START).await.start();
    world.sink_fails.store(true, Ordering::SeqCst);
    tokio::time::sleep(seconds(100)).await;
    assert_eq!(until(&world).await, Some(at(START)), "the cursor has not moved");
    assert!(world.stored.lock().expect("whole").is_empty());
    world.sink_fails.store(false, Ordering::SeqCst);
    tokio::time::sleep(seconds(30)).await;
    running.stop().await;
    assert_eq!(world.stored.lock().expect("whole").len(), 2, "00:01 and 00:02");
    assert_eq!(until(&world).await, Some(at("2026-01-01T00:02:00Z")));
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_the_sink_is_down_loses_nothing() {
    let world = Arc::new(World::default());
    let running = source(&world, minutely(), START).await.start();
    world.sink_fails.store(true, Ordering::SeqCst);
    tokio::time::sleep(seconds(70)).await;
    running.stop().await;
    world.sink_fails.store(false, Ordering::SeqCst);
    let running = source(&world, minutely(), "2026-01-01T00:01:20Z").await.start();
    tokio::time::sleep(seconds(1)).await;
    running.stop().await;
    assert_eq!(world.stored.lock().expect("whole").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_cursor_was_not_stored_is_known_by_its_key() {
    let world = Arc::new(World::default());
    let running = source(&world, minutely(), START).await.start();
    tokio::time::sleep(seconds(1)).await;
    world.store_fails.store(true, Ordering::SeqCst);
    tokio::time::sleep(seconds(70)).await;
    running.stop().await;
    assert_eq!(until(&world).await, Some(at(START)));
    world.store_fails.store(false, Ordering::SeqCst);
    let running = source(&world, minutely(), "2026-01-01T00:01:20Z").await.start();
    tokio::time::sleep(seconds(1)).await;
    running.stop().await;
    assert_eq!(world.stored.lock().expect("whole").len(), 1, "one event");
    assert_eq!(until(&world).await, Some(at("2026-01-01T00:01:00Z")));
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_minds_leaves_out_what_overlaps() {
    let overlap = Overlap::Skip { subscription: "agent".into() };
    let rules = Rules { overlap, ..Rules::default() };
    let world = Arc::new(World::default());
    let running = source(&world, vec![schedule("s", &every(60), rules)], START).await.start();
    world.unsettled.store(true, Ordering::SeqCst);
    tokio::time::sleep(seconds(200)).await;
    assert_eq!(world.stored.lock().expect("whole").len(), 1, "the first has none before it");
    world.unsettled.store(false, Ordering::SeqCst);
    tokio::time::sleep(seconds(60)).await;
    running.stop().await;
    assert_eq!(world.stored.lock().expect("whole").len(), 2);
}

/// Nobody looked at the task: when it had ended nothing fired, and everything seemed well.
#[tokio::test(start_paused = true)]
async fn a_task_that_ends_early_is_known_to_have_ended() {
    let world = Arc::new(World::default());
    let source = source(&world, minutely(), START).await;
    let running = source.start();
    tokio::time::sleep(seconds(70)).await;
    assert!(!source.has_ended());
    world.clock_is_broken.store(true, Ordering::SeqCst);
    tokio::time::sleep(seconds(70)).await;
    assert!(source.has_ended());
    running.stop().await;

    world.clock_is_broken.store(false, Ordering::SeqCst);
    let stopped = self::source(&world, minutely(), "2026-01-01T00:03:00Z").await;
    stopped.start().stop().await;
    assert!(!stopped.has_ended(), "it was stopped");
}
