//! Writing the index: opening it, adding what the log has committed, cutting it back.

use super::{
    Index,
    dedupe::DedupeRow,
    keys::{self, KeyRow},
    kinds::{Kind, Kinds},
    names::{self, NameRow, NamesRead},
    number,
    schema::{self, VERSION},
    times, unsigned,
};
use crate::{
    Seq,
    embedded::random,
    log::{Committed, Keys},
};
use rusqlite::{Connection, ErrorCode, Transaction, params};
use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, PoisonError, atomic::Ordering},
};

/// The one that writes the index.
#[derive(Debug)]
pub(in crate::embedded) struct IndexWriter {
    pub(super) connection: Connection,
    pub(super) index: Arc<Index>,
    /// The day whose filter is being filled, and the hash to go on with.
    pub(super) filled: Option<(i64, i64)>,
    /// How far names were read into their filter.
    pub(super) names_read: Option<NamesRead>,
}

/// A file with other tables than an index has.
struct Unfit {
    /// The version in the file.
    found: i64,
}

impl IndexWriter {
    /// Opens the index in this file. One that is damaged, or of another version, is thrown away:
    /// it is derived. One that cannot be opened for another reason (no room, no permission, too
    /// many files) is left alone: making it again would fail too, or take long for nothing.
    pub(in crate::embedded) fn open(path: &Path) -> rusqlite::Result<Self> {
        match Self::open_as_it_is(path) {
            Ok(Ok(writer)) => return Ok(writer),
            Ok(Err(Unfit { found })) => tracing::warn!(
                found,
                expected = VERSION,
                "the index is of another version, or not whole, and is rebuilt"
            ),
            Err(error) if is_damage(&error) => {
                tracing::warn!(%error, "the index is damaged and is rebuilt");
            }
            Err(error) => return Err(error),
        }
        Self::create(path)
    }

    /// An empty index in place of the one in this file.
    pub(in crate::embedded) fn create(path: &Path) -> rusqlite::Result<Self> {
        remove(path).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let missing = || rusqlite::Error::InvalidPath(path.to_owned());
        Self::open_as_it_is(path)?.map_err(|_| missing())
    }

    fn open_as_it_is(path: &Path) -> rusqlite::Result<Result<Self, Unfit>> {
        let seed = random::number()
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let connection = schema::open_writer(path, seed)?;
        let found = schema::version(&connection)?;
        if found != VERSION || !schema::is_whole(&connection)? {
            return Ok(Err(Unfit { found }));
        }
        let seed = u64::from_le_bytes(schema::meta(&connection, "seed")?.to_le_bytes());
        let index = Arc::new(Index::new(path, seed));
        let writer = Self { connection, index, filled: None, names_read: None };
        writer.publish()?;
        if writer.index.last() == 0 {
            // There is nothing to read into the filter of names but what is added from here on.
            writer.index.names.whole();
        }
        Ok(Ok(writer))
    }

    /// What the readers share.
    pub(in crate::embedded) fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// Adds events that follow the last one, in one transaction.
    pub(in crate::embedded) fn add(&mut self, entries: &[Committed]) -> rusqlite::Result<()> {
        let Some(last) = entries.last() else { return Ok(()) };
        let mut kinds = self.index.kinds.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut days = self.index.days.read().unwrap_or_else(PoisonError::into_inner).clone();
        let oldest = entries.iter().map(|entry| entry.created_at).min().unwrap_or(last.created_at);
        let transaction = self.connection.transaction()?;
        let mut counts = BTreeMap::new();
        let (mut dedupe_rows, mut key_rows, mut name_rows) = (Vec::new(), Vec::new(), Vec::new());
        // Of a lost event nothing is known that could be found.
        for entry in entries.iter().filter(|entry| !entry.keys.is_lost()) {
            let kind = if entry.keys.is_erased() {
                super::ERASED
            } else {
                let kind = number_kind(&transaction, &mut kinds, &entry.keys)?;
                counts.entry(kind).or_insert_with(|| (Kind::of(&entry.keys), 0)).1 += 1;
                kind
            };
            insert_event(&transaction, entry, kind)?;
            dedupe_rows.extend(DedupeRow::of(entry, self.index.seed));
            key_rows.extend(KeyRow::of(entry, self.index.seed));
            name_rows.extend(NameRow::of(entry, self.index.seed));
        }
        times::note(&transaction, entries.iter().filter(|entry| !entry.keys.is_lost()))?;
        for (kind, (_, events)) in &counts {
            let sql = "UPDATE index_kinds SET events = events + ?2 WHERE kind = ?1";
            transaction.prepare_cached(sql)?.execute(params![kind, number(*events)])?;
        }
        super::dedupe::insert(&transaction, &mut days, dedupe_rows)?;
        let dropped = super::dedupe::drop_old(&transaction, &mut days, oldest)?;
        if !dropped.is_empty() {
            // Before the commit, so that a reader who misses a table finds that it is gone.
            let mut known = self.index.days.write().unwrap_or_else(PoisonError::into_inner);
            known.retain(|day, _| !dropped.contains(day));
        }
        keys::insert(&transaction, key_rows)?;
        names::insert(&transaction, &self.index.names, name_rows)?;
        set_meta(&transaction, "last", number(last.seq))?;
        transaction.commit()?;
        for (kind, (what, events)) in counts {
            kinds.add(kind, what, events);
        }
        *self.index.kinds.write().unwrap_or_else(PoisonError::into_inner) = kinds;
        *self.index.days.write().unwrap_or_else(PoisonError::into_inner) = days;
        self.index.last.store(last.seq, Ordering::Release);
        Ok(())
    }

