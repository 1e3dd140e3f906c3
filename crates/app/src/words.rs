//! An app event in words, for whoever reads its prompt.

use crate::{Emission, draft::Emitter};
use headgate_event::{
    Fill, Timestamp,
    json::Doc,
    prompt::{Fact, Foreign, Outline, Rendering, inline, outline},
};
use serde_json::Value;

/// A time of the application's own that is nearer than this to ours says nothing more.
const APART_SHOWN_MS: u128 = 2_000;

pub(crate) fn rendering(emission: &Emission, event_id: &str, emitter: &Emitter<'_>) -> Rendering {
    let Outline { facts: payload, foreign } = payload(emission);
    let correlation = &emission.correlation;
    let entry = emitter.catalog.of(&emission.event_type);
    let attribute =
        |name| emission.context.as_ref().and_then(|it| it.get(name)).and_then(Value::as_str);
    let mut facts = vec![
        // The operator's own words.
        fact("Meaning", entry.and_then(|entry| entry.description.clone())),
        fact("Happened", happened(emission.timestamp, emitter.now)),
        fact("Source", attribute("source").map(inline)),
        fact("Subject", attribute("subject").map(inline)),
        fact("Flow", flow(emission)),
        fact("Proposal", correlation.proposal_id.as_deref().map(inline)),
        fact("Deal", correlation.deal_id.as_deref().map(inline)),
        fact("Session", correlation.session_id.as_deref().map(inline)),
        fact("Event id", Some(inline(event_id))),
    ];
    facts.extend(payload);
    let headline = format!("App event {}", inline(emission.event_type.as_str()));
    Rendering { headline, facts, foreign }
}

fn happened(said: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let said = said?;
    let apart = said.since(now).max(now.since(said)).as_millis();
    (apart >= APART_SHOWN_MS).then(|| said.to_string())
}

fn flow(emission: &Emission) -> Option<String> {
    let (id, kind) = (&emission.correlation.flow_id, &emission.correlation.flow_type);
    let kind = kind.as_deref().map(inline);
    match id.as_deref().map(inline) {
        Some(id) => Some(kind.map_or(id.clone(), |kind| format!("{id} ({kind})"))),
        None => kind,
    }
}

/// The payload as an outline: short values as facts, long texts fenced.
fn payload(emission: &Emission) -> Outline {
    let raw = &emission.payload.raw;
    match emission.payload.fill {
        Fill::Json if matches!(raw.trim_ascii(), b"null" | b"{}") => Outline::default(),
        Fill::Json => {
            let doc = Doc::parse(raw.clone());
            doc.map(|doc| outline(doc.root()).under("payload")).unwrap_or_default()
        }
        Fill::Text => {
            let text = String::from_utf8_lossy(raw).into_owned();
            let foreign = Foreign { label: Some("payload".to_owned()), text };
            Outline { facts: Vec::new(), foreign: vec![foreign] }
        }
        Fill::Base64 => {
            let size = fact("payload", Some(format!("{} bytes that are no text", raw.len())));
            Outline { facts: vec![size], foreign: Vec::new() }
        }
    }
}

fn fact(label: &str, value: Option<String>) -> Fact {
    Fact { label: label.to_owned(), value: value.unwrap_or_default() }
}
