//! Places at which several filters agree, found without reading the events between.
//!
//! A filter wants any of several runs: the places of one kind, or of one value of a key, which
//! the index gives in their order. All filters are asked in turn for their next place that is not
//! before the last one's answer, until they name the same. So the rarest filter sets the pace,
//! and nobody has to know which one that is.

use super::{
    find::{Order, Span},
    keys::part_of,
    number, unsigned,
};
use crate::Seq;
use rusqlite::{Connection, params};
use std::collections::VecDeque;

/// How many places of a run are read at once: reading some more costs less than looking again.
const BATCH: usize = 64;

/// What a run is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunOf {
    /// Events of this kind.
    Kind(i64),
    /// Events that have a key with this hash.
    Key(i64),
}

/// Any of several runs.
#[derive(Debug)]
pub(super) struct Filter {
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    of: RunOf,
    batch: VecDeque<Seq>,
    /// Nothing comes after the batch.
    ended: bool,
}

/// Where filters look, and from which end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub(super) connection: &'a Connection,
    pub(super) span: Span,
    pub(super) order: Order,
}

impl Search<'_> {
    /// Gives the places at which all filters agree, one after the other, until it is told `false`.
    pub(super) fn agreed(
        &self,
        filters: &mut [Filter],
        mut each: impl FnMut(Seq) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<()> {
        let (mut target, last) = match self.order {
            Order::Newest => (self.span.last, self.span.first),
            Order::Oldest => (self.span.first, self.span.last),
        };
        'place: while !self.order.is_before(last, target) {
            for filter in filters.iter_mut() {
                match filter.next(self, target)? {
                    None => return Ok(()),
                    Some(found) if found != target => {
                        target = found;
                        continue 'place;
                    }
                    Some(_) => {}
                }
            }
            if !each(target)? {
                return Ok(());
            }
            let Some(next) = self.order.after(target) else { return Ok(()) };
            target = next;
        }
        Ok(())
    }
}

impl Filter {
    /// Any of these runs.
    pub(super) fn any(of: impl IntoIterator<Item = RunOf>) -> Self {
        let run = |of| Run { of, batch: VecDeque::new(), ended: false };
        Self { runs: of.into_iter().map(run).collect() }
    }

    /// Its first place at `target` or after it.
    fn next(&mut self, search: &Search<'_>, target: Seq) -> rusqlite::Result<Option<Seq>> {
        let mut first = None;
        for run in &mut self.runs {
            if let Some(found) = run.next(search, target)?
                && first.is_none_or(|first| search.order.is_before(found, first))
            {
                first = Some(found);
            }
        }
        Ok(first)
    }
}

impl Run {
    fn next(&mut self, search: &Search<'_>, target: Seq) -> rusqlite::Result<Option<Seq>> {
        while self.batch.front().is_some_and(|place| search.order.is_before(*place, target)) {
            self.batch.pop_front();
        }
        if self.batch.is_empty() && !self.ended {
            match self.of {
                RunOf::Kind(kind) => self.read_kind(search, kind, target)?,
                RunOf::Key(hash) => self.read_key(search, hash, target)?,
            }
            self.ended = self.batch.len() < BATCH;
        }
        Ok(self.batch.front().copied())
    }

    fn read_kind(&mut self, search: &Search<'_>, kind: i64, target: Seq) -> rusqlite::Result<()> {
        let sql = format!(
            "SELECT seq FROM index_events INDEXED BY index_events_kind WHERE kind = ?1 \
             AND seq BETWEEN ?2 AND ?3 ORDER BY seq {} LIMIT ?4",
            search.order.sql()
        );
        let (first, last) = search.from(target);
        let limit = number(BATCH as u64);
        let mut statement = search.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![kind, number(first), number(last), limit])?;
        while let Some(row) = rows.next()? {
            self.batch.push_back(unsigned(row.get(0)?));
        }
        Ok(())
    }

    /// Reads part after part until the batch is full.
    fn read_key(&mut self, search: &Search<'_>, hash: i64, target: Seq) -> rusqlite::Result<()> {
        let sql = format!(
            "SELECT seq FROM index_keys WHERE part = ?1 AND hash = ?2 \
             AND seq BETWEEN ?3 AND ?4 ORDER BY seq {} LIMIT ?5",
            search.order.sql()
        );
        let (first, last) = search.from(target);
        let mut statement = search.connection.prepare_cached(&sql)?;
        let (mut part, end) = match search.order {
            Order::Newest => (part_of(last), part_of(first)),
            Order::Oldest => (part_of(first), part_of(last)),
        };
        loop {
            let left = number((BATCH - self.batch.len()) as u64);
            let row = params![number(part), hash, number(first), number(last), left];
            let mut rows = statement.query(row)?;
            while let Some(row) = rows.next()? {
                self.batch.push_back(unsigned(row.get(0)?));
            }
            if self.batch.len() >= BATCH || part == end {
                return Ok(());
            }
            part = match search.order {
                Order::Newest => part - 1,
                Order::Oldest => part + 1,
            };
        }
    }
}

impl Search<'_> {
    /// The places from a target to the end of the span, the lower one first.
    fn from(&self, target: Seq) -> (Seq, Seq) {
        match self.order {
            Order::Newest => (self.span.first, target),
            Order::Oldest => (target, self.span.last),
        }
    }
}

impl Order {
    /// Whether `place` comes before `other`.
    fn is_before(self, place: Seq, other: Seq) -> bool {
        match self {
            Self::Newest => place > other,
            Self::Oldest => place < other,
        }
    }

    fn after(self, place: Seq) -> Option<Seq> {
        match self {
            Self::Newest => place.checked_sub(1),
            Self::Oldest => place.checked_add(1),
        }
    }
}