    /// Takes away everything after `head`: the log does not have it any more.
    pub(in crate::embedded) fn cut_back(&mut self, head: Seq) -> rusqlite::Result<()> {
        let days = schema::dedupe_days(&self.connection)?;
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "UPDATE index_kinds SET events = events - (SELECT count(*) FROM index_events
             WHERE index_events.kind = index_kinds.kind AND seq > ?1)",
            [number(head)],
        )?;
        transaction.execute("DELETE FROM index_events WHERE seq > ?1", [number(head)])?;
        times::cut_back(&transaction, head)?;
        keys::cut_back(&transaction, head)?;
        names::cut_back(&transaction, head)?;
        for day in days {
            let table = schema::dedupe_table(day);
            transaction.execute(&format!("DELETE FROM {table} WHERE seq > ?1"), [number(head)])?;
        }
        set_meta(&transaction, "last", number(head))?;
        transaction.commit()?;
        self.publish()
    }

    /// Writes what is in the write-ahead log into the file itself, synced, and empties it;
    /// `false` when a reader is in the way.
    pub(in crate::embedded) fn checkpoint(&self) -> rusqlite::Result<bool> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(sql, [], |row| row.get::<_, i64>(0).map(|busy| busy == 0))
    }

    /// Shows the readers what is in the file.
    pub(super) fn publish(&self) -> rusqlite::Result<()> {
        let (index, connection) = (&self.index, &self.connection);
        let kinds = Kinds::load(connection)?;
        *index.kinds.write().unwrap_or_else(PoisonError::into_inner) = kinds;
        let listed = schema::dedupe_days(connection)?;
        let mut days = index.days.write().unwrap_or_else(PoisonError::into_inner);
        days.retain(|day, _| listed.contains(day));
        for day in listed {
            days.entry(day).or_default();
        }
        drop(days);
        index.last.store(unsigned(schema::meta(connection, "last")?), Ordering::Release);
        Ok(())
    }
}

fn insert_event(
    transaction: &Transaction<'_>,
    entry: &Committed,
    kind: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO index_events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let position = entry.position;
    transaction.prepare_cached(sql)?.execute(params![
        number(entry.seq),
        entry.id.to_bytes(),
        kind,
        number(position.segment),
        number(position.offset),
        position.len,
        entry.created_at.unix_ms(),
    ])?;
    Ok(())
}

/// The number of a kind; a row is made for one that is not known yet.
fn number_kind(
    transaction: &Transaction<'_>,
    kinds: &mut Kinds,
    keys: &Keys,
) -> rusqlite::Result<i64> {
    if let Some(kind) = kinds.number_of(keys) {
        return Ok(kind);
    }
    let (kind, what) = (kinds.next_number(), Kind::of(keys));
    let (event_type, channel, provider) = what.row();
    let sql = "INSERT INTO index_kinds VALUES (?1, ?2, ?3, ?4, 0)";
    transaction.prepare_cached(sql)?.execute(params![kind, event_type, channel, provider])?;
    kinds.add(kind, what, 0);
    Ok(kind)
}

fn set_meta(transaction: &Transaction<'_>, key: &str, value: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE index_meta SET value = ?2 WHERE key = ?1";
    transaction.prepare_cached(sql)?.execute(params![key, value])?;
    Ok(())
}

/// Whether an error says that what is in the file is wrong, and not that it cannot be reached.
pub(in crate::embedded) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        // The plain error 1 is that of a statement that does not fit the tables.
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || failure.extended_code == rusqlite::ffi::SQLITE_ERROR
        }
        rusqlite::Error::SqlInputError { .. }
        | rusqlite::Error::QueryReturnedNoRows
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..) => true,
        _ => false,
    }
}

/// Removes the file and what SQLite keeps beside it.
fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(Path::new(&file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
