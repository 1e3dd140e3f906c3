//! Backups of a queue that does not stand still.

use crate::{
    bench::{Bench, SECOND, noon},
    folder::open,
};
use base64::{Engine, engine::general_purpose::STANDARD};
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
    task::Poll,
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
        let noise: Vec<u8> = noise.flat_map(u64::to_le_bytes).collect();
        // JSON, as the bench's drafts are: one that is not cannot be read again.
        let raw = Bytes::from(format!("{{\"noise\": \"{}\"}}", STANDARD.encode(noise)));
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
        let ask = LeaseAsk { max: 1, wait: Duration::ZERO, lease: Some(10 * SECOND), bytes: None };
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_left_of_a_backup_is_cleared_by_the_next() {
    let folder = TempDir::new().expect("a folder");
    let (queue, clock, _) = begun(&folder.path().join("data")).await;
    let under = folder.path().join("backups");
    let [left, busy, other] = [
        "backup-2026-11-20T00-00-00.000Z.partial",
        "backup-2026-11-21T00-00-00.000Z.partial",
        "notes.partial",
    ]
    .map(|name| under.join(name));
    for path in [&left, &busy, &other] {
        fs::create_dir_all(path.join("log")).expect("made");
    }
    let owned = fs::File::open(&busy).expect("opens");
    owned.lock().expect("another process makes it");
    let backups = BackupFolder::new(Arc::clone(&queue), under, clock);
    let made = backups.back_up().await.expect("copied");
    assert!(made.folder.join("headgate.db").exists());
    assert!(!left.exists(), "nobody makes it any more");
    assert!(busy.exists() && other.exists(), "it took what is not left over");
    queue.close().await;
}

#[test]
fn a_backup_whose_caller_has_gone_keeps_its_turn() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .expect("starts");
    runtime.block_on(async {
        let folder = TempDir::new().expect("a folder");
        let (queue, clock, _) = begun(&folder.path().join("data")).await;
        let under = folder.path().join("backups");
        let backups = BackupFolder::new(Arc::clone(&queue), under.clone(), clock);
        // No thread is free, so the first backup is asked for and stays where it is.
        let (mut release, mut busy) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let (sender, released) = std::sync::mpsc::channel::<()>();
            release.push(sender);
            busy.push(tokio::task::spawn_blocking(move || released.recv()));
        }
        let mut first = backups.back_up();
        let polled = std::future::poll_fn(|context| Poll::Ready(first.as_mut().poll(context)));
        assert!(polled.await.is_pending(), "it waits for a thread");
        drop(first);
        let mut second = backups.back_up();
        let polled = std::future::poll_fn(|context| Poll::Ready(second.as_mut().poll(context)));
        let second = polled.await;
        assert!(matches!(second, Poll::Ready(Err(BackupError::Running))), "{second:?}");
        drop(release);
        queue.close().await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_for_which_there_is_no_room_is_refused_before_it_takes_any() {
    let folder = TempDir::new().expect("a folder");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(noon()));
    let options = EmbeddedOptions { disk_free_bytes_min: u64::MAX, ..EmbeddedOptions::default() };
    let queue = Embedded::open(&folder.path().join("data"), clock, options).expect("opens");
    let refused = queue.back_up(&folder.path().join("copy")).await.expect_err("no room");
    let BackupError::Io { source, .. } = refused else { panic!("{refused}") };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "something is left");
    queue.close().await;
}
