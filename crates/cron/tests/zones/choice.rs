//! Which zone data counts, and what a reload changes.

use chrono::{DateTime, Offset};
use chrono_tz::{TZ_VARIANTS, Tz};
use headgate_cron::{
    ZoneChoice, ZoneFile, ZoneOrigin, ZoneRules, ZoneSource, ZoneTable, ZoneVersion, ZoneWarning,
    Zones,
};
use headgate_event::Timestamp;
use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    sync::{Arc, Mutex},
};

/// A folder in memory; it can change while it is in use.
#[derive(Clone, Debug, Default)]
struct Folder(Arc<Mutex<BTreeMap<String, ZoneFile>>>);

/// What a file holds that cannot be read.
const UNREADABLE: &[u8] = b"unreadable";

impl ZoneSource for Folder {
    fn file(&self, name: &str) -> io::Result<Option<ZoneFile>> {
        let file = self.0.lock().expect("not poisoned").get(name).cloned();
        match file {
            Some(file) if file.bytes == UNREADABLE => Err(io::Error::other("the disk is broken")),
            file => Ok(file),
        }
    }
}

impl Folder {
    /// A folder with some zones of release 2026f, that says this of itself.
    fn of_release(index: &str) -> Self {
        let folder = Self::default();
        for name in ["UTC", "America/New_York", "America/Vancouver"] {
            folder.put_zone(name, name);
        }
        folder.put("tzdata.zi", index.as_bytes().to_vec());
        folder
    }

    fn put_zone(&self, name: &str, from: &str) {
        let zoneinfo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cron/zoneinfo");
        self.put(name, fs::read(zoneinfo.join(from)).expect("a file"));
    }

    fn put(&self, name: &str, bytes: Vec<u8>) {
        let modified = "2026-10-20T00:00:00Z".parse().ok();
        let file = ZoneFile { bytes, modified };
        self.0.lock().expect("not poisoned").insert(name.to_owned(), file);
    }

