//! The items of a body of several events, each as the bytes that came.

use bytes::Bytes;
use headgate_event::limits::DRAFTS_PER_ACCEPT_MAX;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The items of the array at a path; none when there is no such array, nothing in it, or more than
/// one call of the store takes. Such a body stays one event.
pub(super) fn items(body: &Bytes, path: &str) -> Option<Vec<Bytes>> {
    let mut at: &RawValue = serde_json::from_slice(body).ok()?;
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
    let items: Vec<&RawValue> = serde_json::from_str(at.get()).ok()?;
    let fits = (1..=DRAFTS_PER_ACCEPT_MAX).contains(&items.len());
    fits.then(|| items.iter().map(|item| body.slice_ref(item.get().as_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(body: &'static str, path: &str) -> Option<Vec<Bytes>> {
        items(&Bytes::from_static(body.as_bytes()), path)
    }

    #[test]
    fn items_are_the_bytes_that_came() {
        let found = split(r#" [ {"a": 1.0},  2 ]"#, "").expect("items");
        assert_eq!(found, [r#"{"a": 1.0}"#, "2"]);
        assert_eq!(split(r#"{"b":[{"c":[3]}]}"#, "b.0.c").expect("items"), ["3"]);
    }

    #[test]
    fn what_is_no_array_is_not_split() {
        for (body, path) in [("{}", ""), ("[]", ""), (r#"{"a":1}"#, "a"), ("[1", ""), ("[1]", "a")]
        {
            assert_eq!(split(body, path), None, "{body}");
        }
        let many = format!("[{}]", vec!["1"; DRAFTS_PER_ACCEPT_MAX + 1].join(","));
        assert_eq!(items(&many.into(), ""), None);
    }
}
