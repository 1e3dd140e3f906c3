//! Which zone data counts: that of the system or what is built in, whichever is newer.

use super::{
    ZoneRules, ZoneSource, ZoneTable, ZoneVersion,
    embedded::embedded_offset,
    listing::Listing,
    version::{is_stale, new_year},
};
use chrono_tz::TZ_VARIANTS;
use headgate_event::Timestamp;
use std::fmt;

/// The zone data that counts, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneData {
    /// Where it comes from.
    pub origin: ZoneOrigin,
    /// Its release; none when the system does not tell.
    pub version: Option<ZoneVersion>,
    /// The instant by which it was released at the latest, as far as that can be told.
    pub released_by: Option<Timestamp>,
    /// Why it counts.
    pub choice: ZoneChoice,
}

/// Where zone data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneOrigin {
    /// The zoneinfo folder of the system.
    System,
    /// What is built in.
    Embedded,
}

/// Why data of one origin counts and not that of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneChoice {
    /// The system has no zoneinfo folder, or none that can be read.
    NoSystem,
    /// The system's is newer than what is built in, or of the same release.
    SystemNotOlder,
    /// The system's is older: this release.
    SystemOlder(ZoneVersion),
    /// The system does not tell its release, but knows all that is built in.
    SystemAgrees,
    /// The system does not tell its release, and lacks or contradicts this zone as it is built in.
    SystemDiffers(&'static str),
}

impl ZoneData {
    /// The newer of what is built in and what the folder has, with the folder's listing.
    pub(super) fn choose(source: Option<&dyn ZoneSource>) -> (Self, Listing) {
        let Some(system) = source.and_then(System::read) else {
            return (Self::embedded(ZoneChoice::NoSystem), Listing::default());
        };
        let choice = match system.version {
            Some(version) if version >= ZoneVersion::EMBEDDED => ZoneChoice::SystemNotOlder,
            Some(version) => ZoneChoice::SystemOlder(version),
            None => match system.differing_zone() {
                None => ZoneChoice::SystemAgrees,
                Some(name) => ZoneChoice::SystemDiffers(name),
            },
        };
        match choice {
            ZoneChoice::SystemNotOlder | ZoneChoice::SystemAgrees => {
                (system.data(choice), system.listing)
            }
            _ => (Self::embedded(choice), Listing::default()),
        }
    }

    fn embedded(choice: ZoneChoice) -> Self {
        Self {
            origin: ZoneOrigin::Embedded,
            version: Some(ZoneVersion::EMBEDDED),
            released_by: Some(ZoneVersion::EMBEDDED_RELEASED),
            choice,
        }
    }

    /// How many whole days old it is at least; none when that cannot be told.
    #[must_use]
    pub fn age_days(&self, now: Timestamp) -> Option<u64> {
        self.released_by.map(|released_by| now.since(released_by).as_secs() / (24 * 3600))
    }

    /// Whether it is old enough for a warning. Data of unknown age is.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.released_by.is_none_or(|released_by| is_stale(released_by, now))
    }
}

impl fmt::Display for ZoneData {
    /// `2025b (embedded; the system has no zone data)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{version}")?,
            None => f.write_str("unknown release")?,
        }
        write!(f, " ({}; {})", self.origin, self.choice)
    }
}

impl fmt::Display for ZoneOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "system",
            Self::Embedded => "embedded",
        })
    }
}

impl fmt::Display for ZoneChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let embedded = ZoneVersion::EMBEDDED;
        match self {
            Self::NoSystem => f.write_str("the system has no zone data"),
            Self::SystemNotOlder => write!(f, "built in is {embedded}"),
            Self::SystemOlder(version) => write!(f, "the system has {version}"),
            Self::SystemAgrees => {
                write!(f, "the system tells no release but has all of {embedded}")
            }
            Self::SystemDiffers(name) => {
                write!(f, "the system tells no release and `{name}` is not that of {embedded}")
            }
        }
    }
}

/// A zoneinfo folder with data in it.
struct System<'a> {
    source: &'a dyn ZoneSource,
    listing: Listing,
    version: Option<ZoneVersion>,
    file_time: Option<Timestamp>,
}

impl<'a> System<'a> {
    /// The folder, when it has the one zone that every folder has.
    fn read(source: &'a dyn ZoneSource) -> Option<Self> {
        let utc = read_file(source, "UTC").or_else(|| read_file(source, "Etc/UTC"))?;
        ZoneTable::from_tzif(&utc.bytes).ok()?;
        let index = read_file(source, "tzdata.zi");
        let listing = index
            .as_ref()
            .map(|file| Listing::parse(&String::from_utf8_lossy(&file.bytes)))
            .unwrap_or_default();
        let note = read_file(source, "+VERSION");
        let noted =
            note.as_ref().and_then(|file| String::from_utf8_lossy(&file.bytes).trim().parse().ok());
        let version = listing.version.or(noted);
        let file_time = index.or(note).unwrap_or(utc).modified;
        Some(Self { source, listing, version, file_time })
    }

    fn data(&self, choice: ZoneChoice) -> ZoneData {
        // A file older than the built-in data that it agrees with has no true time.
        let known_by = self.file_time.filter(|time| *time >= ZoneVersion::EMBEDDED_RELEASED);
        ZoneData {
            origin: ZoneOrigin::System,
            version: self.version,
            released_by: self
                .version
                .map_or(known_by, |version| Some(version.released_by(self.file_time))),
            choice,
        }
    }

    /// The first zone of the built-in data that the folder lacks, or has otherwise in the two years
    /// before the built-in release and the year of it. What is older or newer may well differ: both
    /// know the past alike, and of the future the newer knows more.
    fn differing_zone(&self) -> Option<&'static str> {
        let year = ZoneVersion::EMBEDDED.year();
        let days = new_year(year - 2).unix_s()..new_year(year + 1).unix_s();
        TZ_VARIANTS.iter().find_map(|zone| {
            let table = read_file(self.source, zone.name())
                .and_then(|file| ZoneTable::from_tzif(&file.bytes).ok());
            let same = table.is_some_and(|table| {
                days.clone()
                    .step_by(24 * 3600)
                    .all(|at| table.span_at(at).offset == embedded_offset(*zone, at))
            });
            (!same).then(|| zone.name())
        })
    }
}

/// A file of the folder; one that cannot be read is logged and is none.
pub(super) fn read_file(source: &dyn ZoneSource, name: &str) -> Option<super::ZoneFile> {
    source.file(name).unwrap_or_else(|error| {
        tracing::warn!(file = name, %error, "a file of the zoneinfo folder cannot be read");
        None
    })
}
