//! The shell around the core: it sleeps, asks what is due, hands the events to the sink, and stores
//! the cursors after that.
//!
//! What is due is decided in [`Ticker`]; nothing here knows a calendar.

mod by_hand;
mod change;
mod error;
mod list;
mod memory;
mod report;
mod run;
mod store;
mod unsaved;

use crate::{Cursor, ReloadError, Schedule, ScheduleView, Ticker};
pub use by_hand::Backfilled;
pub use error::ChangeError;
use headgate_event::{BoxFuture, Clock, Dedupe, EventId, Sink, StoreError, prompt::PromptKey};
pub use memory::MemoryScheduleStore;
use report::Report;
pub use run::Running;
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
pub use store::{ScheduleStore, StoredSchedule, StoredSchedules};
use tokio::sync::Notify;
use unsaved::Unsaved;
use uuid::Uuid;

/// Tells whether an event is still to be settled.
pub trait Unsettled: Send + Sync {
    /// Whether the subscription of this name has yet to settle the event. An unknown subscription
    /// and an event that is gone have not.
    fn is_unsettled<'a>(
        &'a self,
        subscription: &'a str,
        event: EventId,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
}

/// Tells which runs have an event.
pub trait KnownRuns: Send + Sync {
    /// For each of these channels and dedupe keys, in their order, the event that is stored under
    /// it. They are those of runs that are due by the wall clock.
    fn known(
        &self,
        keys: Vec<(String, Dedupe)>,
    ) -> BoxFuture<'_, Result<Vec<Option<EventId>>, StoreError>>;
}

/// What the source needs of the program around it.
#[derive(Clone)]
pub struct Ports {
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// Where cursors are kept.
    pub store: Arc<dyn ScheduleStore>,
    /// Who knows what is settled.
    pub unsettled: Arc<dyn Unsettled>,
    /// Who knows what has fired.
    pub known: Arc<dyn KnownRuns>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Makes the fences of prompts.
    pub prompt_key: PromptKey,
}

/// Fires the schedules of all channels of type `cron`. Cheap to clone.
#[derive(Clone)]
pub struct CronSource {
    inner: Arc<Inner>,
}

struct Inner {
    core: Mutex<Ticker>,
    /// Who holds it is alone with the core: while events of a batch are on their way nothing else
    /// moves a cursor or begins to store one.
    turn: Arc<tokio::sync::Mutex<Unsaved>>,
    /// Who holds it is alone with the schedules: none comes, changes or goes. It is taken before
    /// the turn.
    changing: tokio::sync::Mutex<()>,
    wake: Notify,
    /// Whether the task that fires ended although nobody stopped it.
    has_ended: AtomicBool,
    report: Report,
    ports: Ports,
}

impl CronSource {
    /// A source for these schedules, those from the configuration and those made over the API, that
    /// goes on from the stored cursors. It fires once it is [started](Self::start).
    pub fn new(
        schedules: Vec<Schedule>,
        cursors: Vec<Cursor>,
        ports: Ports,
    ) -> Result<Self, ReloadError> {
        let mut core = Ticker::resuming(cursors);
        let now = ports.clock.now();
        let loaded = core.reload(schedules, now)?;
        let inner = Inner {
            core: Mutex::new(core),
            turn: Arc::new(tokio::sync::Mutex::new(Unsaved::loaded(loaded.moved))),
            changing: tokio::sync::Mutex::new(()),
            wake: Notify::new(),
            has_ended: AtomicBool::new(false),
            report: Report::default(),
            ports,
        };
        inner.report.left_out(&loaded.missed, now);
        inner.report.past(&loaded.past);
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lets it fire, until the answer is [stopped](Running::stop).
    #[must_use]
    pub fn start(&self) -> Running {
        Running::start(Arc::clone(&self.inner))
    }

    /// Whether the task that fires ended although nobody stopped it: nothing fires until the program
    /// is started again, which goes on as after a crash.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.inner.has_ended.load(Ordering::SeqCst)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.core().is_empty()
    }

    /// One schedule with up to `runs` next runs.
    #[must_use]
    pub fn view(&self, id: Uuid, runs: usize) -> Option<ScheduleView> {
        self.inner.core().view(id, runs)
    }
}

impl Inner {
    fn core(&self) -> MutexGuard<'_, Ticker> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

impl fmt::Debug for CronSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CronSource").field("schedules", &self.inner.core().len()).finish()
    }
}
