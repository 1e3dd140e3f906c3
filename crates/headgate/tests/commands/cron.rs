//! `cron next`, `cron explain` and `cron zones`, by the zone data that is built in.

use crate::run::{Ended, finish, headgate};
use insta::assert_snapshot;
use serde_json::Value;
use std::process::Command;

/// The program on a system without zone data, so that what it says is the same everywhere.
pub(crate) fn cron(arguments: &[&str]) -> Command {
    let mut command = headgate();
    command.arg("cron").args(arguments).env("TZDIR", "/nonexistent");
    command
}

fn said(arguments: &[&str]) -> Ended {
    finish(&mut cron(arguments))
}

fn told(arguments: &[&str]) -> String {
    let ended = said(arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ended.stdout
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&told(arguments)).expect("JSON")
}

const NEW_YORK: [&str; 2] = ["--timezone", "America/New_York"];

#[test]
fn the_first_word_of_each_line_is_the_instant() {
    let next = ["next", "0 14 * * THU", "--after", "2026-11-21T00:00:00Z", "-n", "2"];
    let told = told(&[&next[..], &NEW_YORK].concat());
    let firsts: Vec<_> = told.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(firsts, ["2026-11-26T19:00:00Z", "2026-12-03T19:00:00Z"]);
}

#[test]
fn an_instant_is_never_the_one_it_was_asked_for() {
    let next = |after| {
        let told = json(&["next", "0 14 * * THU", "--json", "-n", "1", "--after", after]);
        told["next"][0].as_str().expect("a time").to_owned()
    };
    assert_eq!(next("2026-11-26T13:59:59.999Z"), "2026-11-26T14:00:00Z");
    assert_eq!(next("2026-11-26T14:00:00Z"), "2026-12-03T14:00:00Z");
    assert_eq!(next("2026-11-26T15:00:00+01:00"), "2026-12-03T14:00:00Z");
}

#[test]
fn a_person_sees_the_clock_and_what_its_turning_did() {
    let next = |expression: &str, after: &str, more: &[&str]| {
        told(&[&["next", expression, "--after", after], &NEW_YORK[..], more].concat())
    };
    assert_snapshot!("next_gap", next("30 2 * * *", "2026-03-07T12:00:00Z", &[]));
    assert_snapshot!(
        "next_gap_several",
        next("*/10 2 1-31 * *", "2026-03-07T12:00:00Z", &["--dst-gap", "after", "-n", "2",])
    );
    assert_snapshot!("next_fold", next("*/30 1 * * *", "2026-11-01T04:00:00Z", &["--explain"]));
}

#[test]
fn a_program_gets_one_object() {
    let next = ["next", "30 2 * * *", "--json", "--explain", "-n", "2"];
    let after = ["--after", "2026-03-07T12:00:00Z"];
    let told = json(&[&next[..], &NEW_YORK, &after].concat());
    assert_snapshot!("next_json", serde_json::to_string_pretty(&told).expect("JSON"));
}

#[test]
fn what_ends_is_said_to_end_and_no_failure() {
    let next = ["next", "0 0 0 1 1 * 2027", "--seconds", "--after", "2026-11-21T00:00:00Z"];
    let ended = said(&next);
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stdout, "2027-01-01T00:00:00Z  Fri 2027-01-01 00:00:00 +00:00\n");
    assert_eq!(ended.stderr, "headgate: there is no time after 2027-01-01T00:00:00Z\n");
    assert_eq!(json(&[&next[..], &["--json"]].concat())["next"].as_array().map(Vec::len), Some(1));
}

#[test]
fn an_expression_is_explained_in_words_and_field_by_field() {
    let at = ["--at", "2026-11-21T00:00:00Z"];
    let explain =
        |expression: &str, more: &[&str]| told(&[&["explain", expression], &at[..], more].concat());
    assert_snapshot!("explain_thursday", explain("0 14 * * THU", &NEW_YORK));
    assert_snapshot!(
        "explain_much",
        explain("*/7 9-17 L,15W * FRI#2,1", &["--timezone", "Australia/Lord_Howe"])
    );
    assert_snapshot!("explain_gap", explain("30 1,2 * * *", &NEW_YORK));
    assert_snapshot!("explain_hash", explain("H H(0-6) * * *", &["--timezone", "EST"]));
    assert_snapshot!("explain_nickname", explain("@weekly", &[]));
    let drawn =
        json(&["explain", "H H * * *", "--json", "--id", "0f9b1d0e-6f0c-5a55-9c3e-9d1a6f1f7c11"]);
    assert_eq!(drawn["warnings"], serde_json::json!([]));
    let undrawn = json(&["explain", "H H * * *", "--json"]);
    assert_ne!(drawn["fields"], undrawn["fields"]);
}

#[test]
fn a_wrong_expression_is_shown_with_its_fault() {
    for command in ["next", "explain"] {
        let ended = said(&[command, "0 14 * * THUR", "--timezone", "UTC"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert_snapshot!("wrong_expression", ended.stderr);
        let ended = said(&[command, "0 0 31 2 *", "--json"]);
        assert_eq!(ended.code, Some(1));
        assert_snapshot!("wrong_expression_json", ended.stdout);
    }
}

#[test]
fn a_wrong_command_line_is_wrong_usage() {
    for (arguments, says) in [
        (&["next"][..], "<EXPR>"),
        (&["next", "* * * * *", "--batch"], "cannot be used with"),
        (&["next", "--batch", "--timezone", "UTC"], "cannot be used with"),
        (&["next", "* * * * *", "--after", "tomorrow"], "`tomorrow` is not an RFC 3339 time"),
        (&["next", "* * * * *", "--after", "2026-11-21T00:00:00"], "is not an RFC 3339 time"),
        (&["next", "* * * * *", "-n", "0"], "0 is not in 1..=1000"),
        (&["next", "* * * * *", "--dst-gap", "never"], "expected one of `cron`, `skip`"),
        (&["next", "* * * * *", "--timezone", "Europe/Belin"], "did you mean `Europe/Berlin`?"),
        (&["zones", "Mars/Olympus"], "expected a time zone such as"),
        (&["explain"], "<EXPR>"),
    ] {
        let ended = said(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(says), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn zone_data_says_its_release_and_its_age() {
    assert_snapshot!("zones_young", told(&["zones", "--at", "2025-09-18T00:00:00Z"]));
    assert_snapshot!("zones_old", told(&["zones", "--at", "2025-09-20T00:00:00Z"]));
    let at = ["--at", "2026-11-21T00:00:00Z"];
    assert_snapshot!("zones_one", told(&[&["zones", "australia/lord_howe"], &at[..]].concat()));
    let told = json(&[&["zones", "Asia/Tokyo", "--json"], &at[..]].concat());
    assert_snapshot!("zones_json", serde_json::to_string_pretty(&told).expect("JSON"));
}
