//! The schedules in the running gateway: brought together from the configuration and the state,
//! fired, reloaded, and given new rules of time zones when the system has them.

use crate::{
    config::{Channels, Config},
    failure::chain,
    schedules::{Api, Calendar, CronChannels, Deliveries, Notes, Parked, Stored, brought_back},
    serve::storage::Storage,
};
use anyhow::Context;
use arc_swap::ArcSwap;
use headgate_api::{ChannelReadiness, Schedules, ZonesView};
use headgate_cron::{ChangeError, CronSource, Overlap, Ports, Running, Schedule, ScheduleStore};
use headgate_event::{
    Channel, Clock,
    limits::{ZONES_LOOK_EVERY, ZONES_RETRY_AFTER},
};
use headgate_queue::Queue;
use metrics::gauge;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// The schedules in the running gateway. Clones are the same.
#[derive(Clone)]
pub(super) struct Timers {
    source: CronSource,
    channels: CronChannels,
    calendar: Calendar,
    clock: Arc<dyn Clock>,
    queue: Arc<dyn Queue>,
    /// Whether schedules have yet to be told that the rules of a zone changed.
    untold: Arc<AtomicBool>,
    /// Schedules made over the API of which something is missing.
    parked: Arc<Parked>,
    /// A reload could not read the zone data anew, which is to be done soon.
    renew_later: Arc<Notify>,
}

impl Timers {
    /// The schedules of the configuration and those made over the API, where they had come to.
    pub(super) async fn open(
        config: &Config,
        storage: &Storage,
        calendar: &Calendar,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let store = Arc::new(Notes::new(Arc::clone(&storage.embedded) as _));
        let stored = store.load().await.context("cannot read how far schedules have come")?;
        let mut schedules = config.channels.schedules.clone();
        let channels = &config.channels.cron;
        let configured: BTreeSet<Uuid> = schedules.iter().map(Schedule::id).collect();
        let parked = Arc::new(Parked::default());
        schedules.extend(brought_back(&stored, &configured, channels, calendar, &parked));
        let ports = Ports {
            sink: Arc::clone(&storage.sink),
            store,
            unsettled: Arc::new(Deliveries(Arc::clone(&storage.embedded))),
            known: Arc::new(Stored {
                queue: Arc::clone(&storage.embedded),
                clock: Arc::clone(clock),
            }),
            clock: Arc::clone(clock),
            prompt_key: storage.prompt_key.clone(),
        };
        let source = CronSource::new(schedules, stored.cursors, ports)?;
        let channels = Arc::new(ArcSwap::from_pointee(channels.clone()));
        let (calendar, clock) = (calendar.clone(), Arc::clone(clock));
        let queue = Arc::clone(&storage.queue);
        let (untold, renew_later) = (Arc::default(), Arc::default());
        let timers = Self { source, channels, calendar, clock, queue, untold, parked, renew_later };
        timers.tell_zones();
        timers.tell_overlaps(&config.channels.schedules).await;
        Ok(timers)
    }

