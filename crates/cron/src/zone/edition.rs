//! One state of all zone data: the names, and the zones that were read so far.

use super::{
    Zone, ZoneData, ZoneNameError, ZoneOrigin, ZoneSource, ZoneTable, ZoneWarning,
    choice::read_file, listing::Listing, name,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One state of all zone data.
#[derive(Debug)]
pub(super) struct Edition {
    pub(super) data: ZoneData,
    listing: Listing,
    /// The names as the database spells them, by their lower-case letters.
    names: BTreeMap<String, Arc<str>>,
    read: Mutex<BTreeMap<Arc<str>, ReadZone>>,
}

/// A zone that was asked for, and where its offsets come from.
#[derive(Clone, Debug)]
struct ReadZone {
    rules: Arc<ZoneTable>,
    origin: ZoneOrigin,
}

impl Edition {
    pub(super) fn choose(source: Option<&dyn ZoneSource>) -> Self {
        let (data, listing) = ZoneData::choose(source);
        let built_in = TZ_VARIANTS.iter().map(|zone| Arc::from(zone.name()));
        let names = built_in
            .chain(listing.names.keys().cloned())
            .map(|name: Arc<str>| (name.to_ascii_lowercase(), name))
            .collect();
        Self { data, listing, names, read: Mutex::default() }
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.names.values().cloned().collect();
        names.sort_unstable();
        names
    }

    pub(super) fn zone(
        &self,
        found: &str,
        source: Option<&dyn ZoneSource>,
    ) -> Result<Zone, ZoneNameError> {
        let refused = || name::refusal(found, self.names.values());
        let name = self.names.get(&found.to_ascii_lowercase()).ok_or_else(refused)?;
        let zone = self.read_once(name, source).ok_or_else(refused)?;
        let instead = zone.origin != self.data.origin;
        let abbreviation = name::place_for_legacy(name)
            .map(|place| ZoneWarning::Abbreviation { name: Arc::clone(name), place });
        let embedded = instead.then(|| ZoneWarning::EmbeddedInstead { name: Arc::clone(name) });
        Ok(Zone {
            name: Arc::clone(name),
            rules: zone.rules,
            warnings: abbreviation.into_iter().chain(embedded).collect(),
        })
    }

    /// Reads what another state had read. The zones with other offsets are the answer; the others
    /// keep the very table that they had.
    pub(super) fn take_over(
        &self,
        before: &Self,
        source: Option<&dyn ZoneSource>,
    ) -> Vec<Arc<str>> {
        let known = before.locked().clone();
        let mut changed = Vec::new();
        for (name, old) in known {
            match self.read_once(&name, source) {
                Some(zone) if zone.rules == old.rules => {
                    let kept = ReadZone { rules: old.rules, ..zone };
                    self.locked().insert(name, kept);
                }
                _ => changed.push(name),
            }
        }
        changed
    }

    fn read_once(&self, name: &Arc<str>, source: Option<&dyn ZoneSource>) -> Option<ReadZone> {
        if let Some(zone) = self.locked().get(name) {
            return Some(zone.clone());
        }
        let zone = self.system_zone(name, source).or_else(|| embedded_zone(name))?;
        Some(self.locked().entry(Arc::clone(name)).or_insert(zone).clone())
    }

    /// The zone's file, or that of the zone it is a link to: some systems leave out old names.
    fn system_zone(&self, name: &str, source: Option<&dyn ZoneSource>) -> Option<ReadZone> {
        let source = source.filter(|_| self.data.origin == ZoneOrigin::System)?;
        let file =
            read_file(source, name).or_else(|| read_file(source, self.listing.target(name)?))?;
        match ZoneTable::from_tzif(&file.bytes) {
            Ok(rules) => Some(ReadZone { rules: Arc::new(rules), origin: ZoneOrigin::System }),
            Err(error) => {
                tracing::warn!(zone = name, %error, "a file of the zoneinfo folder is not usable");
                None
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, ReadZone>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn embedded_zone(name: &str) -> Option<ReadZone> {
    let zone: Tz = name.parse().ok()?;
    let rules = Arc::new(ZoneTable::from_embedded(zone).ok()?);
    Some(ReadZone { rules, origin: ZoneOrigin::Embedded })
}
