//! Kinds of events: type, channel and provider together, as one small number.

use crate::{Selection, log::Keys};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};

/// What makes a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Kind {
    event_type: String,
    channel: String,
    provider: Option<String>,
}

/// All kinds there are, with the number of their events.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    numbers: HashMap<Kind, i64>,
    events: BTreeMap<i64, (Kind, u64)>,
}

/// The kinds that a selection wants, and how best to read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Every event is wanted.
    All,
    /// So many kinds, or so common ones, that events are read in their order and looked at.
    Most(Vec<i64>),
    /// Each of these kinds is read for itself.
    Each(Vec<i64>),
}

impl Kinds {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut kinds = Self::default();
        let mut statement =
            connection.prepare("SELECT kind, type, channel, provider, events FROM index_kinds")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let kind =
                Kind { event_type: row.get(1)?, channel: row.get(2)?, provider: row.get(3)? };
            kinds.add(row.get(0)?, kind, super::unsigned(row.get(4)?));
        }
        Ok(kinds)
    }

    pub(super) fn number_of(&self, keys: &Keys) -> Option<i64> {
        self.numbers.get(&Kind::of(keys)).copied()
    }

    /// The number that a kind which is not known yet gets.
    pub(super) fn next_number(&self) -> i64 {
        self.events.last_key_value().map_or(1, |(number, _)| number + 1)
    }

    /// Adds events to a kind, which may be new.
    pub(super) fn add(&mut self, number: i64, kind: Kind, events: u64) {
        self.numbers.entry(kind.clone()).or_insert(number);
        self.events.entry(number).or_insert((kind, 0)).1 += events;
    }

    /// Whether a selection wants the events of a kind, as far as the kind decides.
    pub(super) fn wants(&self, selection: &Selection, number: i64) -> bool {
        self.events.get(&number).is_some_and(|(kind, _)| kind.wanted_by(selection))
    }

    /// The kinds that a selection wants, whatever else it wants.
    ///
    /// Reading each kind for itself costs a search a kind; reading on until enough wanted ones
    /// have come costs as many rows a find as there are events to a wanted one.
    pub(super) fn wanted(&self, selection: &Selection) -> Wanted {
        let (mut wanted, mut fit, mut all) = (Vec::new(), 0_u64, 0_u64);
        for (number, (kind, events)) in &self.events {
            all += events;
            if kind.wanted_by(selection) {
                wanted.push(*number);
                fit += events;
            }
        }
        if wanted.len() == self.events.len() {
            Wanted::All
        } else if all / fit.max(1) < wanted.len() as u64 {
            Wanted::Most(wanted)
        } else {
            Wanted::Each(wanted)
        }
    }
}

impl Kind {
    pub(super) fn of(keys: &Keys) -> Self {
        Self {
            event_type: keys.event_type.clone(),
            channel: keys.channel.clone(),
            provider: keys.provider.clone(),
        }
    }

    pub(super) fn row(&self) -> (&str, &str, Option<&str>) {
        (&self.event_type, &self.channel, self.provider.as_deref())
    }

    fn wanted_by(&self, selection: &Selection) -> bool {
        selection.wants_kind(&self.event_type, &self.channel, self.provider.as_deref())
    }
}
