//! Where the events of a body are, and what each of them says it is.

use super::{Identity, IdentityTable, is_path, place::PlaceTable};
use crate::{provider::Problems, scheme::Scheme};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// What stands in a path for every item of the array before it.
const EVERY: &str = ".*.";

/// A body of several events.
#[derive(Debug)]
pub(crate) struct Split {
    /// The arrays whose items are the events.
    pub(crate) arrays: Vec<Array>,
    /// What an item says it is; none where an event is the whole body with the other items left
    /// out, which says it as any body does.
    pub(crate) identity: Option<Identity>,
}

/// An array of events, at a path in what is around it; empty when that is the array.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Array {
    pub(crate) path: String,
    /// The arrays in each item. An item that has any of them is no event, but what they hold is.
    pub(crate) inner: Vec<Array>,
}

/// The `[split]` table of a provider file: where the events of a body are, and places in each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SplitTable {
    items: Spanned<Items>,
    #[serde(default)]
    event: Vec<Spanned<PlaceTable>>,
    #[serde(default)]
    action: Vec<Spanned<PlaceTable>>,
    #[serde(default)]
    delivery: Vec<Spanned<PlaceTable>>,
    #[serde(default)]
    thread: Vec<Spanned<PlaceTable>>,
}

/// The path of one array, whose items are events by themselves; or those of arrays in each other,
/// where an event is the whole body with the other items left out.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected the path of an array, or a list of them")]
enum Items {
    Alone(String),
    Framed(Vec<String>),
}

impl Split {
    pub(super) fn read(
        table: SplitTable,
        scheme: Option<&dyn Scheme>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let SplitTable { items, event, action, delivery, thread } = table;
        let (at, items) = (items.span(), items.into_inner());
        let has_places = [&event, &action, &delivery, &thread].iter().any(|list| !list.is_empty());
        let places = IdentityTable { event, action, delivery, thread, ..IdentityTable::default() };
        match items {
            Items::Alone(path) => {
                if !path.is_empty() && !is_path(&path) {
                    problems.add(at, format!("expected a dotted path or nothing, found `{path}`"));
                }
                let identity = Identity::read(places, None, scheme, problems)?;
                let arrays = vec![Array { path, inner: Vec::new() }];
                Some(Self { arrays, identity: Some(identity) })
            }
            Items::Framed(paths) => {
                if has_places {
                    let message = "expected no places beside a list of `items`: those of \
                                   `[identity]` count";
                    problems.add(at.clone(), message);
                }
                Some(Self { arrays: arrays(&paths, &at, problems)?, identity: None })
            }
        }
    }

    /// Whether a path leads into the first of several items.
    pub(super) fn is_of_first_item(&self, path: &str) -> bool {
        let first = |array: &Array| match array.path.as_str() {
            "" => path.starts_with("0."),
            known => path.strip_prefix(known).is_some_and(|rest| rest.starts_with(".0.")),
        };
        self.arrays.iter().any(first)
    }
}

/// The arrays at these paths, each in the one that it is in.
fn arrays(paths: &[String], at: &Range<usize>, problems: &mut Problems) -> Option<Vec<Array>> {
    let mut roots: Vec<Array> = Vec::new();
    let mut sorted: Vec<&String> = paths.iter().collect();
    // An array stands before those that are in it.
    sorted.sort_by_key(|path| path.matches(EVERY).count());
    for path in sorted {
        let (outer, own) = path.rsplit_once(EVERY).unwrap_or(("", path));
        let around = outer.split(EVERY).filter(|step| !step.is_empty()).try_fold(
            &mut roots,
            |level, step| {
                level.iter_mut().find(|array| array.path == step).map(|array| &mut array.inner)
            },
        );
        match around {
            Some(level) if is_path(own) && !own.contains('*') => {
                level.push(Array { path: own.to_owned(), inner: Vec::new() });
            }
            _ => {
                let message = "expected a dotted path, in which `*` stands for every item of an \
                               array that is listed too";
                problems.add(at.clone(), format!("{message}, found `{path}`"));
                return None;
            }
        }
    }
    if roots.is_empty() {
        problems.add(at.clone(), "expected a path at least, found none");
        return None;
    }
    Some(roots)
}
