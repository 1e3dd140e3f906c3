//! `[[api_key]]`: who may use the API, and for what.

use super::{Context, secret, section::Section, value::Value};
use headgate_api::{ApiKey, Scope};
use headgate_event::{
    Secret, is_name,
    limits::{API_KEY_BYTES_MIN, SUBSCRIPTION_NAME_BYTES_MAX},
};
use std::collections::{BTreeMap, BTreeSet};

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
fn note_repeated<'k>(root: &Section<'_>, keys: impl Iterator<Item = &'k ApiKey> + Clone) {
    for (nth, key) in keys.clone().enumerate() {
        if let Some(first) = keys.clone().take(nth).find(|first| first.secret == key.secret) {
            let (name, first) = (&key.name, &first.name);
            root.wrong(
                "api_key",
                &format!("expected a key of its own for `{name}`, found that of `{first}`"),
            );
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
    let key = section.required("key", secret::EXPECTED).and_then(|value| key(&value, context));
    let scopes = section
        .required("scopes", "an array of `consume`, `read`, `emit`, `admin`")
        .and_then(|value| scopes(&value));
    section.report_unknown(&[]);
    Some(ApiKey { name: name?, secret: key?, scopes: scopes? })
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
