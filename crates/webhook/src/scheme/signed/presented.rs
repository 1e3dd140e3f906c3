//! What a request shows as proof: signatures, and the time and id that are signed with the body.

use super::{
    super::{Headers, Tolerance},
    key::{Algorithm, Encoding},
};
use headgate_event::{Timestamp, json::Doc};
use headgate_http::{RawRequest, Reject};
use http::HeaderName;
use serde::Deserialize;
use std::borrow::Cow;

const MISSING: &str = "missing_timestamp";
const MALFORMED: &str = "malformed_timestamp";

/// Where signatures are, and how they are written.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) at: SignatureAt,
    /// What stands before all of it.
    pub(super) prefix: Option<String>,
    /// What separates several.
    pub(super) items: Option<char>,
    /// What separates a label from its signature.
    pub(super) fields: Option<char>,
    /// The labels that are believed; every other one is passed over, so that nobody can ask for a
    /// weaker scheme.
    pub(super) labels: Vec<String>,
}

/// Where signatures are.
#[derive(Clone, Debug)]
pub(super) enum SignatureAt {
    /// In a header, and those of other keys in further ones.
    Header { header: Headers, also: Vec<HeaderName> },
    /// At a path in the body, which it does not sign as a whole.
    Json(String),
}

/// Where the signed time is, and how far it may be from ours.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) at: StampAt,
    pub(super) unit: Unit,
    pub(super) tolerance: Tolerance,
}

/// Where the signed time is.
#[derive(Clone, Debug)]
pub(super) enum StampAt {
    Header(Headers),
    /// Under this label among the signatures.
    Field(String),
    /// At this path in the body, which is signed.
    Json(String),
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(in crate::scheme) enum Unit {
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "rfc3339")]
    Rfc3339,
}

/// What a request shows.
#[derive(Debug, Default)]
pub(super) struct Presented<'a> {
    /// The signatures with a label that is believed.
    pub(super) signatures: Vec<Cow<'a, str>>,
    /// The times under the label of the time.
    pub(super) times: Vec<&'a str>,
}

impl Signature {
    /// The signatures of a request, and what stands under the label of the time.
    pub(super) fn read<'a>(
        &self,
        request: &'a RawRequest,
        stamp: Option<&Stamp>,
    ) -> Result<Presented<'a>, Reject> {
        let mut presented = Presented::default();
        match &self.at {
            SignatureAt::Json(path) => {
                let text = in_body(request, path, "missing_signature", "signature")?;
                presented.signatures.push(Cow::Owned(text));
            }
            SignatureAt::Header { header, also } => {
                let mut sent = 0;
                for name in also {
                    if let Some(value) = request.single_header(name.as_str())? {
                        let text = std::str::from_utf8(value).unwrap_or_default();
                        self.part(text, stamp, &mut presented);
                        sent += 1;
                    }
                }
                if sent == 0 || header.names().any(|name| request.headers.contains_key(name)) {
                    let text = header.text(request, "missing_signature", "malformed_signature")?;
                    self.part(text, stamp, &mut presented);
                }
            }
        }
        if presented.signatures.is_empty() { Err(self.unknown()) } else { Ok(presented) }
    }

    /// The signatures in one header.
    fn part<'a>(&self, text: &'a str, stamp: Option<&Stamp>, presented: &mut Presented<'a>) {
        let Some(text) = text.strip_prefix(self.prefix.as_deref().unwrap_or_default()) else {
            return;
        };
        let time = stamp.and_then(Stamp::label);
        let separator = |c: char| Some(c) == self.items;
        for item in text.split(separator) {
            let Some(fields) = self.fields else {
                presented.signatures.push(Cow::Borrowed(item));
                continue;
            };
            match item.split_once(fields) {
                Some((label, value)) if Some(label) == time => presented.times.push(value),
                Some((label, value)) if self.labels.iter().any(|known| known == label) => {
                    presented.signatures.push(Cow::Borrowed(value));
                }
                _ => {}
            }
        }
    }

    /// Where signatures are, in words.
    pub(super) fn place(&self) -> String {
        match &self.at {
            SignatureAt::Header { header, .. } => format!("header `{}`", header.first),
            SignatureAt::Json(path) => format!("the body at `{path}`"),
        }
    }

    /// The headers that may carry one.
    pub(super) fn headers(&self) -> Vec<&HeaderName> {
        match &self.at {
            SignatureAt::Header { header, also } => header.names().chain(also).collect(),
            SignatureAt::Json(_) => Vec::new(),
        }
    }

    fn unknown(&self) -> Reject {
        let place = self.place();
        let known: Vec<_> = match &self.prefix {
            Some(prefix) => vec![format!("`{prefix}`")],
            None => self.labels.iter().map(|label| format!("`{label}`")).collect(),
        };
        let message = format!("{place} has no {} signature", known.join(" or "));
        Reject::unauthorized("no_known_signature", message)
    }

    /// The header of a signature, if it goes into one, with the time in it where that is its place.
    pub(super) fn write(
        &self,
        proof: &str,
        stamp: Option<&Stamp>,
        time: Option<&str>,
    ) -> Option<(HeaderName, String)> {
        let mut value = self.prefix.clone().unwrap_or_default();
        let label = stamp.and_then(Stamp::label);
        if let (Some(label), Some(time), Some(fields)) = (label, time, self.fields) {
            value.push_str(label);
            value.push(fields);
            value.push_str(time);
            value.extend(self.items);
        }
        if let (Some(label), Some(fields)) = (self.labels.first(), self.fields) {
            value.push_str(label);
            value.push(fields);
        }
        value.push_str(proof);
        match &self.at {
            SignatureAt::Header { header, .. } => Some((header.name(), value)),
            SignatureAt::Json(_) => None,
        }
    }

    /// The refusal of signatures none of which can be read.
    pub(super) fn malformed(&self, encoding: Encoding, algorithm: Algorithm) -> Reject {
        let (place, form) = (self.place(), encoding.describe(algorithm));
        let message = format!("the signature in {place} is not {form}");
        Reject::unauthorized("malformed_signature", message)
    }
}

