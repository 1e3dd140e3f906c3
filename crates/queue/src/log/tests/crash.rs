//! Random work with power cuts and dying processes: what was answered is there, once, as given.

use super::*;
use proptest::prelude::*;
use std::io::ErrorKind;
use tokio::runtime::Runtime;

/// One thing that happens to the log.
#[derive(Clone, Debug)]
enum Step {
    /// Calls with so many drafts each, all at one time, that are answered.
    Append(Vec<usize>),
    /// The same, but the power fails while they wait.
    PowerFails(Vec<usize>, u64),
    /// The same, but the sync fails, the process is started anew, and then the power fails.
    SyncFails(Vec<usize>, u64),
    /// The same, but the disk is full.
    DiskFills(Vec<usize>),
    /// The process is started anew.
    Restart,
}

/// What is known of the events that were given.
#[derive(Default)]
struct Known {
    /// Answered or shown, in their order.
    stored: Vec<Bytes>,
    /// Calls that were not answered: all or none of each may be there.
    open: Vec<Vec<Bytes>>,
    next: u64,
}

impl Known {
    fn drafts(&mut self, count: usize) -> Vec<Draft> {
        let mut next = || {
            self.next += 1;
            let long = usize::try_from(self.next * 131 % 1_500).expect("a length");
            draft([format!("{}:", self.next).into_bytes(), noise(long, self.next)].concat())
        };
        (0..count).map(|_| next()).collect()
    }

    /// Compares with what is there, which is stored from here on.
    fn check(&mut self, log: &Log) {
        let reads = all(log);
        assert!(reads.is_sorted_by(|a, b| a.id < b.id && a.seq + 1 == b.seq));
        let found = raws(&reads);
        assert!(found.len() >= self.stored.len(), "an answered event is missing");
        let (kept, rest) = found.split_at(self.stored.len());
        assert!(kept == self.stored, "what was answered has changed");
        let mut rest = rest.to_vec();
        for call in self.open.drain(..) {
            let there = rest.windows(call.len()).position(|found| found == call);
            if let Some(at) = there {
                rest.drain(at..at + call.len());
            }
        }
        assert!(rest.is_empty(), "a part of a call is there, or what was never given");
        self.stored = found;
        assert_eq!(*log.head().borrow(), self.stored.len() as u64);
    }
}

/// Gives all calls at one time and then acts.
fn give(
    runtime: &Runtime,
    log: &Log,
    calls: Vec<Vec<Draft>>,
    then: impl FnOnce(),
) -> Vec<Result<Vec<Accepted>, AppendError>> {
    runtime.block_on(async {
        let calls: Vec<_> = calls
            .into_iter()
            .map(|drafts| {
                let log = log.clone();
                tokio::spawn(async move { append(&log, &drafts).await })
            })
            .collect();
        tokio::task::yield_now().await;
        then();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.expect("no panic"));
        }
        answers
    })
}

fn dice(mut seed: u64) -> impl FnMut(u32) -> u32 {
    move |sides| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 33).unwrap_or(0) % sides
    }
}

fn run(steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let clock = Arc::new(ManualClock::at(NOW));
    let options = LogOptions { segment_bytes_max: 4_000, ..LogOptions::default() };
    let reopen = |disk: &MemoryStorage| open(disk, &clock, options).expect("it opens");
    let mut disk = MemoryStorage::default();
    let mut log = reopen(&disk);
    let mut known = Known::default();
    for step in steps {
        match step {
            Step::Append(sizes) => {
                let calls: Vec<_> = sizes.iter().map(|size| known.drafts(*size)).collect();
                let given = calls.clone();
                let answers = give(&runtime, &log, calls, || {});
                assert!(answers.iter().all(Result::is_ok));
                known.open = given.iter().map(|call| raws_of(call)).collect();
                let expected = known.stored.len() + sizes.iter().sum::<usize>();
                known.check(&log);
                assert_eq!(known.stored.len(), expected);
            }
            Step::PowerFails(sizes, seed) => {
                let calls: Vec<_> = sizes.iter().map(|size| known.drafts(*size)).collect();
                known.open = calls.iter().map(|call| raws_of(call)).collect();
                disk.hold_syncs();
                let mut after = None;
                give(&runtime, &log, calls, || {
                    disk.until_a_sync_waits();
                    after = Some(disk.after_power_cut(dice(seed)));
                    disk.release_syncs();
                });
                disk = after.expect("the power failed");
                log = reopen(&disk);
                known.check(&log);
            }
            Step::SyncFails(sizes, seed) => {
                let calls: Vec<_> = sizes.iter().map(|size| known.drafts(*size)).collect();
                known.open = calls.iter().map(|call| raws_of(call)).collect();
                disk.fail(Ask::Sync, 1, ErrorKind::Other);
                let answers = give(&runtime, &log, calls, || {});
                assert!(answers.iter().all(Result::is_err));
                drop(log);
                log = reopen(&disk);
                known.check(&log);
                disk = disk.after_power_cut(dice(seed));
                log = reopen(&disk);
                known.check(&log);
            }
            Step::DiskFills(sizes) => {
                let calls: Vec<_> = sizes.iter().map(|size| known.drafts(*size)).collect();
                disk.hold_at_most(Some(disk.used() + 10));
                let answers = give(&runtime, &log, calls, || {});
                assert!(answers.iter().all(Result::is_err));
                disk.hold_at_most(None);
                known.check(&log);
            }
            Step::Restart => {
                drop(log);
                log = reopen(&disk);
                known.check(&log);
            }
        }
    }
}

fn raws_of(drafts: &[Draft]) -> Vec<Bytes> {
    drafts.iter().map(|draft| draft.raw.clone()).collect()
}

fn any_step() -> impl Strategy<Value = Step> {
    let sizes = || prop::collection::vec(1_usize..5, 1..6);
    prop_oneof![
        4 => sizes().prop_map(Step::Append),
        4 => (sizes(), any::<u64>()).prop_map(|(sizes, seed)| Step::PowerFails(sizes, seed)),
        2 => (sizes(), any::<u64>()).prop_map(|(sizes, seed)| Step::SyncFails(sizes, seed)),
        1 => sizes().prop_map(Step::DiskFills),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_was_answered_survives_everything(steps in prop::collection::vec(any_step(), 1..20)) {
        run(steps);
    }
}
