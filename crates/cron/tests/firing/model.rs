//! What should have happened, kept beside what did: each occurrence of a schedule's timing is
//! accounted for.

use headgate_cron::{CatchupPolicy, Cursor, Firing, Missed, MissedWhy, Schedule, Timing};
use headgate_event::{Timestamp, data::CronTrigger, limits::CRON_LATE_MAX};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// One schedule from when it began, by one timing and without a pause, until it did not.
pub(crate) struct Account {
    timing: Arc<Timing>,
    began: Timestamp,
    /// What fired, and the misses it told of.
    fired: BTreeMap<Timestamp, u64>,
    missed: Vec<(Timestamp, Timestamp, u64, bool)>,
    /// What was left out on purpose, which no event tells of.
    left_out: Vec<(Timestamp, Timestamp, u64, bool)>,
    /// Misses that are still to be told, and were not those of this account.
    told_before: u64,
    /// After the first of these and up to the second a crash came before the cursor was saved: what
    /// was due there may be told once more, also as missed.
    doubtful: Vec<(Timestamp, Timestamp)>,
    /// Whether each other occurrence has one account only; when the clock was put back by hours,
    /// another account may have it too.
    is_exact: bool,
}

impl Account {
    pub(crate) fn new(schedule: &Schedule, cursor: &Cursor) -> Self {
        Self {
            timing: Arc::clone(schedule.timing()),
            began: cursor.until,
            fired: BTreeMap::new(),
            missed: Vec::new(),
            left_out: Vec::new(),
            told_before: cursor.missed,
            doubtful: Vec::new(),
            is_exact: true,
        }
    }

    pub(crate) fn note(&mut self, firing: &Firing) {
        assert_right(firing, |at| self.is_left_out(at));
        let first = self.fired.insert(firing.occurrence.at, firing.missed).is_none();
        assert!(first || !self.is_exact, "{} fired twice", firing.occurrence.at);
    }

    /// Whether this occurrence fired.
    pub(crate) fn has(&self, at: Timestamp) -> bool {
        self.fired.contains_key(&at)
    }

    /// A crash came, and the cursor that was saved is not the one that there was.
    pub(crate) fn doubt(&mut self, saved: Timestamp, until: Timestamp) {
        self.doubtful.push((saved, until));
    }

    fn is_doubtful(&self, at: Timestamp) -> bool {
        self.doubtful.iter().any(|(saved, until)| *saved < at && at <= *until)
    }

    /// Whether what was due then did not fire on purpose.
    fn is_left_out(&self, at: Timestamp) -> bool {
        self.left_out.iter().any(|(first, last, ..)| (*first..=*last).contains(&at))
    }

    /// A run that has an event already: after a crash, or because the clock was put back.
    pub(crate) fn note_known(&mut self, firing: &Firing) {
        self.is_exact &= self.is_doubtful(firing.occurrence.at);
        self.fired.entry(firing.occurrence.at).or_insert(firing.missed);
    }

    pub(crate) fn note_missed(&mut self, missed: &Missed) {
        let told = (missed.first, missed.last, missed.count, missed.at_least);
        match missed.why {
            MissedWhy::Paused => self.left_out.push(told),
            _ => self.missed.push(told),
        }
    }

