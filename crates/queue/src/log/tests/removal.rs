//! Taking events away, with a crash between any two steps.

use super::*;
use crate::log::{Begun, Erasure};
use std::io::ErrorKind;

const ERASED_AT: Timestamp = Timestamp::from_unix_ms(1_795_222_999_999);

/// A log of small segments with compressed and plain events, all of which hold a needle.
async fn rig() -> Rig {
    rig_on(0).await
}

async fn rig_on(seed: u64) -> Rig {
    let options = LogOptions { segment_bytes_max: 4_000, ..LogOptions::default() };
    let (disk, clock) = (SimulatedDisk::new(seed), Arc::new(ManualClock::at(NOW)));
    let log = open(&disk, &clock, options).expect("an empty log opens");
    let rig = Rig { disk, clock, log };
    for n in 0..12_u64 {
        let long = if n % 3 == 0 { "needle ".repeat(700) } else { "needle".to_owned() };
        let drafts: Vec<Draft> =
            (0..3).map(|m| keyed(&format!("key-{n}-{m}"), format!("{long}{n}-{m}"))).collect();
        rig.append(&drafts).await;
    }
    assert!(rig.log.segments().len() > 3);
    rig
}

fn plan(log: &Log, seq: Seq) -> Erasure {
    let frame = frame(log, seq);
    log.plan_erasure(seq, frame.position, ERASED_AT).expect("planned")
}

fn frame(log: &Log, seq: Seq) -> crate::log::Frame {
    let scanned = log.scan(log.place_before(seq), 1_000, usize::MAX).expect("it reads");
    scanned.frames.into_iter().find(|frame| frame.seq == seq).expect("it is there")
}

fn finishing(disk: &SimulatedDisk, begun: &Begun) -> Result<Log, OpenError> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    Log::open_finishing(Arc::new(disk.clone()), clock, LogOptions::default(), begun)
}

fn erasing(erasure: &Erasure) -> Begun {
    Begun { kept_from: 0, erasures: vec![erasure.clone()] }
}

/// Everything is readable, and this event alone is erased.
fn check(log: &Log, erased: Seq, before: &[Read]) {
    let scanned = log.scan(log.place_before(0), usize::MAX, usize::MAX).expect("it reads");
    assert_eq!(scanned.frames.len(), before.len());
    for (frame, before) in scanned.frames.iter().zip(before) {
        assert_eq!(frame.keys.is_erased(), frame.seq == erased);
        assert_eq!(
            (frame.seq, frame.id, frame.created_at),
            (before.seq, before.id, before.created_at)
        );
        if frame.seq != erased {
            assert_eq!(frame.unpack().expect("it unpacks").raw, before.raw);
        }
    }
}

#[tokio::test]
async fn an_erased_event_is_not_in_the_files_and_the_log_is_whole() {
    for seq in [1, 2, 3, 17, 34, 35, 36] {
        let rig = rig().await;
        let before = rig.all();
        let erasure = plan(&rig.log, seq);
        let digest = erasure.digest;
        assert!(digest.is_some());
        rig.log.erase(erasure).await.expect("erased");
        check(&rig.log, seq, &before);
        assert_eq!(frame(&rig.log, seq).keys.dedupe_digest(), digest);
        let raw = &before[usize::try_from(seq).expect("small") - 1].raw;
        let held = rig.disk.content().values().any(|file| contains(file, raw));
        assert!(!held, "the body of {seq} is in a file");
        rig.append_raw("later").await;
        let log = reopened(&rig.disk.with_what_was_synced()).expect("it opens");
        assert_eq!(*log.head().borrow(), 37);
    }
}

fn contains(file: &[u8], wanted: &[u8]) -> bool {
    file.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn an_erasure_that_a_power_cut_tears_is_finished_by_the_next_opening() {
    for seq in [2, 17, 34, 36] {
        for failing in [Some((Ask::Write, 1)), Some((Ask::Write, 2)), Some((Ask::Sync, 1)), None] {
            for seed in 0..6 {
                let rig = rig_on(seed).await;
                let before = rig.all();
                let erasure = plan(&rig.log, seq);
                if let Some((ask, nth)) = failing {
                    rig.disk.fail(ask, nth, ErrorKind::Other);
                }
                let done = rig.log.erase(erasure.clone()).await;
                assert_eq!(done.is_ok(), failing.is_none());
                check(&rig.log, seq, &before);
                let disk = rig.disk.restarted();
                let log = finishing(&disk, &erasing(&erasure)).expect("it opens");
                check(&log, seq, &before);
                drop(log);
                check(&reopened(&disk.with_what_was_synced()).expect("it opens"), seq, &before);
            }
        }
    }
}

#[tokio::test]
async fn an_erasure_of_another_log_changes_nothing() {
    let (one, two) = (rig().await, rig().await);
    let erasure = plan(&one.log, 36);
    drop(two.log);
    let before = two.disk.content();
    drop(finishing(&two.disk, &erasing(&erasure)).expect("it opens"));
    assert_eq!(two.disk.content(), before);
}

#[tokio::test]
async fn segments_go_from_the_front_and_nothing_else_does() {
    let rig = rig().await;
    let before = rig.all();
    let segments = rig.log.segments();
    let first = segments[2].first_seq;
    let (count, bytes) = rig.log.remove_before(first).expect("removed");
    assert_eq!((count, bytes), (2, segments[0].bytes + segments[1].bytes));
    assert_eq!(rig.log.first_seq(), first);
    let kept = &before[usize::try_from(first).expect("small") - 1..];
    assert_eq!(rig.all(), kept);
    let rig = rig.reopen();
    assert_eq!(rig.all(), kept);
    assert_eq!(rig.log.remove_before(Seq::MAX).expect("removed").0 as usize, segments.len() - 3);
    rig.append_raw("the active one is never removed").await;
}

#[tokio::test]
async fn a_removal_that_was_interrupted_is_finished_by_the_next_opening() {
    let rig = rig().await;
    let before = rig.all();
    let segments = rig.log.segments();
    let first = segments[3].first_seq;
    drop(rig.log);
    // A power cut brings the first back, and not the second: unlinking was not synced.
    let names: Vec<String> = rig.disk.content().into_keys().collect();
    rig.disk.remove(&names[1]).expect("removed");
    reopened(&rig.disk).expect_err("a segment between others is missing");
    let begun = Begun { kept_from: first, erasures: Vec::new() };
    let log = finishing(&rig.disk, &begun).expect("it opens");
    assert_eq!(all(&log), before[usize::try_from(first).expect("small") - 1..]);
    assert_eq!(log.segments().len(), segments.len() - 3);
}

#[tokio::test]
async fn a_quiet_segment_is_ended_so_that_it_can_go() {
    let rig = Rig::new();
    rig.append_raw("1").await;
    rig.log.roll().await.expect("begun");
    rig.log.roll().await.expect("nothing is to be done");
    assert_eq!(rig.log.segments().len(), 2);
    rig.log.remove_before(2).expect("removed");
    assert!(rig.all().is_empty());
    let rig = rig.reopen();
    rig.append_raw("2").await;
    assert_eq!(raws(&rig.all()), ["2"]);
    assert_eq!(rig.all()[0].seq, 2);
}
