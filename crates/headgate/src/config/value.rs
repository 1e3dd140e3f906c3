//! A TOML value while it is read: as what it is asked for, or an error that says what it is.

mod json;

use super::{
    nearest::nearest,
    problem::Notes,
    section::{Section, one_of},
};
use headgate_event::{Size, Span, is_name, limits::CHANNEL_ID_BYTES_MAX};
use headgate_webhook::{Provider, ProviderError};
use std::{borrow::Cow, collections::BTreeMap, ops::RangeInclusive, time::Duration};
use toml::{Spanned, de::DeValue};

/// One value of the configuration, with its place and its path.
#[derive(Clone, Debug)]
pub(crate) struct Value<'a> {
    node: &'a Spanned<DeValue<'a>>,
    path: String,
    notes: &'a Notes<'a>,
}

impl<'a> Value<'a> {
    pub(crate) fn new(node: &'a Spanned<DeValue<'a>>, path: String, notes: &'a Notes<'a>) -> Self {
        Self { node, path, notes }
    }

    /// A string.
    pub(crate) fn text(&self, expected: &str) -> Option<&'a str> {
        self.plain_text().or_else(|| self.wrong(expected))
    }

    /// A string, or nothing without a word: the caller looks for another type.
    pub(crate) fn plain_text(&self) -> Option<&'a str> {
        self.node.get_ref().as_str()
    }

    /// A string that `read` makes something of.
    pub(crate) fn parsed<T>(
        &self,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.plain_text().and_then(read).or_else(|| self.wrong(expected))
    }

    /// One of these words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let names = || words.iter().map(|(name, _)| *name);
        let text = self.text(&one_of(names()))?;
        let found = words.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        found.or_else(|| self.unknown_word(text, names()))
    }

    /// Says that a word is none of the known ones, and which one is near.
    pub(crate) fn unknown_word<'w, T>(
        &self,
        text: &str,
        known: impl Iterator<Item = &'w str> + Clone,
    ) -> Option<T> {
        let hint = match nearest(text, known.clone()) {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => String::new(),
        };
        self.note(&format!("expected {}, found {}{hint}", one_of(known), self.shown()));
        None
    }

    /// A whole number.
    pub(crate) fn integer(&self, within: RangeInclusive<u32>) -> Option<u32> {
        let number = self.node.get_ref().as_integer();
        let number = number.and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok());
        let expected = format!("a whole number from {} to {}", within.start(), within.end());
        number.filter(|number| within.contains(number)).or_else(|| self.wrong(&expected))
    }

    /// `true` or `false`.
    pub(crate) fn truth(&self) -> Option<bool> {
        self.node.get_ref().as_bool().or_else(|| self.wrong("`true` or `false`"))
    }

    /// A duration.
    pub(crate) fn duration(&self) -> Option<Duration> {
        self.parsed(Span::EXPECTED, |text| text.parse().ok()).map(|Span(span)| span)
    }

    /// A size in bytes.
    pub(crate) fn size(&self) -> Option<u64> {
        self.parsed(Size::EXPECTED, |text| text.parse().ok()).map(|size: Size| size.bytes)
    }

    /// A moment: a TOML date-time with offset, or its text.
    pub(crate) fn moment_text(&self) -> Option<String> {
        self.node.get_ref().as_datetime().map(ToString::to_string)
    }

    /// The members of an array.
    pub(crate) fn list(&self, expected: &str) -> Option<Vec<Self>> {
        self.plain_list().or_else(|| self.wrong(expected))
    }

    /// The members of an array, or nothing without a word.
    pub(crate) fn plain_list(&self) -> Option<Vec<Self>> {
        let array = self.node.get_ref().as_array()?;
        let member = |(nth, node)| Self::new(node, format!("{}[{nth}]", self.path), self.notes);
        Some(array.iter().enumerate().map(member).collect())
    }

    /// A table.
    pub(crate) fn section(&self, expected: &str) -> Option<Section<'a>> {
        self.plain_section().or_else(|| self.wrong(expected))
    }

    /// A table, or nothing without a word: the caller looks for another type.
    pub(crate) fn plain_section(&self) -> Option<Section<'a>> {
        let table = self.node.get_ref().as_table()?;
        Some(Section::new(table, self.node.span(), self.path.clone(), self.notes))
    }

    /// The keys of a table that may have any, with their values.
    pub(crate) fn fields(&self, expected: &str) -> Option<Vec<(&'a str, Self)>> {
        let table = self.node.get_ref().as_table();
        let table = table.or_else(|| self.wrong(expected))?;
        let field = |(key, node): (&'a Spanned<Cow<'a, str>>, _)| {
            let key: &'a str = key.get_ref();
            let shown: String = key.chars().take(80).flat_map(char::escape_debug).collect();
            (key, Self::new(node, format!("{}.{shown}", self.path), self.notes))
        };
        Some(table.iter().map(field).collect())
    }

    /// The sender that a table in the form of a provider file describes.
    pub(crate) fn provider(&self) -> Option<Provider> {
        let (file, text) = self.notes.source();
        let wrong = |errors: Vec<ProviderError>| {
            for error in errors {
                self.notes.key(error.offset..error.offset, &self.path, error.message);
            }
        };
        Provider::generic(file, text, self.node).map_err(wrong).ok()
    }

    /// The tables of an array, which go by their numbers in errors.
    pub(crate) fn tables(&self, list: &str) -> Vec<Section<'a>> {
        let members = self.list(&format!("tables, each under a `[[{list}]]` line"));
        members.unwrap_or_default().iter().filter_map(|one| one.section("a table")).collect()
    }

    /// The tables of an array. In errors each goes by its own name, where the text at `name_key`
    /// can be one, instead of by its number.
    pub(crate) fn sections(&self, list: &str, name_key: &str) -> Vec<Section<'a>> {
        let members = self.list(&format!("tables, each under a `[[{list}]]` line"));
        let section = |mut member: Self| {
            let table = member.node.get_ref().as_table();
            let name =
                table.and_then(|table| table.get(name_key)).and_then(|v| v.get_ref().as_str());
            if let Some(name) = name.filter(|name| is_name(name, CHANNEL_ID_BYTES_MAX)) {
                member.path = format!("{list}.{name}");
            }
            member.section("a table")
        };
        members.unwrap_or_default().into_iter().filter_map(section).collect()
    }

    /// The name, unless another table before this one has it.
    pub(crate) fn first_of_its_name(
        &self,
        name: &str,
        names: &mut BTreeMap<String, usize>,
    ) -> Option<String> {
        if let Some(line) = names.get(name) {
            self.note(&format!("expected a name of its own, found `{name}` as on line {line}"));
            return None;
        }
        names.insert(name.to_owned(), self.line());
        Some(name.to_owned())
    }

    /// Notes that the value is not what was expected; always none.
    pub(crate) fn wrong<T>(&self, expected: &str) -> Option<T> {
        self.note(&format!("expected {expected}, found {}", self.shown()));
        None
    }

    /// Notes that the value is not what was expected without showing it: it may be a secret.
    pub(crate) fn wrong_unseen<T>(&self, expected: &str) -> Option<T> {
        let kind = match self.node.get_ref().type_str() {
            kind @ ("integer" | "array") => format!("an {kind}"),
            kind => format!("a {kind}"),
        };
        self.note(&format!("expected {expected}, found {kind}"));
        None
    }

    /// Notes something about this value.
    pub(crate) fn note(&self, text: &str) {
        self.notes.key(self.node.span(), &self.path, text.to_owned());
    }

    fn line(&self) -> usize {
        self.notes.line(self.node.span().start)
    }

    fn shown(&self) -> String {
        match self.node.get_ref() {
            DeValue::String(text) => {
                let cut = if text.chars().nth(80).is_some() { ".." } else { "" };
                let start: String = text.chars().take(80).flat_map(char::escape_debug).collect();
                format!("`{}{cut}`", start.replace("\\\"", "\"").replace("\\'", "'"))
            }
            DeValue::Integer(number) => format!("`{number}`"),
            DeValue::Float(number) => format!("`{number}`"),
            DeValue::Boolean(truth) => format!("`{truth}`"),
            DeValue::Datetime(moment) => format!("`{moment}`"),
            DeValue::Array(_) => "an array".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }
}
