//! Dead letters that are taken up again or deleted, and attempts that do not count any more.

use crate::{
    LetterError, LetterVerb, Seq,
    embedded::index::{number, unsigned},
    subscription::Changes,
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::BTreeMap;

/// What a call about a dead letter has to know of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::embedded) struct LetterRow {
    /// How many attempts it had.
    pub(in crate::embedded) attempts: u32,
    /// The generation of the delivery that died.
    pub(in crate::embedded) given: u64,
    /// Whether its event was removed before it was settled.
    pub(in crate::embedded) expired: bool,
}

/// The letter of a place.
pub(in crate::embedded) fn letter(
    transaction: &Connection,
    generation: u64,
    seq: Seq,
) -> rusqlite::Result<Option<LetterRow>> {
    let query = "SELECT attempts, coalesce(given, generation), reason = 'expired'
         FROM state_dead_letters WHERE generation = ?1 AND seq = ?2";
    let mut statement = transaction.prepare_cached(query)?;
    let row = statement.query_row([number(generation), number(seq)], |row| {
        Ok(LetterRow { attempts: row.get(0)?, given: unsigned(row.get(1)?), expired: row.get(2)? })
    });
    row.optional()
}

/// How many attempts the redriven deliveries of a subscription had before.
pub(super) fn earlier(
    connection: &Connection,
    generation: u64,
) -> rusqlite::Result<BTreeMap<Seq, u32>> {
    let query = "SELECT seq, attempts FROM state_redriven WHERE generation = ?1";
    let mut statement = connection.prepare_cached(query)?;
    let rows = statement
        .query_map([number(generation)], |row| Ok((unsigned(row.get(0)?), row.get(1)?)))?;
    rows.collect()
}

/// Writes which deliveries were redriven, whose letters go, and which of them have ended.
pub(super) fn write_redriven(
    transaction: &Transaction<'_>,
    generation: u64,
    changes: &Changes,
) -> rusqlite::Result<()> {
    for (seq, attempts) in &changes.redriven {
        let sql = "INSERT OR REPLACE INTO state_redriven VALUES (?1, ?2, ?3)";
        let row = params![number(generation), number(*seq), attempts];
        transaction.prepare_cached(sql)?.execute(row)?;
        let sql = "DELETE FROM state_dead_letters WHERE generation = ?1 AND seq = ?2";
        transaction.prepare_cached(sql)?.execute([number(generation), number(*seq)])?;
    }
    if !changes.redriven.is_empty() {
        count_down(transaction, generation, changes.redriven.len() as u64, 0)?;
    }
    for seq in &changes.redriven_ended {
        let sql = "DELETE FROM state_redriven WHERE generation = ?1 AND seq = ?2";
        transaction.prepare_cached(sql)?.execute([number(generation), number(*seq)])?;
    }
    Ok(())
}

/// Deletes letters of a subscription; answers how many deliveries are not counted as dead any more,
/// and how many of those expired. With the last letter those go that have left none.
pub(in crate::embedded) fn delete_letters(
    transaction: &Transaction<'_>,
    generation: u64,
    letters: &BTreeMap<Seq, LetterRow>,
) -> rusqlite::Result<(u64, u64)> {
    let sql = "DELETE FROM state_dead_letters WHERE generation = ?1 AND seq = ?2";
    for seq in letters.keys() {
        transaction.prepare_cached(sql)?.execute([number(generation), number(*seq)])?;
    }
    let left = "SELECT EXISTS (SELECT 1 FROM state_dead_letters WHERE generation = ?1)";
    let left: bool = transaction.query_row(left, [number(generation)], |row| row.get(0))?;
    let expired = letters.values().filter(|letter| letter.expired).count() as u64;
    let (dead, expired) = if left { (letters.len() as u64, expired) } else { (u64::MAX, u64::MAX) };
    count_down(transaction, generation, dead, expired)?;
    Ok((dead, expired))
}

fn count_down(
    transaction: &Transaction<'_>,
    generation: u64,
    dead: u64,
    expired: u64,
) -> rusqlite::Result<()> {
    let sql = "UPDATE state_places SET dead = max(0, dead - ?2), expired = max(0, expired - ?3)
         WHERE generation = ?1";
    let row = params![number(generation), number(dead), number(expired)];
    transaction.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Whether a letter is the one that a delivery id means; why not otherwise.
pub(in crate::embedded) fn meant(
    letter: Option<LetterRow>,
    given: (u64, u32),
    id: &str,
    verb: LetterVerb,
) -> Result<LetterRow, LetterError> {
    let id = || id.to_owned();
    let letter = letter.filter(|letter| (letter.given, letter.attempts) == given);
    let letter = letter.ok_or_else(|| LetterError::NotDead { id: id() })?;
    if verb == LetterVerb::Redrive && letter.expired {
        return Err(LetterError::Gone { id: id() });
    }
    Ok(letter)
}
