//! All time zones by name, from the newest data at hand, exchanged as a whole while in use.

use super::{ZoneData, ZoneNameError, ZoneSource, ZoneTable, edition::Edition};
use arc_swap::ArcSwap;
use std::sync::Arc;

/// The time zones of the newest data at hand.
///
/// Zones are read when they are first asked for and kept. A [`Zones::reload`] exchanges all of them
/// at once; whoever holds a [`Zone`] keeps the rules that it had.
#[derive(Debug)]
pub struct Zones {
    source: Option<Box<dyn ZoneSource>>,
    edition: ArcSwap<Edition>,
}

/// A time zone: its name and its offsets.
#[derive(Clone, Debug)]
pub struct Zone {
    /// The name as the database spells it.
    pub name: Arc<str>,
    /// Its offsets.
    pub rules: Arc<ZoneTable>,
    /// What whoever named it should know.
    pub warnings: Vec<ZoneWarning>,
}

/// Something about a zone that works and is worth a look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneWarning {
    /// The name is an abbreviation; it does not say where, and may know no summer time.
    #[error("`{name}` names an hour and not a place; name the place, such as `{place}`")]
    Abbreviation {
        /// The name as the database spells it.
        name: Arc<str>,
        /// A place that most who write it mean.
        place: &'static str,
    },
    /// The system's newer data has no usable file of the zone: the built-in one counts for it.
    #[error(
        "the system's zone data has no usable `{name}`: built in is {}",
        super::ZoneVersion::EMBEDDED
    )]
    EmbeddedInstead {
        /// The name as the database spells it.
        name: Arc<str>,
    },
}

impl Zones {
    /// The newer of what is built in and what the folder has.
    #[must_use]
    pub fn open(source: Box<dyn ZoneSource>) -> Self {
        let edition = ArcSwap::from_pointee(Edition::choose(Some(&*source)));
        Self { source: Some(source), edition }
    }

    /// What is built in, for systems without zone data.
    #[must_use]
    pub fn embedded() -> Self {
        Self { source: None, edition: ArcSwap::from_pointee(Edition::choose(None)) }
    }

    /// Which data counts.
    #[must_use]
    pub fn data(&self) -> ZoneData {
        self.edition.load().data.clone()
    }

    /// The zone of a name in any case.
    ///
    /// # Errors
    ///
    /// A name that no zone has, with the nearest that one has.
    pub fn zone(&self, name: &str) -> Result<Zone, ZoneNameError> {
        self.edition.load().zone(name, self.source.as_deref())
    }

    /// All names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        self.edition.load().names()
    }

    /// Reads the data anew and exchanges it. It answers with the zones whose offsets are others
    /// than before, of those that were asked for: what is due in them is to be found anew.
    pub fn reload(&self) -> Vec<Arc<str>> {
        let before = self.edition.load_full();
        let edition = Edition::choose(self.source.as_deref());
        let changed = edition.take_over(&before, self.source.as_deref());
        self.edition.store(Arc::new(edition));
        changed
    }
}
