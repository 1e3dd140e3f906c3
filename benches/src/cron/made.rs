//! Schedules for the measurements: many names, fewer expressions, some zones.

use anyhow::Result;
use headgate_cron::{
    CronText, DstPolicy, Fields, Schedule, ScheduleOrigin, ScheduleSpec, Timing, Timings, Zones,
};
use headgate_event::{Channel, ChannelType};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Zones of both hemispheres, with and without turns of the clock, one of half an hour.
pub(super) const ZONES: [&str; 8] = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Auckland",
];
/// Days of the generated expressions; with each minute of a day they are some 27,000.
const DAYS: [&str; 19] = [
    "* * *",
    "* * MON",
    "* * TUE",
    "* * WED",
    "* * THU",
    "* * FRI",
    "* * SAT",
    "* * SUN",
    "* * MON-FRI",
    "* * SAT,SUN",
    "1 * *",
    "15 * *",
    "L * *",
    "1,15 * *",
    "1 1 *",
    "1 */3 *",
    "13 * FRI",
    "* 6-8 *",
    "* * 1,3,5",
];
const MINUTES: usize = 24 * 60;

/// Timings in the zones that are built in.
pub(super) fn timings() -> Timings {
    Timings::new(Arc::new(Zones::embedded()))
}

pub(super) fn channel() -> Result<Arc<Channel>> {
    Ok(Arc::new(Channel::new("timers", "Timers", ChannelType::Cron)?))
}

/// Many schedules, made as those of a configuration are. About 27,000 of them differ in when they
/// are due.
pub(super) fn many(count: usize, timings: &mut Timings) -> Result<Vec<Schedule>> {
    let channel = channel()?;
    let rules = timings.rules(headgate_cron::Rules::default());
    (0..count)
        .map(|number| {
            // An odd factor, so that neighbours are not alike.
            let kind = number.wrapping_mul(7_919) % (MINUTES * DAYS.len());
            let (minute, hour, days) = (kind % 60, kind / 60 % 24, DAYS[kind / MINUTES]);
            let name = format!("schedule {number}");
            let id = Schedule::id_of(&channel, &name, None)?;
            let text = CronText {
                expression: &format!("{minute} {hour} {days}"),
                fields: Fields::Five,
                timezone: ZONES[kind % ZONES.len()],
                policy: DstPolicy::default(),
            };
            let timing = timings.cron(text, id)?;
            let rules = Arc::clone(&rules);
            let payload = RawValue::from_string(format!("{{\"number\":{number}}}"))?;
            Ok(Schedule::new(spec(&channel, name, id, timing, rules, payload))?)
        })
        .collect()
}

/// A schedule of a configuration.
pub(super) fn spec(
    channel: &Arc<Channel>,
    name: String,
    id: uuid::Uuid,
    timing: Arc<Timing>,
    rules: Arc<headgate_cron::Rules>,
    payload: Box<RawValue>,
) -> ScheduleSpec {
    ScheduleSpec {
        channel: Arc::clone(channel),
        name,
        id,
        timing,
        payload,
        rules,
        enabled: true,
        origin: ScheduleOrigin::Toml,
    }
}

/// Schedules that are all due at the same times.
pub(super) fn named(
    count: usize,
    timing: &Arc<Timing>,
    rules: &Arc<headgate_cron::Rules>,
) -> Result<Vec<Schedule>> {
    let channel = channel()?;
    (0..count)
        .map(|number| {
            let name = format!("schedule {number}");
            let id = Schedule::id_of(&channel, &name, None)?;
            let (timing, rules) = (Arc::clone(timing), Arc::clone(rules));
            let payload = super::fire::payload()?;
            Ok(Schedule::new(spec(&channel, name, id, timing, rules, payload))?)
        })
        .collect()
}
