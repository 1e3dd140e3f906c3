//! What was sent, and whether it was found once.

use std::{collections::BTreeMap, fmt};

/// Every event that was sent, and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Ledger(BTreeMap<String, Fate>);

#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    sent: u32,
    acknowledged: u32,
    given_up: bool,
}

/// What is wrong with what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discrepancy {
    /// Sent and not found.
    pub lost: Vec<String>,
    /// Found more than once.
    pub doubled: Vec<String>,
    /// Found and never sent.
    pub unknown: Vec<String>,
}

impl Ledger {
    /// Notes that there is an event, before it is sent for the first time.
    pub(super) fn add(&mut self, event_id: &str) {
        self.0.entry(event_id.to_owned()).or_default();
    }

    /// Notes an attempt.
    pub(super) fn sent(&mut self, event_id: &str) {
        self.0.entry(event_id.to_owned()).or_default().sent += 1;
    }

    /// Notes that an event was acknowledged.
    pub(super) fn acknowledged(&mut self, event_id: &str) {
        self.0.entry(event_id.to_owned()).or_default().acknowledged += 1;
    }

    /// Notes that an event will not be sent again although nobody acknowledged it.
    pub(super) fn given_up(&mut self, event_id: &str) {
        self.0.entry(event_id.to_owned()).or_default().given_up = true;
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many attempts were made for this event.
    #[must_use]
    pub fn attempts(&self, event_id: &str) -> u32 {
        self.0.get(event_id).map_or(0, |fate| fate.sent)
    }

    /// Whether this event was acknowledged.
    #[must_use]
    pub fn is_acknowledged(&self, event_id: &str) -> bool {
        self.0.get(event_id).is_some_and(|fate| fate.acknowledged > 0)
    }

    /// Events that nobody acknowledged, in their order.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, fate)| fate.acknowledged == 0).map(|(id, _)| id.as_str())
    }

    /// Events that are not sent again although nobody acknowledged them.
    pub fn abandoned(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, fate)| fate.given_up).map(|(id, _)| id.as_str())
    }

    /// Compares with the ids that were found in a queue: each must be there once.
    ///
    /// # Errors
    ///
    /// When one is missing, there twice, or was never sent.
    pub fn check<'a>(&self, found: impl IntoIterator<Item = &'a str>) -> Result<(), Discrepancy> {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for id in found {
            *counts.entry(id).or_default() += 1;
        }
        let of = |wrong: &dyn Fn(&str, u32) -> bool| {
            let wrong = counts.iter().filter(|(id, count)| wrong(id, **count));
            wrong.map(|(id, _)| (*id).to_owned()).collect::<Vec<_>>()
        };
        let lost = self.0.keys().filter(|id| !counts.contains_key(id.as_str())).cloned().collect();
        let doubled = of(&|_, count| count > 1);
        let unknown = of(&|id, _| !self.0.contains_key(id));
        let discrepancy = Discrepancy { lost, doubled, unknown };
        if discrepancy == Discrepancy::default() { Ok(()) } else { Err(discrepancy) }
    }
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lost, doubled) = (self.lost.len(), self.doubled.len());
        write!(f, "{lost} lost, {doubled} doubled, {} unknown", self.unknown.len())
    }
}

impl std::error::Error for Discrepancy {}
