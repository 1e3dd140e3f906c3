//! What is allowed but may not be meant.

use super::read;
use std::fmt::Write;

fn warned(texts: &[&str]) -> String {
    texts.iter().fold(String::new(), |mut all, text| {
        writeln!(all, "{text}").expect("a text");
        for lint in read(text).expect(text).lints() {
            writeln!(all, "  {lint}").expect("a text");
        }
        all
    })
}

#[test]
fn both_day_fields() {
    insta::assert_snapshot!(warned(&[
        "0 0 13 * FRI",
        "0 0 0 13 * FRI",
        "0 0 */2 * MON",
        "0 0 */10,1 * MON",
        "0 0 *,15W * MON",
        "0 0 1 * */2",
        "0 0 */2 * */3",
        "0 0 1-31 * MON",
        "0 0 1 * 0-6",
        "0 0 13 * +FRI",
        "0 0 ? * MON",
        "0 0 1 * ?",
    ]));
}

/// `0 0 31 2 MON` is every Monday of February: half of it was meant and never comes.
#[test]
fn days_that_never_occur_beside_days_of_the_week_that_do() {
    insta::assert_snapshot!(warned(&[
        "0 0 31 2 MON",
        "0 0 30,31 2 FRI",
        "0 0 31 4,6,9,11 0",
        "0 0 31W 6 MON",
        "0 0 31 1,2 MON",
        "0 0 29 2 MON",
        "0 0 L 2 MON",
    ]));
}

#[test]
fn steps() {
    insta::assert_snapshot!(warned(&[
        "*/5 */6 * */3 *",
        "*/7 * * * *",
        "*/59 * * * *",
        "*/60 * * * *",
        "0 */5 * * *",
        "0 */24 * * *",
        "0 0 */2 * *",
        "0 0 * */5 *",
        "0 0 * * */2",
        "10-20/15 * * * *",
        "5/15 * * * *",
        "5/99999 * * * *",
        "0 0 * * 3/2",
        "0 0 * * 7/2",
        "0 0 * * FRI-MON/9",
        "H/7 * * * *",
        "H/15 * * * *",
    ]));
}

#[test]
fn every_second() {
    insta::assert_snapshot!(warned(&["* * * * * *", "*/2 * * * * *", "0 * * * * *"]));
}
