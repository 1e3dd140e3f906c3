//! `[[api_key]]`: who may use the API, and for what.

use super::{Context, secret, section::Section, value::Value};
use headgate_api::{ApiKey, Bounds, KeySecret, Scope};
use headgate_event::{
    Secret, is_name,
    limits::{API_KEY_BYTES_MIN, API_KEY_SECRETS_MAX, SUBSCRIPTION_NAME_BYTES_MAX},
};
use headgate_http::RateLimit;
use std::collections::{BTreeMap, BTreeSet};

/// What a key looks like.
const EXPECTED: &str = "`{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ sha256 = \"HEX\" }`";

/// The keys; none when something is wrong with one of them.
pub(super) fn read(root: &Section<'_>, context: &Context<'_>) -> Option<Vec<ApiKey>> {
    let Some(value) = root.optional("api_key") else { return Some(Vec::new()) };
    let sections = value.sections("api_key", "name");
    let mut names = BTreeMap::new();
    let keys = sections.into_iter().map(|section| one(section, &mut names, context));
    let keys: Vec<Option<ApiKey>> = keys.collect();
    note_repeated(root, keys.iter().flatten());
    keys.into_iter().collect()
}

/// Whether keys are configured at all, right or wrong.
pub(super) fn any(root: &Section<'_>) -> bool {
    root.optional("api_key").and_then(|value| value.plain_list()).is_some_and(|l| !l.is_empty())
}

/// Of two names for one key only one would ever be looked at.
fn note_repeated<'k>(root: &Section<'_>, keys: impl Iterator<Item = &'k ApiKey>) {
    let mut known: BTreeMap<[u8; 32], &str> = BTreeMap::new();
    for key in keys {
        for secret in &key.secrets {
            let name = key.name.as_str();
            if let Some(first) = known.insert(secret.digest(), name) {
                let text =
                    format!("expected a key of its own for `{name}`, found that of `{first}`");
                root.wrong("api_key", &text);
            }
        }
    }
}

fn one(
    section: Section<'_>,
    names: &mut BTreeMap<String, usize>,
    context: &Context<'_>,
) -> Option<ApiKey> {
    let name = section.required("name", "a name").and_then(|value| {
        let fits = |text: &str| is_name(text, SUBSCRIPTION_NAME_BYTES_MAX).then(|| text.to_owned());
        let name = value.parsed("1 to 64 of `a-z`, `0-9`, `-`, `_`", fits)?;
        value.first_of_its_name(&name, names)
    });
    let secrets = section.required("key", EXPECTED).and_then(|value| secrets(&value, context));
    let scopes = section
        .required("scopes", "an array of `consume`, `read`, `emit`, `admin`")
        .and_then(|value| scopes(&value));
    let subscriptions = names_of(&section, "subscriptions");
    let channels = names_of(&section, "channels");
    let rate = match section.optional("rate") {
        Some(value) => value.parsed(RateLimit::EXPECTED, |text| text.parse().ok()).map(Some),
        None => Some(None),
    };
    section.report_unknown(&[]);
    let bounds = Bounds { subscriptions: subscriptions?, channels: channels? };
    let scopes: BTreeSet<Scope> = scopes?;
    if scopes.contains(&Scope::Admin) && !bounds.is_empty() {
        let text = "expected no `admin` with `subscriptions` or `channels`, found it: it opens all";
        section.wrong("scopes", text);
        return None;
    }
    Some(ApiKey { name: name?, secrets: secrets?, scopes, bounds, rate: rate? })
}

/// Names that a key is bound to; empty when it is not.
fn names_of(section: &Section<'_>, key: &'static str) -> Option<Vec<String>> {
    let Some(value) = section.optional(key) else { return Some(Vec::new()) };
    let members = value.list("an array of names")?;
    if members.is_empty() {
        return value.wrong("one name at least, or no such key");
    }
    let name = |member: &Value<'_>| {
        let fits = |text: &str| is_name(text, SUBSCRIPTION_NAME_BYTES_MAX).then(|| text.to_owned());
        member.parsed("1 to 64 of `a-z`, `0-9`, `-`, `_`", fits)
    };
    members.iter().map(name).collect()
}

/// One secret, or two while one takes the place of the other.
fn secrets(value: &Value<'_>, context: &Context<'_>) -> Option<Vec<KeySecret>> {
    let Some(members) = value.plain_list() else {
        return one_secret(value, context).map(|secret| vec![secret]);
    };
    if !(1..=API_KEY_SECRETS_MAX).contains(&members.len()) {
        let found = members.len();
        value.note(&format!("expected 1 to {API_KEY_SECRETS_MAX} secrets, found {found}"));
        return None;
    }
    let secrets: Vec<_> = members.iter().map(|member| one_secret(member, context)).collect();
    secrets.into_iter().collect()
}

fn one_secret(value: &Value<'_>, context: &Context<'_>) -> Option<KeySecret> {
    if let Some(section) = value.plain_section()
        && let Some(hash) = section.optional("sha256")
    {
        let read = |text: &str| {
            let mut digest = [0; 32];
            hex::decode_to_slice(text, &mut digest).ok().map(|()| KeySecret::Sha256(digest))
        };
        let digest = hash.parsed("64 hexadecimal digits", read);
        return digest.filter(|_| section.report_unknown(&[]));
    }
    key(value, context).map(KeySecret::Plain)
}

fn key(value: &Value<'_>, context: &Context<'_>) -> Option<Secret> {
    let key = secret::read(value, context)?;
    // It comes in a header, and has to survive that unchanged.
    if !key.expose().iter().all(u8::is_ascii_graphic) {
        value.note("expected a key of visible ASCII characters, found others in it");
        return None;
    }
    if key.expose().len() < API_KEY_BYTES_MIN {
        let found = key.expose().len();
        value.note(&format!(
            "expected a key of at least {API_KEY_BYTES_MIN} characters, found {found}"
        ));
        return None;
    }
    Some(key)
}

fn scopes(value: &Value<'_>) -> Option<BTreeSet<Scope>> {
    let words = [
        ("consume", Scope::Consume),
        ("read", Scope::Read),
        ("emit", Scope::Emit),
        ("admin", Scope::Admin),
    ];
    let members = value.list("an array of `consume`, `read`, `emit`, `admin`")?;
    if members.is_empty() {
        value.note("expected one scope at least, found an empty array");
        return None;
    }
    let scopes: Vec<_> = members.iter().map(|member| member.word(&words)).collect();
    scopes.into_iter().collect()
}
