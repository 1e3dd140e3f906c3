//! The shell around the core: it sleeps, asks what is due, hands the events to the sink, and stores
//! the cursors after that.
//!
//! What is due is decided in [`Ticker`]; nothing here knows a calendar.

mod by_hand;
mod change;
mod error;
mod memory;
mod report;
mod run;
mod store;
mod unsaved;

use crate::{Cursor, Place, ReloadError, Schedule, ScheduleView, Ticker};
pub use by_hand::Backfilled;
pub use change::Backlog;
pub use error::ChangeError;
use headgate_event::{BoxFuture, Clock, EventId, Sink, StoreError, prompt::PromptKey};
pub use memory::MemoryScheduleStore;
use report::Report;
pub use run::Running;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// What the source needs of the program around it.
#[derive(Clone)]
pub struct Ports {
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// Where cursors are kept.
    pub store: Arc<dyn ScheduleStore>,
    /// Who knows what is settled.
    pub unsettled: Arc<dyn Unsettled>,
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
    wake: Notify,
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
        let loaded = core.reload(schedules, ports.clock.now())?;
        let inner = Inner {
            core: Mutex::new(core),
            turn: Arc::new(tokio::sync::Mutex::new(Unsaved::loaded(loaded.moved))),
            wake: Notify::new(),
            report: Report::default(),
            ports,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lets it fire, until the answer is [stopped](Running::stop).
    #[must_use]
    pub fn start(&self) -> Running {
        Running::start(Arc::clone(&self.inner))
    }

    /// All schedules with up to `runs` next runs each, by channel and name.
    #[must_use]
    pub fn list(&self, runs: usize) -> Vec<ScheduleView> {
        self.inner.core().list(runs)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.core().is_empty()
    }

    /// Whether these could take the place of all schedules from the configuration.
    pub fn check(&self, schedules: &[Schedule]) -> Result<(), ReloadError> {
        self.inner.core().check(schedules)
    }

    /// The schedules made over the API that fire into channels which this says are gone.
    #[must_use]
    pub fn made_for(&self, is_gone: impl Fn(&str) -> bool) -> Vec<Arc<Schedule>> {
        self.inner.core().made_for(is_gone)
    }

    /// A page of them; see [`Ticker::page`].
    #[must_use]
    pub fn page(
        &self,
        channel: Option<&str>,
        after: Option<Place<'_>>,
        limit: usize,
        runs: usize,
    ) -> Vec<ScheduleView> {
        self.inner.core().page(channel, after, limit, runs)
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
