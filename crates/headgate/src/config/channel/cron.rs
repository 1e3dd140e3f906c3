//! A channel of type `cron`, and the `[[channel.schedule]]`s that fire into it.

use crate::{
    config::{Context, section::Section, value::Value},
    schedules::schedule,
};
use headgate_api::ScheduleAsk;
use headgate_cron::{Schedule, ScheduleOrigin};
use headgate_event::Channel;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// The names of the schedules of all channels, by id.
pub(super) type Ids = BTreeMap<Uuid, String>;

/// Reads what belongs to such a channel; notes all that is wrong with it.
pub(super) fn read(
    section: &Section<'_>,
    channel: Option<Channel>,
    ids: &mut Ids,
    context: &Context<'_>,
) -> Option<(Arc<Channel>, Vec<Schedule>)> {
    let sections = section.optional("schedule");
    let sections = sections.map(|value| value.tables("channel.schedule")).unwrap_or_default();
    section.report_unknown(&[]);
    let channel = Arc::new(channel?);
    let schedules: Vec<Option<Schedule>> =
        sections.iter().map(|section| one(section, &channel, ids, context)).collect();
    let schedules: Option<Vec<Schedule>> = schedules.into_iter().collect();
    Some((channel, schedules?))
}

fn one(
    section: &Section<'_>,
    channel: &Arc<Channel>,
    ids: &mut Ids,
    context: &Context<'_>,
) -> Option<Schedule> {
    let ask = definition(section, channel);
    let all_known = section.report_unknown(&[]);
    let made = schedule(&ask?, channel, ScheduleOrigin::Toml, &mut context.calendar.timings());
    let schedule = made.map_err(|wrong| section.wrong(wrong.key, &wrong.text)).ok()?;
    if let Some(other) = ids.insert(schedule.id(), schedule.name().to_owned()) {
        let key = if other == schedule.name() { "name" } else { "id" };
        let text = format!("expected another one, found that of schedule `{other}`");
        section.wrong(key, &text);
        return None;
    }
    all_known.then_some(schedule)
}

/// The keys as they are written; none when one of them has another type.
fn definition(section: &Section<'_>, channel: &Channel) -> Option<ScheduleAsk> {
    let mut right = true;
    let mut text = |key, expected: &str| {
        let value = section.optional(key)?;
        let text = value.moment_text().or_else(|| value.text(expected).map(str::to_owned));
        right &= text.is_some();
        text
    };
    let span = "a duration such as `90s`";
    let moment = "a time such as `2026-12-24T18:00:00Z`";
    let word = "a word";
    let mut ask = ScheduleAsk {
        channel: channel.id.clone(),
        name: text("name", "a name").unwrap_or_default(),
        id: text("id", "a UUID"),
        cron: text("cron", "an expression of five fields"),
        every: text("every", span),
        at: text("at", "a time such as `2026-12-24T18:00`"),
        anchor: text("anchor", moment),
        timezone: text("timezone", "the IANA name of a time zone"),
        dst_gap: text("dst_gap", word),
        dst_fold: text("dst_fold", word),
        catchup: text("catchup", word),
        catchup_window: text("catchup_window", span),
        jitter: text("jitter", span),
        overlap: text("overlap", word),
        overlap_subscription: text("overlap_subscription", "the name of a subscription"),
        start_at: text("start_at", moment),
        end_at: text("end_at", moment),
        ..ScheduleAsk::default()
    };
    let mut part = |key, read: &mut dyn FnMut(&Value<'_>) -> bool| {
        right &= section.optional(key).is_none_or(|value| read(&value));
    };
    part("seconds", &mut |value| {
        ask.seconds = value.truth();
        ask.seconds.is_some()
    });
    part("enabled", &mut |value| {
        ask.enabled = value.truth();
        ask.enabled.is_some()
    });
    part("catchup_limit", &mut |value| {
        ask.catchup_limit = value.integer(1..=u32::MAX);
        ask.catchup_limit.is_some()
    });
    part("max_fires", &mut |value| {
        ask.max_fires = value.integer(1..=u32::MAX).map(u64::from);
        ask.max_fires.is_some()
    });
    part("payload", &mut |value| {
        ask.payload = value.json();
        ask.payload.is_some()
    });
    right.then_some(ask)
}
