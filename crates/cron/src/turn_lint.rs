//! Warnings before they come true: fixed times that a coming turn of the wall clock touches.

use crate::{
    CivilTimes, DstMark, DstPolicy, FiringClass, Occurrence, Turn, ZoneRules, next_occurrence,
    zone::{civil_of, civil_seconds},
};
use chrono::{NaiveDateTime, Timelike};
use headgate_event::{
    Timestamp,
    limits::{DST_GAP_S_MAX, TURNS_AHEAD},
};
use std::{fmt, time::Duration};

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
    if turn.forward_s() > DST_GAP_S_MAX {
        return Some(TurnLint { civil, turn, due: Vec::new() });
    }
    // What becomes of it is due no further from the turn than the turn is long.
    let reach = Duration::from_secs((closes - opens).unsigned_abs() + 1);
    let next = |after: Timestamp| next_occurrence(times, zone, policy, after);
    let due = std::iter::successors(next(turn.at.minus(reach)), |last| next(last.at))
        .take_while(|next| next.at <= turn.at.plus(reach))
        .filter(|next| next.dst.is_some() && next.nominal.contains(&civil))
        .collect();
    Some(TurnLint { civil, turn, due })
}

impl fmt::Display for TurnLint {
    /// `02:30 on 2026-03-08 does not exist (the clock goes from 02:00 to 03:00): due at 03:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.turn.civil_before(), self.turn.civil_after());
        let what = if self.turn.forward_s() > 0 { "does not exist" } else { "comes twice" };
        write!(f, "{} on {} {what} ", clock(self.civil), self.civil.date())?;
        if from.date() == to.date() {
            write!(f, "(the clock goes from {} to {}): ", clock(from), clock(to))?;
        } else {
            write!(f, "(the clock goes from {from} to {to}): ")?;
        }
        if self.due.is_empty() {
            return f.write_str("skipped");
        }
        for (index, due) in self.due.iter().enumerate() {
            let local = civil_of(due.at.unix_s() + i64::from(due.offset.local_minus_utc()));
            let lead = if index == 0 { "due at" } else { " and at" };
            write!(f, "{lead} {}{}{}", clock(local), due.offset, pass(due.dst))?;
        }
        Ok(())
    }
}

/// A time of the day, with seconds only where it has some.
fn clock(civil: NaiveDateTime) -> impl fmt::Display {
    civil.format(if civil.second() == 0 { "%H:%M" } else { "%H:%M:%S" })
}

const fn pass(mark: Option<DstMark>) -> &'static str {
    match mark {
        Some(DstMark::FirstPass) => ", the first time",
        Some(DstMark::SecondPass) => ", the second time",
        Some(DstMark::Gap) | None => "",
    }
}
