//! Reading the index: one event, or those that a selection wants, newest or oldest first.

use super::{
    Entry, Index, keys,
    kinds::Wanted,
    number,
    places::{Filter, RunOf, Search},
    times::{self, More},
};
use crate::{Selection, Seq};
use headgate_event::{EventId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, params};
use std::sync::PoisonError;

/// Where to look: places from `first` to `last`, received from `since` on and before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::embedded) struct Span {
    pub(in crate::embedded) first: Seq,
    pub(in crate::embedded) last: Seq,
    pub(in crate::embedded) since: Option<Timestamp>,
    pub(in crate::embedded) until: Option<Timestamp>,
}

/// With more wanted kinds than this, the kind of each event that fits otherwise is looked at.
const KIND_RUNS_MAX: usize = 16;

/// Which end of a span comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Newest,
    Oldest,
}

impl Index {
    /// The event at a place.
    pub(in crate::embedded) fn at(&self, seq: Seq) -> rusqlite::Result<Option<Entry>> {
        let sql = format!("SELECT {} FROM index_events WHERE seq = ?1", Entry::COLUMNS);
        self.reading(|connection| one(connection, &sql, [number(seq)]))
    }

    /// The event with an id.
    pub(in crate::embedded) fn by_id(&self, id: EventId) -> rusqlite::Result<Option<Entry>> {
        let sql = format!("SELECT {} FROM index_events WHERE id = ?1", Entry::COLUMNS);
        self.reading(|connection| one(connection, &sql, [id.to_bytes()]))
    }

    /// The last event whose id is not greater than this one.
    pub(in crate::embedded) fn not_after(&self, id: EventId) -> rusqlite::Result<Option<Entry>> {
        let sql = format!(
            "SELECT {} FROM index_events WHERE id <= ?1 ORDER BY id DESC LIMIT 1",
            Entry::COLUMNS
        );
        self.reading(|connection| one(connection, &sql, [id.to_bytes()]))
    }

    /// The first event that was received at or after this moment.
    pub(in crate::embedded) fn received_from(
        &self,
        time: Timestamp,
    ) -> rusqlite::Result<Option<Entry>> {
        let span = Span { first: 0, last: Seq::MAX, since: Some(time), until: None };
        let found = self.oldest(&Selection::default(), span, 1)?;
        Ok(found.into_iter().next())
    }

    /// Whether a selection wants an event.
    pub(in crate::embedded) fn wants(
        &self,
        selection: &Selection,
        entry: &Entry,
    ) -> rusqlite::Result<bool> {
        self.reading(|connection| self.wants_with(connection, selection, entry))
    }

