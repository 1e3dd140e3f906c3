//! A key that a token names, asked for with what the channel says: of senders that give theirs only
//! to who has an account.

use crate::{
    Wanted,
    provider::Problems,
    scheme::{Settings, setting},
};
use headgate_event::Secret;
use headgate_http::Hosts;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use toml::Spanned;

/// What stands for the name of the key.
const KEY_ID: &str = "{key_id}";
/// How long a name may be that is asked for, in bytes.
const KEY_ID_BYTES_MAX: usize = 128;

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskTable {
    url: Spanned<String>,
    hosts: Spanned<Vec<String>>,
    body: BTreeMap<String, String>,
    /// Where the key is in the answer.
    json: String,
    /// A member of the key that says that it counts no longer, unless it is null.
    unless: Option<String>,
}

/// How a key is asked for.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    url: String,
    hosts: Hosts,
    body: BTreeMap<String, String>,
    json: String,
    unless: Option<String>,
}

impl AskTable {
    pub(super) fn checked(self, problems: &mut Problems) -> Option<Ask> {
        let hosts = Hosts::read(self.hosts.get_ref())
            .map_err(|message| problems.add(self.hosts.span(), message))
            .ok()?;
        let ask = Ask {
            url: self.url.get_ref().clone(),
            hosts,
            body: self.body,
            json: self.json,
            unless: self.unless,
        };
        if ask.hosts.admit(&filled(&ask.url, &Settings::new(), "")).is_err() {
            let message = format!("expected an `https` URL at one of `hosts`, found `{}`", ask.url);
            problems.add(self.url.span(), message);
            return None;
        }
        if !ask.body.values().any(|text| text == KEY_ID) {
            let message = format!("expected `{KEY_ID}` as a member of `body`, found none");
            problems.add(self.url.span(), message);
            return None;
        }
        Some(ask)
    }
}

impl Ask {
    /// The settings without which nothing can be asked.
    pub(super) fn settings(&self) -> Vec<&str> {
        let texts = self.body.values().chain([&self.url]);
        texts
            .flat_map(|text| names(text))
            .filter_map(|(name, default)| match default {
                None => Some(name),
                Some(_) => None,
            })
            .collect()
    }

    /// Whether the settings of a channel are enough to ask by.
    pub(super) fn can(&self, settings: &Settings) -> bool {
        self.settings().iter().all(|name| settings.contains_key(*name))
    }

    /// What is asked for a key; none for a name that no key has, or without the settings.
    pub(super) fn wanted(&self, settings: &Settings, key_id: Option<&str>) -> Option<Wanted> {
        let key_id = key_id.filter(|id| {
            let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
            (1..=KEY_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(word)
        })?;
        let url = filled(&self.url, settings, key_id);
        if !self.can(settings) || self.hosts.admit(&url).is_err() {
            return None;
        }
        let member = |(name, text): (&String, &String)| {
            (name.clone(), Value::from(filled(text, settings, key_id)))
        };
        let body: Map<String, Value> = self.body.iter().map(member).collect();
        Some(Wanted::asked(url, key_id, Secret::new(Value::Object(body).to_string())))
    }

    /// The key in an answer; none where it holds none that counts.
    pub(super) fn key(&self, answer: &[u8]) -> Option<Value> {
        let mut answer: Value = serde_json::from_slice(answer).ok()?;
        let key = answer.get_mut(&self.json)?.take();
        let over = self.unless.as_ref().and_then(|name| key.get(name));
        over.is_none_or(Value::is_null).then_some(key)
    }
}

/// The settings in a text, with what is taken where there is none: `{setting:host|a.example}`.
fn names(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split("{setting:").skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        Some(name.split_once('|').map_or((name, None), |(name, default)| (name, Some(default))))
    })
}

fn filled(text: &str, settings: &Settings, key_id: &str) -> String {
    let mut out = text.replace(KEY_ID, key_id);
    for (name, default) in names(text) {
        let (place, value) = match default {
            None => (format!("{{setting:{name}}}"), setting(settings, name)),
            Some(default) => {
                let said = setting(settings, name);
                let value = if said.is_empty() { default } else { said };
                (format!("{{setting:{name}|{default}}}"), value)
            }
        };
        out = out.replace(&place, value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        Ask {
            url: "https://{setting:host|production.plaid.com}/key/get".to_owned(),
            hosts: Hosts::read(&["*.plaid.com"]).expect("hosts"),
            body: BTreeMap::from([
                ("client_id".to_owned(), "{setting:client_id}".to_owned()),
                ("key_id".to_owned(), KEY_ID.to_owned()),
            ]),
            json: "key".to_owned(),
            unless: Some("expired_at".to_owned()),
        }
    }

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect()
    }

    #[test]
    fn a_key_is_asked_for_by_its_name_and_with_the_settings() {
        let wanted = ask().wanted(&settings(&[("client_id", "c1")]), Some("k1")).expect("wanted");
        assert_eq!(wanted.url(), "https://production.plaid.com/key/get");
        assert_eq!(
            wanted.body().map(Secret::expose),
            Some(&br#"{"client_id":"c1","key_id":"k1"}"#[..])
        );
        let other = settings(&[("client_id", "c1"), ("host", "sandbox.plaid.com")]);
        let wanted = ask().wanted(&other, Some("k1")).expect("wanted");
        assert_eq!(wanted.url(), "https://sandbox.plaid.com/key/get");
    }

    #[test]
    fn nothing_is_asked_without_the_settings_of_another_host_or_for_no_name() {
        let right = settings(&[("client_id", "c1")]);
        assert!(ask().wanted(&Settings::new(), Some("k1")).is_none());
        for host in ["evil.example", "evil.example/.plaid.com", "a.b.plaid.com", "x@y.plaid.com"] {
            let other = settings(&[("client_id", "c1"), ("host", host)]);
            assert!(ask().wanted(&other, Some("k1")).is_none(), "{host}");
        }
        for name in [None, Some(""), Some("a\"b"), Some("a b"), Some(&*"a".repeat(129))] {
            assert!(ask().wanted(&right, name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn a_key_that_has_expired_is_none() {
        let key = |text: &str| ask().key(text.as_bytes());
        assert!(key(r#"{"key": {"kid": "k1", "expired_at": null}}"#).is_some());
        assert!(key(r#"{"key": {"kid": "k1"}}"#).is_some());
        assert!(key(r#"{"key": {"kid": "k1", "expired_at": 1560466150}}"#).is_none());
        assert!(key(r#"{"error_code": "INVALID"}"#).is_none());
        assert!(key("no JSON").is_none());
    }
}
