//! What an index can answer of a selection, and selections put together.

use super::{
    Filter, KeyName, Selection,
    filter::{Field, Implied},
};
use headgate_event::EventType;
use std::{borrow::Cow, collections::BTreeSet};

impl Selection {
    /// Whether some events that the index finds have to be looked into.
    #[must_use]
    pub fn looks_inside(&self) -> bool {
        self.filter.is_some() || self.has_prefixes()
    }

    /// A selection of keys alone, which an index answers; it lets through all that this one wants,
    /// and perhaps more.
    pub(crate) fn indexed(&self) -> Cow<'_, Self> {
        if !self.looks_inside() {
            return Cow::Borrowed(self);
        }
        let mut indexed = Self { filter: None, ..self.clone() };
        if self.has_prefixes() {
            indexed.keys.remove(&KeyName::ProviderEvent);
        }
        if let Some(filter) = &self.filter {
            indexed.narrow(&filter.implied());
        }
        Cow::Owned(indexed)
    }

    /// A selection of what both want; none when nothing can be wanted by both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        let mut keys = self.keys.clone();
        for (name, wanted) in &other.keys {
            let both = match keys.get(name) {
                Some(known) => both(known, wanted, |a, b| name.fits(a, b))?,
                None => wanted.clone(),
            };
            keys.insert(*name, both);
        }
        Some(Self {
            types: both(&self.types, &other.types, PartialEq::eq)?,
            channels: both(&self.channels, &other.channels, PartialEq::eq)?,
            providers: both(&self.providers, &other.providers, PartialEq::eq)?,
            keys,
            filter: match (&self.filter, &other.filter) {
                (Some(one), Some(other)) => Some(one.and(other)),
                (one, other) => one.clone().or_else(|| other.clone()),
            },
        })
    }

    /// Why nothing can ever fit, in a sentence; none when something may.
    #[must_use]
    pub fn fits_nothing(&self) -> Option<String> {
        let implied = self.filter.as_ref().map(Filter::implied).unwrap_or_default();
        let none = implied.iter().find(|(_, texts)| texts.is_empty());
        if let Some((field, _)) = none {
            return Some(format!("`{}` would have to be several things at once", field.as_str()));
        }
        let apart = |field: Field, listed: BTreeSet<&str>| {
            let texts = implied.get(&field)?;
            let apart = !listed.is_empty() && texts.iter().all(|text| !listed.contains(&**text));
            apart.then(|| format!("`{}` is listed and asked for otherwise", field.as_str()))
        };
        apart(Field::Type, self.types.iter().map(EventType::as_str).collect())
            .or_else(|| apart(Field::Channel, self.channels.iter().map(String::as_str).collect()))
            .or_else(|| apart(Field::Provider, self.providers.iter().map(String::as_str).collect()))
    }

    /// The types that it asks for by name; empty when it may be any.
    #[must_use]
    pub fn asked_types(&self) -> Vec<String> {
        let mut types: Vec<String> = self.types.iter().map(|it| it.as_str().to_owned()).collect();
        if let Some(filter) = &self.filter {
            types.extend(filter.implied().remove(&Field::Type).into_iter().flatten());
        }
        types
    }

    fn has_prefixes(&self) -> bool {
        let names = self.keys.get(&KeyName::ProviderEvent);
        names.into_iter().flatten().any(|name| KeyName::ProviderEvent.prefix(name).is_some())
    }

    /// Narrows it by what has to hold anyway. What an index does not know is left out.
    fn narrow(&mut self, implied: &Implied) {
        for (field, texts) in implied {
            let texts: Vec<String> = texts.iter().cloned().collect();
            match field.key() {
                Some(name) => narrow(self.keys.entry(name).or_default(), texts),
                None => match field {
                    Field::Type => {
                        let types = texts.iter().map(|text| text.parse().ok()).collect();
                        narrow(&mut self.types, Option::unwrap_or_default(types));
                    }
                    Field::Channel => narrow(&mut self.channels, texts),
                    Field::Provider => narrow(&mut self.providers, texts),
                    _ => {}
                },
            }
        }
    }
}

impl Field {
    /// The key of the index that it is.
    fn key(self) -> Option<KeyName> {
        KeyName::ALL.into_iter().find(|name| name.as_str() == self.as_str())
    }
}

/// Those of a list that are wanted too. When nothing is left the list stays: it lets more through
/// than it could, and never less.
fn narrow<T: PartialEq>(list: &mut Vec<T>, wanted: Vec<T>) {
    if list.is_empty() {
        *list = wanted;
    } else if list.iter().any(|one| wanted.contains(one)) {
        list.retain(|one| wanted.contains(one));
    }
}

/// What both lists let through, where an empty one lets all through; none when that is nothing.
fn both<T: Clone + PartialEq>(
    one: &[T],
    other: &[T],
    fits: impl Fn(&T, &T) -> bool,
) -> Option<Vec<T>> {
    if one.is_empty() || other.is_empty() {
        return Some([one, other].concat());
    }
    let among = |value: &T, list: &[T]| list.iter().any(|wanted| fits(wanted, value));
    let mut both: Vec<T> = one.iter().filter(|value| among(value, other)).cloned().collect();
    let others = other.iter().filter(|value| among(value, one)).cloned();
    others.for_each(|value| {
        if !both.contains(&value) {
            both.push(value);
        }
    });
    Some(both).filter(|both| !both.is_empty())
}
