//! What damage and loss do.

use crate::{
    bench::{Bench, SECOND, ids, noon},
    folder::copy,
};
use bytes::Bytes;
use headgate_event::{Clock, Draft, Event};
use headgate_queue::{Damaged, Embedded, EmbeddedOptions, ListQuery, OpenError, QueueError, Verb};
use headgate_testkit::ManualClock;
use std::{fs, path::Path, sync::Arc};
use tempfile::TempDir;

fn open_anyway(folder: &Path, accept_lost_end: bool) -> Result<Embedded, OpenError> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(noon()));
    let options = EmbeddedOptions { accept_lost_end, ..EmbeddedOptions::default() };
    Embedded::open(folder, clock, options)
}

/// Turns one byte of the event that has this text in its body.
fn harm(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder.join("log")).expect("listed") {
        let path = entry.expect("listed").path();
        let mut bytes = fs::read(&path).expect("read");
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes());
        if let Some(at) = at {
            bytes[at] ^= 1;
            fs::write(path, bytes).expect("written");
            return;
        }
    }
    panic!("`{text}` is in no segment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_read_is_a_dead_letter_and_others_go_on() {
    let bench = Bench::embedded();
    let mut stored = Vec::new();
    for n in 0..5 {
        let raw = Bytes::from(format!("{{\"needle\": \"needle-{n}\"}}"));
        stored.push(bench.store(Draft { raw, ..bench.draft("billing") }).await);
    }
    bench.subscribe("agent").await;
    harm(bench.path(), "needle-2");
    let events = bench.lease("agent", 10).await;
    assert_eq!(ids(&events), [&stored[..2], &stored[3..]].concat());
    bench.ack_all("agent", &events).await;
    let status = bench.status("agent").await;
    assert_eq!((status.dead, status.lag), (1, 0));
    let error = bench.queue.event(stored[2]).await.expect_err("it is damaged");
    assert!(matches!(error, QueueError::Damaged { seq: 3, .. }), "{error}");
    assert!(bench.queue.event(stored[3]).await.expect("read").is_some());
    let reason = bench.state("SELECT reason || ' ' || last_error FROM state_dead_letters");
    assert!(reason.starts_with("damaged `00000000000000000001.seg` is damaged at offset "));
    let page = bench.queue.list(ListQuery { limit: 3, ..ListQuery::default() }).await;
    let page = page.expect("one damaged event does not take the page with it");
    assert_eq!(ids(&page.events), [stored[4], stored[3]]);
    let Damaged { id, seq, reason } = &page.damaged[0];
    assert_eq!((*id, *seq, page.damaged.len()), (stored[2], 3, 1));
    assert!(reason.starts_with("`00000000000000000001.seg` is damaged at offset "), "{reason}");
    let page = bench.queue.list(ListQuery { limit: 3, before: page.next, ..ListQuery::default() });
    assert_eq!(ids(&page.await.expect("listed").events), [stored[1], stored[0]]);
    for from in 1..=5 {
        let read = bench.queue.read(from, 10).await.expect("the others are read");
        let places: Vec<_> = read.iter().map(|stored| stored.seq).collect();
        let whole: Vec<_> = [1, 2, 4, 5].into_iter().filter(|seq| *seq >= from).collect();
        assert_eq!(places, whole, "a gap says what is missing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_end_stops_the_start_until_an_operator_accepts_it() {
    let bench = Bench::embedded();
    let first = bench.store_many(4).await;
    bench.subscribe("agent").await;
    let early = TempDir::new().expect("a folder");
    copy(bench.path(), early.path());
    bench.store_many(6).await;
    let events = bench.lease("agent", 10).await;
    bench.ack_all("agent", &events[2..9]).await;
    let back = Verb::Retry { after: Some(SECOND), reason: None };
    bench.settle("agent", &events[9], back).await.expect("leased");
    let lost = events[8].clone();
    let bench = bench
        .reopened_after(|folder| {
            for file in ["index.db", "index.db-wal"] {
                let _ = fs::remove_file(folder.join(file));
            }
            fs::remove_dir_all(folder.join("log")).expect("removed");
            copy(&early.path().join("log"), &folder.join("log"));
            let refused = open_anyway(folder, false).expect_err("the end is lost");
            assert!(matches!(refused, OpenError::LostEnd { head: 4, seen: 10, .. }), "{refused}");
            drop(open_anyway(folder, true).expect("opens"));
        })
        .await;
    let mut listed = bench.list(ListQuery::default()).await;
    listed.reverse();
    assert_eq!(listed, first);
    let again = bench.lease("agent", 9).await;
    assert_eq!(ids(&again), first[..2], "what was settled stays settled");
    let new = bench.store_many(6).await;
    let events: Vec<Event> = bench.lease("agent", 9).await;
    assert_eq!(ids(&events), new, "no new event is taken for a lost one");
    let late = bench.settle("agent", &lost, Verb::Ack).await.expect_err("its event is lost");
    assert_eq!(late.code(), "unknown_delivery");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_saw_a_lost_end_stops_the_start() {
    let bench = Bench::embedded();
    bench.store_many(4).await;
    let early = TempDir::new().expect("a folder");
    copy(bench.path(), early.path());
    bench.store_many(6).await;
    let bench = bench
        .reopened_after(|folder| {
            fs::remove_dir_all(folder.join("log")).expect("removed");
            copy(&early.path().join("log"), &folder.join("log"));
            let refused = open_anyway(folder, false).expect_err("the end is lost");
            let text = refused.to_string();
            let said = "ends at event 4, but event 10 was seen: what lies between is lost";
            assert!(text.ends_with(said), "{text}");
            drop(open_anyway(folder, true).expect("opens"));
        })
        .await;
    assert_eq!(bench.list(ListQuery::default()).await.len(), 4);
    let id = bench.store(bench.draft("rare")).await;
    let bench = bench.reopened_after(|_| {}).await;
    assert_eq!(bench.list(ListQuery::default()).await[0], id);
    bench.queue.close().await;
}

// Symptom: a folder that had lost log and index began anew in silence. Cause: only they and the
// subscriptions knew that there had been events. Fix: the state notes how far the log is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_lost_with_its_index_is_no_silent_new_beginning() {
    let bench = Bench::embedded();
    bench.store_many(4).await;
    let count = "SELECT CAST(count(*) AS TEXT) FROM state_newest";
    let noted = async {
        while bench.state(count) == "0" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::bench::LONG, noted).await.expect("it is noted while it runs");
    bench.store_many(3).await;
    let bench = bench
        .reopened_after(|folder| {
            for file in ["index.db", "index.db-wal"] {
                let _ = fs::remove_file(folder.join(file));
            }
            fs::remove_dir_all(folder.join("log")).expect("removed");
            let refused = open_anyway(folder, false).expect_err("the log is lost");
            assert!(matches!(refused, OpenError::LostEnd { head: 0, seen: 7, .. }), "{refused}");
            drop(open_anyway(folder, true).expect("opens"));
            drop(open_anyway(folder, false).expect("it was accepted"));
        })
        .await;
    assert_eq!(bench.store_many(2).await.len(), 2);
    assert_eq!(bench.list(ListQuery::default()).await.len(), 2);
}
