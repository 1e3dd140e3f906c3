//! Backups of a queue that does not stand still.

use crate::{
    bench::{Bench, SECOND, noon},
    folder::open,
};
use bytes::Bytes;
use headgate_event::{Clock, Draft, Sink};
use headgate_queue::{
    BackupError, BackupFolder, Backups, Embedded, EmbeddedOptions, LeaseAsk, Queue, Settlement,
    Start, SubscriptionSpec, Verb,
};
use headgate_testkit::ManualClock;
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

/// A queue with a subscription and a log that takes a moment to copy.
async fn begun(folder: &Path) -> (Arc<Embedded>, Arc<ManualClock>, Bench) {
    let bench = Bench::memory();
    let clock = Arc::new(ManualClock::at(noon()));
    let options = EmbeddedOptions { segment_bytes_max: 1 << 20, ..EmbeddedOptions::default() };
    let queue = Embedded::open(folder, Arc::clone(&clock) as Arc<dyn Clock>, options);
    let queue = Arc::new(queue.expect("opens"));
    for seed in 0..12_u64 {
        let noise = (0..1_u64 << 17).map(|n| (n ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let raw: Bytes = noise.flat_map(u64::to_le_bytes).collect();
        let draft = Draft { raw, ..bench.draft("large") };
        queue.accept(vec![draft]).await.expect("stored");
    }
    let spec = SubscriptionSpec { start: Start::Now, ..SubscriptionSpec::new("agent") };
    queue.put_subscription(spec).await.expect("made");
    (queue, clock, bench)
}

/// Stores, leases and settles one event after the other: the state always knows the newest.
async fn live(queue: Arc<Embedded>, bench: Arc<Bench>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        queue.accept(vec![bench.draft("billing")]).await.expect("stored");
        let ask = LeaseAsk { max: 1, wait: Duration::ZERO, lease: Some(10 * SECOND) };
        for event in queue.lease("agent", ask).await.expect("leased") {
            let id = event.delivery().expect("leased").id.clone();
            let settlement = Settlement { id, verb: Verb::Ack };
            queue.settle("agent", vec![settlement]).await.expect("settled");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_a_backup_never_knows_more_than_its_log() {
    let folder = TempDir::new().expect("a folder");
    let (queue, _, bench) = begun(folder.path()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let living = tokio::spawn(live(Arc::clone(&queue), Arc::new(bench), Arc::clone(&stop)));
    for nth in 0..5 {
        let to = folder.path().join(format!("copy-{nth}"));
        let report = queue.back_up(&to).await.expect("copied");
        assert_eq!(report.folder, to);
        assert!(report.segments > 5 && report.bytes > 12 << 20, "{report:?}");
        let copy = open(&to).expect("opens");
        let newest = report.newest_event.expect("some");
        assert!(copy.event(newest).await.expect("read").is_some());
        copy.close().await;
        drop(copy);
        assert_eq!(Embedded::inspect(&to).expect("inspected").damage, []);
        fs::remove_dir_all(&to).expect("removed");
    }
    stop.store(true, Ordering::SeqCst);
    living.await.expect("lived");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_fails_leaves_nothing_that_looks_like_one() {
    let folder = TempDir::new().expect("a folder");
    let (queue, clock, _) = begun(&folder.path().join("data")).await;
    let log = folder.path().join("data/log");
    let listed = fs::read_dir(&log).expect("listed");
    let first = listed.map(|entry| entry.expect("listed").path()).min().expect("one");
    fs::OpenOptions::new().write(true).open(first).expect("opens").set_len(100).expect("cut");
    let under = folder.path().join("backups");
    let backups = BackupFolder::new(Arc::clone(&queue), under.clone(), clock);
    let failed = backups.back_up().await.expect_err("a segment is cut");
    assert!(matches!(failed, BackupError::Io { .. }), "{failed}");
    assert_eq!(fs::read_dir(&under).expect("listed").count(), 0);
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_overwrites_nothing() {
    let folder = TempDir::new().expect("a folder");
    let (queue, ..) = begun(&folder.path().join("data")).await;
    let there = folder.path().join("there");
    fs::create_dir(&there).expect("made");
    let refused = queue.back_up(&there).await.expect_err("it is there");
    assert!(matches!(refused, BackupError::Exists { .. }), "{refused}");
    queue.close().await;
}
