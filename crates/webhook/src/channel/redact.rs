//! A secret that a sender puts into the body, taken out of what consumers see.

use bytes::Bytes;
use headgate_event::prompt::redact::REDACTED;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::{fmt, ops::Range};

/// What stands in a path for every item of an array.
const EVERY: &str = "*";

/// The body without what stands at a path, in which `*` stands for every item of an array; none
/// where nothing stands there.
pub(super) fn redacted(body: &Bytes, path: &str) -> Option<Bytes> {
    let whole: &RawValue = serde_json::from_slice(body).ok()?;
    let mut found = Vec::new();
    find(whole, path, &mut found);
    let start = |value: &RawValue| value.get().as_ptr().addr().checked_sub(body.as_ptr().addr());
    let range = |value: &RawValue| start(value).map(|start| start..start + value.get().len());
    let secret: Vec<Range<usize>> = found.into_iter().filter_map(range).collect();
    if secret.is_empty() {
        return None;
    }
    let (mut out, mut at) = (Vec::with_capacity(body.len()), 0);
    for Range { start, end } in secret {
        out.extend_from_slice(body.get(at..start).unwrap_or_default());
        out.extend_from_slice(format!("\"{REDACTED}\"").as_bytes());
        at = end;
    }
    out.extend_from_slice(body.get(at..).unwrap_or_default());
    Some(out.into())
}

/// The path in an item of the array at another path; none where it does not lead into one.
pub(super) fn in_item<'a>(path: &'a str, array: &str) -> Option<&'a str> {
    let rest = if array.is_empty() { path } else { path.strip_prefix(array)?.strip_prefix('.')? };
    rest.strip_prefix("*.")
}

/// The values at a path, in the order of the text.
fn find<'a>(value: &'a RawValue, path: &str, found: &mut Vec<&'a RawValue>) {
    if path.is_empty() {
        return found.push(value);
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    if step == EVERY || step.parse::<usize>().is_ok() {
        let items: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        let fits = |at: usize| step == EVERY || step.parse() == Ok(at);
        let items = items.into_iter().enumerate().filter(|(at, _)| fits(*at));
        items.for_each(|(_, item)| find(item, rest, found));
        return;
    }
    let members: Members<'_> = serde_json::from_str(value.get()).unwrap_or_default();
    let members = members.0.into_iter().filter(|(name, _)| name == step);
    members.for_each(|(_, member)| find(member, rest, found));
}

/// All members of an object: of a name that is there twice, each is secret.
#[derive(Default)]
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> de::Visitor<'de> for All {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(All).map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(body: &str, path: &str) -> Option<String> {
        let clean = redacted(&Bytes::from(body.to_owned()), path)?;
        Some(String::from_utf8(clean.to_vec()).expect("text"))
    }

    #[test]
    fn what_is_at_the_path_goes_and_every_other_byte_stays() {
        let body =
            r#"{"value": [{"id":1, "clientState" : "s3cr3t"}, {"client\u0053tate":"s3cr3t"}]}"#;
        let clean = without(body, "value.*.clientState").expect("found");
        assert_eq!(clean, body.replace("s3cr3t", "[redacted]"));
        let twice = r#"{"a":"s3cr3t","a":["s3cr3t"]}"#;
        assert_eq!(without(twice, "a"), Some(r#"{"a":"[redacted]","a":"[redacted]"}"#.to_owned()));
        assert_eq!(without(r#"[["x","y"]]"#, "0.1"), Some(r#"[["x","[redacted]"]]"#.to_owned()));
    }

    #[test]
    fn a_body_without_it_stays() {
        for body in ["{}", "[]", r#"{"value":3}"#, "no JSON", ""] {
            assert_eq!(without(body, "value.*.clientState"), None, "{body}");
        }
    }

    #[test]
    fn the_path_goes_on_in_each_item() {
        assert_eq!(in_item("value.*.clientState", "value"), Some("clientState"));
        assert_eq!(in_item("*.token", ""), Some("token"));
        assert_eq!(in_item("value.*.clientState", "values"), None);
        assert_eq!(in_item("token", "value"), None);
    }
}
