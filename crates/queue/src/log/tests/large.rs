//! Calls that are larger than a batch: they hold up nobody, and what fails concerns them alone.

use super::{super::writer::ByHand, *};
use std::io::ErrorKind;

type Calling = tokio::task::JoinHandle<Result<Vec<Accepted>, AppendError>>;

const SMALL: LogOptions = LogOptions {
    segment_bytes_max: 64 << 20,
    indexed: None,
    index_lag_events_max: 1_000,
    index_lag_wait: Duration::ZERO,
    large_bytes_min: 20_000,
    large_slice_bytes: 1_000,
    disk_free_bytes_min: 0,
    dedupe_kept_events: 100,
};

/// A log whose writer works when the test says so.
struct Slow {
    disk: SimulatedDisk,
    log: Log,
    hand: ByHand,
}

impl Slow {
    fn new() -> Self {
        Self::on(SimulatedDisk::default())
    }

    fn on(disk: SimulatedDisk) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let (log, hand) =
            Log::open_by_hand(Arc::new(disk.clone()), clock, SMALL).expect("it opens");
        Self { disk, log, hand }
    }

    /// Queues a call.
    async fn give(&self, drafts: Vec<Draft>) -> Calling {
        let log = self.log.clone();
        let calling = tokio::spawn(async move { append(&log, &drafts).await });
        // The test's runtime has one thread: the call runs up to where it waits.
        tokio::task::yield_now().await;
        calling
    }

    fn work(&mut self) {
        while self.hand.step() {}
    }

    fn names(&self) -> Vec<String> {
        self.disk.content().into_keys().collect()
    }

    /// What another process finds, also after a power cut.
    fn found(self) -> Vec<Bytes> {
        let Self { disk, log, hand } = self;
        let cut = disk.with_what_was_synced();
        drop((log, hand));
        let found = raws(&all(&reopened(&disk).expect("it opens")));
        assert_eq!(raws(&all(&reopened(&cut).expect("it opens"))), found);
        found
    }
}

fn large(seed: u64) -> Bytes {
    noise(30_000, seed).into()
}

fn reason(answer: Result<Vec<Accepted>, AppendError>) -> String {
    match answer {
        Err(AppendError::Store(StoreError::Unavailable { reason, .. })) => reason,
        other => panic!("{other:?}"),
    }
}

async fn answer(calling: Calling) -> Vec<Accepted> {
    calling.await.expect("it ends").expect("it is stored")
}

#[tokio::test]
async fn a_small_event_is_stored_while_a_large_one_is_on_its_way() {
    let mut slow = Slow::new();
    let calling = slow.give(vec![draft(large(1))]).await;
    assert_eq!(slow.hand.write_slice(), Some(false), "there is more of it");
    let small = slow.give(vec![draft("small")]).await;
    slow.hand.step();
    assert!(
        small.is_finished() || {
            tokio::task::yield_now().await;
            small.is_finished()
        }
    );
    assert!(!calling.is_finished());
    slow.work();
    let (small, calling) = (answer(small).await, answer(calling).await);
    assert!(small[0].id() < calling[0].id(), "the order is that of the answers");
    let later = slow.give(vec![draft("later")]).await;
    slow.work();
    answer(later).await;
    assert_eq!(slow.names(), ["00000000000000000001.seg", "00000000000000000002.seg"]);
    assert_eq!(slow.found(), [Bytes::from("small"), large(1), "later".into()]);
}

#[tokio::test]
async fn a_large_event_takes_the_place_of_an_empty_segment() {
    let mut slow = Slow::new();
    let first = slow.give(vec![draft(large(1))]).await;
    let second = slow.give(vec![draft(large(2))]).await;
    slow.work();
    answer(first).await;
    answer(second).await;
    assert_eq!(slow.names(), ["00000000000000000001.seg", "00000000000000000002.seg"]);
    assert_eq!(raws(&all(&slow.log)), [large(1), large(2)]);
    assert_eq!(slow.found(), [large(1), large(2)]);
}

#[tokio::test]
async fn a_large_event_that_comes_twice_at_the_same_time_is_stored_once() {
    let mut slow = Slow::new();
    let first = slow.give(vec![keyed("k", large(1))]).await;
    let second = slow.give(vec![keyed("k", large(1))]).await;
    slow.work();
    let (first, second) = (answer(first).await, answer(second).await);
    assert_eq!(second, [Accepted::Duplicate(first[0].id())]);
    assert_eq!(slow.names(), ["00000000000000000001.seg"]);
    assert_eq!(slow.found(), [large(1)]);
}

