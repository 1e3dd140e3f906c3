//! A sender's retry adds nothing.

use crate::bench::{Bench, SECOND, keyed};
use headgate_event::{Accepted, Clock, Draft};
use headgate_queue::ListQuery;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

async fn accept(bench: &Bench, draft: Draft) -> Accepted {
    bench.queue.accept(vec![draft]).await.expect("stored")[0]
}

fn first(bench: &Bench, key: &str) -> Draft {
    keyed(bench.draft("billing"), key, WINDOW)
}

pub(crate) async fn a_repeat_is_answered_with_the_first(bench: Bench) {
    let id = bench.store(first(&bench, "evt_1")).await;
    bench.store(first(&bench, "evt_2")).await;
    for _ in 0..3 {
        bench.clock.advance(3600 * SECOND);
        assert_eq!(accept(&bench, first(&bench, "evt_1")).await, Accepted::Duplicate(id));
    }
    assert_eq!(*bench.queue.head().borrow(), 2);
}

pub(crate) async fn a_repeat_within_one_call_is_known(bench: Bench) {
    let drafts = vec![first(&bench, "evt_1"), first(&bench, "evt_1"), first(&bench, "evt_2")];
    let accepted = bench.queue.accept(drafts).await.expect("stored");
    assert!(matches!(accepted[0], Accepted::New(_)));
    assert_eq!(accepted[1], Accepted::Duplicate(accepted[0].id()));
    assert!(matches!(accepted[2], Accepted::New(_)));
    assert_eq!(*bench.queue.head().borrow(), 2);
}

pub(crate) async fn a_repeat_among_new_ones_is_answered_in_its_place(bench: Bench) {
    let known = bench.store(first(&bench, "evt_1")).await;
    let drafts = vec![first(&bench, "evt_0"), first(&bench, "evt_1"), first(&bench, "evt_2")];
    let accepted = bench.queue.accept(drafts).await.expect("stored");
    assert_eq!(accepted[1], Accepted::Duplicate(known));
    assert!(matches!((accepted[0], accepted[2]), (Accepted::New(a), Accepted::New(b)) if a < b));
}

pub(crate) async fn a_repeat_after_the_window_is_a_new_event(bench: Bench) {
    let id = bench.store(first(&bench, "evt_1")).await;
    bench.clock.advance(WINDOW - Duration::from_millis(1));
    assert_eq!(accept(&bench, first(&bench, "evt_1")).await, Accepted::Duplicate(id));
    bench.clock.advance(Duration::from_millis(1));
    assert!(matches!(accept(&bench, first(&bench, "evt_1")).await, Accepted::New(_)));
}

pub(crate) async fn the_window_counts_from_the_newest(bench: Bench) {
    bench.store(first(&bench, "evt_1")).await;
    bench.clock.advance(WINDOW);
    let second = bench.store(first(&bench, "evt_1")).await;
    bench.clock.advance(SECOND);
    assert_eq!(accept(&bench, first(&bench, "evt_1")).await, Accepted::Duplicate(second));
    let short = keyed(bench.draft("billing"), "evt_1", SECOND);
    assert!(matches!(accept(&bench, short).await, Accepted::New(_)), "its own window counts");
}

pub(crate) async fn the_same_key_in_another_channel_is_another_event(bench: Bench) {
    bench.store(first(&bench, "evt_1")).await;
    bench.store(keyed(bench.draft("other"), "evt_1", WINDOW)).await;
    assert_eq!(*bench.queue.head().borrow(), 2);
}

pub(crate) async fn events_without_a_key_all_count(bench: Bench) {
    bench.store(bench.draft("billing")).await;
    bench.store(bench.draft("billing")).await;
    assert_eq!(*bench.queue.head().borrow(), 2);
}

pub(crate) async fn repeats_that_come_together_are_stored_once(bench: Bench) {
    let senders: Vec<_> = (0..32)
        .map(|n| {
            let draft = first(&bench, &format!("evt_{}", n % 4));
            let queue = Arc::clone(&bench.queue);
            tokio::spawn(async move { queue.accept(vec![draft]).await.expect("stored")[0] })
        })
        .collect();
    let (mut new, mut all) = (0, BTreeSet::new());
    for sender in senders {
        let accepted = sender.await.expect("ended");
        new += usize::from(matches!(accepted, Accepted::New(_)));
        all.insert(accepted.id());
    }
    assert_eq!((new, all.len()), (4, 4));
    assert_eq!(bench.list(ListQuery::default()).await.len(), 4);
}

pub(crate) async fn a_repeat_is_known_after_a_restart(bench: Bench) {
    let mut known = Vec::new();
    for n in 0..20 {
        known.push(bench.store(first(&bench, &format!("evt_{n}"))).await);
        bench.clock.advance(12 * 3600 * SECOND);
    }
    let Some(bench) = bench.reopened().await else { return };
    let oldest = bench.clock.now().minus(WINDOW);
    for (n, id) in known.into_iter().enumerate() {
        let stored = bench.queue.event(id).await.expect("read").expect("stored");
        let accepted = accept(&bench, first(&bench, &format!("evt_{n}"))).await;
        let is_known = stored.event.created_at() > oldest;
        assert_eq!(accepted == Accepted::Duplicate(id), is_known, "{n}");
    }
}
