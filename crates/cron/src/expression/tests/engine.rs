//! Our search against that of the `cron` crate, on the same rows.

use super::{made::made, seeds::for_seeds, walk::start};
use crate::{
    CivilTimes, Expression, Fields,
    expression::{rows, written::Written},
};
use chrono::NaiveDateTime;
use cron::Schedule;

#[test]
fn the_search_finds_what_the_crate_finds() {
    for_seeds("the_search_finds_what_the_crate_finds", 1_000, |dice| {
        let made = made(dice);
        let Ok(expression) = Expression::parse(&made.text, Fields::WithSeconds, b"") else {
            return;
        };
        let written = Written::read(&made.text, Fields::WithSeconds).expect("read before");
        let schedules = rows::schedules(&written, 0);
        let mut time = start(dice);
        for _ in 0..4 {
            let next = first(&schedules, time);
            assert_eq!(expression.next_after(time), next, "`{}` after {time}", made.text);
            let Some(next) = next else { break };
            time = next;
        }
    });
}

/// The first time of any of them, as if civil time were UTC.
fn first(schedules: &[Schedule], after: NaiveDateTime) -> Option<NaiveDateTime> {
    let next = |schedule: &Schedule| schedule.after(&after.and_utc()).next();
    schedules.iter().filter_map(next).min().map(|time| time.naive_utc())
}
