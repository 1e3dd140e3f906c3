//! Simulated years: clock steps, suspends, pauses, reloads, and crashes at every place between the
//! sink and the cursors. Nothing is lost, nothing doubled, what was missed is told.
//!
//! `HEADGATE_SEEDS=500` runs so many years, `HEADGATE_SEED=17` that one alone.

use crate::{
    dice::{Dice, for_seeds},
    model::{Account, assert_reason},
    world::{DAY, Daily, HOUR, at, catching_up, every, made, seconds, spec},
};
use headgate_cron::{
    Backlog, Batch, CatchupPolicy, CronText, Cursor, DstPolicy, Fields, Firing, Missed, Outcome,
    Overlap, Rules, Schedule, ScheduleSpec, Ticker, Timing, Timings, Zones, dedupe,
};
use headgate_event::{
    EventId, Timestamp,
    limits::{CRON_BATCHES_AT_ONCE_MAX, CRON_SLEEP_MAX},
};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// How many years the ordinary suite runs.
const CASES: u64 = 9;

/// What may happen in a year.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Trouble {
    /// Steps forward, suspends, pauses, reloads.
    Mild,
    /// Crashes as well.
    Crashes,
    /// Steps back as well.
    BackSteps,
}

struct Year {
    dice: Dice,
    trouble: Trouble,
    now: Timestamp,
    /// The latest the clock ever showed.
    latest: Timestamp,
    specs: Vec<ScheduleSpec>,
    ticker: Ticker,
    /// The store of cursors.
    saved: BTreeMap<Uuid, Cursor>,
    /// The sink: keys, whatever the window.
    sink: BTreeMap<String, EventId>,
    /// The occurrences that have an event.
    events: BTreeSet<(Uuid, Timestamp)>,
    /// Schedules whose cursors are to be saved: that comes after their events, as in the program.
    moved: BTreeSet<Uuid>,
    /// Events whose cursor was not saved before a crash.
    unsaved: BTreeSet<(Uuid, Timestamp)>,
    accounts: BTreeMap<Uuid, Account>,
    resets: u64,
    fired: u64,
}

fn specs() -> Vec<ScheduleSpec> {
    let rules = |policy, window, limit| catching_up(policy, window, limit);
    let jitter = Rules { jitter: seconds(900), ..rules(CatchupPolicy::One, DAY, 1) };
    let overlap = Overlap::Skip { subscription: "agent".into() };
    let overlap = Rules { overlap, ..rules(CatchupPolicy::All, 3 * DAY, 50) };
    let daily = Daily::timing(&["02:30", "09:00", "17:45"], -5).0;
    let mut timings = Timings::new(Arc::new(Zones::embedded()));
    let mut cron = |expression| {
        let (fields, policy) = (Fields::Five, DstPolicy::default());
        let text = CronText { expression, fields, timezone: "America/New_York", policy };
        timings.cron(text, Uuid::nil()).expect("a timing")
    };
    let of = |name: &str, timing: &Arc<Timing>, rules| ScheduleSpec {
        rules: Arc::new(rules),
        ..spec(name, timing)
    };
    vec![
        of("hourly one", &every(3_600), rules(CatchupPolicy::One, DAY, 1)),
        of("daily all", &daily, rules(CatchupPolicy::All, 5 * DAY, 7)),
        of("often skip", &every(5_400), rules(CatchupPolicy::Skip, DAY, 1)),
        of("often all", &every(2_400), rules(CatchupPolicy::All, 6 * HOUR, 20)),
        of("jittered", &every(7_200), jitter.clone()),
        of("jittered densely", &every(600), jitter),
        of("fixed", &cron("0,30 1-3 * * *"), rules(CatchupPolicy::All, 2 * DAY, 100)),
        of("interval", &cron("*/40 * * * *"), rules(CatchupPolicy::One, DAY, 1)),
        of("overlapping", &daily, overlap),
    ]
}

