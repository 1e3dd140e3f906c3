//! `settings` of a channel: what its provider asks for beside secrets, as text or as a secret is.

use crate::config::{Context, secret, section::Section};
use headgate_event::Secret;
use std::collections::BTreeMap;

pub(super) fn read(
    section: &Section<'_>,
    context: &Context<'_>,
) -> Option<BTreeMap<String, Secret>> {
    let Some(value) = section.optional("settings") else { return Some(BTreeMap::new()) };
    let expected = "a table of text, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`";
    let mut settings = BTreeMap::new();
    let mut right = true;
    for (name, value) in value.fields(expected)? {
        let setting = match value.plain_text() {
            Some(text) => Some(Secret::new(text)),
            None => secret::read(&value, context),
        };
        right &= setting.is_some();
        settings.extend(setting.map(|setting| (name.to_owned(), setting)));
    }
    right.then_some(settings)
}
