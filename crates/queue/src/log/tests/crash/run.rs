//! One case: a log, the disk below it, and what happens to both, all from one seed.

use super::{
    super::{super::writer::ByHand, *},
    meanwhile::{self, Index},
    model::{Given, Model, Offered},
};
use crate::log::{
    LogError,
    random::seeded,
    storage::simulated::{Dice, End, Trace},
};
use std::{
    collections::VecDeque,
    io::ErrorKind,
    pin::Pin,
    task::{Context, Poll, Waker},
};

type Answer = Result<Vec<Accepted>, AppendError>;
type Appending = Pin<Box<dyn Future<Output = Answer>>>;

/// What may fail, and how.
const FAILING: [Ask; 11] = [
    Ask::List,
    Ask::Create,
    Ask::Open,
    Ask::Rename,
    Ask::Remove,
    Ask::Measure,
    Ask::Read,
    Ask::Write,
    Ask::Sync,
    Ask::Truncate,
    Ask::SyncFolder,
];
const FAILURES: [ErrorKind; 4] =
    [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::TimedOut];

/// A call on its way, and what the index knew of its drafts.
struct Waiting {
    drafts: Vec<Given>,
    known: Vec<Option<EventId>>,
    /// Whether it goes to a file of its own first.
    large: bool,
    /// `None` when the index knew all of them.
    call: Option<(Appending, Option<Answer>)>,
}