impl Year {
    fn new(seed: u64) -> Self {
        let trouble = [Trouble::Mild, Trouble::Crashes, Trouble::BackSteps]
            .get((seed % 3) as usize)
            .copied()
            .expect("one of three");
        let now = at("2026-01-01T00:00:00Z");
        let mut year = Self {
            dice: Dice::new(seed),
            trouble,
            now,
            latest: now,
            specs: specs(),
            ticker: Ticker::default(),
            saved: BTreeMap::new(),
            sink: BTreeMap::new(),
            events: BTreeSet::new(),
            moved: BTreeSet::new(),
            unsaved: BTreeSet::new(),
            accounts: BTreeMap::new(),
            resets: 0,
            fired: 0,
        };
        year.load();
        year
    }

    fn schedules(&self) -> Vec<Schedule> {
        self.specs.iter().cloned().map(made).collect()
    }

    /// Loads the schedules, and opens an account for each one that has none. What they leave out
    /// is in the accounts that there are.
    fn load(&mut self) {
        let reloaded = self.ticker.reload(self.schedules(), self.now).expect("no two are the same");
        self.save(&reloaded.moved);
        for missed in &reloaded.missed {
            assert_reason(missed, self.now);
            self.account(missed.schedule.id()).note_missed(missed);
        }
        for schedule in self.schedules() {
            let cursor = self.ticker.cursor(schedule.id()).expect("it is there");
            let account = || Account::new(&schedule, &cursor);
            self.accounts.entry(schedule.id()).or_insert_with(account);
        }
    }

    fn save(&mut self, moved: &[Uuid]) {
        let cursors = self.ticker.cursors(moved);
        self.saved.extend(cursors.into_iter().map(|cursor| (cursor.schedule_id, cursor)));
    }

    fn cursor(&self, id: Uuid) -> Cursor {
        let saved = || self.saved.get(&id).cloned();
        self.ticker.cursor(id).or_else(saved).expect("it is known")
    }

    /// Closes the account of a schedule that begins anew, or is gone, since the clock showed `now`:
    /// up to then nothing is lost. Before that it was here.
    fn close(&mut self, id: Uuid, before: &Cursor) {
        let account = self.accounts.remove(&id).expect("it is there");
        let after = self.cursor(id);
        account.close(&Cursor { until: after.until.max(before.until), ..after });
    }

    fn run(mut self, days: u32) -> (u64, u64) {
        let end = self.now.plus(days * DAY);
        while self.now < end {
            self.pass_time();
            self.tick();
            if self.dice.one_in(60) {
                self.reload();
            }
            if self.dice.one_in(80) {
                self.pause_and_resume();
            }
        }
        self.trouble = Trouble::Mild;
        self.tick();
        for schedule in self.schedules() {
            let cursor = self.ticker.cursor(schedule.id()).expect("it is there");
            let longest = schedule.rules().jitter;
            let next = |from| schedule.timing().next_after(from).expect("there is a next");
            let gap = cursor.hold.as_ref().and_then(|hold| hold.gap);
            let due = match (next(cursor.until), gap) {
                (due, Some((from, to))) if from < due.at && due.at <= to => next(to),
                (due, _) => due,
            };
            assert!(due.at.plus(longest) > self.now, "{} is left", due.at);
            self.close(schedule.id(), &cursor);
        }
        (self.fired, self.resets)
    }

    /// When the program has something to do: it wakes in between, and finds nothing.
    fn next_due(&self) -> Timestamp {
        let mut next = self.now;
        loop {
            let wakes = self.ticker.sleep_until(next);
            if wakes < next.plus(CRON_SLEEP_MAX) {
                return wakes;
            }
            next = wakes;
        }
    }

    /// Until the next due time, mostly; or a suspend, an outage, or a step of the clock.
    fn pass_time(&mut self) {
        let next = self.next_due();
        let late = Duration::from_millis(self.dice.below(20_000));
        self.now = match self.dice.below(400) {
            0..4 => self.now.plus(seconds(self.dice.below(12 * 3_600))),
            4 => self.now.plus(seconds(self.dice.below(9 * 24 * 3_600))),
            5..12 if self.trouble == Trouble::BackSteps => {
                self.now.minus(seconds(self.dice.below(3 * 3_600)))
            }
            12 if self.trouble == Trouble::BackSteps && self.dice.one_in(3) => {
                self.now.minus(seconds(4 * 3_600 + self.dice.below(5 * 24 * 3_600)))
            }
            _ => next.plus(late),
        };
        self.latest = self.latest.max(self.now);
    }