    /// Whether every occurrence up to the cursor fired or was told as missed, once.
    pub(crate) fn close(&self, cursor: &Cursor) {
        let missed = self.times_of(&self.missed);
        let left_out = self.times_of(&self.left_out);
        let (mut told, mut fired, mut at) = (self.told_before, 0, self.began);
        // What the next event has to tell is not known after a crash, until it told.
        let mut is_known = true;
        while let Some(next) = self.timing.next_after(at).filter(|next| next.at <= cursor.until) {
            at = next.at;
            let is_exact = self.is_exact && !self.is_doubtful(at);
            is_known &= is_exact;
            let times = missed.get(&at).copied().unwrap_or_default();
            match self.fired.get(&at) {
                Some(missed) => {
                    fired += 1;
                    assert!(times == 0 || !is_exact, "{at} fired and is told as missed");
                    assert!(*missed == told || !is_known, "{at} tells {missed} of {told}");
                    (told, is_known) = (0, is_known || is_exact);
                }
                None if left_out.contains_key(&at) => {
                    assert!(times == 0 || !is_exact, "{at} is left out and told as missed");
                    assert!(left_out.get(&at) == Some(&1) || !is_exact, "{at} is told twice");
                }
                None => {
                    assert!(times > 0, "{at} is lost");
                    assert!(times == 1 || !is_exact, "{at} is told twice");
                    told += 1;
                }
            }
        }
        // A crash may have put the cursor back before what had fired, and the clock then it.
        let put_back = |at: &&Timestamp| **at > cursor.until && self.is_doubtful(**at);
        fired += self.fired.keys().filter(put_back).count();
        assert!(fired == self.fired.len() || !self.is_exact, "something fired that was not due");
        assert!(cursor.missed == told || !is_known, "what the next event has to tell");
    }

    /// How often each occurrence is told.
    fn times_of(&self, told: &[(Timestamp, Timestamp, u64, bool)]) -> BTreeMap<Timestamp, u64> {
        let mut times = BTreeMap::new();
        for (first, last, count, at_least) in told {
            let (mut at, mut found) = (first.minus(Duration::from_millis(1)), 0);
            while let Some(next) = self.timing.next_after(at).filter(|next| next.at <= *last) {
                at = next.at;
                found += 1;
                *times.entry(at).or_default() += 1;
            }
            assert!(*count == found || *at_least && *count < found, "{count} of {found}");
        }
        times
    }
}

/// Whether a firing is one that its schedule's rules allow.
fn assert_right(firing: &Firing, is_left_out: impl Fn(Timestamp) -> bool) {
    let (schedule, due) = (&firing.schedule, &firing.occurrence);
    let rules = schedule.rules();
    let next = schedule.timing().next_after(due.at).map(|next| next.at);
    assert!(firing.due_at >= due.at && next.is_none_or(|next| firing.due_at < next));
    assert!(firing.due_at == due.at || firing.due_at.since(due.at) < rules.jitter);
    assert!(firing.fired_at >= firing.due_at, "{} fired too soon", due.at);
    let late = firing.fired_at.since(firing.due_at);
    match firing.trigger {
        CronTrigger::Schedule => assert!(late <= CRON_LATE_MAX, "{late:?} late is missed"),
        CronTrigger::Catchup => {
            let older = firing.fired_at.since(due.at);
            assert!(older <= rules.catchup.window, "{older:?} is beyond the window");
            match rules.catchup.policy {
                CatchupPolicy::Skip => panic!("it catches up nothing"),
                CatchupPolicy::One => {
                    let newer = next.is_some_and(|next| {
                        next.plus(rules.jitter) <= firing.fired_at && !is_left_out(next)
                    });
                    assert!(!newer, "there is a newer one than {}", due.at);
                }
                CatchupPolicy::All => {}
            }
        }
        CronTrigger::Manual | CronTrigger::Backfill => panic!("nobody asked for it"),
    }
}

/// Whether what was missed is missed for a reason that its schedule's rules have.
pub(crate) fn assert_reason(missed: &Missed, now: Timestamp) {
    let rules = missed.schedule.rules();
    let catchup = &rules.catchup;
    assert!(missed.count > 0 && missed.first <= missed.last && missed.last <= now);
    match missed.why {
        MissedWhy::Policy => {
            assert_ne!(catchup.policy, CatchupPolicy::All);
            assert!(now.since(missed.first) > CRON_LATE_MAX, "it was on time");
        }
        MissedWhy::Window => assert!(now.since(missed.last) > catchup.window),
        MissedWhy::Limit => assert_eq!(catchup.policy, CatchupPolicy::All),
        MissedWhy::Overlap | MissedWhy::Paused | MissedWhy::Changed | MissedWhy::Removed => {}
    }
}
