//! `provider`, `secrets` and `verify` of a channel: by what its senders prove themselves, or the
//! word that they do not.

use crate::config::{
    Context, secret,
    section::{Section, one_of},
    value::Value,
};
use headgate_event::Secret;
use headgate_webhook::{ChannelSpec, ChannelSpecErrorKind};
use std::error::Error;

/// The provider of channels that verify nothing.
pub(in crate::config) const UNSIGNED: &str = "none";

/// By what senders prove themselves; each part is none when something is wrong with it.
pub(super) struct Proof {
    pub(super) provider: Option<String>,
    pub(super) secrets: Option<Vec<Secret>>,
}

/// A key that is left out, is wrong, or has a value.
enum Given<T> {
    Not,
    Wrong,
    Right(T),
}

pub(super) fn read(section: &Section<'_>, context: &Context<'_>) -> Proof {
    let provider = Given::of(section, "provider", |value| provider(value, context));
    let found = match &provider {
        Given::Right(name) => context.providers.find(name),
        Given::Not | Given::Wrong => None,
    };
    let brings = found.is_some_and(|found| found.brings_secret());
    let secrets = Given::of(section, "secrets", |value| match value.plain_list() {
        // The sender hands over its secret in a handshake, which needs the channel to be there.
        Some(none) if none.is_empty() && brings => Some(Vec::new()),
        _ => secret::read_list(value, context),
    });
    let verify = Given::of(section, "verify", |value| value.word(&[("none", ())]));
    let signed = found.is_some_and(|found| found.is_signed());
    // What is asked for with settings needs no secrets; whether they are enough is told later.
    let asks = found.is_some_and(|found| found.can_ask()) && section.optional("settings").is_some();
    let keyless = found.is_some_and(|found| found.is_signed() && !found.takes_secrets()) || asks;
    let said = match (&provider, &secrets, &verify) {
        (Given::Wrong, _, _) | (_, Given::Wrong, _) | (_, _, Given::Wrong) => true,
        (Given::Right(_), Given::Not, Given::Not) if keyless => true,
        (Given::Right(name), Given::Not, Given::Not) if signed => {
            section.wrong("secrets", &format!("expected the secrets of `{name}`, found none"));
            false
        }
        (Given::Right(name), _, Given::Right(())) if signed => {
            let why = format!("expected no `verify`, because `{name}` signs its requests");
            section.wrong("verify", &format!("{why}; leave `provider` out to take anyone's"));
            false
        }
        (_, Given::Right(_), Given::Right(())) => {
            section.wrong("verify", "expected either `secrets` or `verify = \"none\"`, found both");
            false
        }
        (Given::Not, Given::Right(_), Given::Not) => {
            section.wrong("provider", "expected the provider whose secrets these are, found none");
            false
        }
        (_, Given::Not, Given::Not) => {
            let expected = "expected `provider` and `secrets`, or `verify = \"none\"` to say that \
                 anyone may send";
            section.wrong("verify", &format!("{expected}, found none"));
            false
        }
        (Given::Right(_), Given::Right(_), Given::Not) | (_, Given::Not, Given::Right(())) => true,
    };
    Proof {
        provider: provider.or(UNSIGNED.to_owned()).filter(|_| said),
        secrets: secrets.or(Vec::new()),
    }
}

/// Whether the webhook source takes the channel; notes why not.
pub(super) fn check(section: &Section<'_>, spec: &ChannelSpec, context: &Context<'_>) -> bool {
    let Err(errors) = spec.check(context.providers) else { return true };
    for error in errors {
        let key = match &error {
            ChannelSpecErrorKind::Secret { .. }
            | ChannelSpecErrorKind::NoSecret(_)
            | ChannelSpecErrorKind::SecretForNothing(_) => "secrets",
            ChannelSpecErrorKind::NoSetting { .. }
            | ChannelSpecErrorKind::UnknownSetting { .. } => "settings",
            ChannelSpecErrorKind::NoPublicUrl(_) => "provider",
            ChannelSpecErrorKind::SplitForNothing(_) => "split",
            ChannelSpecErrorKind::ToleranceForNothing(_) => "tolerance",
            ChannelSpecErrorKind::BodyLimit(_) => "max_body",
            ChannelSpecErrorKind::Provider { .. } => "provider",
            ChannelSpecErrorKind::Repeated => "id",
            ChannelSpecErrorKind::Type(_) => "type",
        };
        let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
        section.wrong(key, &format!("{error}{cause}"));
    }
    false
}

fn provider(value: &Value<'_>, context: &Context<'_>) -> Option<String> {
    let known = context.providers.iter().map(|provider| provider.name());
    let known: Vec<&str> = known.filter(|name| *name != UNSIGNED).collect();
    let name = value.text(&one_of(known.iter().copied()))?;
    if context.providers.find(name).is_some() {
        return Some(name.to_owned());
    }
    value.unknown_word(name, known.iter().copied())
}

impl<T> Given<T> {
    fn of(
        section: &Section<'_>,
        key: &'static str,
        read: impl FnOnce(&Value<'_>) -> Option<T>,
    ) -> Self {
        match section.optional(key).map(|value| read(&value)) {
            None => Self::Not,
            Some(None) => Self::Wrong,
            Some(Some(value)) => Self::Right(value),
        }
    }

    /// The value, or another one when the key is left out; none when it is wrong.
    fn or(self, other: T) -> Option<T> {
        match self {
            Self::Not => Some(other),
            Self::Wrong => None,
            Self::Right(value) => Some(value),
        }
    }
}
