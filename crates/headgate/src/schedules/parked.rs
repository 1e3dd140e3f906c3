//! Schedules that were made over the API and cannot fire any more: their channel is not configured,
//! or their time zone is not known. They are kept with all that is stored of them, shown with the
//! reason, and go on where they were as soon as what is missing is there.

use super::{Calendar, schedule};
use headgate_api::ScheduleAsk;
use headgate_cron::{Parked as Timing, Rules, Schedule, ScheduleOrigin, ScheduleSpec};
use headgate_cron::{StoredSchedule, StoredSchedules};
use headgate_event::{Channel, ChannelType};
use metrics::gauge;
use serde_json::{Value, value::RawValue};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// The definitions of schedules that are parked.
#[derive(Default)]
pub(crate) struct Parked(Mutex<BTreeMap<Uuid, StoredSchedule>>);

impl Parked {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Uuid, StoredSchedule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn park(&self, stored: &StoredSchedule) {
        self.all().insert(stored.id, stored.clone());
        self.tell();
    }

    /// One is gone, or is another one now.
    pub(crate) fn forget(&self, id: Uuid) {
        self.all().remove(&id);
        self.tell();
    }

    /// Those of which nothing is missing any more.
    pub(crate) fn whole(&self, channels: &[Arc<Channel>], calendar: &Calendar) -> Vec<Schedule> {
        let stored: Vec<StoredSchedule> = self.all().values().cloned().collect();
        stored.iter().filter_map(|it| made(it, channels, calendar).ok()).collect()
    }

    /// Says how many there are.
    pub(crate) fn tell(&self) {
        gauge!("headgate_cron_parked").set(self.all().len() as f64);
    }
}

/// The schedules that were made over the API. Those of which something is missing are parked; the
/// ones that the configuration takes the place of are left out, and stay stored.
pub(crate) fn brought_back(
    stored: &StoredSchedules,
    configured: &BTreeSet<Uuid>,
    channels: &[Arc<Channel>],
    calendar: &Calendar,
    parked: &Parked,
) -> Vec<Schedule> {
    let timings: HashMap<Uuid, u64> =
        stored.cursors.iter().map(|cursor| (cursor.schedule_id, cursor.timing)).collect();
    let mut schedules = Vec::with_capacity(stored.schedules.len());
    for definition in &stored.schedules {
        let id = definition.id;
        let told = |why: &str| {
            tracing::error!(schedule = %id, why, "a schedule made over the API cannot fire");
        };
        if configured.contains(&id) {
            told("the configuration has one with the same id, or the same channel and name");
            continue;
        }
        schedules.extend(made(definition, channels, calendar).or_else(|why| {
            told(&why);
            parked.park(definition);
            let timing = timings.get(&id).copied().unwrap_or_default();
            without(definition, channels, timing, &why).ok_or(why)
        }));
    }
    parked.tell();
    schedules
}

/// A schedule as it was made over the API, or why it is none any more.
fn made(
    stored: &StoredSchedule,
    channels: &[Arc<Channel>],
    calendar: &Calendar,
) -> Result<Schedule, String> {
    let ask: Result<ScheduleAsk, _> = serde_json::from_str(stored.definition.get());
    let mut ask = ask.map_err(|error| error.to_string())?;
    ask.id.get_or_insert_with(|| stored.id.to_string());
    let channel = channels.iter().find(|channel| channel.id == ask.channel);
    let channel = channel
        .ok_or_else(|| format!("channel `{}` of type `cron` is not configured", ask.channel))?;
    let made = schedule(&ask, channel, ScheduleOrigin::Api, &mut calendar.timings());
    made.map_err(|wrong| wrong.to_string())
}

/// The same as a schedule that is never due, with what can be read of it.
fn without(
    stored: &StoredSchedule,
    channels: &[Arc<Channel>],
    fingerprint: u64,
    why: &str,
) -> Option<Schedule> {
    let known: Value = serde_json::from_str(stored.definition.get()).unwrap_or_default();
    let text = |key: &str| known.get(key).and_then(Value::as_str);
    let expression = match (text("cron"), text("every"), text("at")) {
        (Some(cron), ..) => cron.to_owned(),
        (_, Some(every), _) => format!("every {every}"),
        (_, _, Some(at)) => format!("at {at}"),
        _ => "unknown".to_owned(),
    };
    let timing = Timing::new((&expression, text("timezone").unwrap_or("UTC")), fingerprint, why);
    let payload = known.get("payload").unwrap_or(&Value::Null).to_string();
    let spec = ScheduleSpec {
        channel: channel(text("channel").unwrap_or_default(), channels)?,
        name: text("name").map_or_else(|| stored.id.to_string(), str::to_owned),
        id: stored.id,
        timing: Arc::new(headgate_cron::Timing::Parked(timing)),
        payload: RawValue::from_string(payload).ok()?,
        rules: Arc::new(Rules::default()),
        enabled: known.get("enabled").and_then(Value::as_bool).unwrap_or(true),
        origin: ScheduleOrigin::Api,
    };
    let name = stored.id.to_string();
    Schedule::new(spec.clone()).or_else(|_| Schedule::new(ScheduleSpec { name, ..spec })).ok()
}

/// The channel of this id, also when it is not configured.
fn channel(id: &str, channels: &[Arc<Channel>]) -> Option<Arc<Channel>> {
    let configured = channels.iter().find(|channel| channel.id == id).cloned();
    configured.or_else(|| {
        let missing = Channel::new(id, id, ChannelType::Cron);
        missing
            .or_else(|_| Channel::new("missing", "missing", ChannelType::Cron))
            .ok()
            .map(Arc::new)
    })
}
