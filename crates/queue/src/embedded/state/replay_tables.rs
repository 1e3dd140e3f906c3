//! The tables of replays and of redriven deliveries.

/// What version 4 adds for them: by which delivery a letter's event was given, when that is not one
/// of the subscription's own; attempts that do not count; replays.
pub(super) const REPLAYS: &str = "
ALTER TABLE state_dead_letters ADD COLUMN given INTEGER;
CREATE TABLE state_redriven (
    generation INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    PRIMARY KEY (generation, seq)
) WITHOUT ROWID;
CREATE TABLE state_replays (
    generation   INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    subscription INTEGER NOT NULL,
    spec         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    first        INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    matched      INTEGER,
    state        TEXT NOT NULL,
    acked        INTEGER NOT NULL,
    dead         INTEGER NOT NULL,
    ended_at     INTEGER
);
";

/// What version 5 adds: the highest attempt that any delivery of a subscription has come to. Of
/// what was settled before it is not known, but a policy allows a thousand at most.
pub(super) const HIGHEST: &str = "
ALTER TABLE state_places ADD COLUMN highest INTEGER NOT NULL DEFAULT 0;
UPDATE state_places SET highest = 1000 + max(
    coalesce((SELECT max(attempt) FROM state_deferred
        WHERE state_deferred.generation = state_places.generation), 0),
    coalesce((SELECT max(attempts) FROM state_redriven
        WHERE state_redriven.generation = state_places.generation), 0),
    coalesce((SELECT max(attempts) FROM state_dead_letters
        WHERE state_dead_letters.generation = state_places.generation AND given IS NULL), 0));
";
