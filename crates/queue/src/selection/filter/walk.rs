//! Picking out of `data` what a filter asks for, in one pass: serde walks the text, goes into what
//! a path leads through, and passes over everything else without looking at it.

use super::{
    evaluate::{Found, passes},
    paths::{Asked, Each, Paths},
    syntax::Number,
};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt};

/// What was found.
#[derive(Debug)]
pub(super) struct Picked<'a> {
    /// The values that were looked for, null where there is none.
    pub(super) values: Vec<Found<'a>>,
    /// Whether one of many values passed, for each test of such.
    pub(super) answers: Vec<bool>,
}

impl<'a> Picked<'a> {
    /// What is asked for of this JSON.
    pub(super) fn of(asked: &Asked, text: &'a str) -> Self {
        let values = vec![Found::Null; asked.values];
        let mut picked = Self { values, answers: vec![false; asked.answers] };
        if asked.values > 0 {
            let mut text = serde_json::Deserializer::from_str(text);
            // Deeper than this only what is passed over is, and that does not recurse.
            let walk = Walk { paths: vec![&asked.tree], picked: &mut picked };
            let walked = walk.deserialize(&mut text);
            debug_assert!(walked.is_ok(), "what is stored is JSON: {walked:?}");
        }
        picked
    }

    fn put(&mut self, at: Option<usize>, value: Found<'a>) {
        if let Some(slot) = at.and_then(|at| self.values.get_mut(at)) {
            *slot = value;
        }
    }

    /// Forgets what was found below a place.
    fn forget(&mut self, paths: &Paths) {
        for inner in paths.keys.values().chain(paths.items.values()) {
            self.put(inner.ends, Found::Null);
            self.forget(inner);
        }
        if let Some(each) = &paths.each {
            self.answers_in(each.answers()).fill(false);
        }
    }

    fn answers_in(&mut self, range: std::ops::Range<usize>) -> &mut [bool] {
        self.answers.get_mut(range).unwrap_or_default()
    }

    /// Forgets what the item before had; gives the answers of arrays inside it, which count on.
    fn begin_item(&mut self, each: &Each) -> Vec<bool> {
        self.put(each.paths.ends, Found::Null);
        let before = self.answers_in(each.inner.clone()).to_vec();
        self.forget(&each.paths);
        before
    }

    /// Tests what an item had.
    fn end_item(&mut self, each: &Each, before: &[bool]) {
        for (at, (value, test)) in (each.first..).zip(&each.tests) {
            let passed = self.values.get(*value).is_some_and(|found| passes(found, test));
            if let Some(answer) = self.answers.get_mut(at) {
                *answer |= passed;
            }
        }
        for (answer, before) in self.answers_in(each.inner.clone()).iter_mut().zip(before) {
            *answer |= before;
        }
    }
}

/// Where a key leads, found without keeping the key.
struct Key<'w, 'k>(&'k [&'w Paths]);

impl<'a, 'w> DeserializeSeed<'a> for Key<'w, '_> {
    type Value = Vec<&'w Paths>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for Key<'w, '_> {
    type Value = Vec<&'w Paths>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().filter_map(|paths| paths.keys.get(key)).collect())
    }
}

/// Walks a value beside the paths that lead through it: more than one where an item is asked for by
/// its number and as one of all. Of a key that comes twice the last counts.
struct Walk<'w, 'p, 'a> {
    paths: Vec<&'w Paths>,
    picked: &'p mut Picked<'a>,
}

impl<'a> Walk<'_, '_, 'a> {
    fn note(&mut self, value: Found<'a>) {
        for paths in &self.paths {
            // What an earlier member of the same name had inside does not count.
            self.picked.forget(paths);
            self.picked.put(paths.ends, value.clone());
        }
    }
}

impl<'a> DeserializeSeed<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(mut self) -> Result<(), E> {
        self.note(Found::Null);
        Ok(())
    }

    fn visit_bool<E: de::Error>(mut self, truth: bool) -> Result<(), E> {
        self.note(Found::Bool(truth));
        Ok(())
    }

    fn visit_u64<E: de::Error>(mut self, number: u64) -> Result<(), E> {
        self.note(Found::Number(Number::Whole(number.into())));
        Ok(())
    }

    fn visit_i64<E: de::Error>(mut self, number: i64) -> Result<(), E> {
        self.note(Found::Number(Number::Whole(number.into())));
        Ok(())
    }

    fn visit_f64<E: de::Error>(mut self, number: f64) -> Result<(), E> {
        self.note(Found::Number(Number::Float(number)));
        Ok(())
    }

    fn visit_borrowed_str<E: de::Error>(mut self, text: &'a str) -> Result<(), E> {
        self.note(Found::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: de::Error>(mut self, text: &str) -> Result<(), E> {
        self.note(Found::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.note(Found::Nested);
        let Self { paths, picked } = self;
        let each: Vec<&Each> = paths.iter().filter_map(|paths| paths.each.as_deref()).collect();
        for at in 0.. {
            let numbered = paths.iter().filter_map(|paths| paths.items.get(&at));
            let inside: Vec<_> = numbered.chain(each.iter().map(|each| &each.paths)).collect();
            let item = if inside.is_empty() {
                items.next_element::<IgnoredAny>()?.map(drop)
            } else {
                let walk = Walk { paths: inside, picked: &mut *picked };
                items.next_element_seed(Item { walk, each: &each })?
            };
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.note(Found::Nested);
        let Self { paths, picked } = self;
        while let Some(inside) = members.next_key_seed(Key(&paths))? {
            if inside.is_empty() {
                members.next_value::<IgnoredAny>()?;
            } else {
                members.next_value_seed(Walk { paths: inside, picked: &mut *picked })?;
            }
        }
        Ok(())
    }
}

/// An item of an array.
struct Item<'w, 'p, 'a> {
    walk: Walk<'w, 'p, 'a>,
    /// What is asked of every item.
    each: &'p [&'w Each],
}

impl<'a> DeserializeSeed<'a> for Item<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { walk: Walk { paths, picked }, each } = self;
        let before: Vec<_> = each.iter().map(|each| picked.begin_item(each)).collect();
        Walk { paths, picked: &mut *picked }.deserialize(deserializer)?;
        each.iter().zip(before).for_each(|(each, before)| picked.end_item(each, &before));
        Ok(())
    }
}
