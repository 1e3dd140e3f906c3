//! What the queue counts.

use crate::bench::{SECOND, draft, keyed, noon};
use headgate_event::{Clock, Sink};
use headgate_queue::{
    Embedded, EmbeddedOptions, LeaseAsk, Queue, ReplayAsk, Replays, Settlement, Start,
    SubscriptionSpec, Verb,
};
use headgate_testkit::ManualClock;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

async fn work() {
    let folder = TempDir::new().expect("a folder");
    let clock = Arc::new(ManualClock::at(noon()));
    let options = EmbeddedOptions::default();
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let queue = Embedded::open(folder.path(), shared, options).expect("opens");
    let key = |n: u32| keyed(draft("a", noon()), &format!("evt_{n}"), 60 * SECOND);
    queue.accept((0..5).map(key).collect()).await.expect("stored");
    queue.accept(vec![key(3)]).await.expect("a repeat");
    let spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("agent") };
    queue.put_subscription(spec).await.expect("made");
    let ask = LeaseAsk { max: 2, wait: Duration::ZERO, lease: Some(10 * SECOND), bytes: None };
    let events = queue.lease("agent", ask).await.expect("leased");
    let mut choosy = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("choosy") };
    choosy.selection.filter = Some("data.body.amount > 2".parse().expect("a filter"));
    queue.put_subscription(choosy).await.expect("made");
    assert!(queue.lease("choosy", ask).await.expect("leased").is_empty());
    let replay = ReplayAsk { subscription: "agent".into(), ..ReplayAsk::default() };
    queue.begin_replay(replay).await.expect("begun");
    assert_eq!(queue.lease("agent", LeaseAsk { max: 9, ..ask }).await.expect("leased").len(), 8);
    let id = events[0].delivery().expect("delivered").id.clone();
    let bury = Settlement { id, verb: Verb::Bury { reason: None } };
    queue.settle("agent", vec![bury]).await.expect("settled");
    queue.measure();
    queue.close().await;
}

#[test]
fn metrics_say_how_things_stand() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    metrics::with_local_recorder(&recorder, || runtime.block_on(work()));
    let shown = handle.render();
    for line in [
        "headgate_queue_events_total 5",
        "headgate_queue_duplicates_total 1",
        "headgate_deliveries_leased_total 10",
        "headgate_replay_deliveries_total 5",
        "headgate_events_filtered_total{subscription=\"choosy\"} 5",
        "headgate_deliveries_settled_total{verb=\"bury\"} 1",
        "headgate_log_segments 1",
        "headgate_log_events 5",
    ] {
        assert!(shown.lines().any(|one| one == line), "`{line}` is not in\n{shown}");
    }
    assert!(shown.contains("headgate_index_lag_events"), "{shown}");
    // Each subscription is shown by the API, and by nobody else.
    assert!(!shown.contains("headgate_subscription"), "{shown}");
}