impl Stamp {
    /// The label of the time among the signatures.
    fn label(&self) -> Option<&str> {
        match &self.at {
            StampAt::Field(label) => Some(label),
            StampAt::Header(_) | StampAt::Json(_) => None,
        }
    }

    /// The header of the time.
    pub(super) fn header(&self) -> Option<&Headers> {
        match &self.at {
            StampAt::Header(header) => Some(header),
            StampAt::Field(_) | StampAt::Json(_) => None,
        }
    }

    /// Whether the time is in the body, where it is not read before the body has proved itself.
    pub(super) fn in_body(&self) -> bool {
        matches!(self.at, StampAt::Json(_))
    }

    /// The time as it was sent, and as it reads.
    pub(super) fn read<'a>(
        &self,
        request: &'a RawRequest,
        presented: &Presented<'a>,
    ) -> Result<(Cow<'a, str>, Timestamp), Reject> {
        let text: Cow<'a, str> = match (&self.at, presented.times.as_slice()) {
            (StampAt::Header(header), _) => header.text(request, MISSING, MALFORMED)?.into(),
            (StampAt::Json(path), _) => in_body(request, path, MISSING, "time")?.into(),
            (StampAt::Field(_), [time]) => (*time).into(),
            (StampAt::Field(_), []) => {
                return Err(Reject::unauthorized(MISSING, "no time is signed"));
            }
            (StampAt::Field(_), _) => {
                return Err(Reject::unauthorized(MALFORMED, "more than one time is signed"));
            }
        };
        let time = self.unit.read(&text).ok_or_else(|| {
            let message = format!("the signed time is not {}", self.unit.describe());
            Reject::unauthorized(MALFORMED, message)
        })?;
        Ok((text, time))
    }

    /// Refuses a signed time outside the window.
    pub(super) fn admits(&self, time: Timestamp, now: Timestamp) -> Result<(), Reject> {
        let Tolerance { past, future } = self.tolerance;
        let (code, span) = if now.since(time) > past {
            ("timestamp_too_old", past)
        } else if time.since(now) > future {
            ("timestamp_in_future", future)
        } else {
            return Ok(());
        };
        let message = format!("the signed time is more than {} s from ours", span.as_secs_f64());
        let cause = format!("signed at {time}, checked at {now}");
        Err(Reject::unauthorized(code, message).with_cause(cause))
    }
}

/// What stands at a path in the body; `what` it is called when it is not there.
pub(super) fn in_body(
    request: &RawRequest,
    path: &str,
    code: &'static str,
    what: &str,
) -> Result<String, Reject> {
    let missing = || Reject::unauthorized(code, format!("the body has no {what} at `{path}`"));
    let doc = Doc::parse(request.body.clone()).map_err(|_| missing())?;
    let text = doc.root().path(path).and_then(|node| node.scalar()).ok_or_else(missing)?;
    Ok(text.into_owned())
}

impl Unit {
    fn describe(self) -> &'static str {
        match self {
            Self::Seconds => "a number of seconds since 1970",
            Self::Milliseconds => "a number of milliseconds since 1970",
            Self::Rfc3339 => "an RFC 3339 time",
        }
    }

    fn read(self, text: &str) -> Option<Timestamp> {
        if self == Self::Rfc3339 {
            return text.parse().ok();
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<i64>().ok().filter(|_| digits)?;
        Some(match self {
            Self::Milliseconds => Timestamp::from_unix_ms(number),
            _ => Timestamp::from_unix_s(number),
        })
    }

    pub(super) fn write(self, time: Timestamp) -> String {
        match self {
            Self::Seconds => time.unix_s().to_string(),
            Self::Milliseconds => time.unix_ms().to_string(),
            Self::Rfc3339 => time.to_string(),
        }
    }
}
