//! The civil times of an expression, against what is written about cron.

use super::{KEY, read, times};
use chrono::NaiveDateTime;
use headgate_cron::{CivilTimes, Expression, Fields, FiringClass};

/// The first days after 2026-11-01, a Sunday.
fn days(text: &str, count: usize) -> Vec<String> {
    let days = times(text, "2026-10-31", count).into_iter();
    days.map(|time| time.split(" 00:00:00").next().expect("a day").to_owned()).collect()
}

#[test]
fn sunday_is_0_and_7() {
    for sunday in ["0", "7", "SUN", "sunday", "Sun", "0,7", "7-7", "0-0"] {
        let text = format!("0 0 * * {sunday}");
        assert_eq!(days(&text, 2), ["2026-11-01 Sun", "2026-11-08 Sun"], "{text}");
    }
    let monday_to_friday = ["2026-11-02 Mon", "2026-11-03 Tue", "2026-11-04 Wed"];
    assert_eq!(days("0 0 * * 1-5", 3), monday_to_friday);
}

#[test]
fn ranges_of_days_wrap_over_the_weekend() {
    for (text, expected) in [
        ("FRI-MON", "Sun Mon Fri Sat"),
        ("6-2", "Sun Mon Tue Sat"),
        ("5-0", "Sun Fri Sat Sun"),
        ("5-7", "Sun Fri Sat Sun"),
        ("SAT-SUN", "Sun Sat Sun Sat"),
        ("MON-SUN/2", "Sun Mon Wed Fri"),
        ("FRI-MON/2", "Sun Fri Sun Fri"),
        ("THU-TUE/3", "Sun Thu Sun Thu"),
        ("7-1", "Sun Mon Sun Mon"),
        ("3/2", "Wed Fri Wed Fri"),
        ("7/2", "Sun Tue Thu Sat"),
    ] {
        let found = days(&format!("0 0 * * {text}"), 4);
        let names: Vec<_> = found.iter().filter_map(|day| day.split(' ').next_back()).collect();
        assert_eq!(names.join(" "), expected, "{text}");
    }
}

#[test]
fn both_day_fields_are_or_unless_one_begins_with_a_star() {
    assert_eq!(days("0 0 3 * MON", 3), ["2026-11-02 Mon", "2026-11-03 Tue", "2026-11-09 Mon"]);
    assert_eq!(days("0 0 */2 * MON", 3), ["2026-11-09 Mon", "2026-11-23 Mon", "2026-12-07 Mon"]);
    assert_eq!(days("0 0 1,*/10 * MON", 3), ["2026-11-01 Sun", "2026-11-02 Mon", "2026-11-09 Mon"]);
    assert_eq!(days("0 0 */10,1 * MON", 2), ["2026-12-21 Mon", "2027-01-11 Mon"]);
    assert_eq!(days("0 0 13 * +FRI", 2), ["2026-11-13 Fri", "2027-08-13 Fri"]);
    assert_eq!(days("0 0 1-31 * MON", 2), ["2026-11-01 Sun", "2026-11-02 Mon"]);
}

#[test]
fn days_that_depend_on_the_month() {
    let last = ["2026-11-30 Mon", "2026-12-31 Thu", "2027-01-31 Sun", "2027-02-28 Sun"];
    assert_eq!(days("0 0 L * *", 4), last);
    assert_eq!(days("0 0 L 2 *", 2), ["2027-02-28 Sun", "2028-02-29 Tue"]);
    assert_eq!(days("0 0 LW * *", 3), ["2026-11-30 Mon", "2026-12-31 Thu", "2027-01-29 Fri"]);
    // 15 November 2026 is a Sunday, 1 May 2027 a Saturday, 28 February 2027 a Sunday.
    assert_eq!(days("0 0 15W * *", 2), ["2026-11-16 Mon", "2026-12-15 Tue"]);
    assert_eq!(days("0 0 1W 5 *", 1), ["2027-05-03 Mon"]);
    assert_eq!(days("0 0 28W 2 *", 1), ["2027-02-26 Fri"]);
    assert_eq!(days("0 0 31W 5,6 *", 2), ["2027-05-31 Mon", "2028-05-31 Wed"]);
    assert_eq!(days("0 0 * * FRIL", 2), ["2026-11-27 Fri", "2026-12-25 Fri"]);
    assert_eq!(days("0 0 * * FRI#2", 2), ["2026-11-13 Fri", "2026-12-11 Fri"]);
    assert_eq!(days("0 0 * * MON#5", 2), ["2026-11-30 Mon", "2027-03-29 Mon"]);
    assert_eq!(days("0 0 29 2 MON#5", 2), ["2028-02-29 Tue", "2032-02-29 Sun"]);
}

