//! Many schedules at one time.

use crate::world::{DAY, at, catching_up, every, schedule, seconds, stored, ticker};
use headgate_cron::{CatchupPolicy, Rules};
use headgate_event::limits::{CRON_BATCH_FIRINGS_MAX, CRON_BATCHES_AT_ONCE_MAX};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_hundred_thousand_schedules_of_one_second_all_fire_once_in_bounded_batches() {
    let timing = every(3_600);
    let made = at("2026-01-01T00:30:00Z");
    let all = (0..100_000).map(|n| schedule(&format!("s{n}"), &timing, Rules::default())).collect();
    let mut ticker = ticker(all, made);
    let due = at("2026-01-01T01:00:00Z");
    assert_eq!(ticker.sleep_until(due.minus(seconds(5))), due);
    let (mut fired, mut moved) = (BTreeSet::new(), 0);
    loop {
        let batch = ticker.due(due);
        assert!(batch.firings.len() <= CRON_BATCH_FIRINGS_MAX);
        moved += ticker.settle(&batch, &stored(&batch)).moved.len();
        for firing in &batch.firings {
            assert!(fired.insert(firing.schedule.id()), "{} twice", firing.schedule.name());
        }
        if !batch.more {
            break;
        }
    }
    assert_eq!((fired.len(), moved), (100_000, 100_000));
}

#[test]
fn batches_that_are_stored_side_by_side_share_no_schedule_and_keep_each_in_its_order() {
    let rules = catching_up(CatchupPolicy::All, DAY, 100);
    let made = at("2026-01-01T00:30:00Z");
    let schedules = (0..700).map(|n| schedule(&format!("s{n}"), &every(3_600), rules.clone()));
    let mut ticker = ticker(schedules.collect(), made);
    let now = at("2026-01-01T05:10:00Z");
    let (mut last, mut groups, mut fired) = (BTreeMap::new(), 0, 0);
    loop {
        let batches = ticker.due_together(now, CRON_BATCHES_AT_ONCE_MAX);
        assert!(batches.len() <= CRON_BATCHES_AT_ONCE_MAX);
        groups += usize::from(batches.len() > 1);
        let mut together = BTreeMap::new();
        for (number, batch) in batches.iter().enumerate() {
            assert!(batch.firings.len() <= CRON_BATCH_FIRINGS_MAX);
            for firing in &batch.firings {
                let (id, due) = (firing.schedule.id(), firing.occurrence.at);
                assert_eq!(*together.entry(id).or_insert(number), number, "in two batches");
                assert!(last.insert(id, due).is_none_or(|before| before < due), "out of order");
                fired += 1;
            }
        }
        // Stored in any order.
        for batch in batches.iter().rev() {
            ticker.settle(batch, &stored(batch));
        }
        if !batches.last().is_some_and(|batch| batch.more) {
            break;
        }
    }
    assert_eq!((fired, last.len()), (700 * 5, 700));
    assert!(groups > 1, "700 schedules are more than one batch");
}
