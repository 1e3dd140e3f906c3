//! Events that are small in the log and large in memory.

use crate::bench::{Bench, ids};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headgate_event::{Coded, Codings, DataText, Draft, Fill};
use headgate_queue::ListQuery;
use serde_json::json;
use std::io::Write;

/// Symptom: one page of well compressed bodies took gigabytes of memory. Cause: a read counted the
/// bytes in the log. Fix: it counts those in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_gives_no_more_than_memory_shall_hold() {
    let raw = Bytes::from(vec![b'a'; 6 << 20]);
    given_in_parts_of(2, raw, None).await;
}

/// A body that came compressed counts as what it is decoded. That is known when it is, so there may
/// be one event more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_counts_bodies_that_came_compressed_as_they_were() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&vec![b'a'; 6 << 20]).expect("written");
    let raw = Bytes::from(encoder.finish().expect("finished"));
    assert!(raw.len() < 1 << 20);
    let codings = Codings::read("gzip").expect("known").expect("one");
    given_in_parts_of(3, raw, Some(Coded { codings, bytes: 6 << 20 })).await;
}

/// Stores five events of this body, which are then given so many at one time.
async fn given_in_parts_of(few: usize, raw: Bytes, coded: Option<Coded>) {
    let bench = Bench::embedded();
    bench.subscribe("agent").await;
    let mut stored = Vec::new();
    for _ in 0..5 {
        let data = DataText::whole(&json!({})).hole("body", Fill::Text).coded(coded.clone());
        stored.push(bench.store(Draft { raw: raw.clone(), data, ..bench.draft("billing") }).await);
    }
    let page = bench.queue.list(ListQuery { limit: 5, ..ListQuery::default() }).await;
    assert_eq!(page.expect("listed").events.len(), few);
    let mut listed = bench.list(ListQuery { limit: 5, ..ListQuery::default() }).await;
    listed.reverse();
    assert_eq!(listed, stored);
    let run = bench.queue.read(1, 5).await.expect("read");
    assert_eq!(run.iter().map(|stored| stored.event.id()).collect::<Vec<_>>(), stored[..few]);
    for part in stored.chunks(few) {
        let events = bench.lease("agent", 5).await;
        assert_eq!(ids(&events), part);
        bench.ack_all("agent", &events).await;
    }
    assert_eq!(bench.status("agent").await.lag, 0);
}
