//! What the scheme looks at in a request, in words.

use super::{Signer, content::Part, presented::Presented};
use crate::scheme::{About, Terms, Tolerance, settings};
use headgate_event::{Timestamp, json::Doc};
use headgate_http::RawRequest;
use std::borrow::Cow;

pub(super) fn about(signer: &Signer, request: &RawRequest, terms: &Terms) -> About {
    let time = time(signer, request);
    let doc = || Doc::parse(request.body.clone()).ok();
    let url = || settings::url(terms.public_url.as_deref(), &request.path, &request.query);
    let sent = |part: &Part| match part {
        Part::Timestamp => Some(("timestamp", time.as_ref().map(|(text, _)| text.to_string()))),
        Part::Id => Some(("id", id(signer, request).map(str::to_owned))),
        Part::Method => Some(("method", Some(request.method.to_string()))),
        Part::Path => Some(("path", Some(request.path.clone()))),
        Part::Url | Part::DecodedUrl => Some(("url", Some(url()))),
        Part::Json(path) => {
            let found = doc().and_then(|doc| Some(doc.root().path(path)?.scalar()?.into_owned()));
            Some(("value", Some(found.unwrap_or_default())))
        }
        Part::Literal(_)
        | Part::Body
        | Part::BodyCrc32
        | Part::SortedForm
        | Part::Lines(_)
        | Part::Secret
        | Part::Setting(_) => None,
    };
    let signature = &signer.signature;
    About {
        scheme: signer.algorithm.describe().to_owned(),
        place: signature.place(),
        proof: signature.headers().into_iter().cloned().collect(),
        form: form(signer),
        labels: signature.prefix.iter().chain(&signature.labels).cloned().collect(),
        separators: (signature.items, signature.fields),
        signed: Some(signer.content.template()),
        parts: signer.content.parts().filter_map(sent).collect(),
        time: signer.stamp.as_ref().map(|stamp| (time.map(|(_, time)| time), stamp.tolerance)),
    }
}

/// How a sender signs, in one line.
pub(super) fn describe(signer: &Signer) -> String {
    let (algorithm, content) = (signer.algorithm.describe(), signer.content.template());
    let (place, form) = (signer.signature.place(), form(signer));
    let time = signer.stamp.as_ref().map_or(String::new(), |stamp| {
        let Tolerance { past, future } = stamp.tolerance;
        let (past, future) = (past.as_secs_f64(), future.as_secs_f64());
        format!("; the signed time may be {past} s behind and {future} s ahead")
    });
    let under = signer
        .certificate
        .as_ref()
        .map_or(String::new(), |named| format!(", {}", named.describe()));
    format!("{algorithm} over `{content}`, in {place} as {form}{under}{time}")
}

/// What a signature looks like.
fn form(signer: &Signer) -> String {
    let signature = &signer.signature;
    let label = signature.labels.first().zip(signature.fields);
    let before = match (&signature.prefix, label) {
        (Some(prefix), _) => format!("`{prefix}` and "),
        (None, Some((label, fields))) => format!("`{label}{fields}` and "),
        (None, None) => String::new(),
    };
    format!("{before}{}", signer.encoding.describe(signer.algorithm))
}

/// The signed time as it was sent, and as it reads.
fn time<'a>(signer: &Signer, request: &'a RawRequest) -> Option<(Cow<'a, str>, Timestamp)> {
    let stamp = signer.stamp.as_ref()?;
    let presented: Presented<'a> = signer.signature.read(request, Some(stamp)).unwrap_or_default();
    stamp.read(request, &presented).ok()
}

fn id<'a>(signer: &Signer, request: &'a RawRequest) -> Option<&'a str> {
    signer.id.as_ref()?.text(request, "missing_id", "malformed_id").ok()
}
