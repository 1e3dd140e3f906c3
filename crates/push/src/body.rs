//! The request of one attempt: its body in the format that is asked for, signed at this moment.

use crate::{credentials::Credentials, signature};
use bytes::Bytes;
use headgate_event::{
    Event, Timestamp,
    cloudevents::{ContentMode, Encoded, encode},
    envelope_of,
};
use headgate_queue::PushFormat;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const AGENT: &str = concat!("headgate/", env!("CARGO_PKG_VERSION"));

/// What the requests of one push have in common.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) url: Uri,
    pub(crate) format: PushFormat,
    pub(crate) credentials: Credentials,
    pub(crate) headers: HeaderMap,
}

impl Form {
    /// The request that gives this delivery of an event; its signature is of this moment.
    pub(crate) fn request(&self, event: &Event, now: Timestamp) -> Request<Full<Bytes>> {
        let Encoded { headers: told, body } = written(event, self.format);
        let (id, unix_s) = (event.id().to_string(), now.unix_s());
        let signed = signature::sign(self.credentials.secrets(), &id, unix_s, &body);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        headers.extend(self.headers.clone());
        for (name, value) in told {
            // What is no header after all is left out: it is in the event itself.
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                headers.insert(name, value);
            }
        }
        // They are of letters, digits and marks that headers take.
        for (name, value) in [(ID, id), (TIMESTAMP, unix_s.to_string()), (SIGNATURE, signed)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        request
    }
}

/// An event in a format: the headers that tell of it, and the body.
fn written(event: &Event, format: PushFormat) -> Encoded {
    let json = |body: Vec<u8>| Encoded {
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.into(),
    };
    // Texts, numbers and JSON always serialize.
    match format {
        PushFormat::Event => json(serde_json::to_vec(event).unwrap_or_default()),
        PushFormat::Envelope => json(serde_json::to_vec(&envelope_of(event)).unwrap_or_default()),
        PushFormat::Cloudevents => encode(event, ContentMode::Structured),
        PushFormat::CloudeventsBinary => encode(event, ContentMode::Binary),
    }
}
