//! `provider` and `secrets` of a channel of mail: who hands its messages over, and by what it
//! proves itself.

use crate::config::{
    Context, secret,
    section::{Section, one_of},
};
use headgate_email::{
    inbound::{InboundSpec, InboundSpecErrorKind, provider_names},
    smtp::MailChannel,
};
use headgate_event::Secret;

/// A provider with its secrets.
pub(super) struct ByProvider {
    provider: String,
    secrets: Vec<Secret>,
}

/// The provider, if the channel has one; none when something is wrong.
pub(super) fn read(section: &Section<'_>, context: &Context<'_>) -> Option<Option<ByProvider>> {
    let provider = section.optional("provider").map(|value| {
        let name = value.text(&one_of(provider_names()))?;
        let known = provider_names().any(|known| known == name);
        if known { Some(name.to_owned()) } else { value.unknown_word(name, provider_names()) }
    });
    let secrets = section.optional("secrets").map(|value| secret::read_list(&value, context));
    match (provider, secrets) {
        (None, None) => Some(None),
        (None, Some(_)) => {
            let text = "expected the provider whose secrets these are, found none";
            section.wrong("provider", text);
            None
        }
        (Some(provider), None) => {
            let text = format!("expected the secrets of `{}`, found none", provider?);
            section.wrong("secrets", &text);
            None
        }
        (Some(provider), Some(secrets)) => {
            Some(Some(ByProvider { provider: provider?, secrets: secrets? }))
        }
    }
}

impl ByProvider {
    /// The channel as its source takes it; notes why it does not.
    pub(super) fn spec(self, section: &Section<'_>, mail: MailChannel) -> Option<InboundSpec> {
        let spec = InboundSpec { mail, provider: self.provider, secrets: self.secrets };
        let Err(errors) = spec.check() else { return Some(spec) };
        for error in errors {
            let key = match &error {
                InboundSpecErrorKind::Repeated => "id",
                InboundSpecErrorKind::Type(_) => "type",
                InboundSpecErrorKind::Provider { .. } => "provider",
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
