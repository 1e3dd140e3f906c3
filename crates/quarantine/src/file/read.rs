//! Rejections out of the file: a page of them, or one.

use super::{File, number, unsigned};
use crate::{Filter, Kept, Order, Page, Query, RejectionId, Summary, kept::read_headers};
use bytes::Bytes;
use headgate_event::Timestamp;
use rusqlite::{OptionalExtension, Row, params, params_from_iter, types::Value};

const SHOWN: &str = "seq, received_ms, channel, source, remote_ip, method, path, code, cause, \
                     body_bytes, body IS NOT NULL";

impl File {
    /// One page of what is kept.
    pub(crate) fn list(&mut self, query: &Query) -> rusqlite::Result<Page> {
        let (mut condition, mut values) = condition(&query.filter);
        let (compared, place, direction) = match query.order {
            Order::NewestBefore(place) => ("<", place, "DESC"),
            Order::OldestAfter(place) => (">", place, "ASC"),
        };
        if let Some(place) = place {
            condition.push_str(&format!(" AND seq {compared} ?"));
            values.push(Value::Integer(number(place)));
        }
        let limit = query.limit + 1; // one more tells whether there are more
        let sql = format!(
            "SELECT {SHOWN} FROM rejection WHERE {condition} ORDER BY seq {direction} LIMIT {limit}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), summary)?;
        let mut rejections = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let more = rejections.len() > query.limit;
        rejections.truncate(query.limit);
        let last = rejections.last().filter(|_| more);
        let next = last.map(|rejection| rejection.id.place());
        Ok(Page { rejections, next })
    }

    /// One rejection with everything that came.
    pub(crate) fn rejection(&mut self, id: RejectionId) -> rusqlite::Result<Option<Kept>> {
        let sql = format!(
            "SELECT {SHOWN}, target, headers, body FROM rejection
             WHERE seq = ?1 AND received_ms = ?2"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let place = params![number(id.place()), id.time().unix_ms()];
        statement
            .query_row(place, |row| {
                let headers: Vec<u8> = row.get(12)?;
                let body: Option<Vec<u8>> = row.get(13)?;
                Ok(Kept {
                    summary: summary(row)?,
                    target: row.get(11)?,
                    headers: read_headers(&headers),
                    body: body.map(Bytes::from),
                })
            })
            .optional()
    }
}

fn summary(row: &Row<'_>) -> rusqlite::Result<Summary> {
    let received_at = Timestamp::from_unix_ms(row.get(1)?);
    let remote_ip: String = row.get(4)?;
    Ok(Summary {
        id: RejectionId::new(received_at, unsigned(row.get(0)?)),
        channel: row.get(2)?,
        source: row.get(3)?,
        received_at,
        remote_ip: remote_ip.parse().ok(),
        method: row.get(5)?,
        path: row.get(6)?,
        code: row.get(7)?,
        cause: row.get(8)?,
        body_size_bytes: unsigned(row.get(9)?),
        body_kept: row.get(10)?,
    })
}

/// What SQL asks of these, and the values in it.
pub(super) fn condition(filter: &Filter) -> (String, Vec<Value>) {
    let (mut condition, mut values) = ("TRUE".to_owned(), Vec::new());
    for (column, wanted) in [("channel", &filter.channels), ("code", &filter.codes)] {
        if !wanted.is_empty() {
            let marks = vec!["?"; wanted.len()].join(", ");
            condition.push_str(&format!(" AND {column} IN ({marks})"));
            values.extend(wanted.iter().cloned().map(Value::Text));
        }
    }
    for (compared, time) in [(">=", filter.since), ("<", filter.until)] {
        if let Some(time) = time {
            condition.push_str(&format!(" AND received_ms {compared} ?"));
            values.push(Value::Integer(time.unix_ms()));
        }
    }
    (condition, values)
}
