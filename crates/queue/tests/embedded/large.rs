//! Events that are small in the log and large in memory.

use crate::bench::{Bench, ids};
use bytes::Bytes;
use headgate_event::{DataText, Draft, Fill};
use headgate_queue::ListQuery;
use serde_json::json;

/// Symptom: one page of well compressed bodies took gigabytes of memory. Cause: a read counted the
/// bytes in the log. Fix: it counts those in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_gives_no_more_than_memory_shall_hold() {
    let bench = Bench::embedded();
    bench.subscribe("agent").await;
    let mut stored = Vec::new();
    for _ in 0..5 {
        let raw = Bytes::from(vec![b'a'; 6 << 20]);
        let data = DataText::whole(&json!({})).hole("body", Fill::Text);
        stored.push(bench.store(Draft { raw, data, ..bench.draft("billing") }).await);
    }
    let page = bench.queue.list(ListQuery { limit: 5, ..ListQuery::default() }).await;
    assert_eq!(page.expect("listed").events.len(), 2);
    let mut listed = bench.list(ListQuery { limit: 5, ..ListQuery::default() }).await;
    listed.reverse();
    assert_eq!(listed, stored);
    let run = bench.queue.read(1, 5).await.expect("read");
    assert_eq!(run.iter().map(|stored| stored.event.id()).collect::<Vec<_>>(), stored[..2]);
    for few in stored.chunks(2) {
        let events = bench.lease("agent", 5).await;
        assert_eq!(ids(&events), few);
        bench.ack_all("agent", &events).await;
    }
    assert_eq!(bench.status("agent").await.lag, 0);
}
