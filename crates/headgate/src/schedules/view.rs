//! A schedule as the API shows it.

use chrono::{DateTime, SecondsFormat, Utc};
use headgate_api::{ScheduleSource, ScheduleView, ScheduledRun};
use headgate_cron::{NextRun, ScheduleOrigin};
use headgate_event::Timestamp;

/// What the API shows of a schedule.
pub(super) fn shown(view: headgate_cron::ScheduleView) -> ScheduleView {
    let headgate_cron::ScheduleView { schedule, cursor, next } = view;
    ScheduleView {
        id: schedule.id().to_string(),
        name: schedule.name().to_owned(),
        channel: schedule.channel().id.clone(),
        origin: match schedule.origin() {
            ScheduleOrigin::Toml => ScheduleSource::Config,
            ScheduleOrigin::Api => ScheduleSource::Api,
        },
        cron_expr: schedule.timing().expression(),
        timezone: schedule.timing().timezone().to_owned(),
        description: schedule.timing().describe(),
        payload: schedule.payload().to_owned(),
        enabled: schedule.is_enabled(),
        paused: cursor.paused,
        fires: cursor.fires,
        missed_count: cursor.missed,
        dealt_with_until: cursor.until,
        last_event_id: cursor.last_event,
        next: next.iter().map(run).collect(),
        problem: schedule.timing().parked().map(str::to_owned),
        warnings: schedule.timing().doubts(),
    }
}

/// The same of a schedule that was made or changed, which may be due never.
pub(super) fn shown_changed(view: headgate_cron::ScheduleView) -> ScheduleView {
    let mut view = shown(view);
    let may_fire = view.enabled && !view.paused && view.problem.is_none();
    if may_fire && view.next.is_empty() {
        let why = "it never fires: all its times are past, or it has fired as often as it may";
        view.warnings.push(why.to_owned());
    }
    view
}

fn run(run: &NextRun) -> ScheduledRun {
    let occurrence = &run.occurrence;
    ScheduledRun {
        scheduled_at: occurrence.at,
        fires_at: run.due_at,
        local: local(occurrence.at, occurrence.offset),
        dst: occurrence.dst.map(Into::into),
    }
}

fn local(at: Timestamp, offset: chrono::FixedOffset) -> String {
    let utc = DateTime::<Utc>::from_timestamp_millis(at.unix_ms()).unwrap_or_default();
    utc.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, false)
}
