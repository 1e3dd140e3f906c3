//! A description leaves nothing out: what is described alike fires alike.

use super::{
    made::made,
    seeds::{Dice, for_seeds},
    walk::start,
};
use crate::{CivilTimes, Expression, Fields};
use chrono::NaiveDateTime;
use std::{cell::RefCell, collections::BTreeMap};

#[test]
fn expressions_of_one_description_fire_alike() {
    let mut dice = Dice::of(7);
    let starts: Vec<_> = (0..12).map(|_| start(&mut dice)).collect();
    let seen = RefCell::new(BTreeMap::<String, (String, Vec<_>)>::new());
    let compared = RefCell::new(0);
    for_seeds("expressions_of_one_description_fire_alike", 2_000, |dice| {
        for text in halves(&made(dice).text) {
            let Ok(expression) = Expression::parse(&text, Fields::WithSeconds, b"") else {
                continue;
            };
            let times: Vec<_> =
                starts.iter().flat_map(|start| times(&expression, *start)).collect();
            let words = expression.describe();
            if let Some((other, theirs)) = seen.borrow().get(&words) {
                *compared.borrow_mut() += usize::from(*other != text);
                assert_eq!(times, *theirs, "`{text}` and `{other}`: {words}");
            }
            seen.borrow_mut().insert(words, (text, times));
        }
    });
    assert!(*compared.borrow() > 200, "only {} were alike", compared.borrow());
}

/// The time of day with every day, and the days with one time: so there are more that are alike.
fn halves(text: &str) -> [String; 2] {
    let words: Vec<_> = text.split_whitespace().collect();
    let (times, days) = words.split_at(if words.len() == 5 { 2 } else { 3 });
    let days = days.iter().take(3).copied().collect::<Vec<_>>().join(" ");
    [format!("{} * * *", times.join(" ")), format!("0 14 {days}")]
}

fn times(expression: &Expression, start: NaiveDateTime) -> Vec<NaiveDateTime> {
    let next = |time: &NaiveDateTime| expression.next_after(*time);
    std::iter::successors(Some(start), next).skip(1).take(30).collect()
}
