//! An expression in a time zone whose rules may be exchanged while schedules use it.

use crate::{
    CivilTimes, DstPolicy, Expression, FiringClass, Occurrence, Occurrences, Zone, ZoneTable,
    next::occurrence_count, next_occurrence,
};
use arc_swap::ArcSwap;
use headgate_event::Timestamp;
use std::sync::Arc;

/// A zone's rules, which all expressions in it share and which may be exchanged.
#[derive(Debug)]
pub(super) struct SharedZone {
    pub(super) name: Arc<str>,
    pub(super) rules: ArcSwap<ZoneTable>,
}

/// An expression in a time zone.
pub(super) struct Zoned {
    pub(super) expression: Expression,
    pub(super) zone: Arc<SharedZone>,
    pub(super) policy: DstPolicy,
}

impl SharedZone {
    pub(super) fn new(zone: Zone) -> Self {
        Self { name: zone.name, rules: ArcSwap::new(zone.rules) }
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
}
