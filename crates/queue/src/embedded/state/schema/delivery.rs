//! What version 4 adds for deliveries: the thread of what comes again, and what came of attempts.

/// The thread is told with what comes again, so that after a restart its later events wait. An
/// attempt has one of the places of a ring: `2 * (number % places)`, one more when it failed, so
/// that what worked never drives out what did not.
pub(super) const TABLES: &str = "
ALTER TABLE state_deferred ADD COLUMN thread INTEGER;
CREATE TABLE state_attempts (
    place      INTEGER PRIMARY KEY,
    number     INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    took_ms    INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    status     INTEGER,
    answer     BLOB,
    error      TEXT
);
CREATE INDEX state_attempts_seq ON state_attempts (seq);
";