    /// Fires what is due, unless a crash comes between: batches side by side, as the program does.
    fn tick(&mut self) {
        loop {
            let crash = self.trouble >= Trouble::Crashes && self.dice.one_in(150);
            let place = if crash { self.dice.below(3) } else { 3 };
            let cursors = self.schedules().into_iter().map(|it| (it.id(), self.cursor(it.id())));
            let before: BTreeMap<Uuid, Cursor> = cursors.collect();
            let batches = self.ticker.due_together(self.now, CRON_BATCHES_AT_ONCE_MAX);
            let more = batches.last().is_some_and(|batch| batch.more);
            if let Some(batch) = batches.iter().find(|batch| batch.reset.is_some()) {
                self.begin_anew(batch, &before);
            }
            if place == 0 {
                return self.crash(&[]);
            }
            let outcomes: Vec<_> = batches.iter().map(|batch| self.store(batch)).collect();
            if place == 1 {
                let firings = batches.iter().flat_map(|batch| &batch.firings);
                return self.crash(&firings.cloned().collect::<Vec<_>>());
            }
            for (batch, outcomes) in batches.iter().zip(&outcomes) {
                let settled = self.ticker.settle(batch, outcomes);
                self.moved.extend(&settled.moved);
                self.note(batch, outcomes, &settled.missed);
            }
            if place == 2 {
                return self.crash(&[]);
            }
            if !self.dice.one_in(4) {
                self.save_moved();
            }
            if !more {
                return;
            }
        }
    }

    /// What becomes of a batch in the sink.
    fn store(&mut self, batch: &Batch) -> Vec<Outcome> {
        let fired: Vec<_> = batch.firings.iter().map(|firing| self.offer(firing)).collect();
        let answers = batch.questions.iter().map(|run| self.known(run));
        fired.into_iter().chain(answers).collect()
    }

    /// Puts what became of a batch into the accounts.
    fn note(&mut self, batch: &Batch, outcomes: &[Outcome], overlapped: &[Missed]) {
        for missed in batch.missed.iter().chain(overlapped) {
            assert_reason(missed, self.now);
            self.account(missed.schedule.id()).note_missed(missed);
        }
        for (firing, outcome) in batch.firings.iter().chain(&batch.questions).zip(outcomes) {
            match outcome {
                Outcome::Stored(_) => self.account(firing.schedule.id()).note(firing),
                // Its event told what another account has.
                Outcome::Known(_) => self.account(firing.schedule.id()).note_known(firing),
                Outcome::Overlapped | Outcome::Unknown => {}
            }
        }
    }

    fn save_moved(&mut self) {
        let moved: Vec<_> = std::mem::take(&mut self.moved).into_iter().collect();
        self.save(&moved);
    }

    fn account(&mut self, id: Uuid) -> &mut Account {
        self.accounts.get_mut(&id).expect("it is there")
    }

    /// The sink takes an event: it is new, or its cursor was lost, or the clock showed its time
    /// before it was put back.
    fn offer(&mut self, firing: &Firing) -> Outcome {
        if firing.previous.is_some() && self.dice.one_in(4) {
            return Outcome::Overlapped;
        }
        let key = dedupe(firing).key;
        let id = EventId::from_parts(self.now, u128::from(self.fired));
        if let Some(first) = self.sink.get(&key) {
            let seen = self.resets > 0 && firing.occurrence.at <= self.latest;
            let unsaved = self.unsaved.contains(&(firing.schedule.id(), firing.occurrence.at));
            assert!(unsaved || seen, "{key} comes again for no reason");
            return Outcome::Known(*first);
        }
        let occurrence = (firing.schedule.id(), firing.occurrence.at);
        assert!(self.events.insert(occurrence), "{occurrence:?} has two events");
        self.fired += 1;
        self.sink.insert(key, id);
        Outcome::Stored(id)
    }

    /// Whether a run has an event.
    fn known(&self, run: &Firing) -> Outcome {
        self.sink.get(&dedupe(run).key).copied().map_or(Outcome::Unknown, Outcome::Known)
    }