#[tokio::test]
async fn repeats_among_large_events_leave_no_gap() {
    for repeat in 0..3 {
        let mut slow = Slow::new();
        let drafts: Vec<_> = (0..3).map(|n| keyed(&format!("{n}"), large(n))).collect();
        let calling = slow.give(drafts).await;
        assert_eq!(slow.hand.write_slice(), Some(false), "there is more of it");
        let known = slow.give(vec![keyed(&format!("{repeat}"), "before")]).await;
        slow.work();
        let (known, answers) = (answer(known).await[0].id(), answer(calling).await);
        let mut expected = vec![Bytes::from("before")];
        for (n, answer) in (0..3).zip(answers) {
            assert_eq!(answer == Accepted::Duplicate(known), n == repeat, "{n}");
            expected.extend((n != repeat).then(|| large(n)));
        }
        assert_eq!(raws(&all(&slow.log)), expected);
        assert_eq!(slow.found(), expected, "{repeat}");
    }
}

#[tokio::test]
async fn a_disk_that_is_too_full_for_a_large_event_takes_small_ones() {
    let mut slow = Slow::new();
    slow.disk.hold_at_most(Some(20_000));
    let calling = slow.give(vec![draft(large(1))]).await;
    for _ in 0..15 {
        assert_eq!(slow.hand.write_slice(), Some(false));
    }
    let small = slow.give(vec![draft("small")]).await;
    slow.work();
    assert_eq!(answer(small).await.len(), 1);
    let reason = reason(calling.await.expect("it ends"));
    assert!(reason.starts_with("the disk is full: "), "{reason}");
    assert_eq!(slow.log.health(), Ok(()));
    assert_eq!(slow.names(), ["00000000000000000001.seg"]);
    assert_eq!(slow.found(), ["small"]);
}

#[tokio::test]
async fn a_file_that_fails_before_it_is_a_segment_fails_its_call_alone() {
    for (ask, nth) in [
        (Ask::Create, 1),
        (Ask::Write, 1),
        (Ask::Sync, 1),
        (Ask::Sync, 20),
        (Ask::Measure, 1),
        (Ask::Rename, 1),
    ] {
        let mut slow = Slow::new();
        slow.disk.fail(ask, nth, ErrorKind::Other);
        let calling = slow.give(vec![keyed("k", large(1))]).await;
        slow.work();
        if slow.log.health().is_ok() {
            reason(calling.await.expect("it ends"));
            assert_eq!(slow.names(), ["00000000000000000001.seg"], "{ask:?} {nth}");
            let again = slow.give(vec![keyed("k", large(1))]).await;
            slow.work();
            assert!(matches!(answer(again).await[..], [Accepted::New(_)]), "{ask:?} {nth}");
            assert_eq!(slow.found(), [large(1)], "{ask:?} {nth}");
        } else {
            assert_eq!(ask, Ask::Rename, "it may have been renamed all the same");
        }
    }
}

#[tokio::test]
async fn a_segment_of_which_nobody_knows_whether_it_is_there_is_poison() {
    for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
        let mut slow = Slow::new();
        slow.disk.fail(Ask::SyncFolder, 1, kind);
        let calling = slow.give(vec![draft(large(1))]).await;
        slow.work();
        reason(calling.await.expect("it ends"));
        let small = slow.give(vec![draft("small")]).await;
        slow.work();
        reason(small.await.expect("it ends"));
        let disk = slow.disk.restarted();
        let mut slow = Slow::on(disk);
        let small = slow.give(vec![draft("small")]).await;
        slow.work();
        answer(small).await;
        assert_eq!(slow.found().last(), Some(&Bytes::from("small")));
    }
}

#[tokio::test]
async fn what_never_became_a_segment_is_removed_when_the_log_is_opened() {
    let mut slow = Slow::new();
    let small = slow.give(vec![draft("small")]).await;
    slow.work();
    answer(small).await;
    let _calling = slow.give(vec![draft(large(1))]).await;
    assert_eq!(slow.hand.write_slice(), Some(false));
    assert_eq!(slow.names().len(), 2);
    slow.disk.put("large-notes.txt", b"of somebody else");
    let slow = Slow::on(slow.disk.clone());
    assert_eq!(slow.names(), ["00000000000000000001.seg", "large-notes.txt"]);
    assert_eq!(slow.found(), ["small"]);
}

#[tokio::test]
async fn closing_stores_what_is_on_its_way() {
    let rig = Rig::with(LogOptions { large_bytes_min: 20_000, ..LogOptions::default() });
    rig.disk.hold_syncs();
    let log = rig.log.clone();
    let calling = tokio::spawn(async move { append(&log, &[draft(large(1))]).await });
    let disk = rig.disk.clone();
    tokio::task::spawn_blocking(move || disk.until_a_sync_waits()).await.expect("it waits");
    let log = rig.log.clone();
    let closing = tokio::spawn(async move { log.close().await });
    tokio::task::yield_now().await;
    rig.disk.release_syncs();
    closing.await.expect("it closes");
    answer(calling).await;
    let late = append(&rig.log, &[draft(large(2))]).await;
    assert_eq!(reason(late), "the log is closed");
    assert_eq!(raws(&rig.reopen().all()), [large(1)]);
}
