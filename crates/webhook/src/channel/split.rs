//! The items of a body of several events, each as the bytes that came.

use crate::identity::{Array, Split};
use bytes::Bytes;
use headgate_event::limits::{BODY_MEMORY_BYTES_MAX, DRAFTS_PER_ACCEPT_MAX, SPLIT_RATIO_MAX};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, ops::Range};

/// The items of a body, counted no further than one beyond what is stored at once.
pub(super) struct Items<'a> {
    body: &'a Bytes,
    /// For each the arrays that it is in, and those that it is not in, as they stand in its event.
    found: Vec<Vec<Cut>>,
    /// Whether the body stays around each.
    framed: bool,
}

/// An array of which at most one item stays.
#[derive(Clone, Debug)]
struct Cut {
    array: Range<usize>,
    item: Option<Range<usize>>,
}

/// What is gone through.
struct Walk<'a> {
    body: &'a Bytes,
    cuts: Vec<Cut>,
    found: Vec<Vec<Cut>>,
}

impl<'a> Items<'a> {
    /// The items of a body; none where it is no JSON.
    pub(super) fn of(body: &'a Bytes, split: &Split) -> Self {
        let mut walk = Walk { body, cuts: Vec::new(), found: Vec::new() };
        if let Ok(whole) = serde_json::from_slice::<&RawValue>(body) {
            walk.gather(whole, &split.arrays);
        }
        Self { body, found: walk.found, framed: split.identity.is_none() }
    }

    /// Whether there are several.
    pub(super) fn are_several(&self) -> bool {
        self.found.len() > 1
    }

    /// The body of each event; none when there is nothing in it, or more than one call of the store
    /// takes. Such a body stays one event.
    pub(super) fn bodies(&self) -> Option<Vec<Bytes>> {
        if !(1..=DRAFTS_PER_ACCEPT_MAX).contains(&self.found.len()) {
            return None;
        }
        if !self.framed {
            let item = |cuts: &Vec<Cut>| Some(self.body.slice(cuts.last()?.item.clone()?));
            return self.found.iter().map(item).collect();
        }
        let most = BODY_MEMORY_BYTES_MAX.max(self.body.len().saturating_mul(SPLIT_RATIO_MAX));
        let mut bytes = 0;
        let framed = |cuts: &Vec<Cut>| {
            let mut out = Vec::new();
            self.write(0..self.body.len(), cuts, &mut out);
            bytes += out.len();
            (bytes <= most).then(|| Bytes::from(out))
        };
        self.found.iter().map(framed).collect()
    }

    /// A part of the body with the arrays in it as they are cut.
    fn write(&self, part: Range<usize>, cuts: &[Cut], out: &mut Vec<u8>) {
        let mut at = part.start;
        let mut within: Vec<&Cut> = cuts.iter().filter(|cut| is_in(&cut.array, &part)).collect();
        within.sort_by_key(|cut| cut.array.start);
        for Cut { array, item } in within {
            // What is in an array before it is written with that.
            if array.start < at {
                continue;
            }
            out.extend_from_slice(self.body.get(at..array.start).unwrap_or_default());
            out.push(b'[');
            if let Some(item) = item {
                self.write(item.clone(), cuts, out);
            }
            out.push(b']');
            at = array.end;
        }
        out.extend_from_slice(self.body.get(at..part.end).unwrap_or_default());
    }
}

