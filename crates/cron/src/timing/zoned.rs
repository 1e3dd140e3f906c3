//! An expression in a time zone whose rules may be exchanged while schedules use it.

use crate::{
    CivilTimes, DstPolicy, Expression, FiringClass, Occurrence, Occurrences, Zone, ZoneTable,
    ZoneWarning, next::occurrence_count, next_occurrence,
};
use arc_swap::ArcSwap;
use headgate_event::Timestamp;
use std::sync::Arc;

/// A zone's rules, which all expressions in it share and which may be exchanged.
#[derive(Debug)]
pub(super) struct SharedZone {
    pub(super) name: Arc<str>,
    pub(super) rules: ArcSwap<ZoneTable>,
    warnings: ArcSwap<Vec<ZoneWarning>>,
}

/// An expression in a time zone.
pub(super) struct Zoned {
    pub(super) expression: Expression,
    pub(super) zone: Arc<SharedZone>,
    pub(super) policy: DstPolicy,
}

impl SharedZone {
    pub(super) fn new(zone: Zone) -> Self {
        let warnings = ArcSwap::from_pointee(zone.warnings);
        Self { name: zone.name, rules: ArcSwap::new(zone.rules), warnings }
    }

    /// Goes by another edition of the zone; whether its offsets are others.
    pub(super) fn renew(&self, zone: Zone) -> bool {
        self.warnings.store(Arc::new(zone.warnings));
        let changed = !Arc::ptr_eq(&zone.rules, &self.rules.load());
        if changed {
            self.rules.store(zone.rules);
        }
        changed
    }

    /// What whoever named it should know.
    pub(super) fn doubts(&self) -> Vec<String> {
        self.warnings.load().iter().map(ToString::to_string).collect()
    }
}

impl Occurrences for Zoned {
    fn next_after(&self, cursor: Timestamp) -> Option<Occurrence> {
        let rules = self.zone.rules.load();
        next_occurrence(&self.expression, &**rules, self.policy, cursor)
    }

    fn count(&self, cursor: Timestamp, until: Timestamp) -> Option<u64> {
        let rules = self.zone.rules.load();
        occurrence_count(&self.expression, &**rules, self.policy, cursor, until)
    }

    fn class(&self) -> FiringClass {
        self.expression.class()
    }

    fn describe(&self) -> String {
        self.expression.describe()
    }

    fn doubts(&self) -> Vec<String> {
        let lints = self.expression.lints();
        lints.iter().map(ToString::to_string).chain(self.zone.doubts()).collect()
    }
}
