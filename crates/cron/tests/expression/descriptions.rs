//! An expression in words.

use super::read;
use std::fmt::Write;

fn described(texts: &[&str]) -> String {
    texts.iter().fold(String::new(), |mut all, text| {
        let words = read(text).expect(text).describe();
        writeln!(all, "{text:24} {words}").expect("a text");
        all
    })
}

#[test]
fn times_of_the_day() {
    insta::assert_snapshot!(described(&[
        "* * * * *",
        "0 14 * * *",
        "5 4 * * *",
        "0 9,12,15 * * *",
        "0,30 9,17 * * *",
        "0 * * * *",
        "15 * * * *",
        "0,30 * * * *",
        "5,20,35,50 * * * *",
        "1,2,3,5,8,13 * * * *",
        "10-20 * * * *",
        "*/5 * * * *",
        "2/5 * * * *",
        "*/7 * * * *",
        "*/40 * * * *",
        "*/59 * * * *",
        "*/60 * * * *",
        "0-59 * * * *",
        "0-50/10 * * * *",
        "0-40/10 * * * *",
        "* 9-17 * * *",
        "*/5 9-17 * * *",
        "*/7 9-17 * * *",
        "0 9-17 * * *",
        "0 8-18/2 * * *",
        "*/15 8 * * *",
        "*/15 8,20 * * *",
        "0 */2 * * *",
        "30 */5 * * *",
        "* */6 * * *",
        "0 1/2 * * *",
        "@hourly",
        "@daily",
        "H H * * *",
        "H/15 * * * *",
        "H(0-9) H(1-4) * * *",
    ]));
}

#[test]
fn seconds() {
    insta::assert_snapshot!(described(&[
        "* * * * * *",
        "0 * * * * *",
        "30 * * * * *",
        "*/10 * * * * *",
        "*/7 * * * * *",
        "0,30 * * * * *",
        "15 30 14 * * *",
        "*/10 30 14 * * *",
        "* 30 14 * * *",
        "* */5 * * * *",
        "*/30 0 9-17 * * *",
        "5 0 * * * *",
    ]));
}

#[test]
fn days() {
    insta::assert_snapshot!(described(&[
        "0 14 * * THU",
        "0 14 * * thursday",
        "0 9 * * 1-5",
        "0 9 * * MON,WED,FRI",
        "0 9 * * 0",
        "0 9 * * 7",
        "0 9 * * FRI-MON",
        "0 9 * * SAT-SUN",
        "0 9 * * 5-0",
        "0 9 * * FRI-TUE/2",
        "0 9 * * 0-7",
        "0 9 * * */2",
        "*/5 9-17 * * MON-FRI",
        "* * * * MON",
        "0 0 1 * *",
        "0 0 1,15 * *",
        "0 0 10-20 * *",
        "0 0 */2 * *",
        "0 0 1 1 *",
        "0 0 1 JAN,JUL *",
        "0 0 * JUN-AUG *",
        "0 0 * 6 MON",
        "* * * 6 *",
        "0 0 1 */3 *",
        "@yearly",
        "@monthly",
        "@weekly",
        "0 0 H * *",
        "0 0 ? * ?",
    ]));
}

#[test]
fn both_day_fields() {
    insta::assert_snapshot!(described(&[
        "0 0 1 * MON",
        "0 0 1,15 * 1-5",
        "0 0 1 JAN MON",
        "0 0 */2 * MON",
        "0 0 1 * */2",
        "0 0 *,1 * MON",
        "0 0 1,*/10 * MON",
        "0 0 */10,1 * MON",
        "0 0 1-31 * MON",
        "0 0 13 * +FRI",
        "0 0 13 OCT +FRI",
        "0 0 L * FRI",
    ]));
}

#[test]
fn days_that_depend_on_the_month() {
    insta::assert_snapshot!(described(&[
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 15W * *",
        "0 0 1W,15W,L * *",
        "0 0 1,15,L * *",
        "0 0 L FEB *",
        "0 0 * * FRIL",
        "0 0 * * 0L",
        "0 0 * * FRI#2",
        "0 0 * * MON#1,MON#3",
        "0 0 * * MON#5 ",
        "0 0 * 3 SUN#2",
        "0 0 15W * MON#1",
    ]));
}

#[test]
fn years() {
    insta::assert_snapshot!(described(&[
        "0 0 0 1 1 * 2027",
        "0 0 0 1 1 * 2027,2030",
        "0 0 12 * * MON 2027-2030",
        "0 0 0 29 2 * 2028/4",
        "* * * * * * 2027",
    ]));
}