#[test]
fn nicknames_are_taken_in_any_case() {
    for (nickname, meaning) in [
        ("@yearly", "0 0 1 1 *"),
        ("@Annually", "0 0 1 1 *"),
        ("@MONTHLY", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        (" @hourly\t", "0 * * * *"),
    ] {
        assert_eq!(times(nickname, "2026-11-01", 3), times(meaning, "2026-11-01", 3));
    }
    assert_eq!(read(" @hourly\t").expect("right").text(), "@hourly");
}

#[test]
fn seconds_come_first_and_years_last() {
    let twice = ["2026-11-02 Mon 14:30:05", "2026-11-02 Mon 14:30:35"];
    assert_eq!(times("5/30 30 14 * * MON", "2026-11-01", 2), twice);
    let once = ["2028-02-29 Tue 12:00:00"];
    assert_eq!(times("0 0 12 29 2 ? 2027-2030", "2026-11-01", 5), once);
}

#[test]
fn an_expression_whose_time_begins_with_a_star_follows_elapsed_time() {
    for (text, class) in [
        ("0 14 * * *", FiringClass::Fixed),
        ("0,30 14 * * *", FiringClass::Fixed),
        ("1,* 14 * * *", FiringClass::Fixed),
        ("0-59 0-23 * * *", FiringClass::Fixed),
        ("H 14 * * *", FiringClass::Fixed),
        ("@daily", FiringClass::Fixed),
        ("*/20 2 * * *", FiringClass::Interval),
        ("0 * * * *", FiringClass::Interval),
        ("*/60 5 * * *", FiringClass::Interval),
        ("* 0 2 * * *", FiringClass::Interval),
        ("0 0 2 * * *", FiringClass::Fixed),
        ("@hourly", FiringClass::Interval),
    ] {
        assert_eq!(read(text).expect(text).class(), class, "{text}");
    }
}

#[test]
fn a_hash_is_drawn_from_the_key_and_stays() {
    let drawn = |key: &[u8], text| {
        let expression = Expression::parse(text, Fields::Five, key).expect(text);
        assert!(expression.depends_on_key());
        expression.next_after("2026-11-01T00:00:00".parse().expect("a time"))
    };
    assert_eq!(times("H H H * *", "2026-11-01", 1), ["2026-11-13 Fri 01:14:00"]);
    let keys: Vec<_> = (0..2000u32).map(u32::to_le_bytes).collect();
    let minutes: std::collections::BTreeSet<_> =
        keys.iter().map(|key| drawn(key, "H * * * *")).collect();
    assert_eq!(minutes.len(), 60, "every minute is drawn by some key");
    for key in &keys {
        let five = drawn(key, "H(10-14) 0 * * *").expect("a time").to_string();
        assert!(("2026-11-01 00:10:00".."2026-11-01 00:15:00").contains(&five.as_str()), "{five}");
    }
    assert!(!read("0 0 * * THU").expect("right").depends_on_key());
    assert!(drawn(KEY, "H/15 * * * *") < drawn(KEY, "H H * * *"));
}

#[test]
fn times_end_with_the_year_2100_and_begin_with_1970() {
    let last = read("0 0 * * *").expect("right");
    let time = |text: &str| text.parse::<NaiveDateTime>().expect("a time");
    assert_eq!(last.next_after(time("2100-12-30T23:59:59")), Some(time("2100-12-31T00:00:00")));
    assert_eq!(last.next_after(time("2100-12-31T00:00:00")), None);
    assert_eq!(last.next_after(NaiveDateTime::MAX), None);
    assert_eq!(last.next_after(NaiveDateTime::MIN), Some(time("1970-01-01T00:00:00")));
    assert_eq!(last.next_after(time("2026-11-21T23:59:59.999")), Some(time("2026-11-22T00:00:00")));
    // A leap second is the last second of its minute.
    assert_eq!(last.next_after(time("2026-12-31T23:59:60.5")), Some(time("2027-01-01T00:00:00")));
}
