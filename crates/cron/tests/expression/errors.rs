//! What is refused says which field, which value, what is allowed, where, and what to write.

use super::read;
use headgate_cron::{Expression, Field, Fields};
use std::fmt::Write;

/// The one line and, below it, the lines with the caret.
fn said(text: &str, fields: Fields) -> String {
    let error = Expression::parse(text, fields, b"").expect_err(text);
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line:?}");
    assert!(error.report().ends_with(&error.caret()));
    format!("{line}\n{}\n", error.caret())
}

fn all_said(texts: &[&str], fields: Fields) -> String {
    texts.iter().fold(String::new(), |mut all, text| {
        writeln!(all, "{}", said(text, fields)).expect("a text");
        all
    })
}

#[test]
fn numbers_out_of_range() {
    let texts = [
        "60 * * * *",
        "99999999999999999999999999999999999999999 * * * *",
        "* 24 * * *",
        "0 0 0 * *",
        "0 0 32 * *",
        "0 0 * 0 *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 9-25 * * *",
        "0 0 0W * *",
        "0 0 32W * *",
        "0 0 * * 8L",
        "0 0 * * 8#1",
        "0 0 * * FRI#6",
        "0 0 * * FRI#0",
        "0 0 * * FRI#",
        "0 0 * * FRI#L",
        "0 0 H(0-5) * *",
    ];
    insta::assert_snapshot!(all_said(&texts, Fields::Five));
    let texts = ["61 0 0 * * *", "0 0 0 1 1 * 1969", "0 0 0 1 1 * 2101"];
    insta::assert_snapshot!("seconds_and_years", all_said(&texts, Fields::WithSeconds));
}

#[test]
fn words_that_are_none() {
    let texts = [
        "0 14 * * thur",
        "0 14 * * tues",
        "0 14 * * wedn-fri",
        "0 14 * * mno",
        "0 0 1 sept *",
        "0 0 1 janury *",
        "0 14 * THU *",
        "0 14 * * JAN",
        "0 14 * * someday",
        "noon * * * *",
        "0 * * * MON!",
        "0 * * * MON-",
        "0 * * * -5",
        "0 * * * 1--5",
        "0 0 * * MON,,FRI",
        "0 0 * * MON,",
    ];
    insta::assert_snapshot!(all_said(&texts, Fields::Five));
}

#[test]
fn forms_that_are_none() {
    let texts = [
        "*5 * * * *",
        "*-5 * * * *",
        "*/0 * * * *",
        "*/ * * * *",
        "*/x * * * *",
        "1-5/0 * * * *",
        "5/-1 * * * *",
        "? * * * *",
        "0 0 ?/2 * *",
        "0 0 ?,5 * *",
        "0~30 * * * *",
        "H(5 * * * *",
        "H(30-5) * * * *",
        "L * * * *",
        "0 0 5L * *",
        "0 0 L-3 * *",
        "0 0 1-L * *",
        "0 0 l2 * *",
        "0 0 * * L",
        "0 0 * * 15W",
        "0 0 MON#2 * *",
        "0 0 * * MON#2-3",
    ];
    insta::assert_snapshot!(all_said(&texts, Fields::Five));
    insta::assert_snapshot!("hash_of_years", said("0 0 0 1 1 * H", Fields::WithSeconds));
}

#[test]
fn ranges_that_run_backward() {
    let texts = ["0 22-6 * * *", "0 0 30-10 * *", "0 0 * NOV-FEB *", "50-10/5 * * * *"];
    insta::assert_snapshot!(all_said(&texts, Fields::Five));
}

#[test]
fn not_as_many_fields() {
    let texts = [
        "",
        "   ",
        "0",
        "0 14 * *",
        "0 0 14 * * THU",
        "0 0 14 ? * THU 2027",
        "0 5 * * * /usr/bin/backup --all",
        "0 5 * * * root backup",
        "0 0 0 0 0 0 0 0",
    ];
    insta::assert_snapshot!(all_said(&texts, Fields::Five));
    let texts = ["0 0 0 *", "0 0 0 0 0 0 0 0"];
    insta::assert_snapshot!("with_seconds", all_said(&texts, Fields::WithSeconds));
}

#[test]
fn what_belongs_elsewhere() {
    let texts = [
        "@reboot",
        "@every 5m",
        "@EVERY",
        "@dayly",
        "@sometimes",
        "@daily 5",
        "TZ=Europe/Paris 0 5 * * *",
        "CRON_TZ=UTC 0 5 * * *",
        "cron_tz= 0 5 * * *",
    ];
    insta::assert_snapshot!(all_said(&texts, Fields::Five));
}

#[test]
fn characters_and_lengths() {
    let long = "1,".repeat(250) + "61,2 * * * *";
    let texts = [
        "0 9\u{2013}17 * * *",
        "0 5 * * *\n",
        "0\u{a0}5 * * *",
        "\u{ff0a} * * * *",
        "0 5 * * * \u{202e}",
        "0 5 \u{1b}[31m * * *",
        &long,
    ];
    insta::assert_snapshot!(all_said(&texts, Fields::Five));
    let million = "1,".repeat(1_000_000) + " * * * *";
    insta::assert_snapshot!("a_million_items", said(&million, Fields::Five));
}

#[test]
fn expressions_that_would_never_fire() {
    let texts = [
        "0 0 31 2 *",
        "0 0 30 2 *",
        "0 0 30,31 FEB *",
        "0 0 31 4,6,9,11 *",
        "0 0 31W APR *",
        "0 0 31 2 ?",
        "0 0 */31 * MON#2",
        "0 0 1 * +SUN#3",
        "0 0 30 2 */2",
        "0 0 LW * +SUN",
        "0 0 */30 2 MON#5",
    ];
    insta::assert_snapshot!(all_said(&texts, Fields::Five));
    let texts = [
        "0 0 0 29,30 2 * 2027",
        "0 0 0 31 2 * 2027",
        "0 0 0 29 2 * 2027",
        "0 0 0 29 2 * 2100",
        "0 0 0 1 1 +MON 2027",
    ];
    insta::assert_snapshot!("in_years", all_said(&texts, Fields::WithSeconds));
}

#[test]
fn an_error_tells_its_field_and_its_column() {
    let error = read("0 14 * * thur").expect_err("no day");
    assert_eq!((error.field(), error.column()), (Some(Field::DayOfWeek), 10));
    let error = read("@reboot").expect_err("no time");
    assert_eq!((error.field(), error.column()), (None, 1));
}