    /// Lets them fire, and looks for new zone data now and then.
    pub(super) fn start(&self) -> Firing {
        let timers = self.clone();
        let zones = tokio::spawn(async move {
            let mut wait = ZONES_LOOK_EVERY;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = timers.renew_later.notified() => {
                        wait = ZONES_RETRY_AFTER;
                        continue;
                    }
                }
                wait = timers.look_for_zones().await;
            }
        });
        Firing { running: self.source.start(), zones }
    }

    /// The schedules, as the API sees them.
    pub(super) fn api(&self) -> Arc<dyn Schedules> {
        Arc::new(Api {
            source: self.source.clone(),
            channels: Arc::clone(&self.channels),
            calendar: self.calendar.clone(),
            parked: Arc::clone(&self.parked),
        })
    }

    /// Which zone data counts, as the API shows it.
    pub(super) fn zones(&self) -> Arc<dyn Fn() -> ZonesView + Send + Sync> {
        let timers = self.clone();
        Arc::new(move || {
            let (data, now) = (timers.calendar.zones.data(), timers.clock.now());
            ZonesView {
                version: data.version.map(|version| version.to_string()),
                origin: data.origin.to_string(),
                age_days: data.age_days(now),
                stale: data.is_stale(now),
            }
        })
    }

    /// The channels into which nothing fires any more, because the task that fires has ended.
    pub(super) fn silent(&self) -> Vec<ChannelReadiness> {
        let why = "nothing fires: the task of schedules ended early; start the gateway again";
        let channels = self.channels.load();
        let ended = channels.iter().filter(|_| self.source.has_ended());
        let silent = |channel: &Arc<Channel>| ChannelReadiness {
            id: channel.id.clone(),
            ready: false,
            reason: Some(why.to_owned()),
        };
        ended.map(silent).collect()
    }

    /// What keeps these channels from taking the place of those there are.
    pub(super) fn check(&self, channels: &Channels) -> Vec<String> {
        let gone = |id: &str| !channels.cron.iter().any(|channel| channel.id == id);
        let told = |schedule: &Schedule| {
            let (id, name) = (&schedule.channel().id, schedule.name());
            format!("channel `{id}`: schedule `{name}`, made over the API, fires into it")
        };
        let mut wrong: Vec<String> = self.source.made_for(gone).iter().map(told).collect();
        wrong.extend(self.source.check(&channels.schedules).err().map(|error| error.to_string()));
        wrong
    }

    /// Puts the schedules of a configuration in the place of those from the one before. On an error
    /// nothing has changed: what comes afterwards and cannot be done at once is done later.
    pub(super) async fn reload(
        &self,
        channels: Vec<Arc<Channel>>,
        schedules: Vec<Schedule>,
    ) -> Result<(), ChangeError> {
        self.tell_overlaps(&schedules).await;
        let reloaded = self.source.reload(schedules, channels.clone()).await?;
        self.channels.store(Arc::new(channels));
        let (added, changed) = (reloaded.added, reloaded.changed);
        let (removed, unchanged) = (reloaded.removed, reloaded.unchanged);
        tracing::info!(added, changed, removed, unchanged, "schedules are reloaded");
        if let Err(error) = self.revive().await {
            tell_not_renewed(&error);
            self.renew_later.notify_one();
        }
        self.calendar.timings().forget_unused();
        Ok(())
    }

    /// Reads the zone data anew, whatever becomes of the configuration that is read after it.
    pub(super) async fn look_for_zones(&self) -> Duration {
        match self.renew_zones().await {
            Ok(()) => ZONES_LOOK_EVERY,
            Err(error) => {
                tell_not_renewed(&error);
                // Whoever looked, it is looked at again soon.
                self.renew_later.notify_one();
                ZONES_RETRY_AFTER
            }
        }
    }

    /// Reads the zone data anew; what is due by other rules is found anew.
    async fn renew_zones(&self) -> Result<(), ChangeError> {
        let calendar = self.calendar.clone();
        let reading = move || {
            calendar.zones.reload();
            calendar.timings().renew()
        };
        let changed = tokio::task::spawn_blocking(reading).await.unwrap_or(false);
        self.tell_zones();
        if changed {
            tracing::info!(zones = %self.calendar.zones.data(), "the rules of a time zone changed");
            self.untold.store(true, Ordering::SeqCst);
        }
        // Also what could not be told before: the data is the same when it is read once more.
        if self.untold.load(Ordering::SeqCst) {
            self.source.zones_changed().await?;
            self.untold.store(false, Ordering::SeqCst);
        }
        self.revive().await
    }

    /// Lets those go on of which nothing is missing any more.
    async fn revive(&self) -> Result<(), ChangeError> {
        let whole = self.parked.whole(&self.channels.load(), &self.calendar);
        if whole.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = whole.iter().map(Schedule::id).collect();
        let revived = self.source.revive(whole).await?;
        ids.into_iter().for_each(|id| self.parked.forget(id));
        tracing::info!(revived, "schedules made over the API go on: what was missing is there");
        Ok(())
    }

    /// Warns of schedules that wait for a subscription that does not exist: they never would.
    async fn tell_overlaps(&self, schedules: &[Schedule]) {
        let waits = |schedule: &Schedule| match &schedule.rules().overlap {
            Overlap::Skip { subscription } => Some(subscription.to_string()),
            Overlap::Allow => None,
        };
        let named: BTreeSet<String> = schedules.iter().filter_map(waits).collect();
        if named.is_empty() {
            return;
        }
        let Ok(known) = self.queue.subscriptions().await else { return };
        let is_known = |name: &&String| known.iter().any(|status| status.spec.name == **name);
        for subscription in named.iter().filter(|name| !is_known(name)) {
            tracing::warn!(
                subscription,
                "schedules with `overlap = \"skip\"` look at a subscription that does not exist: \
                 none of them is ever left out"
            );
        }
    }

    /// Says how old the zone data is, and warns when it is too old.
    fn tell_zones(&self) {
        let (data, now) = (self.calendar.zones.data(), self.clock.now());
        gauge!("headgate_cron_zones_age_seconds")
            .set(data.released_by.map_or(f64::NAN, |released| now.since(released).as_secs_f64()));
        if data.is_stale(now) && !self.source.is_empty() {
            tracing::warn!(
                zones = %data,
                "the time zone data is old: schedules may be due at the wrong hour; update the \
                 system's tzdata"
            );
        }
    }
}

fn tell_not_renewed(error: &ChangeError) {
    let error = chain(error);
    tracing::warn!(error, "schedules do not know the new zone data, or what is back, yet");
}

/// The schedules while they fire.
pub(super) struct Firing {
    running: Running,
    zones: tokio::task::JoinHandle<()>,
}

impl Firing {
    /// Finishes what is under way, unless it takes longer than this; then the next start does.
    pub(super) async fn stop(self, within: Duration) {
        self.zones.abort();
        if tokio::time::timeout(within, self.running.stop()).await.is_err() {
            tracing::warn!("schedules did not stop in time: the next start goes on with them");
        }
    }
}
