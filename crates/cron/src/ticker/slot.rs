//! One schedule in memory: how far it has come and when it is due next.

use super::{Batch, Entry, Firing, Missed, MissedWhy, backlog, looked::Looked};
use crate::{Cursor, FiringClass, Hold, Occurrence, Overlap, Schedule};
use chrono::{DateTime, NaiveDateTime};
use headgate_event::{
    EventId, Timestamp,
    data::CronTrigger,
    limits::{CRON_ASKED_OVER_GAP_MAX, CRON_LATE_MAX, CRON_REPEATED_MAX},
};
use std::time::Duration;

/// Before all time.
const NEVER: Timestamp = Timestamp::from_unix_ms(i64::MIN);

/// One schedule and how far it has come. There may be a million.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) schedule: Schedule,
    /// What is due up to here is dealt with.
    pub(super) cursor: Timestamp,
    /// What few have.
    rare: Option<Box<Rare>>,
    nominal: Nominal,
    /// How often it fired: a schedule that fires each second comes to the end in 136 years.
    fires: u32,
    generation: u32,
    armed: bool,
    pub(super) paused: bool,
    /// Whether nothing after the cursor has fired. A crash may have come between the last events
    /// and their cursor.
    pub(super) is_sure: bool,
}

const _: () = assert!(size_of::<Option<Slot>>() == 40);

/// What is so of few schedules at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rare {
    /// Missed occurrences up to here are being caught up.
    caught_until: Timestamp,
    /// What it missed since it last fired.
    missed: u64,
    last_event: Option<EventId>,
    /// Since when it does not fire on purpose, or what it left out.
    hold: Option<Box<Hold>>,
}

impl Default for Rare {
    fn default() -> Self {
        Self { caught_until: NEVER, missed: 0, last_event: None, hold: None }
    }
}

/// The wall clock time of the occurrence at a cursor, when that is one: by how many milliseconds it
/// is ahead of UTC, which is a day and some hours at most.
#[derive(Clone, Copy, Debug)]
struct Nominal(i32);

impl Nominal {
    const NONE: Self = Self(i32::MIN);

    fn of(cursor: Timestamp, civil: Option<NaiveDateTime>) -> Self {
        let ahead = civil.map(|civil| civil.and_utc().timestamp_millis() - cursor.unix_ms());
        ahead.and_then(|ahead| i32::try_from(ahead).ok()).map_or(Self::NONE, Self)
    }

    fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }

    fn at(self, cursor: Timestamp) -> Option<NaiveDateTime> {
        let ahead = Some(i64::from(self.0)).filter(|_| !self.is_none())?;
        let civil = DateTime::from_timestamp_millis(cursor.unix_ms().checked_add(ahead)?)?;
        Some(civil.naive_utc())
    }
}

/// What a schedule whose turn came has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fired {
    /// It had nothing to do.
    Nothing,
    /// It moved on.
    Moved,
    /// It asked whether it has fired, and waits for the answer.
    Asked,
}

/// An occurrence and when it fires.
pub(super) struct Next {
    pub(super) occurrence: Occurrence,
    pub(super) due: Timestamp,
}

impl Slot {
    /// A schedule that goes on from a cursor.
    pub(super) fn new(schedule: Schedule, cursor: Cursor) -> Self {
        let Cursor { until, last_nominal, fires, missed, last_event, paused, hold, .. } = cursor;
        let mut slot = Self {
            schedule,
            cursor: until,
            rare: None,
            nominal: Nominal::of(until, last_nominal),
            fires: u32::try_from(fires).unwrap_or(u32::MAX),
            generation: 0,
            armed: false,
            paused,
            is_sure: true,
        };
        slot.set_rare(|rare| {
            (rare.missed, rare.last_event, rare.hold) = (missed, last_event, hold);
        });
        slot
    }

    /// The same with a cursor that another run of the program stored.
    pub(super) fn resuming(schedule: Schedule, cursor: Cursor) -> Self {
        Self { is_sure: false, ..Self::new(schedule, cursor) }
    }