    fn zones(&self) -> Zones {
        Zones::open(Box::new(self.clone()))
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn vancouver_hours(zones: &Zones) -> i32 {
    let zone = zones.zone("America/Vancouver").expect("a zone");
    zone.rules.offset_at(at("2026-12-01T12:00:00Z")).local_minus_utc() / 3600
}

#[test]
fn the_systems_data_counts_when_it_is_newer() {
    let zones = Folder::of_release("# version 2026f\n").zones();
    let data = zones.data();
    assert_eq!(data.origin, ZoneOrigin::System);
    assert_eq!(data.to_string(), "2026f (system; built in is 2025b)");
    assert_eq!(data.age_days(at("2026-11-21T00:00:00Z")), Some(32));
    assert!(!data.is_stale(at("2026-11-21T00:00:00Z")));
    assert!(data.is_stale(at("2027-04-19T00:00:00Z")));
    assert_eq!(vancouver_hours(&zones), -7);
}

#[test]
fn built_in_data_counts_when_the_systems_is_older_or_missing() {
    let zones = Folder::of_release("# version 2024a\n").zones();
    assert_eq!(zones.data().to_string(), "2025b (embedded; the system has 2024a)");
    assert_eq!(vancouver_hours(&zones), -8);
    let none = Folder::default().zones();
    assert_eq!(none.data().to_string(), "2025b (embedded; the system has no zone data)");
    assert_eq!(none.data(), Zones::embedded().data());
    assert!(none.data().is_stale(at("2026-11-21T00:00:00Z")));
    assert_eq!(none.data().age_days(at("2026-11-21T00:00:00Z")), Some(608));
}

#[test]
fn the_release_is_read_from_a_note_where_there_is_no_index() {
    let folder = Folder::of_release("");
    folder.put("+VERSION", b"2026f\n".to_vec());
    assert_eq!(folder.zones().data().version, "2026f".parse().ok());
}

#[test]
fn data_of_no_known_release_counts_only_when_it_has_all_that_is_built_in() {
    let zones = Folder::of_release("no index\n").zones();
    let data = zones.data();
    assert_eq!(data.origin, ZoneOrigin::Embedded);
    assert!(matches!(data.choice, ZoneChoice::SystemDiffers(_)), "{data}");
    assert_eq!(data.version, Some(ZoneVersion::EMBEDDED));
    assert_eq!(
        data.to_string(),
        "2025b (embedded; the system tells no release and `Africa/Abidjan` is not that of 2025b)"
    );
}

#[test]
fn data_of_no_known_release_that_has_all_of_the_built_in_counts() {
    let folder = Folder::default();
    for tz in TZ_VARIANTS {
        folder.put(tz.name(), recent(tz));
    }
    ZoneTable::from_tzif(&recent(Tz::UTC)).expect("a zone");
    let data = folder.zones().data();
    let words = "unknown release (system; the system tells no release but has all of 2025b)";
    assert_eq!(data.to_string(), words);
    assert_eq!(data.age_days(at("2026-11-21T00:00:00Z")), Some(32));
    folder.put_zone("Asia/Tokyo", "UTC");
    assert_eq!(folder.zones().data().choice, ZoneChoice::SystemDiffers("Asia/Tokyo"));
}

/// A TZif file of version 2 with the offsets of a zone on each day of 2022 to 2026.
fn recent(tz: Tz) -> Vec<u8> {
    let first_day = at("2022-01-01T00:00:00Z").unix_s();
    let offset = |day: i64| {
        let utc = DateTime::from_timestamp(first_day + day * 86_400, 0).expect("a time");
        utc.with_timezone(&tz).offset().fix().local_minus_utc()
    };
    let turns: Vec<i64> = (1..365 * 5).filter(|day| offset(*day) != offset(day - 1)).collect();
    let count = u32::try_from(turns.len()).expect("few");
    let types = [0].into_iter().chain(turns.clone());
    let types = types.map(|day| [&offset(day).to_be_bytes()[..], &[0, 0]].concat());
    let head = |turns: u32, types: u32| {
        let counts = [0, 0, 0, turns, types, 4].map(u32::to_be_bytes);
        [b"TZif2", &[0; 15][..], &counts.concat()].concat()
    };
    let mut file = [head(0, 1), vec![0; 6], b"AAA\0".to_vec(), head(count, count + 1)].concat();
    file.extend(turns.iter().flat_map(|day| (first_day + day * 86_400).to_be_bytes()));
    file.extend((1..=count).map(|index| u8::try_from(index).expect("few")));
    file.extend(types.flatten());
    file.extend(b"AAA\0\n\n");
    file
}

#[test]
fn a_zone_that_the_folder_has_under_another_name_or_not_at_all_is_found() {
    let folder = Folder::of_release("# version 2026f\nL America/New_York US/Eastern\n");
    folder.put("Europe/Paris", b"TZif, but broken".to_vec());
    folder.put("Europe/Oslo", UNREADABLE.to_vec());
    let zones = folder.zones();
    let eastern = zones.zone("US/Eastern").expect("a zone");
    assert_eq!(eastern.warnings, []);
    for name in ["Europe/Paris", "Europe/Oslo", "Asia/Tokyo"] {
        let zone = zones.zone(name).expect("a zone");
        let warning = ZoneWarning::EmbeddedInstead { name: zone.name };
        assert_eq!(zone.warnings, std::slice::from_ref(&warning));
        let words = format!("the system's zone data has no usable `{name}`: built in is 2025b");
        assert_eq!(warning.to_string(), words);
    }
}

#[test]
fn a_zone_that_only_the_system_knows_is_a_zone() {
    let folder = Folder::of_release("# version 2026f\nZ America/Nueva -7 - MST\n");
    folder.put_zone("America/Nueva", "America/Vancouver");
    let zones = folder.zones();
    assert_eq!(&*zones.zone("america/nueva").expect("a zone").name, "America/Nueva");
    assert!(zones.names().iter().any(|name| &**name == "America/Nueva"));
    assert!(Zones::embedded().zone("America/Nueva").is_err());
}

#[test]
fn a_reload_says_which_zones_changed_and_keeps_the_others() {
    let folder = Folder::of_release("# version 2024a\n");
    let zones = folder.zones();
    let new_york = zones.zone("America/New_York").expect("a zone");
    let held = zones.zone("America/Vancouver").expect("a zone");
    assert_eq!(zones.reload(), [] as [Arc<str>; 0]);
    folder.put("tzdata.zi", b"# version 2026f\n".to_vec());
    assert_eq!(zones.reload(), [Arc::from("America/Vancouver")]);
    assert_eq!(zones.data().version, "2026f".parse().ok());
    assert_eq!(vancouver_hours(&zones), -7);
    let winter = at("2026-12-01T12:00:00Z");
    assert_eq!(held.rules.offset_at(winter).local_minus_utc(), -8 * 3600);
    let kept = zones.zone("America/New_York").expect("a zone");
    assert!(Arc::ptr_eq(&kept.rules, &new_york.rules));
}
