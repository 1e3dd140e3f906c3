//! A request as it came, whole and capped, before anything is believed of it.

use crate::{BodyHold, Reject};
use bytes::Bytes;
use headgate_event::Timestamp;
use http::{HeaderMap, Method, Request};
use std::{fmt, net::SocketAddr, sync::Arc};

/// The id of one request: in its answer (`x-request-id`), in the log and in errors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

/// What the server loop knows of a request besides its bytes; an extension of every request.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The address of the client; for a webhook the one that trusted proxies tell.
    pub remote: SocketAddr,
    /// When its head was complete.
    pub received_at: Timestamp,
    /// Its id.
    pub request_id: RequestId,
}

/// A request as it came: the head, and all of the body within its limit.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// The method.
    pub method: Method,
    /// The path as sent, not decoded.
    pub path: String,
    /// The query as sent, without `?`; empty when there is none.
    pub query: String,
    /// The headers; values are bytes and may repeat.
    pub headers: HeaderMap,
    /// The body as it came over the wire.
    pub body: Bytes,
    /// Who sent it, and when.
    pub arrival: Arrival,
    /// The body's share of the memory for bodies; given back when the last clone is dropped, so
    /// keep it until the event is stored. `BodyHold::default()` holds nothing.
    pub hold: BodyHold,
}

impl Arrival {
    /// What the server loop noted beside the request; `None` when another server took it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<&Self> {
        request.extensions().get()
    }
}

impl RawRequest {
    /// The value of a header that may come once. A second one is refused, because a proxy or a
    /// library before us may have believed the other.
    pub fn single_header(&self, name: &str) -> Result<Option<&[u8]>, Reject> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Reject::repeated_header(name));
        }
        Ok(first.map(http::HeaderValue::as_bytes))
    }
}

impl RequestId {
    /// Takes the text as the id.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
