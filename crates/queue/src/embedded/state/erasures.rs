//! Erasures that were begun: kept from before the first byte is overwritten until nothing of the
//! event is left anywhere.

use super::State;
use crate::{
    Seq,
    embedded::index::{number, unsigned},
    log::{DedupeDigest, Erasure, NameDigest, Position},
};
use headgate_event::{EventId, Timestamp};
use rusqlite::{Connection, Row, Transaction, params};
use std::time::Duration;

/// What an erased event goes on being known by, in one column: 32 bytes that stand for its dedupe
/// key, zeros where it had none, and 32 for each of its names.
fn known_by(erasure: &Erasure) -> Option<Vec<u8>> {
    let digest = erasure.digest.unwrap_or_default();
    let any = erasure.digest.is_some() || !erasure.names.is_empty();
    any.then(|| [digest.as_slice(), &erasure.names.concat()].concat())
}

fn known(column: Option<Vec<u8>>) -> (Option<DedupeDigest>, Vec<NameDigest>) {
    let column = column.unwrap_or_default();
    let (all, _) = column.as_chunks::<32>();
    let (digest, names) =
        all.split_first().map_or((None, &[][..]), |(one, names)| (Some(*one), names));
    (digest.filter(|digest| *digest != [0; 32]), names.to_vec())
}

impl State {
    /// The erasures that were begun and not ended.
    pub(in crate::embedded) fn erasures(&self) -> rusqlite::Result<Vec<Erasure>> {
        if self.version < 2 {
            return Ok(Vec::new());
        }
        let query = "SELECT seq, id, created_at, erased_at, segment, offset, length, digest,
             window_ms, batch, header FROM state_erasures ORDER BY seq";
        let mut statement = self.connection.prepare(query)?;
        let rows = statement.query_map([], read)?;
        rows.collect()
    }
}

/// Whether the erasure of an event was begun and not ended.
pub(super) fn is_begun(connection: &Connection, seq: Seq) -> rusqlite::Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM state_erasures WHERE seq = ?1)";
    connection.prepare_cached(query)?.query_row([number(seq)], |row| row.get(0))
}

/// Notes that an event is to be erased, and takes what consumers said of it out of the state.
pub(in crate::embedded) fn begin_erasure(
    transaction: &Transaction<'_>,
    erasure: &Erasure,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO state_erasures
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let window = erasure.dedupe_window.map(|window| u64::try_from(window.as_millis()));
    transaction.execute(
        sql,
        params![
            number(erasure.seq),
            erasure.id.to_bytes(),
            erasure.created_at.unix_ms(),
            erasure.erased_at.unix_ms(),
            number(erasure.position.segment),
            number(erasure.position.offset),
            erasure.position.len,
            known_by(erasure),
            window.map(|ms| number(ms.unwrap_or(u64::MAX))),
            number(erasure.batch),
            erasure.header,
        ],
    )?;
    let forget = "UPDATE state_dead_letters SET last_error = NULL, event_id = ?2 WHERE seq = ?1";
    transaction.execute(forget, params![number(erasure.seq), erasure.id.to_bytes()])?;
    // An answer may repeat what it was sent.
    let forget = "DELETE FROM state_attempts WHERE seq = ?1";
    transaction.execute(forget, [number(erasure.seq)])?;
    Ok(())
}

/// Notes that nothing of an erased event is left.
pub(in crate::embedded) fn end_erasure(
    transaction: &Transaction<'_>,
    seq: Seq,
) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM state_erasures WHERE seq = ?1", [number(seq)])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Erasure> {
    let window: Option<i64> = row.get(8)?;
    let (digest, names) = known(row.get(7)?);
    Ok(Erasure {
        seq: unsigned(row.get(0)?),
        id: EventId::from_bytes(row.get(1)?),
        created_at: Timestamp::from_unix_ms(row.get(2)?),
        erased_at: Timestamp::from_unix_ms(row.get(3)?),
        position: Position {
            segment: unsigned(row.get(4)?),
            offset: unsigned(row.get(5)?),
            len: row.get(6)?,
        },
        digest,
        names,
        dedupe_window: window.map(|ms| Duration::from_millis(unsigned(ms))),
        batch: unsigned(row.get(9)?),
        header: row.get(10)?,
    })
}
