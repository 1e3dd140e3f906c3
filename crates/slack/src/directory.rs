//! The names of users, conversations and groups, as far as they are configured or a payload has
//! them, and how they are written in a text.

use headgate_event::prompt::inline;
use std::collections::BTreeMap;

/// The configured names by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory(BTreeMap<String, String>);

impl Directory {
    pub(crate) fn new(names: BTreeMap<String, String>) -> Self {
        Self(names)
    }

    /// The name of an id: the configured one, else the one that the payload has.
    pub(crate) fn name<'a>(&'a self, id: &str, shown: Option<&'a str>) -> Option<&'a str> {
        let configured = self.0.get(id).map(String::as_str);
        configured.or(shown).map(str::trim).filter(|name| !name.is_empty())
    }

    /// An id in a text that is fenced: `@alice (U123)`, `#general (C123)`, or `@U123`.
    pub(crate) fn written(&self, sign: char, id: &str, shown: Option<&str>) -> String {
        match self.name(id, shown) {
            Some(name) => format!("{sign}{} ({id})", name.trim_start_matches(sign)),
            None => format!("{sign}{id}"),
        }
    }

    /// The same for a line of our own.
    pub(crate) fn inlined(&self, sign: char, id: &str, shown: Option<&str>) -> String {
        let id = inline(id);
        match self.name(&id, shown) {
            Some(name) => format!("{sign}{} ({id})", inline(name.trim_start_matches(sign))),
            None => format!("{sign}{id}"),
        }
    }
}
