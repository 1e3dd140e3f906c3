//! The tables of the index, and connections to them.

use crate::private;
use headgate_event::limits::{INDEX_CHECKPOINT_PAGES, INDEX_STATEMENTS_KEPT};
use rusqlite::{Connection, OpenFlags};
use std::{collections::BTreeSet, path::Path};

/// The version of the tables, as `user_version`. Another one is rebuilt.
pub(super) const VERSION: i64 = 6;

/// What a whole index has besides the tables of dedupe keys, which `index_days` lists.
const NAMES: [&str; 9] = [
    "index_meta",
    "index_kinds",
    "index_events",
    "index_events_id",
    "index_events_kind",
    "index_times",
    "index_keys",
    "index_names",
    "index_days",
];

const TABLES: &str = "
CREATE TABLE index_meta (
    key   TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE index_kinds (
    kind     INTEGER PRIMARY KEY,
    type     TEXT NOT NULL,
    channel  TEXT NOT NULL,
    provider TEXT,
    events   INTEGER NOT NULL
);
CREATE TABLE index_events (
    seq        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL,
    kind       INTEGER NOT NULL,
    segment    INTEGER NOT NULL,
    offset     INTEGER NOT NULL,
    length     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX index_events_id ON index_events (id);
CREATE INDEX index_events_kind ON index_events (kind, seq);
CREATE TABLE index_times (
    part   INTEGER PRIMARY KEY,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL
);
CREATE TABLE index_days (day INTEGER PRIMARY KEY);
CREATE TABLE index_keys (
    part INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (part, hash, seq)
) WITHOUT ROWID;
CREATE TABLE index_names (
    part INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (part, hash, seq)
) WITHOUT ROWID;
";

/// Opens the one connection that writes, and makes the tables in an empty file.
pub(super) fn open_writer(path: &Path, seed: u64) -> rusqlite::Result<Connection> {
    private::database(path)?;
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", INDEX_CHECKPOINT_PAGES)?;
    // What an erased event has left here is overwritten, not only forgotten.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(INDEX_STATEMENTS_KEPT);
    if version(&connection)? == 0 {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection.execute_batch(TABLES)?;
        let seed = i64::from_le_bytes(seed.to_le_bytes());
        let meta = "INSERT INTO index_meta VALUES ('last', 0), ('seed', ?1)";
        connection.execute(meta, [seed])?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch("COMMIT")?;
    }
    Ok(connection)
}

/// Opens a connection that reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(INDEX_STATEMENTS_KEPT);
    Ok(connection)
}

/// The version of the tables, 0 when there are none.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The table that holds the dedupe keys of a day, counted from 1970.
pub(super) fn dedupe_table(day: i64) -> String {
    // A minus sign is no part of a name.
    if day < 0 { format!("index_dedupe_before_{}", -day) } else { format!("index_dedupe_{day}") }
}

/// Whether nothing has been taken away from the index.
pub(super) fn is_whole(connection: &Connection) -> rusqlite::Result<bool> {
    let query = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
    let mut statement = connection.prepare(query)?;
    for name in NAMES {
        if statement.query_row([name], |row| row.get::<_, i64>(0))? == 0 {
            return Ok(false);
        }
    }
    let mut statement = connection.prepare("SELECT day FROM index_days")?;
    let listed: rusqlite::Result<BTreeSet<i64>> =
        statement.query_map([], |row| row.get(0))?.collect();
    Ok(listed? == dedupe_days(connection)?)
}

/// The days that have a table of dedupe keys.
pub(super) fn dedupe_days(connection: &Connection) -> rusqlite::Result<BTreeSet<i64>> {
    let query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'index_dedupe%'";
    let mut statement = connection.prepare(query)?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut days = BTreeSet::new();
    for name in names {
        let name = name?;
        let day = match name.strip_prefix("index_dedupe_before_") {
            Some(day) => day.parse().ok().map(|day: i64| -day),
            None => name.strip_prefix("index_dedupe_").and_then(|day| day.parse().ok()),
        };
        days.extend(day);
    }
    Ok(days)
}

/// A number of `index_meta`.
pub(super) fn meta(connection: &Connection, key: &str) -> rusqlite::Result<i64> {
    connection.query_row("SELECT value FROM index_meta WHERE key = ?1", [key], |row| row.get(0))
}
