//! What an event is called, what makes a repeat of it known, and what it belongs to.
//!
//! A provider file lists places for each; the first that holds something counts. What a header
//! says that the proof does not cover is a hint, and the event says so.

mod place;
mod split;

use crate::{provider::Problems, scheme::Scheme};
use headgate_event::{
    json::Node,
    limits::{DEDUPE_KEY_BYTES_MAX, EVENT_TYPE_BYTES_MAX, THREAD_KEY_BYTES_MAX},
};
use http::HeaderMap;
pub(crate) use place::is_path;
use place::{Place, PlaceTable};
use serde::Deserialize;
use sha2::{Digest, Sha256};
pub(crate) use split::{Array, Split, SplitTable};
use toml::Spanned;

/// Where a provider's requests say what they are.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    event: Vec<Place>,
    action: Vec<Place>,
    delivery: Vec<Place>,
    thread: Vec<Place>,
    /// What is read of a form.
    pub(crate) form: Form,
    /// The events in a body, and what each of them says it is.
    pub(crate) split: Option<Box<Split>>,
    /// Whether what makes a repeat known stands in the first of several events: that says nothing
    /// of the others.
    pub(crate) knows_first_alone: bool,
}

/// What is read of a body that is a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing.
    #[default]
    Text,
    /// The JSON in one field.
    Field(String),
    /// Its fields, as the members of an object.
    Fields,
}

/// The `[identity]` table of a provider file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IdentityTable {
    event: Vec<Spanned<PlaceTable>>,
    action: Vec<Spanned<PlaceTable>>,
    delivery: Vec<Spanned<PlaceTable>>,
    thread: Vec<Spanned<PlaceTable>>,
    form_field: Option<String>,
    form_fields: bool,
}

/// Where places are looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Option<Node<'a>>,
}

/// What a request says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// What happened, without the action.
    pub(crate) name: String,
    /// What was done.
    pub(crate) action: String,
    /// `name.action`, or the name; none when it is no name.
    pub(crate) event: Option<String>,
    /// What makes a repeat known.
    pub(crate) delivery: Option<String>,
    /// What it belongs to.
    pub(crate) thread: Option<String>,
    /// The fields of the event that come from a header which the proof does not cover.
    pub(crate) unproved: Vec<&'static str>,
}

impl Identity {
    /// Reads the tables. `scheme` says which headers its proof covers.
    pub(crate) fn read(
        table: IdentityTable,
        split: Option<SplitTable>,
        scheme: Option<&dyn Scheme>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut places = |tables: Vec<Spanned<PlaceTable>>| -> Option<Vec<Place>> {
            let read = tables.into_iter().map(|table| Place::read(table, scheme, problems));
            read.collect::<Vec<_>>().into_iter().collect()
        };
        let (event, action) = (places(table.event), places(table.action));
        let (delivery, thread) = (places(table.delivery), places(table.thread));
        let split = match split {
            Some(table) => Some(Box::new(Split::read(table, scheme, problems)?)),
            None => None,
        };
        let delivery = delivery?;
        let of_first = |split: &Split| {
            delivery.iter().any(|place| place.leads(|path| split.is_of_first_item(path)))
        };
        Some(Self {
            event: event?,
            action: action?,
            knows_first_alone: split.as_deref().is_some_and(of_first),
            delivery,
            thread: thread?,
            form: match table.form_field {
                Some(field) => Form::Field(field),
                None if table.form_fields => Form::Fields,
                None => Form::Text,
            },
            split,
        })
    }

    /// What a request says it is.
    pub(crate) fn names(&self, reading: Reading<'_>) -> Names {
        let mut unproved = Vec::new();
        let mut first = |places: &[Place], field| {
            let (text, proved) = places.iter().find_map(|place| place.find(reading))?;
            if !proved && !unproved.contains(&field) {
                unproved.push(field);
            }
            Some(text)
        };
        let name = first(&self.event, "provider_event").unwrap_or_default();
        let action = first(&self.action, "provider_event").unwrap_or_default();
        let delivery = first(&self.delivery, "dedupe_key");
        let thread = first(&self.thread, "thread_key");
        Names {
            event: event_name(&name, &action),
            name,
            action,
            delivery: delivery.map(|key| bounded(key, DEDUPE_KEY_BYTES_MAX)),
            thread: thread.map(|key| bounded(key, THREAD_KEY_BYTES_MAX)),
            unproved,
        }
    }
}

/// The name of an event, when it is one: visible ASCII of a bounded length. An action that cannot
/// be part of a name leaves the name as it is.
fn event_name(name: &str, action: &str) -> Option<String> {
    let fits = |event: &String| {
        let bytes = event.as_bytes();
        let printed = bytes.iter().all(u8::is_ascii_graphic);
        printed && (1..=EVENT_TYPE_BYTES_MAX).contains(&bytes.len())
    };
    let name = Some(name.to_owned()).filter(fits)?;
    let whole = (!action.is_empty()).then(|| format!("{name}.{action}"));
    whole.filter(fits).or(Some(name))
}

/// A key within its limit; a longer one by its digest.
fn bounded(key: String, bytes_max: usize) -> String {
    if key.len() <= bytes_max { key } else { digest(key.as_bytes()) }
}

/// The digest of bytes, as a key.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
