//! Names of time zones: their spelling, abbreviations, and what a wrong one most likely meant.

use std::sync::Arc;

/// A name that no time zone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneNameError {
    /// An abbreviation that several countries use in several meanings.
    #[error("`{found}` is an abbreviation and names no time zone; did you mean `{meant}`?")]
    Abbreviation {
        /// The name as it was given.
        found: String,
        /// The zone of most people who write it.
        meant: &'static str,
    },
    /// A name that is nearly that of a zone.
    #[error("`{found}` is not a time zone; did you mean `{meant}`?")]
    Misspelled {
        /// The name as it was given.
        found: String,
        /// The nearest name.
        meant: Arc<str>,
    },
    /// Any other name.
    #[error("expected a time zone such as `Europe/Berlin` or `UTC`, found `{found}`")]
    Unknown {
        /// The name as it was given.
        found: String,
    },
    /// An offset: it knows no summer time.
    #[error(
        "expected a time zone such as `Europe/Berlin` or `UTC`, found the offset `{found}`; \
         a fixed offset is written as `Etc/GMT-2`, which is two hours ahead of UTC"
    )]
    Offset {
        /// The offset as it was given.
        found: String,
    },
}

/// Abbreviations that are names of the database too. They name an hour, not a place, so that what
/// they do in summer surprises: each with a place that most people mean.
const LEGACY: [(&str, &str); 11] = [
    ("CET", "Europe/Paris"),
    ("CST6CDT", "America/Chicago"),
    ("EET", "Europe/Helsinki"),
    ("EST", "America/New_York"),
    ("EST5EDT", "America/New_York"),
    ("HST", "Pacific/Honolulu"),
    ("MET", "Europe/Berlin"),
    ("MST", "America/Denver"),
    ("MST7MDT", "America/Denver"),
    ("PST8PDT", "America/Los_Angeles"),
    ("WET", "Europe/Lisbon"),
];

/// Abbreviations that the database does not know as names, each with a place that is meant mostly.
const AMBIGUOUS: [(&str, &str); 21] = [
    ("AEDT", "Australia/Sydney"),
    ("AEST", "Australia/Sydney"),
    ("AKST", "America/Anchorage"),
    ("AST", "America/Halifax"),
    ("BRT", "America/Sao_Paulo"),
    ("BST", "Europe/London"),
    ("CDT", "America/Chicago"),
    ("CEST", "Europe/Paris"),
    ("CST", "America/Chicago"),
    ("EDT", "America/New_York"),
    ("EEST", "Europe/Helsinki"),
    ("ET", "America/New_York"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("MDT", "America/Denver"),
    ("MSK", "Europe/Moscow"),
    ("NZST", "Pacific/Auckland"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("PT", "America/Los_Angeles"),
];

/// A place to name instead of an abbreviation that the database has as a name.
pub(super) fn place_for_legacy(name: &str) -> Option<&'static str> {
    LEGACY.iter().find(|(legacy, _)| *legacy == name).map(|(_, place)| *place)
}

/// Why `found` names no zone, given all names.
pub(super) fn refusal<'a>(found: &str, names: impl Iterator<Item = &'a Arc<str>>) -> ZoneNameError {
    let shown: String = found.chars().take(64).collect();
    let abbreviation = AMBIGUOUS.iter().find(|(text, _)| text.eq_ignore_ascii_case(found));
    if let Some((_, meant)) = abbreviation {
        return ZoneNameError::Abbreviation { found: shown, meant };
    }
    if found.starts_with(['+', '-']) || is_utc_with_offset(found) {
        return ZoneNameError::Offset { found: shown };
    }
    match nearest(&shown, names) {
        Some(meant) => ZoneNameError::Misspelled { found: shown, meant },
        None => ZoneNameError::Unknown { found: shown },
    }
}

/// `UTC+2` and `GMT-05:00`.
fn is_utc_with_offset(found: &str) -> bool {
    let name = found
        .get(..3)
        .is_some_and(|name| name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("gmt"));
    name && found.get(3..).is_some_and(|rest| rest.trim_start().starts_with(['+', '-']))
}

/// The name with the fewest wrong letters, of the whole of it or of its place, when few are wrong.
fn nearest<'a>(found: &str, names: impl Iterator<Item = &'a Arc<str>>) -> Option<Arc<str>> {
    let word = spelling(found);
    let length = word.chars().count();
    let near_enough = (length / 3).clamp(1, 3);
    names
        .filter_map(|name| {
            let spelled = spelling(name);
            let place = spelled.rsplit_once('/').map_or(spelled.as_str(), |(_, place)| place);
            // Texts whose lengths differ by more are further apart: most names are not compared.
            let near = [spelled.as_str(), place].into_iter();
            let near = near.filter(|near| near.len().abs_diff(length) <= near_enough);
            let distance = near.map(|near| strsim::osa_distance(&word, near)).min()?;
            Some((distance, name))
        })
        .filter(|(distance, _)| *distance <= near_enough)
        .min()
        .map(|(_, name)| Arc::clone(name))
}

/// What does not count in a spelling: case, and a space for the underscore.
fn spelling(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(' ', "_")
}
