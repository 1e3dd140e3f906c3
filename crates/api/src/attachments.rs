//! What hangs on a message: a view on the bytes that are stored, made when it is asked for.

use crate::{api::Shared, error::ApiError, events, links};
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use bytes::Bytes;
use headgate_event::data::Attachment;
use http::StatusCode;
use std::fmt::Write;

/// `GET /v1/events/{id}/attachments/{number}`: decoded, and never as a page that a browser shows.
pub(crate) async fn show(
    State(api): State<Shared>,
    Path((id, number)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    links::let_in(&api, &request)?;
    let stored = events::stored(&api, &id).await?;
    let attachments = stored.event.email().map_or(&[][..], |data| &data.attachments);
    let place = number.parse::<usize>().ok();
    let found = place.and_then(|place| attachments.get(place)).cloned();
    let (count, event) = (attachments.len(), stored.event.id());
    let unknown = |number: &str| {
        let shown: String = number.chars().take(40).collect();
        let message = format!("event `{event}` has {count} attachments, and none `{shown}`");
        ApiError::not_found("unknown_attachment", message)
    };
    let attachment = found.ok_or_else(|| unknown(&number))?;
    let links = api.links.clone().ok_or_else(|| unknown(&number))?;
    let disposition = disposition(&attachment);
    let raw = stored.raw;
    // Decoding many MiB takes milliseconds that belong to everybody.
    let reading = move || (links.attachment)(&raw, &attachment);
    let bytes = tokio::task::spawn_blocking(reading).await.map_err(|error| {
        let message = "reading ended early, please try again";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).with_cause(error)
    })?;
    let bytes = bytes.map(Bytes::from).ok_or_else(|| {
        let message = format!("the bytes of attachment `{number}` are not in the stored message");
        ApiError::not_found("unknown_attachment", message)
    })?;
    Ok(events::download(bytes, &disposition))
}

/// The name under which a browser saves it (RFC 6266): for all of them, and for those who know
/// UTF-8.
fn disposition(attachment: &Attachment) -> String {
    let mut plain = String::new();
    let mut full = String::new();
    for character in attachment.filename.chars() {
        let is_plain = character.is_ascii_alphanumeric() || ".-_ ".contains(character);
        plain.push(if is_plain { character } else { '_' });
        let mut bytes = [0; 4];
        for byte in character.encode_utf8(&mut bytes).bytes() {
            if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
                full.push(char::from(byte));
            } else {
                // Writing to a string never fails.
                let _ = write!(full, "%{byte:02X}");
            }
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(filename: &str) -> String {
        let attachment = serde_json::json!({
            "filename": filename, "content_type": "text/plain", "size_bytes": 1
        });
        disposition(&serde_json::from_value(attachment).expect("an attachment"))
    }

    #[test]
    fn a_name_is_told_to_every_browser_and_cannot_end_early() {
        assert_eq!(
            of("Übersicht \"2026\"; a=b.pdf"),
            "attachment; filename=\"_bersicht _2026__ a_b.pdf\"; \
             filename*=UTF-8''%C3%9Cbersicht%20%222026%22%3B%20a%3Db.pdf"
        );
        assert_eq!(of("a.txt"), "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt");
    }
}
