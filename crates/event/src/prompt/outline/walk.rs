//! Goes through a body once and picks up what can be shown.

use super::{
    label, secret,
    worth::{self, Siblings},
};
use crate::{
    json::{Kind, Node},
    limits::{OUTLINE_DEPTH_MAX, OUTLINE_PAIRS_MAX, OUTLINE_VALUES_MAX, PROMPT_VALUE_BYTES_MAX},
};

/// How many items of an array of objects are gone into.
const ITEMS_GONE_INTO: usize = 2;
/// How many values of one object that tell nothing by their names are shown.
const UNTOLD_MAX: usize = 8;
/// Beyond this many bytes the text under a key such as `message` is shown as a text.
const SHORT_TEXT_BYTES: usize = 80;

pub(super) struct Walk<'a> {
    pub(super) facts: Vec<Found<'a>>,
    pub(super) texts: Vec<Found<'a>>,
    /// Whether the body has more values than were looked at.
    pub(super) cut: bool,
    /// The way to every value that was found; each step knows the one before it.
    steps: Vec<Step<'a>>,
    visited: usize,
}

/// A value worth showing.
pub(super) struct Found<'a> {
    pub(super) node: Node<'a>,
    /// Lower is more telling; equals stay in the order of the body.
    pub(super) rank: usize,
    step: Option<usize>,
}

#[derive(Clone, Copy)]
struct Step<'a> {
    before: Option<usize>,
    name: Name<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Name<'a> {
    Key(&'a str),
    Item(usize),
}

/// Where the walk is.
#[derive(Clone, Copy)]
struct Place {
    step: Option<usize>,
    /// Containers around it.
    depth: usize,
    /// Containers around it that say something; `data` and its like do not.
    distance: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn over(root: Node<'a>) -> Self {
        let mut walk = Self {
            facts: Vec::new(),
            texts: Vec::new(),
            cut: false,
            steps: Vec::new(),
            visited: 0,
        };
        walk.value(root, Place { step: None, depth: 0, distance: 0 }, None);
        walk
    }

    pub(super) fn label(&self, found: &Found<'a>) -> String {
        let mut names = Vec::new();
        let mut at = found.step;
        while let Some(step) = at.and_then(|index| self.steps.get(index)) {
            names.push(step.name);
            at = step.before;
        }
        names.reverse();
        label::path(&names)
    }

    /// What a value is when a key on the way to it says that it is a secret.
    pub(super) fn secret(&self, found: &Found<'a>) -> Option<&'static str> {
        self.secret_at(found.step, found.node)
    }

    fn secret_at(&self, step: Option<usize>, node: Node<'a>) -> Option<&'static str> {
        let mut at = step;
        let mut judge: fn(&str, Node<'_>) -> Option<&'static str> = secret::of_key;
        while let Some(step) = at.and_then(|index| self.steps.get(index)) {
            if let Name::Key(key) = step.name {
                if let Some(what) = judge(key, node) {
                    return Some(what);
                }
                judge = secret::under_key;
            }
            at = step.before;
        }
        None
    }

    fn value(&mut self, node: Node<'a>, place: Place, told: Option<usize>) {
        self.visited += 1;
        if self.visited > OUTLINE_VALUES_MAX || place.depth > OUTLINE_DEPTH_MAX {
            self.cut = true;
            return;
        }
        match node.kind() {
            Kind::Object => self.object(node, place),
            Kind::Array => self.array(node, place),
            Kind::String => self.string(node, place, told),
            Kind::Number | Kind::Bool => self.fact(node, place, told),
            Kind::Null => {}
        }
    }

    fn object(&mut self, node: Node<'a>, place: Place) {
        self.cut |= node.len() > OUTLINE_PAIRS_MAX;
        let pairs = || node.entries().take(OUTLINE_PAIRS_MAX);
        let siblings = Siblings::of(pairs().map(|(key, _)| key));
        let mut untold = 0;
        for (key, value) in pairs() {
            if worth::is_noise(key, value) || siblings.outdo(key) {
                continue;
            }
            let told = worth::told(key, value);
            let scalar = !matches!(value.kind(), Kind::Object | Kind::Array | Kind::Null);
            if told.is_none() && scalar && place.depth > 0 {
                let nothing = value.as_bool() == Some(false) || value.as_i64() == Some(0);
                untold += usize::from(!nothing);
                if nothing || untold > UNTOLD_MAX {
                    continue;
                }
            }
            let near = usize::from(!worth::is_no_step(key, value));
            let step = self.step(place, Name::Key(key));
            self.value(value, Place { step, ..place.inside(near) }, told);
        }
    }

    fn array(&mut self, node: Node<'a>, place: Place) {
        let Some(first) = node.at(0) else { return };
        self.fact(node, place, Some(worth::ITEMS));
        if !matches!(first.kind(), Kind::Object | Kind::Array) {
            return;
        }
        for (position, item) in node.items().take(ITEMS_GONE_INTO).enumerate() {
            let step = self.step(place, Name::Item(position));
            self.value(item, Place { step, ..place.inside(1) }, None);
        }
    }

    fn string(&mut self, node: Node<'a>, place: Place, told: Option<usize>) {
        let text = node.as_str().unwrap_or_default().trim();
        let name = place.step.and_then(|index| self.steps.get(index)).map(|step| step.name);
        let is_text = matches!(name, Some(Name::Key(key)) if worth::is_text(key));
        if text.is_empty() {
            return;
        }
        if self.secret_at(place.step, node).is_some() {
            return self.fact(node, place, told);
        }
        let long = text.len() > PROMPT_VALUE_BYTES_MAX && !worth::is_link(text);
        if long && worth::is_blob(text) {
            return;
        }
        if long || text.contains('\n') || (is_text && text.len() > SHORT_TEXT_BYTES) {
            let rank = worth::STEP * place.above() + if is_text { 0 } else { worth::UNTOLD };
            self.texts.push(Found { node, rank, step: place.step });
        } else {
            self.fact(node, place, told.or(is_text.then_some(worth::TEXT)));
        }
    }

    fn fact(&mut self, node: Node<'a>, place: Place, told: Option<usize>) {
        let rank = told.map_or(worth::UNTOLD, |told| told + worth::STEP * place.above());
        self.facts.push(Found { node, rank, step: place.step });
    }

    fn step(&mut self, place: Place, name: Name<'a>) -> Option<usize> {
        self.steps.push(Step { before: place.step, name });
        Some(self.steps.len() - 1)
    }
}

impl Place {
    /// How many telling containers are around a value here; its own key counts none.
    fn above(self) -> usize {
        self.distance.saturating_sub(1)
    }

    fn inside(self, near: usize) -> Self {
        Self { depth: self.depth + 1, distance: self.distance + near, ..self }
    }
}
