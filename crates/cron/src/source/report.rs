//! What the operator sees of firing: metrics, and a line of the log for what did not fire.

use crate::{Batch, ClockReset, Missed, Outcome, Settled};
use headgate_event::{
    Timestamp,
    limits::{MISSED_LOG_EVERY, MISSED_LOG_SCHEDULES_MAX},
};
use metrics::{counter, histogram};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tracing::warn;
use uuid::Uuid;

/// Tells what fired and what did not. A schedule that misses all the time has a line a minute.
#[derive(Debug, Default)]
pub(super) struct Report {
    logged: Mutex<HashMap<Uuid, Logged>>,
}

/// The last line of a schedule, and what it missed since.
#[derive(Debug)]
struct Logged {
    at: Timestamp,
    since: u64,
}

impl Report {
    /// Tells of a batch whose events are stored.
    pub(super) fn batch(&self, batch: &Batch, settled: &Settled, outcomes: &[Outcome]) {
        for (firing, outcome) in batch.firings.iter().zip(outcomes) {
            if matches!(outcome, Outcome::Stored(_)) {
                let channel = firing.schedule.channel().id.clone();
                counter!("headgate_cron_fired_total", "channel" => channel).increment(1);
                let late = firing.fired_at.since(firing.due_at);
                histogram!("headgate_cron_late_seconds").record(late);
            }
        }
        let now = batch.now;
        batch.missed.iter().chain(&settled.missed).for_each(|missed| self.missed(missed, now));
        batch.reset.iter().for_each(reset);
    }

    fn missed(&self, missed: &Missed, now: Timestamp) {
        let (schedule, why) = (&missed.schedule, missed.why.as_str());
        let channel = schedule.channel().id.clone();
        counter!("headgate_cron_missed_total", "channel" => channel, "why" => why)
            .increment(missed.count);
        let Some(before) = self.turn_of(missed, now) else { return };
        warn!(
            schedule = schedule.name(),
            id = %schedule.id(),
            channel = schedule.channel().id,
            why,
            count = missed.count,
            at_least = missed.at_least,
            first = %missed.first,
            last = %missed.last,
            not_logged_before = before,
            "cron.missed"
        );
    }

    /// Whether a line is to be written, and how much was missed since the last one.
    fn turn_of(&self, missed: &Missed, now: Timestamp) -> Option<u64> {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= MISSED_LOG_SCHEDULES_MAX {
            logged.retain(|_, line| now.since(line.at) < MISSED_LOG_EVERY);
        }
        let id = missed.schedule.id();
        if let Some(line) = logged.get_mut(&id)
            && now.since(line.at) < MISSED_LOG_EVERY
            && line.at <= now
        {
            line.since = line.since.saturating_add(missed.count);
            return None;
        }
        let before = logged.remove(&id).map_or(0, |line| line.since);
        if logged.len() < MISSED_LOG_SCHEDULES_MAX {
            logged.insert(id, Logged { at: now, since: 0 });
        }
        Some(before)
    }
}

fn reset(reset: &ClockReset) {
    counter!("headgate_cron_clock_resets_total").increment(1);
    warn!(
        schedules = reset.moved.len(),
        furthest = %reset.furthest,
        now = %reset.now,
        "cron.reset: the wall clock was set back by hours; schedules that were ahead begin anew"
    );
}