/// One case.
pub(super) struct Run {
    dice: Dice,
    disk: SimulatedDisk,
    clock: Arc<ManualClock>,
    options: LogOptions,
    log: Log,
    hand: ByHand,
    model: Model,
    /// The newest event that the index has.
    indexed: Seq,
    /// How far it has come while calls took long.
    index: Index,
    /// Where the next event will be.
    next: Place,
    /// How many drafts there were.
    drafts: u64,
    /// Whether a call must be stored, because nothing was ordered to go wrong.
    well: bool,
}

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        seeded::begin(seed);
        let mut dice = Dice::new(seed);
        let segments = [1, 1_500, 6_000, 40_000, 1 << 20];
        let large = [1, 700, 1_500, 20_000, LogOptions::default().large_bytes_min];
        let slices = [100, 1_000, 5_000, 1 << 20];
        let options = LogOptions {
            large_bytes_min: large[dice.below(large.len())],
            large_slice_bytes: slices[dice.below(slices.len())],
            segment_bytes_max: segments[dice.below(segments.len())],
            dedupe_kept_events: dice.below(20) as u64,
            disk_free_bytes_min: 500,
            ..LogOptions::default()
        };
        let disk = SimulatedDisk::new(dice.number());
        let clock = Arc::new(ManualClock::at(NOW));
        let (log, hand) = begin(&disk, &clock, options).expect("an empty log opens");
        let next = log.place_before(0);
        let (model, indexed, drafts, well) = (Model::default(), 0, 0, true);
        let index = Index::default();
        Self { dice, disk, clock, options, log, hand, model, indexed, index, next, drafts, well }
    }

    /// Runs it, and gives the digest of what the disk was asked and what it answered, and how many
    /// calls took long.
    pub(super) fn play(mut self) -> ((u64, u32), u64) {
        let steps = 5 + self.dice.below(35);
        for _ in 0..steps {
            self.step();
            if self.disk.is_off() {
                self.find_after_power_cut();
            }
        }
        self.disk.fail_no_more();
        self.disk.hold_at_most(None);
        self.find_after_power_cut();
        self.disk.end_never();
        self.well = true;
        self.append();
        self.disk.delay_no_more();
        (self.disk.trace().digest(), self.disk.delayed())
    }

    /// Something happens.
    fn step(&mut self) {
        // What was not synced matters most when another process has found it.
        if self.is_poisoned() && self.dice.one_in(3) {
            return self.find_after_end();
        }
        match self.dice.below(24) {
            0..=8 => self.append(),
            9 => self.look(),
            10 | 11 => self.follow_with_the_index(),
            12 => self.find_after_end(),
            13 | 14 => {
                self.well = false;
                self.end_soon(12);
            }
            15 | 16 => {
                let any = FAILING[self.dice.below(FAILING.len())];
                let ask = if self.dice.one_in(3) { Ask::Sync } else { any };
                let kind = FAILURES[self.dice.below(FAILURES.len())];
                let nth = 1 + self.dice.below(4);
                self.well = false;
                self.disk.fail(ask, nth, kind);
            }
            17 => {
                let room = self.dice.below(2_000);
                self.well = false;
                self.disk.hold_at_most(Some(self.disk.used() + room));
            }
            18 => {
                self.disk.hold_at_most(None);
                self.disk.fail_no_more();
                self.log.check_room();
                self.well = self.disk.is_well() && !self.is_poisoned();
                while self.hand.step() {}
                self.indexed = self.index.has(self.indexed);
                assert!(!self.well || self.log.health().is_ok(), "it sees that there is room");
            }
            19 => self.log.check_room(),
            20..=22 => self.delay_soon(),
            _ => self.move_the_clock(),
        }
    }

    /// Callers give at one time, the writer works, all are answered.
    fn append(&mut self) {
        let (poisoned, head) = (self.is_poisoned(), *self.log.head().borrow());
        let first: Vec<_> = (0..self.dice.below(3)).map(|_| self.drafts_of_a_call()).collect();
        let first: Vec<_> = first.into_iter().map(|drafts| self.give(drafts)).collect();
        let ended = self.write_slices();
        let calls: Vec<_> = (0..=self.dice.below(3)).map(|_| self.drafts_of_a_call()).collect();
        let more: Vec<_> = calls.into_iter().map(|drafts| self.give(drafts)).collect();
        let waiting = in_order(first, ended, more);
        if self.dice.one_in(4) {
            self.follow_with_the_index();
        }
        let (mut offered, mut again) = self.answered(waiting, poisoned);
        for _ in 0..2 {
            // What the index has taken meanwhile is looked up again, as a caller does.
            let waiting: Vec<_> = again.into_iter().map(|drafts| self.give(drafts)).collect();
            let waiting = in_order(Vec::new(), 0, waiting);
            let (more, rest) = self.answered(waiting, poisoned);
            offered.extend(more);
            again = rest;
        }
        assert!(again.is_empty(), "a second look covers everything");
        self.check_new(head, offered);
    }

    /// Writes something of the large calls while the writer stands still, and gives how many of
    /// them it is done with.
    fn write_slices(&mut self) -> usize {
        let slices = self.dice.below(2) * self.dice.below(30);
        let ended =
            (0..slices).filter_map(|_| self.hand.write_slice()).filter(|ended| *ended).count();
        self.indexed = self.index.has(self.indexed);
        ended
    }

    /// One of the next calls of the writer takes long.
    fn delay_soon(&mut self) {
        let ask = meanwhile::DELAYED[self.dice.below(meanwhile::DELAYED.len())];
        let (nth, more) = (1 + self.dice.below(3), self.dice.below(8) as u64);
        let (clock, options) = (Arc::clone(&self.clock), self.options);
        let others = meanwhile::Others {
            log: self.log.clone(),
            disk: self.disk.clone(),
            index: self.index.clone(),
            upto: self.model.len().min(self.indexed + more),
            found: Box::new(move |disk| begin(disk, &clock, options)),
        };
        self.disk.delay(ask, nth, Arc::new(move || others.look()));
    }

    /// Lets the writer work, and gives what it answered and what it handed back.
    fn answered(
        &mut self,
        waiting: Vec<Waiting>,
        poisoned: bool,
    ) -> (Vec<Offered>, Vec<Vec<Given>>) {
        while self.hand.step() {}
        self.indexed = self.index.has(self.indexed);
        let (mut offered, mut again) = (Vec::new(), Vec::new());
        for Waiting { drafts, known, call, .. } in waiting {
            let asked = known.iter().filter(|known| known.is_none()).count();
            let answered = call.map(|(mut call, early)| {
                // Without room on the disk nobody waits for the writer.
                assert!(!matches!(early, Some(Ok(_))), "the writer has not worked yet");
                early.or_else(|| poll(&mut call)).expect("it is answered")
            });
            let answer = match answered {
                None => Some(Vec::new()),
                Some(Ok(accepted)) => {
                    assert!(!poisoned, "a poisoned log has answered");
                    Some(accepted)
                }
                Some(Err(AppendError::LookAgain(back))) => {
                    assert_eq!(back.len(), asked, "all drafts come back");
                    again.push(drafts);
                    continue;
                }
                Some(Err(AppendError::Store(error))) => {
                    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
                    assert!(!self.well, "nothing is wrong with the disk: {error}");
                    None
                }
            };
            let answer = answer.map(|answer| {
                assert_eq!(answer.len(), asked, "one answer for each draft");
                let mut answers = answer.into_iter();
                let each = known.into_iter().map(|known| {
                    known.map_or_else(|| answers.next().expect("one each"), Accepted::Duplicate)
                });
                each.collect()
            });
            offered.push(Offered { drafts, answer });
        }
        (offered, again)
    }

    /// Looks into the index as a caller does, and calls with what it does not know.
    fn give(&self, drafts: Vec<Given>) -> Waiting {
        let known: Vec<_> =
            drafts.iter().map(|given| self.model.repeated(given, self.indexed)).collect();
        let unknown = drafts.iter().zip(&known).filter(|(_, known)| known.is_none());
        let fresh: Vec<Draft> = unknown.map(|(given, _)| given.draft.clone()).collect();
        let (log, seen) = (self.log.clone(), self.indexed);
        let fresh = prepared(&fresh);
        let bytes: usize = fresh.iter().map(Prepared::len).sum();
        let large = bytes >= self.options.large_bytes_min;
        let call = (!fresh.is_empty()).then(|| {
            let mut call: Appending = Box::pin(async move { log.append(fresh, seen).await });
            let early = poll(&mut call);
            (call, early)
        });
        Waiting { drafts, known, large, call }
    }

    fn drafts_of_a_call(&mut self) -> Vec<Given> {
        let count = 1 + if self.dice.one_in(6) { self.dice.below(12) } else { self.dice.below(3) };
        (0..count).map(|_| self.draft()).collect()
    }

    fn draft(&mut self) -> Given {
        self.drafts += 1;
        let length = match self.dice.below(400) {
            0 if self.dice.one_in(4) => 1 << 20 | self.dice.below(2 << 20),
            0..=4 => self.dice.below(100_000),
            5..=40 => 0,
            41..=120 => self.dice.below(6_000),
            _ => self.dice.below(300),
        };
        let mut raw = self.dice.bytes(length);
        if self.dice.one_in(3) {
            raw.fill(b'a');
        }
        // A body may be empty; the prompt tells the drafts apart.
        let prompt = Prompt { text: format!("draft {}", self.drafts), version: 1 };
        let dedupe = self.dice.one_in(3).then(|| {
            let key = format!("key {}", self.dice.below(8));
            Dedupe { key, window: WEEK }
        });
        Given::new(Draft { created_at: self.clock.now(), prompt, dedupe, ..draft(raw) })
    }

    /// What was shown since is what was answered.
    fn check_new(&mut self, head: Seq, offered: Vec<Offered>) {
        let failures = self.disk.set_failures(Vec::new());
        match read_from(&self.log, &mut self.next) {
            Ok(reads) => {
                assert_eq!(reads.len() as u64, *self.log.head().borrow() - head);
                self.model.follow(&reads, offered);
            }
            // It is compared when it is found again.
            Err(_) if self.disk.is_off() => self.model.expect(offered),
            Err(error) => panic!("{error}"),
        }
        self.disk.set_failures(failures);
    }

    /// Reads while the disk fails, and in between.
    fn look(&mut self) {
        self.disk.fail(Ask::Read, 1, ErrorKind::Other);
        let entries = self.log.committed(0, usize::MAX);
        for entry in &entries {
            match self.log.read(entry.position) {
                Ok(frame) => assert_eq!(frame.id, entry.id),
                Err(LogError::Io { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn follow_with_the_index(&mut self) {
        let behind = usize::try_from(self.model.len() - self.indexed).expect("a count");
        self.indexed += self.dice.below(behind + 1) as u64;
        self.log.indexed(self.indexed);
    }

    fn move_the_clock(&mut self) {
        let hour = Duration::from_secs(3_600);
        let now = self.clock.now();
        self.clock.set(match self.dice.below(4) {
            0 => now.minus(hour),
            1 => now.plus(365 * 24 * hour),
            2 => now.plus(WEEK),
            _ => now.plus(Duration::from_millis(1)),
        });
    }

    /// The process is ended in the middle of one of the next calls.
    fn end_soon(&mut self, calls: usize) {
        let nth = 1 + self.dice.below(calls) as u64;
        let end = if self.dice.one_in(3) { End::Kill } else { End::PowerCut };
        self.disk.end_at(nth, end);
    }

    /// The process ends and another one opens the log.
    fn find_after_end(&mut self) {
        if self.dice.one_in(2) {
            self.disk.drop_caches();
        }
        self.open();
        if self.dice.one_in(3) {
            self.find_after_power_cut();
        }
    }

    /// The process ends with the power, if it has not ended yet, and another one opens the log.
    fn find_after_power_cut(&mut self) {
        self.disk = self.disk.restarted();
        if self.dice.one_in(2) {
            self.disk.drop_caches();
        }
        // The index does not sync each of its commits.
        let lost = self.dice.below(3) as u64;
        self.indexed = self.indexed.saturating_sub(lost);
        self.open();
    }

    /// Opens the log as often as it takes, while power and disk fail.
    fn open(&mut self) {
        self.disk.delay_no_more();
        self.index.forget();
        for _ in 0..4 {
            if self.dice.one_in(3) {
                self.end_soon(20);
            }
            let options = LogOptions { indexed: Some(self.indexed), ..self.options };
            match begin(&self.disk, &self.clock, options) {
                Ok((log, hand)) => return self.opened(log, hand),
                Err(_) if self.disk.is_off() => self.disk = self.disk.restarted(),
                Err(OpenError::Io { .. } | OpenError::Read(LogError::Io { .. })) => {
                    self.disk.fail_no_more();
                    self.disk.hold_at_most(None);
                }
                Err(error) => panic!("it does not open: {error}"),
            }
        }
        let options = LogOptions { indexed: Some(self.indexed), ..self.options };
        self.disk.end_never();
        let (log, hand) = begin(&self.disk, &self.clock, options).expect("it opens");
        self.opened(log, hand);
    }

    fn opened(&mut self, log: Log, hand: ByHand) {
        (self.log, self.hand) = (log, hand);
        let left = self.disk.content().into_keys().find(|name| !name.ends_with(".seg"));
        assert!(left.is_none() || self.disk.is_off(), "{left:?} is of no use to anybody");
        let failures = self.disk.set_failures(Vec::new());
        self.next = self.log.place_before(0);
        match read_from(&self.log, &mut self.next) {
            Ok(reads) => {
                assert_eq!(reads.len() as u64, *self.log.head().borrow());
                self.model.reopened(&reads);
            }
            Err(_) if self.disk.is_off() => return self.find_after_power_cut(),
            Err(error) => panic!("{error}"),
        }
        self.disk.set_failures(failures);
        self.well = self.disk.is_well();
    }

    fn is_poisoned(&self) -> bool {
        let passes = |reason: &str| {
            reason.starts_with("the disk is ") || reason.starts_with("cannot create")
        };
        self.log.health().is_err_and(|reason| !passes(&reason))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let trace: Trace = self.disk.trace();
            trace.lines().for_each(|line| eprintln!("  {line}"));
        }
    }
}

fn begin(
    disk: &SimulatedDisk,
    clock: &Arc<ManualClock>,
    options: LogOptions,
) -> Result<(Log, ByHand), OpenError> {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Log::open_by_hand(Arc::new(disk.clone()), clock, options)
}

/// Everything from a place on; moves the place to where the next event will be.
pub(super) fn read_from(log: &Log, place: &mut Place) -> Result<Vec<Read>, LogError> {
    let mut reads = Vec::new();
    loop {
        let scanned = log.scan(*place, 50, usize::MAX)?;
        if scanned.frames.is_empty() {
            return Ok(reads);
        }
        for frame in scanned.frames {
            let unpacked = frame.unpack()?;
            let (event, raw) = (unpacked.event, unpacked.raw);
            let (seq, id, created_at) = (frame.seq, frame.id, frame.created_at);
            reads.push(Read { seq, id, created_at, event, raw });
        }
        *place = scanned.next;
    }
}

/// Calls in the order in which they are stored: large ones come to the writer when they are
/// written, those of the first that were written before the others came even before these.
fn in_order(first: Vec<Waiting>, mut ended: usize, more: Vec<Waiting>) -> Vec<Waiting> {
    let is_small = |call: &Waiting| !call.large || call.call.is_none();
    let (mut early, large): (Vec<_>, Vec<_>) = first.into_iter().partition(is_small);
    let (mut late, more_large) = more.into_iter().partition(is_small);
    let mut large = VecDeque::from(large);
    large.extend(more_large);
    while ended > 0
        && let Some(call) = large.pop_front()
    {
        // What was refused at once has never come to anybody.
        ended -= usize::from(call.call.as_ref().is_some_and(|(_, early)| early.is_none()));
        early.push(call);
    }
    early.append(&mut late);
    early.extend(large);
    early
}

fn poll(call: &mut Appending) -> Option<Answer> {
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}
