//! `provider`, `secrets` and `settings` of a channel of mail: who hands its messages over, and by
//! what it proves itself.

use crate::config::{
    Context,
    channel::settings,
    secret,
    section::{Section, one_of},
};
use headgate_email::{
    inbound::{InboundSpec, InboundSpecErrorKind, is_carried, provider_names},
    smtp::MailChannel,
};
use headgate_event::Secret;
use std::collections::BTreeMap;

/// A provider with its secrets.
pub(super) struct ByProvider {
    provider: String,
    secrets: Vec<Secret>,
    settings: BTreeMap<String, Secret>,
}

/// The provider, if the channel has one; none when something is wrong.
pub(super) fn read(section: &Section<'_>, context: &Context<'_>) -> Option<Option<ByProvider>> {
    let provider = section.optional("provider").map(|value| {
        let name = value.text(&one_of(provider_names()))?;
        let known = provider_names().any(|known| known == name);
        if known { Some(name.to_owned()) } else { value.unknown_word(name, provider_names()) }
    });
    let secrets = section.optional("secrets").map(|value| secret::read_list(&value, context));
    let has_settings = section.optional("settings").is_some();
    let settings = settings::read(section, context);
    match (provider, secrets) {
        (None, None) if has_settings => {
            section.wrong("settings", "expected a provider that asks for settings, found none");
            None
        }
        (None, None) => Some(None),
        (None, Some(_)) => {
            let text = "expected the provider whose secrets these are, found none";
            section.wrong("provider", text);
            None
        }
        (Some(Some(provider)), None) if is_carried(&provider) => {
            let (secrets, settings) = (Vec::new(), settings?);
            Some(Some(ByProvider { provider, secrets, settings }))
        }
        (Some(provider), None) => {
            let text = format!("expected the secrets of `{}`, found none", provider?);
            section.wrong("secrets", &text);
            None
        }
        (Some(provider), Some(secrets)) => {
            let (provider, secrets, settings) = (provider?, secrets?, settings?);
            Some(Some(ByProvider { provider, secrets, settings }))
        }
    }
}

impl ByProvider {
    /// The channel as its source takes it; notes why it does not.
    pub(super) fn spec(self, section: &Section<'_>, mail: MailChannel) -> Option<InboundSpec> {
        let Self { provider, secrets, settings } = self;
        let spec = InboundSpec { mail, provider, secrets, settings };
        let Err(errors) = spec.check() else { return Some(spec) };
        for error in errors {
            let key = match &error {
                InboundSpecErrorKind::Repeated => "id",
                InboundSpecErrorKind::Type(_) => "type",
                InboundSpecErrorKind::Provider { .. } | InboundSpecErrorKind::Carrier(_) => {
                    "provider"
                }
                InboundSpecErrorKind::NoSetting { .. }
                | InboundSpecErrorKind::UnknownSetting { .. } => "settings",
                InboundSpecErrorKind::NoSecret(_) | InboundSpecErrorKind::Secret { .. } => {
                    "secrets"
                }
                InboundSpecErrorKind::MessageLimit(_) => "max_bytes",
            };
            section.wrong(key, &error.to_string());
        }
        None
    }
}
