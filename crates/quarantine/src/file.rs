//! The file: rejections in, within the bounds, and out again.
//!
//! It is written without a sync at each commit (`synchronous = NORMAL`): a power cut may take the
//! last rejections, never the file. What leaves is overwritten (`secure_delete`).

mod read;
mod schema;

use crate::{
    Bounds, Filter, OpenError, RejectionId,
    kept::write_headers,
    shares::{Measure, Share, Shares},
    waiting,
};
use headgate_event::Timestamp;
use headgate_http::Rejection;
use rusqlite::{Connection, OptionalExtension, Transaction, named_params, params};
use std::path::Path;

/// The open file.
#[derive(Debug)]
pub(crate) struct File {
    connection: Connection,
    shares: Shares,
    bounds: Bounds,
}

/// How many left, by the bound that they were over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    pub(crate) age: u64,
}

const INSERT: &str = "
    INSERT INTO rejection
        (received_ms, channel, source, remote_ip, method, path, code, cause, bytes, body_bytes,
         target, headers, body)
    VALUES
        (:received_ms, :channel, :source, :remote_ip, :method, :path, :code, :cause, :bytes,
         :body_bytes, :target, :headers, :body)";

const DELETE_OLDEST: &str = "
    DELETE FROM rejection WHERE seq =
        (SELECT seq FROM rejection WHERE channel = ?1 AND code = ?2 ORDER BY seq LIMIT 1)
    RETURNING bytes";

impl File {
    /// Opens the file in this folder, or makes it.
    pub(crate) fn open(folder: &Path, bounds: Bounds) -> Result<Self, OpenError> {
        let connection = schema::open(folder)?;
        let shares = shares(&connection).map_err(|error| OpenError::File {
            path: folder.to_owned(),
            source: Box::new(error),
        })?;
        Ok(Self { connection, shares, bounds })
    }

    /// What is kept.
    pub(crate) fn total(&self) -> Share {
        self.shares.total()
    }

    /// Keeps these, and lets leave what is over a bound then. All of them are kept, or none.
    pub(crate) fn keep(&mut self, batch: &[Rejection], now: Timestamp) -> rusqlite::Result<Left> {
        let mut shares = self.shares.clone();
        let (bounds, mut left) = (self.bounds, Left::default());
        let transaction = self.connection.transaction()?;
        for rejection in batch {
            let bytes = insert(&transaction, rejection, bounds)?;
            let added = Share { count: 1, bytes };
            shares.add(&rejection.channel.id, rejection.reject.code(), added);
        }
        left.age = remove(&transaction, &mut shares, &older_than(bounds, now))?;
        while shares.total().count > bounds.count {
            remove_oldest(&transaction, &mut shares, Measure::Count)?;
            left.count += 1;
        }
        while shares.total().bytes > bounds.bytes {
            remove_oldest(&transaction, &mut shares, Measure::Bytes)?;
            left.bytes += 1;
        }
        transaction.commit()?;
        self.shares = shares;
        Ok(left)
    }

    /// Lets leave what is too old.
    pub(crate) fn expire(&mut self, now: Timestamp) -> rusqlite::Result<Left> {
        let filter = older_than(self.bounds, now);
        let any = "SELECT 1 FROM rejection WHERE received_ms < ?1 LIMIT 1";
        let limit = filter.until.map_or(i64::MIN, Timestamp::unix_ms);
        let old = self.connection.prepare_cached(any)?.exists(params![limit])?;
        let age = if old { self.delete_all(&filter)? } else { 0 };
        Ok(Left { age, ..Left::default() })
    }

