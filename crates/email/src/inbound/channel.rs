//! A channel that a provider hands mail to: as it is configured, what is wrong with it, and ready
//! to receive.

use super::provider::{self, Check, Provider, SecretError, Window};
use crate::smtp::{Address, Directory, MailChannel, Recipients, Routed};
use headgate_event::{
    ChannelType, Open, Secret,
    data::Envelope,
    limits::{INBOUND_SIGNED_AGE_MAX, MAIL_BYTES_MAX, SMTP_TAG_BYTES_MAX},
};
use headgate_http::Reject;
use std::fmt;

/// A channel that a provider hands mail to, as it is configured.
#[derive(Clone, Debug)]
pub struct InboundSpec {
    /// The channel, its addresses, whose mail it takes and on which terms. The addresses say what
    /// matched; what comes is what the provider sends to the channel.
    pub mail: MailChannel,
    /// The provider's name.
    pub provider: String,
    /// The secrets by any of which a request may prove itself.
    pub secrets: Vec<Secret>,
}

/// What is wrong with a channel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("channel `{channel}`")]
pub struct InboundSpecError {
    /// The id of the channel.
    pub channel: String,
    /// What it is.
    #[source]
    pub kind: InboundSpecErrorKind,
}

/// What is wrong with such a channel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboundSpecErrorKind {
    /// Another channel has its id.
    #[error("another channel has this id")]
    Repeated,
    /// It is of another type.
    #[error("expected type `email`, found `{0}`")]
    Type(Open<ChannelType>),
    /// Nobody knows the provider.
    #[error("expected one of `{}`, found `{found}`", provider::names().join("`, `"))]
    Provider {
        /// The name as found.
        found: String,
    },
    /// There is nothing to check a request by.
    #[error("expected {0}, found no secret")]
    NoSecret(&'static str),
    /// A secret is none of this provider.
    #[error("secret {}: {error}", .index + 1)]
    Secret {
        /// Which, from 0.
        index: usize,
        /// What is wrong with it.
        error: SecretError,
    },
    /// No message of this size is taken.
    #[error("expected a limit of 1 to {MAIL_BYTES_MAX} bytes, found {0}")]
    MessageLimit(usize),
}

/// A channel, ready to receive.
pub(super) struct InboundChannel {
    pub(super) mail: MailChannel,
    pub(super) provider: &'static dyn Provider,
    pub(super) check: Check,
    secrets: Vec<Secret>,
    directory: Directory,
}

/// What the envelope says of the way to a channel.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// The configured address that matched.
    pub(super) address: Option<String>,
    /// What stands behind the first `+`.
    pub(super) tag: Option<String>,
}

impl InboundSpec {
    /// The channel, or all that is wrong with it.
    pub(super) fn prepare(self) -> Result<InboundChannel, Vec<InboundSpecErrorKind>> {
        let mut errors = Vec::new();
        if self.mail.channel.kind != ChannelType::Email {
            errors.push(InboundSpecErrorKind::Type(self.mail.channel.kind.clone()));
        }
        if !(1..=MAIL_BYTES_MAX).contains(&self.mail.bytes_max) {
            errors.push(InboundSpecErrorKind::MessageLimit(self.mail.bytes_max));
        }
        let Some(provider) = provider::find(&self.provider) else {
            errors.push(InboundSpecErrorKind::Provider { found: self.provider });
            return Err(errors);
        };
        if self.secrets.is_empty() {
            errors.push(InboundSpecErrorKind::NoSecret(provider.secret_form()));
        }
        let window = Window {
            past: provider.signed_age_max(self.mail.terms.dedupe),
            future: INBOUND_SIGNED_AGE_MAX,
        };
        match provider.check(&self.secrets, window) {
            Ok(check) if errors.is_empty() => Ok(InboundChannel {
                directory: Directory::new(vec![self.mail.clone()]),
                mail: self.mail,
                provider,
                check,
                secrets: self.secrets,
            }),
            Ok(_) => Err(errors),
            Err((index, error)) => {
                errors.push(InboundSpecErrorKind::Secret { index, error });
                Err(errors)
            }
        }
    }

    /// All that is wrong with it.
    pub fn check(&self) -> Result<(), Vec<InboundSpecErrorKind>> {
        self.clone().prepare().map(drop)
    }
}

impl InboundChannel {
    /// The check that takes a signed time of any age.
    pub(super) fn ageless_check(&self) -> Option<Check> {
        self.provider.check(&self.secrets, Window::ANY).ok()
    }

    /// The way of a message to the channel, unless it takes none from its sender. A recipient that
    /// is none of its addresses is no reason to refuse it: the provider knows who receives here.
    pub(super) fn way(&self, envelope: &Envelope) -> Result<Way, Reject> {
        let from = envelope.mail_from.as_deref().filter(|from| !from.is_empty());
        let from = from.and_then(|from| Address::parse(from).ok());
        if !self.mail.takes_from(from.as_ref()) {
            let message = "this channel takes no mail from this sender";
            return Err(Reject::new(self.provider.refusal(), "sender_denied", message));
        }
        let mut way = Way::default();
        for address in envelope.rcpt_to.iter().filter_map(|to| Address::parse(to).ok()) {
            if let Routed::To(matches) = self.directory.route(&address, from.as_ref())
                && let Some(found) = matches.into_iter().next()
            {
                return Ok(Way { address: Some(found.matched_address), tag: found.tag });
            }
            let tag = address.local().split_once('+').map(|(_, tag)| tag);
            let tag = tag.map(|tag| tag.chars().take(SMTP_TAG_BYTES_MAX).collect());
            way.tag = way.tag.or(tag);
        }
        Ok(way)
    }

    /// The refusal of a message that is not what the channel asks for.
    pub(super) fn unproven(&self) -> Reject {
        let asked = self.mail.terms.require.name();
        let message = format!("this channel asks for `{asked}`, and the message does not have it");
        Reject::new(self.provider.refusal(), "sender_not_proved", message)
    }
}

impl fmt::Debug for InboundChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mail, provider, .. } = self;
        let mut shown = f.debug_struct("InboundChannel");
        shown.field("mail", mail).field("provider", provider).finish_non_exhaustive()
    }
}
