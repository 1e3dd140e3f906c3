//! What goes in comes out, in its order, once it is durable.

use super::{super::DiskStorage, *};
use headgate_event::{
    StoredEvent,
    limits::{DRAFTS_PER_ACCEPT_MAX, FRAME_BYTES_MAX},
};

#[tokio::test]
async fn events_are_read_as_they_were_given() {
    let rig = Rig::new();
    let given: Vec<Bytes> = [
        Bytes::new(),
        Bytes::from_static(b"x"),
        Bytes::from(noise(5_000, 1)),
        Bytes::from(b"text that compresses ".repeat(1_000)),
        Bytes::from(vec![0; 2_000]),
    ]
    .into();
    let drafts: Vec<Draft> = given.iter().cloned().map(draft).collect();
    let accepted = rig.append(&drafts).await;
    let reads = rig.all();
    assert_eq!(raws(&reads), given);
    assert_eq!(reads.iter().map(|read| read.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    for ((read, accepted), draft) in reads.iter().zip(accepted).zip(&drafts) {
        assert_eq!(accepted, Accepted::New(read.id));
        assert_eq!(read.event, StoredEvent::encode(draft));
        let event = StoredEvent::decode(read.id, &read.event, &read.raw).expect("an event");
        assert_eq!(event.channel().id, "billing");
    }
}

#[tokio::test]
async fn an_event_of_40_mib_comes_back_whole_beside_small_ones() {
    let rig = Rig::new();
    let large = Bytes::from(noise(40 << 20, 7));
    rig.append(&[draft("before"), draft(large.clone()), draft("after")]).await;
    rig.append_raw("later").await;
    let found = raws(&rig.reopen().all());
    assert!(found[1] == large);
    assert_eq!([&found[0], &found[2], &found[3]], ["before", "after", "later"]);
}

#[tokio::test]
async fn a_body_that_compresses_takes_less_room() {
    let rig = Rig::new();
    rig.append_raw(b"text that compresses ".repeat(1_000)).await;
    assert!(rig.disk.used() < 2_000, "{}", rig.disk.used());
}

#[tokio::test]
async fn an_event_beyond_the_limit_is_refused_before_it_is_queued() {
    let error = Prepared::new(&draft(vec![0; FRAME_BYTES_MAX])).expect_err("too large");
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    let rig = Rig::new();
    let many = vec![draft("x"); DRAFTS_PER_ACCEPT_MAX + 1];
    let error = append(&rig.log, &many).await.expect_err("too many");
    assert!(matches!(error, AppendError::Store(StoreError::TooMany { .. })), "{error}");
    let large = vec![draft(noise(50 << 20, 1)); 3];
    let error = append(&rig.log, &large).await.expect_err("too large together");
    assert!(matches!(error, AppendError::Store(StoreError::TooLarge { .. })), "{error}");
    assert!(rig.all().is_empty());
}

#[tokio::test]
async fn nothing_is_shown_before_it_is_durable() {
    let rig = Rig::new();
    rig.append_raw("first").await;
    let head = rig.log.head();
    rig.disk.hold_syncs();
    let log = rig.log.clone();
    let call = tokio::spawn(async move { append(&log, &[draft("second")]).await });
    let disk = rig.disk.clone();
    tokio::task::spawn_blocking(move || disk.until_a_sync_waits()).await.expect("it waits");
    assert_eq!(*head.borrow(), 1);
    assert_eq!(raws(&rig.all()), ["first"]);
    assert!(rig.log.committed_at(2).is_none());
    assert!(!call.is_finished());
    rig.disk.release_syncs();
    call.await.expect("no panic").expect("it is stored");
    assert_eq!(*head.borrow(), 2);
    assert_eq!(raws(&rig.all()), ["first", "second"]);
}

#[tokio::test]
async fn calls_that_wait_share_one_write() {
    let rig = Rig::new();
    rig.disk.hold_syncs();
    let before = rig.disk.writes();
    let calls = (0..100).map(|n| {
        let log = rig.log.clone();
        async move { append(&log, &[draft(format!("{n}"))]).await }
    });
    let calls: Vec<_> = calls.map(tokio::spawn).collect();
    let disk = rig.disk.clone();
    tokio::task::spawn_blocking(move || disk.until_a_sync_waits()).await.expect("it waits");
    // Every task has had its turn after so many.
    for _ in 0..calls.len() {
        tokio::task::yield_now().await;
    }
    rig.disk.release_syncs();
    for call in calls {
        call.await.expect("no panic").expect("it is stored");
    }
    assert!(rig.disk.writes() - before <= 2, "{}", rig.disk.writes() - before);
    assert_eq!(rig.all().len(), 100);
}

#[tokio::test]
async fn a_full_segment_is_followed_by_another() {
    let options = LogOptions { segment_bytes_max: 1_000, ..LogOptions::default() };
    let rig = Rig::with(options);
    for n in 0..20 {
        rig.append_raw(format!("{n}")).await;
    }
    let segments = rig.log.segments();
    assert!(segments.len() > 3);
    let lasts: Vec<Seq> = segments.iter().map(|s| s.last_seq + 1).collect();
    let firsts: Vec<Seq> = segments.iter().map(|s| s.first_seq).collect();
    assert_eq!(firsts[1..], lasts[..lasts.len() - 1]);
    assert_eq!((firsts[0], lasts.last()), (1, Some(&21)));
    let sizes: u64 = segments.iter().map(|s| s.bytes).sum();
    assert_eq!(sizes, rig.disk.used() as u64);
    let before = rig.all();
    let rig = rig.reopen();
    assert_eq!(rig.all(), before);
    assert_eq!(rig.log.segments(), segments);
    assert_eq!(rig.log.place_before(firsts[2]).segment, firsts[2]);
    assert_eq!(rig.log.place_before(firsts[2] - 1).segment, firsts[1]);
}

#[tokio::test]
async fn a_scan_goes_on_from_any_frame() {
    let options = LogOptions { segment_bytes_max: 1_000, ..LogOptions::default() };
    let rig = Rig::with(options);
    for n in 0..6 {
        rig.append(&[draft(format!("{n}a")), draft(format!("{n}b"))]).await;
    }
    for entry in rig.log.committed(0, usize::MAX) {
        let from = rig.log.scan(entry.position.end(), usize::MAX, usize::MAX).expect("it reads");
        let expected: Vec<Seq> = (entry.seq + 1..=12).collect();
        assert_eq!(from.frames.iter().map(|f| f.seq).collect::<Vec<_>>(), expected);
        let one = rig.log.scan(entry.position.end(), 9, 1).expect("it reads");
        assert_eq!(one.frames.len(), usize::from(entry.seq < 12));
    }
    let nowhere = Place { segment: 999, offset: 64 };
    let error = rig.log.scan(nowhere, 1, 1).expect_err("there is no such segment");
    assert_eq!(error.to_string(), "`00000000000000000999.seg` holds nothing at offset 64");
}

#[tokio::test]
async fn what_is_not_indexed_is_found_in_memory() {
    let rig = Rig::new();
    for n in 0..5 {
        rig.append_raw(format!("{n}")).await;
    }
    let entries = rig.log.committed(0, 10);
    assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(rig.log.committed_as(entries[3].id), Some(entries[3].clone()));
    rig.log.indexed(3);
    assert_eq!(rig.log.remembered_from(), 4);
    assert_eq!(rig.log.committed(0, 10), entries[3..]);
    assert_eq!(rig.log.committed(4, 10), entries[4..]);
    assert_eq!(rig.log.committed_before(6, 1), entries[4..]);
    assert_eq!(rig.log.committed_before(5, 9), entries[3..4]);
    assert_eq!(rig.log.committed_at(3), None);
    assert_eq!(rig.log.committed_as(entries[2].id), None);
    rig.log.indexed(5);
    rig.append_raw("6").await;
    assert_eq!(rig.log.committed(0, 10)[0].seq, 6);
}

#[tokio::test]
async fn an_index_that_is_behind_is_known_after_a_restart() {
    let options = LogOptions { segment_bytes_max: 1_000, ..LogOptions::default() };
    let rig = Rig::with(options);
    for n in 0..9 {
        rig.append_raw(format!("{n}")).await;
    }
    let entries = rig.log.committed(0, 10);
    let Rig { disk, clock, log } = rig;
    drop(log);
    let options = LogOptions { indexed: Some(4), ..options };
    let log = open(&disk, &clock, options).expect("it opens");
    assert_eq!(log.remembered_from(), 5);
    assert_eq!(log.committed(0, 10), entries[4..]);
    drop(log);
    let options = LogOptions { index_lag_events_max: 3, ..options };
    let log = open(&disk, &clock, options).expect("it opens");
    assert_eq!(log.remembered_from(), 10);
    drop(log);
    let options = LogOptions { indexed: Some(10), ..options };
    let error = open(&disk, &clock, options).expect_err("the index has seen more");
    assert_eq!(error.to_string(), "the log ends at event 9, but the index has seen event 10");
}

#[tokio::test]
async fn an_index_that_is_too_far_behind_holds_new_events_up() {
    let rig = Rig::with(LogOptions { index_lag_events_max: 2, ..LogOptions::default() });
    rig.append(&[draft("1"), draft("2")]).await;
    let log = rig.log.clone();
    let waiting = tokio::spawn(async move { append(&log, &[draft("3")]).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    rig.log.indexed(1);
    waiting.await.expect("no panic").expect("there is room");
    assert_eq!(raws(&rig.all()), ["1", "2", "3"]);
}

#[tokio::test]
async fn an_index_that_stays_too_far_behind_is_no_room() {
    let options = LogOptions { index_lag_events_max: 2, ..LogOptions::default() };
    let rig = Rig::with(LogOptions { index_lag_wait: Duration::ZERO, ..options });
    rig.append(&[draft("1"), draft("2")]).await;
    let error = append(&rig.log, &[draft("3")]).await.expect_err("there is no room");
    assert_eq!(error.to_string(), "the store cannot take events: the index is 2 events behind");
}

#[tokio::test]
async fn closing_stores_what_was_given_and_refuses_what_comes_later() {
    let rig = Rig::new();
    rig.append_raw("1").await;
    rig.log.close().await;
    rig.log.close().await;
    let error = append(&rig.log, &[draft("2")]).await.expect_err("it is closed");
    assert_eq!(error.to_string(), "the store cannot take events: the log is closed");
    assert_eq!(rig.log.health(), Err("the log is closed".to_owned()));
    assert_eq!(raws(&rig.all()), ["1"]);
}

#[tokio::test]
async fn a_dropped_log_has_ended_its_writer() {
    let rig = Rig::new();
    let shared = Arc::downgrade(&rig.log.inner.shared);
    rig.append_raw("1").await;
    drop(rig.log);
    assert!(shared.upgrade().is_none());
}

#[tokio::test]
async fn a_log_on_a_disk_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = LogOptions { segment_bytes_max: 1_000, ..LogOptions::default() };
    let open = || {
        let storage = DiskStorage::new(&folder.path().join("log")).expect("a folder in it");
        Log::open(Arc::new(storage), Arc::new(ManualClock::at(NOW)), options).expect("it opens")
    };
    for round in 0..4 {
        let log = open();
        append(&log, &[draft(format!("{round}a"))]).await.expect("it is stored");
        append(&log, &[draft(format!("{round}b"))]).await.expect("it is stored");
    }
    let log = open();
    let expected = ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b"];
    assert_eq!(raws(&all(&log)), expected);
    assert!(log.segments().len() > 1);
}