    /// Takes one out, and says whether it was there. Copies of it may be in the write-ahead log
    /// until that is written back, or until [`wipe`](Self::wipe).
    pub(crate) fn delete(&mut self, id: RejectionId) -> rusqlite::Result<bool> {
        let sql = "DELETE FROM rejection WHERE seq = ?1 AND received_ms = ?2
                   RETURNING channel, code, bytes";
        let gone = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![number(id.place()), id.time().unix_ms()], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, unsigned(row.get(2)?)))
            })
            .optional()?;
        let Some((channel, code, bytes)) = gone else { return Ok(false) };
        self.shares.remove(&channel, &code, Share { count: 1, bytes });
        Ok(true)
    }

    /// Takes all of these out, and says how many there were. See [`delete`](Self::delete).
    pub(crate) fn delete_all(&mut self, filter: &Filter) -> rusqlite::Result<u64> {
        let mut shares = self.shares.clone();
        let transaction = self.connection.transaction()?;
        let count = remove(&transaction, &mut shares, filter)?;
        transaction.commit()?;
        self.shares = shares;
        Ok(count)
    }

    /// Writes the write-ahead log back and empties it, so that no copy is left of what left.
    pub(crate) fn wipe(&mut self) -> rusqlite::Result<()> {
        let busy = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        match self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], busy)? {
            0 => Ok(()),
            // Another program reads the file. What it may see still stands in it.
            _ => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                Some("another program reads the file, so bytes of it are left".to_owned()),
            )),
        }
    }
}

/// What each channel has.
fn shares(connection: &Connection) -> rusqlite::Result<Shares> {
    let sql = "SELECT channel, code, count(*), sum(bytes) FROM rejection GROUP BY channel, code";
    let mut shares = Shares::default();
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (channel, code): (String, String) = (row.get(0)?, row.get(1)?);
        shares.add(
            &channel,
            &code,
            Share { count: unsigned(row.get(2)?), bytes: unsigned(row.get(3)?) },
        );
    }
    Ok(shares)
}

/// Writes one rejection, and gives what it takes.
fn insert(
    transaction: &Transaction<'_>,
    rejection: &Rejection,
    bounds: Bounds,
) -> rusqlite::Result<u64> {
    let request = &rejection.request;
    let mut headers = Vec::new();
    write_headers(&mut headers, request.headers.iter());
    let target = match request.query.as_str() {
        "" => request.path.clone(),
        query => format!("{}?{query}", request.path),
    };
    let whole = waiting::bytes(rejection) as u64;
    let kept = whole <= bounds.one_bytes_max();
    let bytes = if kept { whole } else { whole - request.body.len() as u64 };
    transaction.prepare_cached(INSERT)?.execute(named_params! {
        ":received_ms": request.arrival.received_at.unix_ms(),
        ":channel": rejection.channel.id,
        ":source": rejection.channel.kind.to_string(),
        ":remote_ip": request.arrival.remote.ip().to_string(),
        ":method": request.method.as_str(),
        ":path": rejection.shown_path,
        ":code": rejection.reject.code(),
        ":cause": rejection.reject.to_string(),
        ":bytes": number(bytes),
        ":body_bytes": number(request.body.len() as u64),
        ":target": target,
        ":headers": headers,
        ":body": kept.then_some(&request.body[..]),
    })?;
    Ok(bytes)
}

/// The oldest of where there is most leaves.
fn remove_oldest(
    transaction: &Transaction<'_>,
    shares: &mut Shares,
    measure: Measure,
) -> rusqlite::Result<()> {
    let Some((channel, code)) = shares.largest(measure) else {
        return Err(rusqlite::Error::QueryReturnedNoRows);
    };
    let (channel, code) = (channel.to_owned(), code.to_owned());
    let bytes = transaction
        .prepare_cached(DELETE_OLDEST)?
        .query_row(params![channel, code], |row| row.get(0).map(unsigned))?;
    shares.remove(&channel, &code, Share { count: 1, bytes });
    Ok(())
}

/// All of these leave.
fn remove(
    transaction: &Transaction<'_>,
    shares: &mut Shares,
    filter: &Filter,
) -> rusqlite::Result<u64> {
    let (condition, values) = read::condition(filter);
    let sql = format!("DELETE FROM rejection WHERE {condition} RETURNING channel, code, bytes");
    let mut statement = transaction.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (channel, code): (String, String) = (row.get(0)?, row.get(1)?);
        shares.remove(&channel, &code, Share { count: 1, bytes: unsigned(row.get(2)?) });
        count += 1;
    }
    Ok(count)
}

fn older_than(bounds: Bounds, now: Timestamp) -> Filter {
    Filter { until: Some(now.minus(bounds.age)), ..Filter::default() }
}

/// A number as SQLite holds it. Sizes are far below 2^63, and a place beyond it is no place.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number as it was held.
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