    /// What is to be stored of it.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor {
            schedule_id: self.schedule.id(),
            until: self.cursor,
            last_nominal: self.nominal.at(self.cursor),
            fires: self.fires(),
            missed: self.rare().missed,
            last_event: self.rare().last_event,
            timing: self.schedule.timing().fingerprint(),
            paused: self.paused,
            disabled: !self.schedule.is_enabled(),
            removed_at: None,
            hold: self.rare().hold,
        }
    }

    /// Goes on from another cursor.
    pub(super) fn go_on_from(&mut self, cursor: Cursor) {
        let slot = Self::new(self.schedule.clone(), cursor);
        let Self { generation, is_sure, .. } = *self;
        let (before, after) = (self.rare(), slot.rare());
        // After a pause it is judged anew what is caught up.
        let is_same = slot.cursor == self.cursor && before.hold == after.hold;
        *self = Self { generation, is_sure, ..slot };
        if is_same {
            self.set_rare(|rare| rare.caught_until = before.caught_until);
        }
    }

    /// Forgets how far it had come in time, not how often it fired.
    pub(super) fn begin_at(&mut self, now: Timestamp) {
        let mut cursor = self.cursor();
        cursor.begin_at(now);
        cursor.note_hold(now);
        self.go_on_from(cursor);
        self.set_rare(|rare| rare.caught_until = NEVER);
    }

    fn rare(&self) -> Rare {
        self.rare.as_deref().cloned().unwrap_or_default()
    }

    /// Changes what few have, and lets go of it when nothing is left of it.
    fn set_rare(&mut self, change: impl FnOnce(&mut Rare)) {
        let mut rare = self.rare();
        change(&mut rare);
        if rare == Rare::default() {
            self.rare = None;
        } else if let Some(there) = self.rare.as_deref_mut() {
            *there = rare;
        } else {
            self.rare = Some(Box::new(rare));
        }
    }

    /// How often it fired.
    pub(super) fn fires(&self) -> u64 {
        u64::from(self.fires)
    }

    pub(super) fn is_armed_by(&self, entry: &Entry) -> bool {
        self.armed && self.generation == entry.generation
    }

    /// Whether it looks at what became of its event before.
    pub(super) fn minds_overlap(&self) -> bool {
        *self.overlap() != Overlap::Allow
    }

    fn overlap(&self) -> &Overlap {
        &self.schedule.rules().overlap
    }

    /// The entry for its next occurrence; the one before it counts no more.
    pub(super) fn arm(&mut self, index: u32) -> Option<Entry> {
        let due = self.next().map(|next| next.due);
        self.armed_for(index, due)
    }

    /// The same where many are armed: those of one timing that go on from one moment are due
    /// together.
    pub(super) fn arm_among(&mut self, index: u32, looked: &mut Looked) -> Option<Entry> {
        let is_alike = self.nominal.is_none() && self.schedule.rules().jitter.is_zero();
        if !is_alike {
            return self.arm(index);
        }
        let at = self.from().and_then(|from| looked.after(self.schedule.timing(), from));
        let due = at.filter(|at| !self.is_after_end(*at));
        self.armed_for(index, due)
    }

    fn armed_for(&mut self, index: u32, due: Option<Timestamp>) -> Option<Entry> {
        self.generation = self.generation.wrapping_add(1);
        self.armed = due.is_some();
        due.map(|due| Entry { due, slot: index, generation: self.generation })
    }

    /// What is due next, when anything is.
    pub(super) fn next(&self) -> Option<Next> {
        let occurrence = self.schedule.timing().next_after(self.from()?)?;
        let occurrence = self.unrepeated(occurrence)?;
        let occurrence = self.not_left_out(occurrence)?;
        if self.is_after_end(occurrence.at) {
            return None;
        }
        let due = self.due_of(&occurrence);
        Some(Next { occurrence, due })
    }

    /// After when anything is due; none while nothing is to be.
    fn from(&self) -> Option<Timestamp> {
        let max = self.schedule.rules().max_fires;
        let used_up = max.is_some_and(|max| self.fires() >= max);
        if used_up || self.paused || !self.schedule.is_enabled() {
            return None;
        }
        let floor = self.schedule.start_floor();
        Some(floor.map_or(self.cursor, |floor| floor.max(self.cursor)))
    }

    fn is_after_end(&self, at: Timestamp) -> bool {
        self.schedule.rules().end_at.is_some_and(|end| at > end)
    }

    /// What it left out on purpose: after the first moment, up to the other.
    fn gap(&self) -> Option<(Timestamp, Timestamp)> {
        self.rare.as_ref()?.hold.as_ref()?.gap
    }

    /// Up to when anything of it is dealt with.
    pub(super) fn reach(&self) -> Timestamp {
        self.gap().map_or(self.cursor, |(_, to)| to.max(self.cursor))
    }

    /// The occurrence, or the first after what was left out on purpose.
    pub(super) fn not_left_out(&self, found: Occurrence) -> Option<Occurrence> {
        match self.gap().filter(|(from, to)| *from < found.at && found.at <= *to) {
            Some((_, to)) => self.schedule.timing().next_after(to),
            None => Some(found),
        }
    }

    /// Up to when what begins with this occurrence is one backlog: what comes after it was left out
    /// on purpose.
    pub(super) fn kept_until(&self, head: &Occurrence) -> Option<Timestamp> {
        let (from, _) = self.gap()?;
        (head.at <= from).then_some(from)
    }

    /// When an occurrence fires: after its jitter, but before the next one.
    pub(super) fn due_of(&self, occurrence: &Occurrence) -> Timestamp {
        if self.schedule.rules().jitter.is_zero() {
            return occurrence.at;
        }
        let next = self.schedule.timing().next_after(occurrence.at);
        let gap_ms = next.map(|next| next.at.unix_ms() - occurrence.at.unix_ms());
        let delay_ms = u64::try_from(self.schedule.delay_ms(gap_ms)).unwrap_or(0);
        occurrence.at.plus(Duration::from_millis(delay_ms))
    }

    /// The occurrence, or the first after it whose wall clock time has not fired.
    ///
    /// When a zone's rules change, a wall clock time that has fired may come again. It is told from
    /// a clock that is turned back by the occurrence at the cursor: by the same rules it is still
    /// where it was. What follows elapsed time goes on, as it does when the clock is turned.
    fn unrepeated(&self, first: Occurrence) -> Option<Occurrence> {
        let Some(fired) = self.nominal.at(self.cursor) else { return Some(first) };
        let timing = self.schedule.timing();
        let is_new = |next: &Occurrence| next.nominal.last().is_none_or(|last| *last > fired);
        if is_new(&first) || timing.class() == FiringClass::Interval {
            return Some(first);
        }
        let again = timing.next_after(self.cursor.minus(Duration::from_millis(1)));
        let unmoved = |at: Occurrence| at.at == self.cursor && at.nominal.last() == Some(&fired);
        if again.is_some_and(unmoved) {
            return Some(first);
        }
        let mut next = first;
        for _ in 0..CRON_REPEATED_MAX {
            next = timing.next_after(next.at)?;
            if is_new(&next) {
                break;
            }
        }
        Some(next)
    }

    /// Whether nothing of it is due any more, although it may fire.
    pub(super) fn is_past(&self) -> bool {
        let may = !self.paused && self.schedule.is_enabled();
        may && self.schedule.timing().parked().is_none() && self.next().is_none()
    }

    /// Puts what is due into the batch, and moves on; or asks, before anything is told as missed.
    pub(super) fn fire(&mut self, batch: &mut Batch) -> Fired {
        batch.steps += 2;
        let now = batch.now;
        let Some(next) = self.next().filter(|next| next.due <= now) else { return Fired::Nothing };
        let late = now.since(next.due) > CRON_LATE_MAX;
        let is_caught_up = next.occurrence.at <= self.rare().caught_until;
        if late && !is_caught_up && !self.is_sure {
            self.ask(next.occurrence, batch);
            return Fired::Asked;
        }
        let (occurrence, trigger) = match is_caught_up {
            true => (Some(next.occurrence), CronTrigger::Catchup),
            false if late => (backlog::judge(self, next, now, batch), CronTrigger::Catchup),
            false => (Some(next.occurrence), CronTrigger::Schedule),
        };
        if let Some(occurrence) = occurrence {
            let firing = self.firing(occurrence, trigger, now);
            self.pass(&firing.occurrence);
            self.fires = self.fires.saturating_add(1);
            self.set_missed(|_| 0);
            batch.bytes += self.schedule.payload().get().len();
            batch.firings.push(firing);
        }
        Fired::Moved
    }

    /// Asks whether it has fired; where it minds unsettled events, also whether it has later: one
    /// that was left out for that is none that says so.
    fn ask(&self, first: Occurrence, batch: &mut Batch) {
        let most = if self.minds_overlap() { CRON_ASKED_OVER_GAP_MAX } else { 1 };
        let (end, now) = (self.schedule.rules().end_at, batch.now);
        let timing = self.schedule.timing();
        let is_over = |next: &Occurrence| next.at > now || end.is_some_and(|end| next.at > end);
        let after = |last: &Occurrence| timing.next_after(last.at).filter(|next| !is_over(next));
        for occurrence in std::iter::successors(Some(first), after).take(most) {
            batch.steps += 1;
            batch.questions.push(self.firing(occurrence, CronTrigger::Catchup, now));
        }
    }

    fn firing(&self, occurrence: Occurrence, trigger: CronTrigger, now: Timestamp) -> Firing {
        let Rare { missed, last_event, .. } = self.rare();
        Firing {
            schedule: self.schedule.clone(),
            due_at: self.due_of(&occurrence),
            occurrence,
            fired_at: now,
            trigger,
            missed,
            previous: last_event.filter(|_| self.minds_overlap()),
            run_key: None,
        }
    }

    /// Passes an occurrence that fired before a crash. Its event told what was missed until then.
    pub(super) fn fired_before(&mut self, occurrence: &Occurrence, id: EventId) {
        self.pass(occurrence);
        self.fires = self.fires.saturating_add(1);
        self.set_missed(|_| 0);
        self.stored(id);
    }

    /// Takes back a firing that had fired, and had been counted, before the clock was put back.
    pub(super) fn counted_before(&mut self, firing: &Firing, id: EventId) {
        self.fires = self.fires.saturating_sub(1);
        self.set_missed(|missed| missed.saturating_add(firing.missed));
        self.stored(id);
    }

    /// Moves the cursor onto an occurrence.
    pub(super) fn pass(&mut self, occurrence: &Occurrence) {
        self.cursor = occurrence.at;
        self.nominal = Nominal::of(occurrence.at, occurrence.nominal.last().copied());
        if self.rare().caught_until <= occurrence.at {
            self.set_rare(|rare| rare.caught_until = NEVER);
        }
        if self.gap().is_some_and(|(_, to)| to < occurrence.at) {
            self.set_rare(|rare| rare.hold = None);
        }
    }

    fn set_missed(&mut self, missed: impl FnOnce(u64) -> u64) {
        self.set_rare(|rare| rare.missed = missed(rare.missed));
    }

    /// Notes what will not fire; the next event tells how much it was.
    pub(super) fn miss(&mut self, missed: Missed, batch: &mut Batch) {
        self.set_missed(|before| before.saturating_add(missed.count));
        batch.missed.push(missed);
    }

    /// Catches up all that was due from the cursor until the end of the backlog.
    pub(super) fn catch_up(&mut self, until: Timestamp) {
        self.set_rare(|rare| rare.caught_until = until);
    }

    pub(super) fn stored(&mut self, id: EventId) {
        if self.minds_overlap() {
            self.set_rare(|rare| rare.last_event = Some(id));
        }
    }

    /// Takes back a firing that was left out.
    pub(super) fn overlapped(&mut self, firing: &Firing) -> Missed {
        self.fires = self.fires.saturating_sub(1);
        self.set_missed(|missed| missed.saturating_add(firing.missed).saturating_add(1));
        self.left_out(&firing.occurrence)
    }

    /// What is told of an occurrence that was left out.
    pub(super) fn left_out(&self, occurrence: &Occurrence) -> Missed {
        let (at, schedule) = (occurrence.at, self.schedule.clone());
        Missed { schedule, why: MissedWhy::Overlap, count: 1, at_least: false, first: at, last: at }
    }
}
