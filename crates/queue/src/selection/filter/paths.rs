//! The paths into `data` that a filter asks for, as a tree that is walked beside the text.
//!
//! A path with `[*]` leads to many values. They are not kept: each is tested as it is passed, and
//! what is kept is whether one of them passed.

use super::syntax::{Expression, Path, Step, Test};
use std::{collections::BTreeMap, ops::Range};

/// All that a filter asks of `data`.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) tree: Paths,
    /// How many values are looked for.
    pub(super) values: usize,
    /// How many tests are answered on the way.
    pub(super) answers: usize,
}

/// What is asked for at one place and below.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    /// The number of the value that is here.
    pub(super) ends: Option<usize>,
    pub(super) keys: BTreeMap<String, Paths>,
    pub(super) items: BTreeMap<usize, Paths>,
    /// What is asked of every item.
    pub(super) each: Option<Box<Each>>,
}

/// What is asked of every item of an array.
#[derive(Clone, Debug, Default)]
pub(super) struct Each {
    pub(super) paths: Paths,
    /// The tests of values in an item, by the numbers of these.
    pub(super) tests: Vec<(usize, Test)>,
    /// The number of the answer to the first of them.
    pub(super) first: usize,
    /// The answers to tests of every item of arrays inside an item.
    pub(super) inner: Range<usize>,
}

/// Where it is found what a test comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The value with this number has to be tested.
    Value(usize),
    /// The answer with this number is whether one of many values passes.
    Answer(usize),
}

impl Asked {
    /// What an expression asks for.
    pub(super) fn of(expression: &Expression) -> Self {
        let mut asked = Self::default();
        expression.each_test(&mut |path, test| {
            if let Path::Data(steps) = path {
                asked.tree.add(steps, test, &mut asked.values);
            }
        });
        asked.tree.number_answers(&mut asked.answers);
        asked
    }

    /// Where it is found what a test of a path comes to; of `!=`, what its opposite does.
    pub(super) fn place(&self, steps: &[Step], test: &Test) -> Option<Place> {
        let (mut at, mut each) = (&self.tree, None);
        for step in steps {
            at = match step {
                Step::Key(key) => at.keys.get(key)?,
                Step::Item(item) => at.items.get(item)?,
                Step::Each => {
                    let inner = at.each.as_deref()?;
                    each = Some(inner);
                    &inner.paths
                }
            };
        }
        let value = at.ends?;
        let Some(each) = each else { return Some(Place::Value(value)) };
        let test = positive(test);
        let found = each.tests.iter().position(|(of, it)| *of == value && *it == test)?;
        Some(Place::Answer(each.first + found))
    }
}

impl Paths {
    /// Adds a path; `next` is the number of the next value.
    fn add(&mut self, steps: &[Step], test: &Test, next: &mut usize) {
        let Some((step, rest)) = steps.split_first() else {
            self.end(next);
            return;
        };
        match step {
            Step::Key(key) => self.keys.entry(key.clone()).or_default().add(rest, test, next),
            Step::Item(item) => self.items.entry(*item).or_default().add(rest, test, next),
            Step::Each => {
                let each = self.each.get_or_insert_default();
                each.paths.add(rest, test, next);
                if let Some(value) = each.paths.value_of(rest) {
                    each.tests.push((value, positive(test)));
                }
            }
        }
    }

    fn end(&mut self, next: &mut usize) {
        if self.ends.is_none() {
            self.ends = Some(*next);
            *next += 1;
        }
    }

    /// The number of the value that a path without `[*]` leads to.
    fn value_of(&self, steps: &[Step]) -> Option<usize> {
        let mut at = self;
        for step in steps {
            at = match step {
                Step::Key(key) => at.keys.get(key)?,
                Step::Item(item) => at.items.get(item)?,
                Step::Each => return None,
            };
        }
        at.ends
    }

    /// Gives numbers to answers, so that those inside an item are side by side.
    fn number_answers(&mut self, next: &mut usize) {
        for inner in self.keys.values_mut().chain(self.items.values_mut()) {
            inner.number_answers(next);
        }
        if let Some(each) = &mut self.each {
            each.first = *next;
            *next += each.tests.len();
            let inner = *next;
            each.paths.number_answers(next);
            each.inner = inner..*next;
        }
    }
}

impl Each {
    /// The answers to all tests of every item, and of items inside them.
    pub(super) fn answers(&self) -> Range<usize> {
        self.first..self.inner.end
    }
}

/// What is asked of many values: whether one of them passes. That none is something is the opposite
/// of one being it.
fn positive(test: &Test) -> Test {
    match test {
        Test::IsNot(literal) => Test::Is(literal.clone()),
        other => other.clone(),
    }
}