fn is_in(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

impl<'a> Walk<'a> {
    /// Gathers the items of these arrays of a value, and says whether there are any.
    fn gather(&mut self, value: &'a RawValue, arrays: &[Array]) -> bool {
        let known = arrays.iter().filter_map(|array| {
            let (at, items) = items_at(value, &array.path)?;
            (!items.is_empty()).then_some((array, at, items))
        });
        let known: Vec<(&Array, &RawValue, Vec<&RawValue>)> = known.collect();
        let before = self.cuts.len();
        for (place, (array, at, items)) in known.iter().enumerate() {
            for (other, (_, beside, _)) in known.iter().enumerate() {
                if other != place {
                    self.cuts.push(Cut { array: self.range(beside), item: None });
                }
            }
            for item in items {
                // One more than are stored at once says that they are too many.
                if self.found.len() > DRAFTS_PER_ACCEPT_MAX {
                    break;
                }
                self.cuts.push(Cut { array: self.range(at), item: Some(self.range(item)) });
                if !self.gather(item, &array.inner) {
                    self.found.push(self.cuts.clone());
                }
                self.cuts.pop();
            }
            self.cuts.truncate(before);
        }
        !known.is_empty()
    }

    /// Where a value stands in the body that it was read from.
    fn range(&self, value: &RawValue) -> Range<usize> {
        let text = value.get();
        let start = text.as_ptr().addr().saturating_sub(self.body.as_ptr().addr());
        start..start + text.len()
    }
}

/// The array at a path, and its items; none when there is no array.
fn items_at<'a>(value: &'a RawValue, path: &str) -> Option<(&'a RawValue, Vec<&'a RawValue>)> {
    let mut at = value;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        at = match step.parse::<usize>() {
            Ok(position) => {
                *serde_json::from_str::<Vec<&RawValue>>(at.get()).ok()?.get(position)?
            }
            Err(_) => {
                *serde_json::from_str::<BTreeMap<String, &RawValue>>(at.get()).ok()?.get(step)?
            }
        };
    }
    let items = serde_json::from_str(at.get()).ok()?;
    Some((at, items))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    fn array(path: &str, inner: Vec<Array>) -> Array {
        Array { path: path.to_owned(), inner }
    }

    /// The bodies, and whether they are several.
    fn split(body: &Bytes, arrays: Vec<Array>, framed: bool) -> (Option<Vec<Bytes>>, bool) {
        let identity = (!framed).then(Identity::default);
        let items = Items::of(body, &Split { arrays, identity });
        (items.bodies(), items.are_several())
    }

    fn alone(body: &str, path: &str) -> (Option<Vec<Bytes>>, bool) {
        split(&Bytes::from(body.to_owned()), vec![array(path, Vec::new())], false)
    }

    fn framed(body: &str) -> Vec<String> {
        let inner = || vec![array("c.m", Vec::new()), array("c.s", Vec::new())];
        let arrays = vec![array("e", vec![array("x", inner()), array("y", Vec::new())])];
        let (bodies, _) = split(&Bytes::from(body.to_owned()), arrays, true);
        let text = |body: Bytes| String::from_utf8(body.to_vec()).expect("text");
        bodies.unwrap_or_default().into_iter().map(text).collect()
    }

    #[test]
    fn items_are_the_bytes_that_came() {
        let (found, several) = alone(r#" [ {"a": 1.0},  2 ]"#, "");
        assert_eq!(found.expect("items"), [r#"{"a": 1.0}"#, "2"]);
        assert!(several);
        let (found, several) = alone(r#"{"b":[{"c":[3]}]}"#, "b.0.c");
        assert_eq!(found.expect("items"), ["3"]);
        assert!(!several);
    }

    #[test]
    fn what_is_no_array_is_not_split() {
        for (body, path) in [("{}", ""), ("[]", ""), (r#"{"a":1}"#, "a"), ("[1", ""), ("[1]", "a")]
        {
            assert_eq!(alone(body, path), (None, false), "{body}");
        }
        let many = format!("[{}]", vec!["1"; DRAFTS_PER_ACCEPT_MAX + 1].join(","));
        assert_eq!(alone(&many, ""), (None, true));
    }

    #[test]
    fn an_event_is_the_body_with_the_other_items_left_out() {
        let first = r#"{"i":1,"x":[{"c":{"m":[1, 2],"s":[3]}},{"f":4}],"y":[5]}"#;
        let body = &format!(r#"{{"o":1,"e":[{first},{{"i":6}}],"p":7}}"#);
        assert_eq!(
            framed(body),
            [
                r#"{"o":1,"e":[{"i":1,"x":[{"c":{"m":[1],"s":[]}}],"y":[]}],"p":7}"#,
                r#"{"o":1,"e":[{"i":1,"x":[{"c":{"m":[2],"s":[]}}],"y":[]}],"p":7}"#,
                r#"{"o":1,"e":[{"i":1,"x":[{"c":{"m":[],"s":[3]}}],"y":[]}],"p":7}"#,
                r#"{"o":1,"e":[{"i":1,"x":[{"f":4}],"y":[]}],"p":7}"#,
                r#"{"o":1,"e":[{"i":1,"x":[],"y":[5]}],"p":7}"#,
                r#"{"o":1,"e":[{"i":6}],"p":7}"#,
            ]
        );
        assert_eq!(
            framed(r#"{"e":[{"x":[{"c":{"m":[]}}]}]}"#),
            [r#"{"e":[{"x":[{"c":{"m":[]}}]}]}"#]
        );
    }

    /// What stays around each item would be there a thousand times.
    #[test]
    fn a_body_whose_events_would_be_much_larger_than_it_stays_one() {
        let items = vec!["0"; 500].join(",");
        let large = "x".repeat(BODY_MEMORY_BYTES_MAX / 8);
        assert_eq!(framed(&format!(r#"{{"f":"{large}","e":[{items}]}}"#)), Vec::<String>::new());
        assert_eq!(framed(&format!(r#"{{"f":"x","e":[{items}]}}"#)).len(), 500);
    }
}
