//! The calls of the API to schedules.

use super::{
    Calendar, Parked, schedule,
    view::{shown, shown_changed},
};
use crate::failure::chain;
use arc_swap::ArcSwap;
use headgate_api::{
    Filled, Paused, ScheduleAsk, ScheduleFault, ScheduleQuery, ScheduleView, Schedules,
};
use headgate_cron::{Backlog, ChangeError, CronSource, Schedule, ScheduleOrigin};
use headgate_event::{Accepted, BoxFuture, Channel, EventId, StoreError, Timestamp};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use uuid::Uuid;

/// The channels that schedules may fire into, exchanged by a reload.
pub(crate) type CronChannels = Arc<ArcSwap<Vec<Arc<Channel>>>>;

/// The schedules, as the API sees them.
pub(crate) struct Api {
    pub(crate) source: CronSource,
    pub(crate) channels: CronChannels,
    pub(crate) calendar: Calendar,
    pub(crate) parked: Arc<Parked>,
}

impl Api {
    /// The schedule that a caller describes, and the text of it that is kept.
    fn defined(&self, ask: &ScheduleAsk) -> Result<(Schedule, Box<RawValue>), ScheduleFault> {
        let invalid = |text: String| ScheduleFault::Invalid(text);
        let channels = self.channels.load();
        let channel = channels.iter().find(|channel| channel.id == ask.channel);
        let channel = channel.ok_or_else(|| {
            let found: String = ask.channel.chars().take(80).collect();
            invalid(format!("`channel`: expected a channel of type `cron`, found `{found}`"))
        })?;
        let mut timings = self.calendar.timings();
        let schedule = schedule(ask, channel, ScheduleOrigin::Api, &mut timings);
        let schedule = schedule.map_err(|wrong| invalid(wrong.to_string()))?;
        let definition = to_raw_value(ask).map_err(|error| invalid(error.to_string()))?;
        Ok((schedule, definition))
    }
}

impl Schedules for Api {
    fn list(&self, query: ScheduleQuery) -> BoxFuture<'_, Vec<ScheduleView>> {
        let source = self.source.clone();
        // It looks through all of them, and there may be a million.
        let page = tokio::task::spawn_blocking(move || page(&source, &query));
        Box::pin(async move { page.await.unwrap_or_default() })
    }

    fn show(&self, id: &str, runs: usize) -> Option<ScheduleView> {
        self.source.view(id.parse().ok()?, runs).map(shown)
    }

    fn make(&self, ask: ScheduleAsk) -> BoxFuture<'_, Result<ScheduleView, ScheduleFault>> {
        Box::pin(async move {
            let (schedule, definition) = self.defined(&ask)?;
            self.source.create(schedule, definition).await.map(shown_changed).map_err(fault)
        })
    }

    fn change<'a>(
        &'a self,
        id: &'a str,
        mut ask: ScheduleAsk,
    ) -> BoxFuture<'a, Result<ScheduleView, ScheduleFault>> {
        Box::pin(async move {
            let id = known(id)?;
            // It keeps its id under another name too.
            ask.id.get_or_insert_with(|| id.to_string());
            let (schedule, definition) = self.defined(&ask)?;
            let changed = self.source.change(id, schedule, definition).await.map_err(fault)?;
            self.parked.forget(id);
            Ok(shown_changed(changed))
        })
    }

    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), ScheduleFault>> {
        Box::pin(async move {
            let id = known(id)?;
            self.source.delete(id).await.map_err(fault)?;
            self.parked.forget(id);
            Ok(())
        })
    }

    fn pause<'a>(
        &'a self,
        id: &'a str,
        paused: Paused,
    ) -> BoxFuture<'a, Result<ScheduleView, ScheduleFault>> {
        Box::pin(async move {
            let id = known(id)?;
            let changed = match paused {
                Paused::Yes => self.source.pause(id).await,
                Paused::No => self.source.resume(id, Backlog::Drop).await,
                Paused::NoAndCatchUp => self.source.resume(id, Backlog::CatchUp).await,
            };
            changed.map(shown).map_err(fault)
        })
    }

    fn run<'a>(
        &'a self,
        id: &'a str,
        key: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Accepted, ScheduleFault>> {
        Box::pin(async move {
            let id = known(id)?;
            let own = || own_key().map_err(|cause| ScheduleFault::Unavailable { cause });
            let key = key.map_or_else(own, |key| Ok(key.to_owned()))?;
            self.source.run_now(id, &key).await.map_err(fault)
        })
    }

    fn backfill<'a>(
        &'a self,
        id: &'a str,
        (from, to): (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<Filled, ScheduleFault>> {
        Box::pin(async move {
            let made = self.source.backfill(known(id)?, from, to).await.map_err(fault)?;
            Ok(Filled { fired: made.fired, duplicates: made.duplicates })
        })
    }
}

fn page(source: &CronSource, query: &ScheduleQuery) -> Vec<ScheduleView> {
    let after = query
        .after
        .as_ref()
        .and_then(|[channel, name, id]| Some((channel.as_str(), name.as_str(), id.parse().ok()?)));
    let page = source.page(query.channel.as_deref(), after, query.limit, query.runs);
    page.into_iter().map(shown).collect()
}

fn known(id: &str) -> Result<Uuid, ScheduleFault> {
    id.parse().map_err(|_| ScheduleFault::Unknown)
}

/// A key that nobody else has: a run without one is a run of its own.
fn own_key() -> Result<String, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random number: {error}"))?;
    Ok(EventId::from_bytes(bytes).to_string())
}

fn fault(error: ChangeError) -> ScheduleFault {
    match error {
        ChangeError::Unknown { .. } => ScheduleFault::Unknown,
        ChangeError::ReadOnly { .. } => ScheduleFault::Configured(error.to_string()),
        ChangeError::Exists { .. } | ChangeError::Duplicate(_) => {
            ScheduleFault::Exists(error.to_string())
        }
        ChangeError::Store(StoreError::Unavailable { .. }) => {
            ScheduleFault::Unavailable { cause: chain(&error) }
        }
        _ => ScheduleFault::Invalid(chain(&error)),
    }
}