    pub(super) fn wants_with(
        &self,
        connection: &Connection,
        selection: &Selection,
        entry: &Entry,
    ) -> rusqlite::Result<bool> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        if !kinds.wants(selection, entry.kind) {
            return Ok(false);
        }
        drop(kinds);
        for (name, values) in selection.wanted_keys() {
            let mut found = false;
            for value in values {
                let hash = keys::hash_of(self.seed, name, value);
                found = found || keys::has(connection, hash, entry.seq)?;
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Up to `max` wanted events of the span, newest first. Keys are compared by their hashes, so
    /// one among them may not be wanted.
    pub(in crate::embedded) fn newest(
        &self,
        selection: &Selection,
        span: Span,
        max: usize,
    ) -> rusqlite::Result<Vec<Entry>> {
        self.find(selection, span, max, Order::Newest)
    }

    /// Up to `max` wanted events of the span, oldest first.
    pub(in crate::embedded) fn oldest(
        &self,
        selection: &Selection,
        span: Span,
        max: usize,
    ) -> rusqlite::Result<Vec<Entry>> {
        self.find(selection, span, max, Order::Oldest)
    }

    fn find(
        &self,
        selection: &Selection,
        span: Span,
        max: usize,
        order: Order,
    ) -> rusqlite::Result<Vec<Entry>> {
        self.reading(|connection| {
            let span = Span { last: span.last.min(self.last()), ..span };
            let mut found = Vec::new();
            times::runs(connection, span, order, |run| {
                let left = max - found.len();
                found.extend(self.find_in(connection, selection, run, left, order)?);
                Ok(if found.len() < max { More::Yes } else { More::No })
            })?;
            Ok(found)
        })
    }

    fn find_in(
        &self,
        connection: &Connection,
        selection: &Selection,
        span: Span,
        max: usize,
        order: Order,
    ) -> rusqlite::Result<Vec<Entry>> {
        let wanted = self.kinds.read().unwrap_or_else(PoisonError::into_inner).wanted(selection);
        match wanted {
            _ if span.first > span.last || max == 0 => Ok(Vec::new()),
            wanted if selection.wanted_keys().next().is_some() => {
                let filters = self.key_filters(selection);
                agreeing(Search { connection, span, order }, filters, wanted, max)
            }
            Wanted::All => in_order(connection, span, max, order, |entry| !entry.is_erased()),
            Wanted::Most(kinds) => in_order(connection, span, max, order, |entry| {
                kinds.binary_search(&entry.kind).is_ok()
            }),
            Wanted::Each(kinds) => {
                let mut found = Vec::new();
                for kind in kinds {
                    found.extend(of_kind(connection, kind, span, max, order)?);
                }
                found.sort_unstable_by_key(|entry| entry.seq);
                if order == Order::Newest {
                    found.reverse();
                }
                found.truncate(max);
                Ok(found)
            }
        }
    }

    /// A filter for each key that decides.
    fn key_filters(&self, selection: &Selection) -> Vec<Filter> {
        let filter = |(name, values): (_, &[String])| {
            let hashes = values.iter().map(|value| keys::hash_of(self.seed, name, value));
            Filter::any(hashes.map(RunOf::Key))
        };
        selection.wanted_keys().map(filter).collect()
    }
}

pub(super) fn one(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Option<Entry>> {
    connection.prepare_cached(sql)?.query_row(params, Entry::read).optional()
}

/// The wanted events of a span, found by reading all of it until there are enough.
fn in_order(
    connection: &Connection,
    span: Span,
    max: usize,
    order: Order,
    wanted: impl Fn(&Entry) -> bool,
) -> rusqlite::Result<Vec<Entry>> {
    let sql = format!(
        "SELECT {} FROM index_events WHERE seq BETWEEN ?1 AND ?2 AND created_at >= ?3 \
         AND created_at < ?4 ORDER BY seq {}",
        Entry::COLUMNS,
        order.sql()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        number(span.first),
        number(span.last),
        span.since_ms(),
        span.until_ms()
    ])?;
    let mut found = Vec::new();
    while found.len() < max
        && let Some(row) = rows.next()?
    {
        found.extend(Some(Entry::read(row)?).filter(&wanted));
    }
    Ok(found)
}

/// The events of a span at which all filters agree, and that are of a wanted kind.
fn agreeing(
    search: Search<'_>,
    mut filters: Vec<Filter>,
    wanted: Wanted,
    max: usize,
) -> rusqlite::Result<Vec<Entry>> {
    let kinds = match wanted {
        Wanted::All => None,
        Wanted::Each(kinds) if kinds.len() <= KIND_RUNS_MAX => {
            filters.push(Filter::any(kinds.into_iter().map(RunOf::Kind)));
            None
        }
        Wanted::Most(kinds) | Wanted::Each(kinds) => Some(kinds),
    };
    let sql = format!("SELECT {} FROM index_events WHERE seq = ?1", Entry::COLUMNS);
    let mut found = Vec::new();
    search.agreed(&mut filters, |seq| {
        let entry = one(search.connection, &sql, [number(seq)])?;
        found.extend(entry.filter(|entry| {
            search.span.has_time(entry.created_at)
                && kinds.as_ref().is_none_or(|kinds| kinds.binary_search(&entry.kind).is_ok())
        }));
        Ok(found.len() < max)
    })?;
    Ok(found)
}

/// The events of one kind in a span.
fn of_kind(
    connection: &Connection,
    kind: i64,
    span: Span,
    max: usize,
    order: Order,
) -> rusqlite::Result<Vec<Entry>> {
    let sql = format!(
        "SELECT {} FROM index_events INDEXED BY index_events_kind WHERE kind = ?1 \
         AND seq BETWEEN ?2 AND ?3 AND created_at >= ?4 AND created_at < ?5 \
         ORDER BY seq {} LIMIT ?6",
        Entry::COLUMNS,
        order.sql()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(
        params![
            kind,
            number(span.first),
            number(span.last),
            span.since_ms(),
            span.until_ms(),
            number(max as u64)
        ],
        Entry::read,
    )?;
    rows.collect()
}

impl Order {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Newest => "DESC",
            Self::Oldest => "ASC",
        }
    }
}

impl Span {
    fn has_time(&self, created_at: Timestamp) -> bool {
        (self.since_ms()..self.until_ms()).contains(&created_at.unix_ms())
    }

    pub(super) fn since_ms(self) -> i64 {
        self.since.map_or(i64::MIN, Timestamp::unix_ms)
    }

    pub(super) fn until_ms(self) -> i64 {
        self.until.map_or(i64::MAX, Timestamp::unix_ms)
    }
}
