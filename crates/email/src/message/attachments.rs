//! The list of what hangs on a message. Bytes stay where they are: each entry says where.

use super::content::text_of;
use crate::{
    calendar, filename,
    head::{Head, Keep},
    parser::MessageParser,
    structure::{Part, Structure},
    tnef, transfer,
};
use headgate_event::{
    data::{Attachment, Place},
    limits::MAIL_ATTACHMENTS_MAX,
};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The bytes of an attachment, decoded, out of the message that is stored.
///
/// None when the message is not the one that the attachment was listed for: its place is outside.
#[must_use]
pub fn attachment_bytes<'a>(raw: &'a [u8], attachment: &Attachment) -> Option<Cow<'a, [u8]>> {
    let place = attachment.place.as_ref()?;
    let start = usize::try_from(place.offset).ok()?;
    let end = start.checked_add(usize::try_from(place.length).ok()?)?;
    Some(transfer::decode(raw.get(start..end)?, *place.encoding.known()?))
}

/// Lists the parts of these numbers.
pub(super) fn list(
    raw: &[u8],
    structure: &Structure<'_>,
    parts: &[usize],
    parser: &dyn MessageParser,
    defect: &mut dyn FnMut(&str),
) -> Vec<Attachment> {
    let mut list = Vec::new();
    for part in parts.iter().filter_map(|index| structure.parts.get(*index)) {
        if list.len() == MAIL_ATTACHMENTS_MAX {
            defect("too_many_attachments");
            break;
        }
        let around = part.parent.and_then(|parent| structure.parts.get(parent));
        list.push(listed(raw, part, around, list.len() + 1, parser, defect));
    }
    list
}

fn listed(
    raw: &[u8],
    part: &Part<'_>,
    around: Option<&Part<'_>>,
    number: usize,
    parser: &dyn MessageParser,
    defect: &mut dyn FnMut(&str),
) -> Attachment {
    let body = raw.get(part.body.clone()).unwrap_or_default();
    let bytes = transfer::decode(body, part.encoding);
    let kind = kind(part);
    let content_id = part.head.first("content-id").map(|value| parser.text(value));
    let content_id = content_id.map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
    let content_id = content_id.filter(|id| !id.is_empty());
    let attached = part.disposition.as_ref().is_some_and(|one| one.kind == "attachment");
    let related = around.is_some_and(|around| around.media.is("multipart", "related"));
    let inline = !attached
        && (part.disposition.as_ref().is_some_and(|one| one.kind == "inline")
            || related && content_id.is_some());
    let is_calendar = kind == "calendar";
    Attachment {
        filename: name(part, &bytes, kind, number, parser),
        content_type: part.media.full(),
        size_bytes: bytes.len() as u64,
        url: None,
        sha256: Some(hex::encode(Sha256::digest(&bytes))),
        content_id,
        inline,
        kind: Some(kind.to_owned()),
        protection: protection(part, around).map(str::to_owned),
        calendar: is_calendar.then(|| calendar::read(&text_of(raw, part, parser, defect))),
        contains: if kind == "tnef" { tnef::files(&bytes) } else { Vec::new() },
        place: Some(Place {
            offset: part.body.start as u64,
            length: body.len() as u64,
            encoding: part.encoding.into(),
        }),
    }
}

/// What it is, besides a file.
fn kind(part: &Part<'_>) -> &'static str {
    let named = |extension: &str| {
        let name = given_name(part).unwrap_or_default().to_ascii_lowercase();
        name == extension || name.ends_with(extension)
    };
    match (part.media.kind.as_str(), part.media.subkind.as_str()) {
        ("text", "calendar") | ("application", "ics") => "calendar",
        ("message", "rfc822" | "global") => "message",
        ("message", "delivery-status" | "disposition-notification" | "feedback-report") => "report",
        ("application", "ms-tnef" | "vnd.ms-tnef") => "tnef",
        ("application", "octet-stream") if named("winmail.dat") => "tnef",
        ("application", "pgp-signature" | "pkcs7-signature" | "x-pkcs7-signature") => "signature",
        ("application", "pkcs7-mime" | "x-pkcs7-mime") => {
            match part.media.parameter("smime-type") {
                Some("signed-data") => "signature",
                _ => "encrypted",
            }
        }
        ("application", "pgp-encrypted") => "encrypted",
        ("application", "octet-stream") if named("encrypted.asc") => "encrypted",
        _ => "file",
    }
}

/// What protects it: S/MIME (RFC 8551) or OpenPGP (RFC 3156).
fn protection(part: &Part<'_>, around: Option<&Part<'_>>) -> Option<&'static str> {
    let of = |protocol: &str| match protocol {
        text if text.contains("pkcs7") => Some("smime"),
        text if text.contains("pgp") => Some("pgp"),
        _ => None,
    };
    let by_itself = (part.media.kind == "application").then(|| of(&part.media.subkind)).flatten();
    by_itself.or_else(|| {
        let around = around.filter(|one| one.media.is("multipart", "encrypted"))?;
        around.media.parameter("protocol").and_then(of)
    })
}

/// The name that its sender gave it.
fn given_name<'p>(part: &'p Part<'_>) -> Option<&'p str> {
    let disposition = part.disposition.as_ref();
    disposition
        .and_then(|one| one.parameter("filename"))
        .or_else(|| part.media.parameter("name"))
        .or_else(|| disposition.and_then(|one| one.parameter("name")))
}

fn name(
    part: &Part<'_>,
    bytes: &[u8],
    kind: &str,
    number: usize,
    parser: &dyn MessageParser,
) -> String {
    // Names with RFC 2047 words in quotes are common although no standard has them.
    let given = given_name(part).map(|name| parser.text(name.as_bytes()));
    let extension = filename::extension(&part.media.kind, &part.media.subkind);
    let subject = || {
        let head = Head::read(bytes, 0, Keep::All, |_| false);
        let subject = head.first("subject").map(|value| parser.text(value))?;
        filename::of_message(&subject)
    };
    given
        .and_then(|name| filename::safe(&name))
        .or_else(|| if kind == "message" { subject() } else { None })
        .unwrap_or_else(|| format!("attachment-{number}.{extension}"))
}
