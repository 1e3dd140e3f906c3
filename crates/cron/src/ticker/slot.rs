//! One schedule in memory: how far it has come and when it is due next.

use super::{Batch, Entry, Firing, Missed, MissedWhy, backlog};
use crate::{Cursor, FiringClass, Hold, Occurrence, Overlap, Schedule};
use chrono::NaiveDateTime;
use headgate_event::{
    EventId, Timestamp,
    data::CronTrigger,
    limits::{CRON_LATE_MAX, CRON_REPEATED_MAX},
};
use std::time::Duration;

/// Before all time.
const NEVER: Timestamp = Timestamp::from_unix_ms(i64::MIN);

/// One schedule and how far it has come.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) schedule: Schedule,
    /// What is due up to here is dealt with.
    pub(super) cursor: Timestamp,
    /// Missed occurrences up to here are being caught up.
    caught_until: Timestamp,
    pub(super) fires: u64,
    missed: u64,
    /// The wall clock time of the occurrence at the cursor, when that is one.
    last_nominal: Option<NaiveDateTime>,
    last_event: Option<Box<EventId>>,
    /// Since when it does not fire on purpose, or what it left out.
    hold: Option<Box<Hold>>,
    /// The batch it last fired in.
    turn: u64,
    generation: u32,
    armed: bool,
    pub(super) paused: bool,
    /// Whether nothing after the cursor has fired. A crash may have come between the last events
    /// and their cursor.
    pub(super) is_sure: bool,
}

