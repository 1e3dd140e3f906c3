//! The file: rejections in, within the bounds, and out again.
//!
//! It is written without a sync at each commit (`synchronous = NORMAL`): a power cut may take the
//! last rejections, never the file. What leaves is overwritten (`secure_delete`).

mod age;
mod read;
mod schema;

use crate::{
    Bounds, Filter, OpenError, RejectionId,
    kept::write_headers,
    shares::{Measure, Share, Shares},
    waiting,
};
use age::Age;
use headgate_event::{Moment, Timestamp};
use headgate_http::Rejection;
use rusqlite::{Connection, OptionalExtension, Transaction, named_params, params};
use std::path::{Path, PathBuf};

/// The open file.
#[derive(Debug)]
pub(crate) struct File {
    folder: PathBuf,
    connection: Connection,
    shares: Shares,
    age: Age,
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
    /// Opens the file in this folder, or makes it. One that is damaged is set aside.
    pub(crate) fn open(folder: &Path, bounds: Bounds, now: Moment) -> Result<Self, OpenError> {
        let read = |connection| Self::read(connection, folder, bounds, now);
        let file = match read(schema::open(folder)?) {
            Err(error) if schema::is_damage(&error) => read(schema::begin_anew(folder, &error)?),
            file => file,
        };
        file.map_err(|error| OpenError::File { path: folder.to_owned(), source: Box::new(error) })
    }

    fn read(
        connection: Connection,
        folder: &Path,
        bounds: Bounds,
        now: Moment,
    ) -> rusqlite::Result<Self> {
        let (shares, folder) = (shares(&connection)?, folder.to_owned());
        let age = Age::read(&connection, bounds.age, now)?;
        Ok(Self { folder, connection, shares, age, bounds })
    }

    /// Begins the file anew when an error says that it is damaged, and says whether it did. What it
    /// held is set aside with it.
    pub(crate) fn begin_anew_after(
        &mut self,
        error: &rusqlite::Error,
        now: Moment,
    ) -> Result<bool, OpenError> {
        if !schema::is_damage(error) {
            return Ok(false);
        }
        let failed = |folder: &Path, error: rusqlite::Error| OpenError::File {
            path: folder.to_owned(),
            source: Box::new(error),
        };
        // The file has to be closed before it gets another name.
        self.connection =
            Connection::open_in_memory().map_err(|error| failed(&self.folder, error))?;
        let connection = schema::begin_anew(&self.folder, error)?;
        let begun = Self::read(connection, &self.folder, self.bounds, now);
        *self = begun.map_err(|error| failed(&self.folder, error))?;
        Ok(true)
    }

    /// What is kept.
    pub(crate) fn total(&self) -> Share {
        self.shares.total()
    }

    /// Keeps these, and lets leave what is over a bound then. All of them are kept, or none.
    pub(crate) fn keep(&mut self, batch: &[Rejection], now: Moment) -> rusqlite::Result<Left> {
        let limit = self.age.limit(&self.connection, now)?;
        let mut shares = self.shares.clone();
        let (bounds, mut left) = (self.bounds, Left::default());
        let transaction = self.connection.transaction()?;
        for rejection in batch {
            let bytes = insert(&transaction, rejection, bounds)?;
            let added = Share { count: 1, bytes };
            shares.add(&rejection.channel.id, rejection.reject.code(), added);
        }
        if let Some(limit) = limit {
            left.age = remove(&transaction, &mut shares, &before(limit))?;
        }
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

    /// Lets leave what is too old, by a time that is believed.
    pub(crate) fn expire(&mut self, now: Moment) -> rusqlite::Result<Left> {
        let Some(limit) = self.age.limit(&self.connection, now)? else {
            return Ok(Left::default());
        };
        let any = "SELECT 1 FROM rejection WHERE received_ms < ?1 LIMIT 1";
        let old = self.connection.prepare_cached(any)?.exists(params![limit.unix_ms()])?;
        let age = if old { self.delete_all(&before(limit))? } else { 0 };
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

fn before(limit: Timestamp) -> Filter {
    Filter { until: Some(limit), ..Filter::default() }
}

/// A number as SQLite holds it. Sizes are far below 2^63, and a place beyond it is no place.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number as it was held.
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
