//! The body of a request as its sender meant it, once the bytes that came are proved.

use crate::{RawRequest, Reject, intake::hold::Share};
use bytes::Bytes;
use headgate_event::{
    Coded, Codings, DecodeError,
    limits::{BODY_MEMORY_BYTES_MAX, DECODED_RATIO_MAX, STORE_RETRY_AFTER},
};
use http::{HeaderMap, StatusCode, header::CONTENT_ENCODING};

/// A body without its content encoding.
#[derive(Debug)]
pub struct Decoded {
    /// The bytes: decoded, or as they came where there is nothing to decode or no way to.
    pub body: Bytes,
    /// The header as sent, repeats of it joined.
    pub content_encoding: Option<String>,
    /// What was undone.
    pub coded: Option<Coded>,
    /// Why nothing was undone although the header asks for it.
    pub defect: Option<EncodingDefect>,
    /// The decoded body's share of the memory for bodies.
    _share: Option<Share>,
}

/// Why a content encoding was not undone. It is no reason to refuse a request that proved itself:
/// most senders never send again what is answered 4xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodingDefect {
    /// It is none that is known here.
    Unknown,
    /// The body is not what it says.
    Corrupt,
}

impl EncodingDefect {
    /// The word for it in an event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "content_encoding_unknown",
            Self::Corrupt => "content_encoding_corrupt",
        }
    }
}

impl RawRequest {
    /// Whether a content encoding is named, so that the body may become larger than it came.
    #[must_use]
    pub fn is_encoded(&self) -> bool {
        self.headers.contains_key(CONTENT_ENCODING)
    }

    /// The body without its content encoding, counted against the memory for bodies until it is
    /// dropped. Refuses what becomes larger than `bytes_max`, or much larger than it came.
    pub fn decoded(&self, bytes_max: usize) -> Result<Decoded, Reject> {
        let content_encoding = content_encoding(&self.headers);
        let as_it_came = |content_encoding, defect| Decoded {
            body: self.body.clone(),
            content_encoding,
            coded: None,
            defect,
            _share: None,
        };
        let codings = match content_encoding.as_deref().map(Codings::read) {
            None | Some(Ok(None)) => return Ok(as_it_came(content_encoding, None)),
            Some(Err(_)) => {
                return Ok(as_it_came(content_encoding, Some(EncodingDefect::Unknown)));
            }
            Some(Ok(Some(codings))) => codings,
        };
        let ratio_max = self.body.len().saturating_mul(DECODED_RATIO_MAX);
        let cap = bytes_max.min(ratio_max.max(BODY_MEMORY_BYTES_MAX));
        let mut share = self.hold.another();
        let room = |bytes| share.as_mut().is_none_or(|share| share.grow(bytes).is_ok());
        match codings.decode(&self.body, cap, room) {
            Ok(body) => Ok(Decoded {
                coded: Some(Coded { codings, bytes: body.len() }),
                body: body.into(),
                content_encoding,
                defect: None,
                _share: share,
            }),
            Err(DecodeError::Corrupt { .. }) => {
                Ok(as_it_came(content_encoding, Some(EncodingDefect::Corrupt)))
            }
            Err(error @ DecodeError::NoRoom) => Err(Reject::unavailable(error, STORE_RETRY_AFTER)),
            Err(DecodeError::TooLarge { .. }) if cap < bytes_max => Err(expands_too_much()),
            Err(DecodeError::TooLarge { bytes_max }) => Err(too_large(bytes_max)),
        }
    }
}

/// The value of the header, repeats of it joined; RFC 9110, section 8.4 makes it one list.
fn content_encoding(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn too_large(bytes_max: usize) -> Reject {
    let message = format!("the decoded body has more than the {bytes_max} bytes that are taken");
    Reject::new(StatusCode::PAYLOAD_TOO_LARGE, "decoded_body_too_large", message)
}

fn expands_too_much() -> Reject {
    let message =
        format!("the decoded body is more than {DECODED_RATIO_MAX} times as large as it came");
    Reject::new(StatusCode::PAYLOAD_TOO_LARGE, "body_expands_too_much", message)
}
