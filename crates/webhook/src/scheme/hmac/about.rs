//! What the scheme looks at in a request, in words.

use super::{Hmac, content::Part, presented::Presented};
use crate::scheme::{About, Tolerance};
use headgate_event::Timestamp;
use headgate_http::RawRequest;
use std::borrow::Cow;

pub(super) fn about(hmac: &Hmac, request: &RawRequest) -> About {
    let time = time(hmac, request);
    let sent = |part: &Part| match part {
        Part::Timestamp => Some(("timestamp", time.as_ref().map(|(text, _)| text.to_string()))),
        Part::Id => Some(("id", id(hmac, request).map(str::to_owned))),
        Part::Method => Some(("method", Some(request.method.to_string()))),
        Part::Path => Some(("path", Some(request.path.clone()))),
        Part::Literal(_) | Part::Body => None,
    };
    let signature = &hmac.signature;
    About {
        scheme: hmac.algorithm.describe().to_owned(),
        proof: signature.header.names().cloned().collect(),
        form: form(hmac),
        labels: signature.prefix.iter().chain(&signature.labels).cloned().collect(),
        separators: (signature.items, signature.fields),
        signed: Some(hmac.content.template()),
        parts: hmac.content.parts().filter_map(sent).collect(),
        time: hmac.stamp.as_ref().map(|stamp| (time.map(|(_, time)| time), stamp.tolerance)),
    }
}

/// How a sender signs, in one line.
pub(super) fn describe(hmac: &Hmac) -> String {
    let (algorithm, content) = (hmac.algorithm.describe(), hmac.content.template());
    let (header, form) = (&hmac.signature.header.first, form(hmac));
    let time = hmac.stamp.as_ref().map_or(String::new(), |stamp| {
        let Tolerance { past, future } = stamp.tolerance;
        let (past, future) = (past.as_secs_f64(), future.as_secs_f64());
        format!("; the signed time may be {past} s behind and {future} s ahead")
    });
    format!("{algorithm} over `{content}`, in header `{header}` as {form}{time}")
}

/// What a signature looks like.
fn form(hmac: &Hmac) -> String {
    let signature = &hmac.signature;
    let label = signature.labels.first().zip(signature.fields);
    let before = match (&signature.prefix, label) {
        (Some(prefix), _) => format!("`{prefix}` and "),
        (None, Some((label, fields))) => format!("`{label}{fields}` and "),
        (None, None) => String::new(),
    };
    format!("{before}{}", hmac.encoding.describe(hmac.algorithm.digest_bytes()))
}

/// The signed time as it was sent, and as it reads.
fn time<'a>(hmac: &Hmac, request: &'a RawRequest) -> Option<(Cow<'a, str>, Timestamp)> {
    let stamp = hmac.stamp.as_ref()?;
    let presented: Presented<'a> = hmac.signature.read(request, Some(stamp)).unwrap_or_default();
    stamp.read(request, &presented).ok()
}

fn id<'a>(hmac: &Hmac, request: &'a RawRequest) -> Option<&'a str> {
    hmac.id.as_ref()?.text(request, "missing_id", "malformed_id").ok()
}
