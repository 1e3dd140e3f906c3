//! Zone data of files against what is built in, where both hold the same.

use crate::times::{Daily, chain, every_turn};
use chrono_tz::TZ_VARIANTS;
use headgate_cron::{DstPolicy, ZoneRules, ZoneTable, Zones};
use headgate_event::Timestamp;
use std::{fs, path::Path};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The files in `fixtures/cron/zoneinfo` are of release 2026f, so that these zones differ from what
/// is built in, and the others do not.
#[test]
fn files_give_the_offsets_of_their_release() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cron/zoneinfo");
    let read = |name: &str| {
        let bytes = fs::read(folder.join(name)).expect("a file");
        ZoneTable::from_tzif(&bytes).expect("a zone")
    };
    let winter = at("2026-12-01T12:00:00Z");
    for (name, hours) in [("America/Vancouver", -7), ("America/New_York", -5), ("UTC", 0)] {
        assert_eq!(read(name).offset_at(winter).local_minus_utc(), hours * 3600, "{name}");
    }
    let built_in = Zones::embedded();
    for name in ["America/New_York", "Australia/Lord_Howe", "Europe/Dublin", "Pacific/Apia"] {
        let zone = built_in.zone(name).expect("a zone");
        assert_eq!(read(name), *zone.rules, "{name}");
        assert!(zone.rules.change_count() > 15, "{name}");
    }
}

/// British Columbia stays on summer time: with data of 2026f nothing is turned in November 2026.
#[test]
fn newer_data_moves_what_is_due() {
    let bytes = include_bytes!("../../../../fixtures/cron/zoneinfo/America/Vancouver");
    let newer = ZoneTable::from_tzif(bytes).expect("a zone");
    let older = Zones::embedded().zone("America/Vancouver").expect("a zone").rules;
    let window = (at("2026-11-01T00:00:00Z"), at("2026-11-02T23:00:00Z"));
    let due = |rules: &ZoneTable| {
        chain(&Daily::new("30 2"), rules, DstPolicy::default(), window)
            .iter()
            .map(|next| next.at.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(due(&newer), ["2026-11-01T09:30:00.000Z", "2026-11-02T09:30:00.000Z"]);
    assert_eq!(due(&older), ["2026-11-01T10:30:00.000Z", "2026-11-02T10:30:00.000Z"]);
}

/// What this system has, if anything. All zones that agree in the past have the same turns; how
/// many do not is bounded: a release changes few of them.
#[test]
fn the_data_of_this_system_and_what_is_built_in_agree_but_for_few_zones() {
    let folder = Path::new("/usr/share/zoneinfo");
    let step = if every_turn() { 1 } else { 13 };
    let built_in = Zones::embedded();
    let (mut same, mut different) = (0, Vec::new());
    for tz in TZ_VARIANTS.iter().step_by(step) {
        let Ok(bytes) = fs::read(folder.join(tz.name())) else { continue };
        let file = ZoneTable::from_tzif(&bytes).expect("a zone");
        let rules = built_in.zone(tz.name()).expect("a zone").rules;
        let turns =
            |rules: &ZoneTable| rules.turns(at("1975-01-01T00:00:00Z"), at("2099-12-01T00:00:00Z"));
        if turns(&file) == turns(&rules) { same += 1 } else { different.push(tz.name()) }
    }
    assert!(different.len() * 10 <= same, "{same} agree, these do not: {different:?}");
}
