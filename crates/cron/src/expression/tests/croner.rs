//! Days that depend on the month against croner, on expressions that both mean alike.

use super::{
    seeds::{Dice, for_seeds},
    walk::start,
};
use crate::{CivilTimes, Expression, Fields};
use croner::Cron;

#[test]
fn days_that_depend_on_the_month_agree_with_croner() {
    for_seeds("days_that_depend_on_the_month_agree_with_croner", 300, |dice| {
        let text = text(dice);
        let expression = Expression::parse(&text, Fields::Five, b"").expect(&text);
        let other: Cron = text.parse().expect(&text);
        let mut time = start(dice);
        for _ in 0..12 {
            let next = expression.next_after(time).expect("a time");
            let theirs = other.find_next_occurrence(&time.and_utc(), false).expect("a time");
            assert_eq!(next, theirs.naive_utc(), "`{text}` after {time}");
            time = next;
        }
    });
}

/// One day field is set, or both as plain lists: there the two agree on what is meant.
fn text(dice: &mut Dice) -> String {
    let month = if dice.once_in(2) { "*".to_owned() } else { dice.within(1, 12).to_string() };
    // A day that is in every month: beyond the end of one croner goes back to its last day.
    let day = dice.within(1, 28);
    let (weekday, nth) = (dice.within(0, 6), dice.within(1, 4));
    match dice.within(0, 5) {
        0 => format!("30 14 L {month} *"),
        1 => format!("30 14 {day}W {month} *"),
        2 => format!("30 14 LW {month} *"),
        3 => format!("30 14 * {month} {weekday}#{nth}"),
        4 => format!("30 14 * {month} {weekday}L"),
        _ => format!("30 14 {day},L {month} {weekday}"),
    }
}
