//! A TOML table while it is read: every key is asked for once, and what was not asked for is an
//! error with the nearest key that exists.

use super::{nearest::nearest, problem::Notes, value::Value};
use std::{cell::RefCell, ops::Range};
use toml::de::DeTable;

/// One table of the configuration, with its place and its path.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    table: &'a DeTable<'a>,
    at: Range<usize>,
    path: String,
    notes: &'a Notes<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(
        table: &'a DeTable<'a>,
        at: Range<usize>,
        path: String,
        notes: &'a Notes<'a>,
    ) -> Self {
        Self { table, at, path, notes, known: RefCell::default() }
    }

    /// The value of a key that may be left out.
    pub(crate) fn optional(&self, key: &'static str) -> Option<Value<'a>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        let node = self.table.iter().find(|(name, _)| name.get_ref() == key)?.1;
        Some(Value::new(node, self.key_path(key), self.notes))
    }

    /// The value of a key that must be there.
    pub(crate) fn required(&self, key: &'static str, expected: &str) -> Option<Value<'a>> {
        let value = self.optional(key);
        if value.is_none() {
            self.wrong(key, &format!("expected {expected}, found none"));
        }
        value
    }

    /// Notes what is wrong with a key of this table, or with a key of a table in it: at the key, or
    /// at the innermost table that is there.
    pub(crate) fn wrong(&self, key: &str, text: &str) {
        let mut at = self.at.clone();
        let mut table = Some(self.table);
        for part in key.split('.') {
            let Some(value) = table.and_then(|table| table.get(part)) else { break };
            at = value.span();
            table = value.get_ref().as_table();
        }
        self.notes.key(at, &self.key_path(key), text.to_owned());
    }

    /// Reports every key that nobody asked for, and answers whether there was none. `later` are
    /// the keys of later versions.
    pub(crate) fn report_unknown(&self, later: &[&'static str]) -> bool {
        let known = self.known.borrow();
        let mut all_known = true;
        for (name, _) in self.table.iter() {
            let key = name.get_ref().as_ref();
            if known.contains(&key) {
                continue;
            }
            all_known = false;
            let text = if later.contains(&key) {
                "expected no such key, found one that this version does not have yet".to_owned()
            } else {
                unknown(key, &known)
            };
            self.notes.key(name.span(), &self.key_path(key), text);
        }
        all_known
    }

    fn key_path(&self, key: &str) -> String {
        let key: String = key.chars().take(80).flat_map(char::escape_debug).collect();
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }
}

fn unknown(key: &str, known: &[&'static str]) -> String {
    let hint = match nearest(key, known.iter().copied()) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => String::new(),
    };
    format!("expected {}, found an unknown key{hint}", one_of(known.iter().copied()))
}

/// The words as a list for an error text: ``one of `a`, `b` ``.
pub(crate) fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [word] => word.clone(),
        words => format!("one of {}", words.join(", ")),
    }
}
