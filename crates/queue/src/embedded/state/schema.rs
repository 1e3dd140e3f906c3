//! The tables of the state, and the steps from one version of them to the next.

mod delivery;

use rusqlite::Connection;

/// The version of the tables, as `user_version`.
pub(super) const VERSION: i64 = 7;

/// The tables of version 1.
const FIRST: &str = "
CREATE TABLE state_keys (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE state_subscriptions (
    generation INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    spec       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    start      INTEGER NOT NULL
);
CREATE TABLE state_places (
    generation INTEGER PRIMARY KEY,
    floor      INTEGER NOT NULL,
    settled    BLOB NOT NULL,
    dead       INTEGER NOT NULL
);
CREATE TABLE state_deferred (
    generation INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (generation, seq)
) WITHOUT ROWID;
CREATE TABLE state_dead_letters (
    generation INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    last_error TEXT,
    at         INTEGER NOT NULL,
    PRIMARY KEY (generation, seq)
) WITHOUT ROWID;
";

/// What version 2 adds: letters outlive their events and say which they were; what retention and
/// erasing have begun.
const SECOND: &str = "
ALTER TABLE state_dead_letters ADD COLUMN event_id BLOB;
ALTER TABLE state_places ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
CREATE TABLE state_kept (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    kept INTEGER NOT NULL
);
CREATE TABLE state_erasures (
    seq        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    erased_at  INTEGER NOT NULL,
    segment    INTEGER NOT NULL,
    offset     INTEGER NOT NULL,
    length     INTEGER NOT NULL,
    digest     BLOB,
    window_ms  INTEGER,
    batch      INTEGER NOT NULL,
    header     BLOB NOT NULL
);
";

/// What version 3 adds: what sources keep, such as how far each schedule has come.
const THIRD: &str = "
CREATE TABLE state_source_notes (
    kind  TEXT NOT NULL,
    key   BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
";

/// What version 6 adds: the time that was believed last, to hold a clock against after a stop, and
/// an event that the log had.
const SIXTH: &str = "
CREATE TABLE state_clock (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    believed INTEGER NOT NULL
);
CREATE TABLE state_newest (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
);
";

/// What version 7 adds: what a clock shows that is not believed, and for how long it has stood there.
const SEVENTH: &str = "
ALTER TABLE state_clock ADD COLUMN seen INTEGER;
ALTER TABLE state_clock ADD COLUMN stood_ms INTEGER;
";

/// The steps, each to the version after the one of its place.
const STEPS: [&[&str]; VERSION as usize] = [
    &[FIRST],
    &[SECOND],
    &[THIRD],
    &[delivery::TABLES, super::replay_tables::REPLAYS],
    &[super::replay_tables::HIGHEST],
    &[SIXTH],
    &[SEVENTH],
];

/// Brings tables of this version, 0 for none, up to the version of this program.
pub(super) fn bring_up(connection: &Connection, found: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(found).unwrap_or(0);
    let steps: String = STEPS.iter().skip(done).copied().flatten().copied().collect();
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;"
    ))
}
