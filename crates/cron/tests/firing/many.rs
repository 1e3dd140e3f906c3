//! Many schedules at one time.

use crate::world::{at, every, schedule, seconds, stored, ticker};
use headgate_cron::Rules;
use headgate_event::limits::DRAFTS_PER_ACCEPT_MAX;
use std::collections::BTreeSet;

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
        assert!(batch.firings.len() <= DRAFTS_PER_ACCEPT_MAX);
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