    /// The program ends here. What it had not saved is gone: of what came after a saved cursor the
    /// next run finds out what it can.
    fn crash(&mut self, stored: &[Firing]) {
        for firing in stored {
            let is_stored = self.sink.contains_key(&dedupe(firing).key);
            let account = self.account(firing.schedule.id());
            if is_stored && !account.has(firing.occurrence.at) {
                account.note(firing);
            }
        }
        self.moved.clear();
        for schedule in self.schedules() {
            let id = schedule.id();
            let until = self.ticker.cursor(id).expect("it is there").until;
            let saved = self.saved.get(&id).expect("it was saved once").until;
            if saved < until {
                self.unsaved.extend(self.events.range((id, saved)..=(id, until)));
                self.account(id).doubt(saved, until);
            }
        }
        self.ticker = Ticker::resuming(self.saved.values().cloned().collect());
        self.now = self.now.plus(seconds(self.dice.below(90)));
        self.load();
    }

    /// The clock was put back by hours: who was ahead has other accounts from here on.
    fn begin_anew(&mut self, batch: &Batch, before: &BTreeMap<Uuid, Cursor>) {
        self.resets += 1;
        let reset = batch.reset.as_ref().expect("it is one");
        for cursor in &self.ticker.cursors(&reset.moved) {
            assert_eq!(cursor.until, self.now);
            let id = cursor.schedule_id;
            let account = self.accounts.remove(&id).expect("it is there");
            account.close(before.get(&id).expect("it was there"));
            let schedule = self.ticker.schedule(id).expect("it is there").clone();
            self.accounts.insert(id, Account::new(&schedule, cursor));
        }
        self.save(&reset.moved);
    }

    /// Another payload, other times, gone, or back.
    fn reload(&mut self) {
        let which = self.dice.below(self.specs.len() as u64) as usize;
        let spec = self.specs.get(which).expect("one of them").clone();
        let id = made(spec.clone()).id();
        match self.dice.below(3) {
            0 => {
                let payload = RawValue::from_string(self.dice.below(1_000).to_string());
                let payload = payload.expect("JSON");
                *self.specs.get_mut(which).expect("one of them") = ScheduleSpec { payload, ..spec };
            }
            1 => {
                let (timing, before) = (every(1_200 + 60 * self.dice.below(300)), self.cursor(id));
                *self.specs.get_mut(which).expect("one of them") = ScheduleSpec { timing, ..spec };
                self.load();
                self.close(id, &before);
            }
            _ => {
                let before = self.cursor(id);
                self.specs.remove(which);
                self.load();
                self.close(id, &before);
                self.now = self.now.plus(seconds(self.dice.below(5 * 3_600)));
                self.latest = self.latest.max(self.now);
                self.specs.insert(which, spec);
            }
        }
        self.load();
    }

    /// A pause without a backlog, as over the API: stored first. What was due before it still has
    /// its account.
    fn pause_and_resume(&mut self) {
        let which = self.dice.below(self.specs.len() as u64) as usize;
        let id = made(self.specs.get(which).expect("one of them").clone()).id();
        self.save_moved();
        let cursor = self.ticker.paused(id, self.now).expect("it is there");
        self.saved.insert(id, cursor.clone());
        self.ticker.apply(cursor);
        self.now = self.now.plus(seconds(self.dice.below(20 * 3_600)));
        self.latest = self.latest.max(self.now);
        self.tick();
        assert!(self.ticker.cursor(id).expect("it is there").paused);
        let resumed = self.ticker.resumed(id, Backlog::Drop, self.now).expect("it is there");
        self.saved.insert(id, resumed.cursor.clone());
        self.ticker.apply(resumed.cursor);
        for missed in &resumed.missed {
            assert_reason(missed, self.now);
            self.account(id).note_missed(missed);
        }
    }
}

#[test]
fn over_years_of_trouble_nothing_is_lost_nothing_doubled_and_what_was_missed_is_told() {
    for_seeds(CASES, |seed| {
        let (fired, _) = Year::new(seed).run(365);
        assert!(fired > 5_000, "too little happened to show anything: {fired}");
    });
}

#[test]
fn the_same_seed_gives_the_same_year() {
    for seed in [1, 2] {
        let (first, again) = (Year::new(seed).run(90), Year::new(seed).run(90));
        assert_eq!(first, again, "seed {seed}");
        assert_eq!(first.1 > 0, seed == 2, "whether the clock was put back by hours");
        assert_ne!(first, Year::new(seed + 3).run(90), "every seed is another year");
    }
}