/// What a schedule whose turn came has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fired {
    /// It moved on, or had nothing to do.
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
        Self {
            schedule,
            cursor: cursor.until,
            caught_until: NEVER,
            fires: cursor.fires,
            missed: cursor.missed,
            last_nominal: cursor.last_nominal,
            last_event: cursor.last_event.map(Box::new),
            hold: cursor.hold,
            turn: 0,
            generation: 0,
            armed: false,
            paused: cursor.paused,
            is_sure: true,
        }
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
            last_nominal: self.last_nominal,
            fires: self.fires,
            missed: self.missed,
            last_event: self.last_event.as_deref().copied(),
            timing: self.schedule.timing().fingerprint(),
            paused: self.paused,
            disabled: !self.schedule.is_enabled(),
            removed_at: None,
            hold: self.hold.clone(),
        }
    }

    /// Goes on from another cursor.
    pub(super) fn go_on_from(&mut self, cursor: Cursor) {
        let slot = Self::new(self.schedule.clone(), cursor);
        let Self { turn, generation, caught_until, is_sure, .. } = *self;
        // After a pause it is judged anew what is caught up.
        let is_same = slot.cursor == self.cursor && slot.hold == self.hold;
        let caught_until = if is_same { caught_until } else { NEVER };
        *self = Self { turn, generation, caught_until, is_sure, ..slot };
    }

    /// Forgets how far it had come in time, not how often it fired.
    pub(super) fn begin_at(&mut self, now: Timestamp) {
        let mut cursor = self.cursor();
        cursor.begin_at(now);
        cursor.note_hold(now);
        self.go_on_from(cursor);
        self.caught_until = NEVER;
    }

    pub(super) fn is_armed_by(&self, entry: &Entry) -> bool {
        self.armed && self.generation == entry.generation
    }

    /// Whether its event of a batch since `first` has to be stored before the next: one in another
    /// batch, which is stored beside this one, or one that is to be asked about.
    pub(super) fn waits_for(&self, first: u64, turn: u64) -> bool {
        self.turn >= first && (self.turn != turn || *self.overlap() != Overlap::Allow)
    }

    fn overlap(&self) -> &Overlap {
        &self.schedule.rules().overlap
    }

    /// The entry for its next occurrence; the one before it counts no more.
    pub(super) fn arm(&mut self, index: u32) -> Option<Entry> {
        self.generation = self.generation.wrapping_add(1);
        let next = self.next();
        self.armed = next.is_some();
        next.map(|next| Entry { due: next.due, slot: index, generation: self.generation })
    }

    /// What is due next, when anything is.
    pub(super) fn next(&self) -> Option<Next> {
        let rules = self.schedule.rules();
        let used_up = rules.max_fires.is_some_and(|max| self.fires >= max);
        if used_up || self.paused || !self.schedule.is_enabled() {
            return None;
        }
        let floor = self.schedule.start_floor();
        let from = floor.map_or(self.cursor, |floor| floor.max(self.cursor));
        let occurrence = self.schedule.timing().next_after(from)?;
        let occurrence = self.unrepeated(occurrence)?;
        let occurrence = self.not_left_out(occurrence)?;
        if rules.end_at.is_some_and(|end| occurrence.at > end) {
            return None;
        }
        let due = self.due_of(&occurrence);
        Some(Next { occurrence, due })
    }

    /// The occurrence, or the first after what was left out on purpose.
    pub(super) fn not_left_out(&self, found: Occurrence) -> Option<Occurrence> {
        let gap = self.hold.as_ref().and_then(|hold| hold.gap);
        match gap.filter(|(from, to)| *from < found.at && found.at <= *to) {
            Some((_, to)) => self.schedule.timing().next_after(to),
            None => Some(found),
        }
    }

    /// Up to when what begins with this occurrence is one backlog: what comes after it was left out
    /// on purpose.
    pub(super) fn kept_until(&self, head: &Occurrence) -> Option<Timestamp> {
        let (from, _) = self.hold.as_ref()?.gap?;
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
        let Some(fired) = self.last_nominal else { return Some(first) };
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
    pub(super) fn fire(&mut self, index: u32, turn: u64, batch: &mut Batch) -> Fired {
        batch.steps += 2;
        let now = batch.now;
        let Some(next) = self.next().filter(|next| next.due <= now) else { return Fired::Moved };
        let late = now.since(next.due) > CRON_LATE_MAX;
        let is_caught_up = next.occurrence.at <= self.caught_until;
        if late && !is_caught_up && !self.is_sure {
            self.turn = turn;
            let question = self.firing(next.occurrence, CronTrigger::Catchup, now);
            batch.questions.push(question);
            return Fired::Asked;
        }
        if self.turn != turn {
            self.turn = turn;
            batch.moved.push(index);
        }
        let (occurrence, trigger) = match is_caught_up {
            true => (Some(next.occurrence), CronTrigger::Catchup),
            false if late => (backlog::judge(self, next, now, batch), CronTrigger::Catchup),
            false => (Some(next.occurrence), CronTrigger::Schedule),
        };
        if let Some(occurrence) = occurrence {
            let firing = self.firing(occurrence, trigger, now);
            self.pass(&firing.occurrence);
            self.fires += 1;
            self.missed = 0;
            batch.bytes += self.schedule.payload().get().len();
            batch.firings.push(firing);
        }
        Fired::Moved
    }

    fn firing(&self, occurrence: Occurrence, trigger: CronTrigger, now: Timestamp) -> Firing {
        let asks = *self.overlap() != Overlap::Allow;
        Firing {
            schedule: self.schedule.clone(),
            due_at: self.due_of(&occurrence),
            occurrence,
            fired_at: now,
            trigger,
            missed: self.missed,
            previous: self.last_event.as_deref().copied().filter(|_| asks),
            run_key: None,
        }
    }

    /// Passes an occurrence that fired before a crash. Its event told what was missed until then.
    pub(super) fn fired_before(&mut self, occurrence: &Occurrence, id: EventId) {
        self.pass(occurrence);
        self.fires += 1;
        self.missed = 0;
        self.stored(id);
    }

    /// Takes back a firing that had fired, and had been counted, before the clock was put back.
    pub(super) fn counted_before(&mut self, firing: &Firing, id: EventId) {
        self.fires = self.fires.saturating_sub(1);
        self.missed = self.missed.saturating_add(firing.missed);
        self.stored(id);
    }

    /// Moves the cursor onto an occurrence.
    pub(super) fn pass(&mut self, occurrence: &Occurrence) {
        self.cursor = occurrence.at;
        self.last_nominal = occurrence.nominal.last().copied();
        if self.hold.as_ref().is_some_and(|hold| hold.gap.is_some_and(|(_, to)| to < occurrence.at))
        {
            self.hold = None;
        }
    }

    /// Notes what will not fire; the next event tells how much it was.
    pub(super) fn miss(&mut self, missed: Missed, batch: &mut Batch) {
        self.missed = self.missed.saturating_add(missed.count);
        batch.missed.push(missed);
    }

    /// Catches up all that was due from the cursor until the end of the backlog.
    pub(super) fn catch_up(&mut self, until: Timestamp) {
        self.caught_until = until;
    }

    pub(super) fn stored(&mut self, id: EventId) {
        if *self.overlap() != Overlap::Allow {
            self.last_event = Some(Box::new(id));
        }
    }

    /// Takes back a firing that was left out.
    pub(super) fn overlapped(&mut self, firing: &Firing) -> Missed {
        self.fires = self.fires.saturating_sub(1);
        self.missed = self.missed.saturating_add(firing.missed).saturating_add(1);
        let at = firing.occurrence.at;
        let schedule = self.schedule.clone();
        Missed { schedule, why: MissedWhy::Overlap, count: 1, at_least: false, first: at, last: at }
    }
}
