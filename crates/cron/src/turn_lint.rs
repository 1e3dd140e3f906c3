//! Warnings before they come true: fixed times that a coming turn of the wall clock touches.

use crate::{
    CivilTimes, DstMark, DstPolicy, FiringClass, Occurrence, Turn, ZoneRules, next_occurrence,
    zone::{civil_of, civil_seconds},
};
use chrono::NaiveDateTime;
use headgate_event::{
    Timestamp,
    limits::{DST_GAP_S_MAX, TURNS_AHEAD},
};
use std::fmt;

/// A fixed time that does not exist on a coming day, or comes twice, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnLint {
    /// The first civil time that the turn touches.
    pub civil: NaiveDateTime,
    /// The turn.
    pub turn: Turn,
    /// What it comes to; nothing when it is skipped.
    pub due: Vec<Occurrence>,
}

/// The coming turns, within 13 months of `now`, that touch fixed times of a schedule, in order.
///
/// One lint a turn, for the first time that it touches. Intervals have none: they follow elapsed
/// time, whatever the clock shows.
#[must_use]
pub fn turn_lints(
    times: &dyn CivilTimes,
    zone: &dyn ZoneRules,
    policy: DstPolicy,
    now: Timestamp,
) -> Vec<TurnLint> {
    if times.class() == FiringClass::Interval {
        return Vec::new();
    }
    let turns = zone.turns(now, now.plus(TURNS_AHEAD));
    turns.into_iter().filter_map(|turn| lint(times, zone, policy, turn)).collect()
}

fn lint(
    times: &dyn CivilTimes,
    zone: &dyn ZoneRules,
    policy: DstPolicy,
    turn: Turn,
) -> Option<TurnLint> {
    let (before, after) = (civil_seconds(turn.civil_before()), civil_seconds(turn.civil_after()));
    let (opens, closes) = (before.min(after), before.max(after));
    let civil = times.next_after(civil_of(opens - 1)).filter(|at| civil_seconds(*at) < closes)?;
    // All that becomes of it is due within the length of the turn of it, before or after.
    let reach = std::time::Duration::from_secs((closes - opens).unsigned_abs() + 1);
    let mut due = Vec::new();
    let mut cursor = turn.at.minus(reach);
    while let Some(next) = next_occurrence(times, zone, policy, cursor) {
        cursor = next.at;
        if next.at > turn.at.plus(reach) || due.len() > 1 {
            break;
        }
        if next.dst.is_some() && next.nominal.contains(&civil) {
            due.push(next);
        } else if due.is_empty() && next.at >= turn.at.plus(reach) {
            break;
        }
    }
    Some(TurnLint { civil, turn, due })
}

impl fmt::Display for TurnLint {
    /// `02:30 on 2026-03-08 does not exist (the clock goes from 02:00 to 03:00): due at 03:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.turn.civil_before(), self.turn.civil_after());
        let what = if self.turn.forward_s() > 0 { "does not exist" } else { "comes twice" };
        write!(f, "{} on {} {what} ", self.civil.format("%H:%M:%S"), self.civil.date())?;
        match self.turn.forward_s() > DST_GAP_S_MAX {
            true => write!(f, "(the clock goes from {from} to {to}): ")?,
            false => write!(f, "(the clock goes from {} to {}): ", from.time(), to.time())?,
        }
        if self.due.is_empty() {
            return f.write_str("skipped");
        }
        for (index, due) in self.due.iter().enumerate() {
            let local = civil_of(due.at.unix_s() + i64::from(due.offset.local_minus_utc()));
            let lead = if index == 0 { "due at" } else { " and at" };
            write!(f, "{lead} {} {}{}", local.time(), due.offset, pass(due.dst))?;
        }
        Ok(())
    }
}

const fn pass(mark: Option<DstMark>) -> &'static str {
    match mark {
        Some(DstMark::FirstPass) => ", the first time",
        Some(DstMark::SecondPass) => ", the second time",
        Some(DstMark::Gap) | None => "",
    }
}
