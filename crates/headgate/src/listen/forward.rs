//! The work as a call: the event is posted to a URL.

use super::{leases::Delivered, outcome::Outcome};
use crate::client::{ClientError, Transport, retry_after, url};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use std::time::Duration;

/// How long the other side may work on an event before it counts as failed.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(300);

/// A URL that takes events.
#[derive(Debug)]
pub(super) struct Forward {
    url: String,
    transport: Transport,
}

impl Forward {
    pub(super) fn new(to: &str) -> Result<Self, ClientError> {
        Ok(Self { url: to.to_owned(), transport: Transport::new(&url(to)?)? })
    }

    pub(super) async fn perform(&self, delivered: &Delivered) -> Outcome {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = Bytes::from(delivered.json.get().to_owned());
        let sent =
            self.transport.send(Method::POST, &self.url, headers, body, FORWARD_TIMEOUT).await;
        match sent {
            Ok(reply) if reply.status.is_success() => Outcome::Done,
            Ok(reply) => {
                let reason = format!("`{}` answered {}", self.url, reply.status);
                Outcome::again(reason).after(retry_after(&reply.headers))
            }
            Err(error) => Outcome::again(error.to_string()),
        }
    }
}
