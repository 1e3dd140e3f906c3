//! Names of time zones: any case, the nearest name, abbreviations.

use headgate_cron::Zones;
use std::time::{Duration, Instant};

#[test]
fn a_name_is_found_in_any_case_and_spelled_as_the_database_does() {
    let zones = Zones::embedded();
    for (given, name) in [
        ("america/new_york", "America/New_York"),
        ("EUROPE/DUBLIN", "Europe/Dublin"),
        ("utc", "UTC"),
        ("us/eastern", "US/Eastern"),
        ("Etc/GMT-2", "Etc/GMT-2"),
    ] {
        let zone = zones.zone(given).expect("a zone");
        assert_eq!((&*zone.name, zone.warnings.as_slice()), (name, [].as_slice()));
    }
}

#[test]
fn a_name_that_no_zone_has_is_refused_with_the_nearest() {
    let zones = Zones::embedded();
    let words: Vec<String> = [
        "America/New_Yrok",
        "new york",
        "Europe/Kyev",
        "paris",
        "PST",
        "ist",
        "+02:00",
        "UTC+2",
        "Mars/Olympus_Mons",
        "",
        "../../etc/passwd",
        &"x".repeat(1000),
    ]
    .iter()
    .map(|name| zones.zone(name).expect_err("no zone").to_string())
    .collect();
    insta::assert_snapshot!(words.join("\n"));
}

#[test]
fn an_abbreviation_of_the_database_is_a_zone_with_a_warning() {
    let zones = Zones::embedded();
    let words: Vec<String> = ["EST", "cet", "MST", "EST5EDT"]
        .iter()
        .flat_map(|name| zones.zone(name).expect("a zone").warnings)
        .map(|warning| warning.to_string())
        .collect();
    insta::assert_snapshot!(words.join("\n"), @"
    `EST` names an hour and not a place; name the place, such as `America/New_York`
    `CET` names an hour and not a place; name the place, such as `Europe/Paris`
    `MST` names an hour and not a place; name the place, such as `America/Denver`
    `EST5EDT` names an hour and not a place; name the place, such as `America/New_York`
    ");
}

/// Each was compared with every name, letter by letter: 512 bytes of anything took longer than a
/// millisecond.
#[test]
fn a_name_that_is_far_from_all_is_refused_without_comparing_all() {
    let zones = Zones::embedded();
    let long = "America/Argentina/ComodRivadavix".repeat(16);
    let begun = Instant::now();
    for n in 0..300 {
        let name = &long[..64 + n % 448];
        assert!(zones.zone(name).is_err());
    }
    // It takes a tenth of that without optimization, and took twenty times as long as that.
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
