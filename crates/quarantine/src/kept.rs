//! Rejections as the quarantine gives them.

use crate::RejectionId;
use bytes::Bytes;
use headgate_event::Timestamp;
use headgate_http::{Arrival, BodyHold, RawRequest, RequestId};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// A rejection in a list. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Its id.
    #[schemars(with = "String")]
    pub id: RejectionId,
    /// The channel that it was for.
    pub channel: String,
    /// What kind of source refused it, `webhook` for one.
    pub source: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// The address of the sender.
    pub remote_ip: Option<IpAddr>,
    /// The method.
    pub method: String,
    /// The path; what may be secret in it is masked.
    pub path: String,
    /// The code that the sender was told.
    pub code: String,
    /// Why it was refused.
    pub cause: String,
    /// The size of the body as it came, in bytes.
    pub body_size_bytes: u64,
    /// Whether the body is kept; one that was too large for the quarantine is not.
    pub body_kept: bool,
}

/// A rejection with everything that came.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What a list shows of it.
    pub summary: Summary,
    /// The path and query as they came, secrets and all.
    pub target: String,
    /// The headers in the order in which the server gave them, names in lower case.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body as it came, when it is kept.
    pub body: Option<Bytes>,
}

/// Which rejections. An empty list means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of any of these channels.
    pub channels: Vec<String>,
    /// Of any of these codes.
    pub codes: Vec<String>,
    /// Received then or later.
    pub since: Option<Timestamp>,
    /// Received before.
    pub until: Option<Timestamp>,
}

/// In which order, and from where on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest first, before this place.
    NewestBefore(Option<u64>),
    /// Oldest first, after this place.
    OldestAfter(Option<u64>),
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which.
    pub filter: Filter,
    /// In which order, and from where on.
    pub order: Order,
    /// The most of them.
    pub limit: usize,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rejections.
    pub rejections: Vec<Summary>,
    /// The place of the last one, when there are more.
    pub next: Option<u64>,
}

impl Filter {
    /// Whether it lets everything through.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

impl Kept {
    /// The request as it came; `None` when its body is not kept.
    #[must_use]
    pub fn request(&self) -> Option<RawRequest> {
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, query),
            None => (self.target.as_str(), ""),
        };
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        let ip = self.summary.remote_ip.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        Some(RawRequest {
            method: Method::from_bytes(self.summary.method.as_bytes()).ok()?,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: self.body.clone()?,
            arrival: Arrival {
                remote: SocketAddr::from((ip, 0)),
                received_at: self.summary.received_at,
                request_id: RequestId::new(&self.summary.id.to_string()),
            },
            hold: BodyHold::default(),
        })
    }

    /// The request as a file holds it: request line, headers, an empty line, and the body byte for
    /// byte. `None` when the body is not kept.
    #[must_use]
    pub fn file(&self) -> Option<Vec<u8>> {
        let body = self.body.as_ref()?;
        let mut file = format!("{} {} HTTP/1.1\r\n", self.summary.method, self.target).into_bytes();
        write_headers(&mut file, self.headers.iter().map(|(name, value)| (name, value)));
        file.extend_from_slice(b"\r\n");
        file.extend_from_slice(body);
        Some(file)
    }
}

/// Headers as lines. Neither a name nor a value can hold a line end.
pub(crate) fn write_headers<'h>(
    lines: &mut Vec<u8>,
    headers: impl Iterator<Item = (&'h HeaderName, &'h HeaderValue)>,
) {
    for (name, value) in headers {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
}

/// The headers of lines that [`write_headers`] made.
pub(crate) fn read_headers(lines: &[u8]) -> Vec<(HeaderName, HeaderValue)> {
    let read = |line: &[u8]| {
        let line = line.strip_suffix(b"\r")?;
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (line.get(..colon)?, line.get(colon + 2..)?);
        Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
    };
    lines.split(|byte| *byte == b'\n').filter_map(read).collect()
}
