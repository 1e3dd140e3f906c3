//! A channel that a provider hands mail to: as it is configured, what is wrong with it, and ready
//! to receive.

use super::{
    AgeRule, InboundPorts,
    carrier::{Carrier, CarrierTerms},
    provider::{self, Provider, SecretError, Window},
};
use crate::smtp::{Address, Directory, MailChannel, Recipients, Routed};
use headgate_event::{
    ChannelType, Open, Secret,
    data::Envelope,
    limits::{INBOUND_SIGNED_AGE_MAX, MAIL_BYTES_MAX, SMTP_TAG_BYTES_MAX},
};
use headgate_http::{Reject, Verify};
use std::{collections::BTreeMap, fmt, sync::Arc};

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
    /// What the provider asks for beside secrets. They may be secret, so they are kept so.
    pub settings: BTreeMap<String, Secret>,
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
    /// Something that the provider asks for is missing.
    #[error("provider `{provider}` asks for setting `{name}` ({about}), found none")]
    NoSetting {
        /// Who asks.
        provider: &'static str,
        /// The setting.
        name: &'static str,
        /// What it is.
        about: &'static str,
    },
    /// The provider does not ask for this.
    #[error("{}, found `{found}`", expected_settings(.known))]
    UnknownSetting {
        /// The setting as found.
        found: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// Who carries the provider's messages cannot be checked here.
    #[error("{0}")]
    Carrier(String),
    /// No message of this size is taken.
    #[error("expected a limit of 1 to {MAIL_BYTES_MAX} bytes, found {0}")]
    MessageLimit(usize),
}

/// What proves the requests of a channel.
pub(super) type Proof = Arc<dyn Verify + Send + Sync>;

/// A channel, ready to receive.
pub(super) struct InboundChannel {
    pub(super) mail: MailChannel,
    pub(super) provider: &'static dyn Provider,
    pub(super) check: Proof,
    /// The check that takes a signed time of any age.
    pub(super) ageless: Proof,
    /// Who carries the messages, where their proof is not the provider's.
    pub(super) carrier: Option<Arc<dyn Carrier>>,
    pub(super) settings: BTreeMap<String, Secret>,
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
    /// All that is wrong with it.
    pub fn check(&self) -> Result<(), Vec<InboundSpecErrorKind>> {
        self.checked().map(drop)
    }

    /// The channel, or all that is wrong with it.
    pub(super) fn prepare(
        self,
        ports: &InboundPorts,
    ) -> Result<InboundChannel, Vec<InboundSpecErrorKind>> {
        let (provider, window) = self.checked()?;
        let wrong = |kind| vec![kind];
        let (check, ageless, carrier): (Proof, Proof, _) = match provider.carrier() {
            Some(name) => {
                let opened = |age| self.carrier(ports, name, age).map_err(wrong);
                let (carrier, ageless) = (opened(AgeRule::Channel)?, opened(AgeRule::Any)?);
                (Arc::clone(&carrier) as Proof, ageless as Proof, Some(carrier))
            }
            None => {
                let of = |window| provider.check(&self.secrets, window).map(Arc::from);
                let of = |window| of(window).map_err(secret).map_err(wrong);
                (of(window)?, of(Window::ANY)?, None)
            }
        };
        Ok(InboundChannel {
            directory: Directory::new(vec![self.mail.clone()]),
            mail: self.mail,
            provider,
            check,
            ageless,
            carrier,
            settings: self.settings,
        })
    }

    fn carrier(
        &self,
        ports: &InboundPorts,
        name: &str,
        age: AgeRule,
    ) -> Result<Arc<dyn Carrier>, InboundSpecErrorKind> {
        let nobody = || InboundSpecErrorKind::Carrier(format!("nobody here knows `{name}`"));
        let carriers = ports.carriers.as_ref().ok_or_else(nobody)?;
        let channel = &self.mail.channel.id;
        let terms = CarrierTerms { channel, settings: &self.settings, age };
        carriers.open(name, terms).map_err(InboundSpecErrorKind::Carrier)
    }

    /// The provider, and how far a signed time may be from ours; or all that is wrong.
    fn checked(&self) -> Result<(&'static dyn Provider, Window), Vec<InboundSpecErrorKind>> {
        let mut errors = Vec::new();
        if self.mail.channel.kind != ChannelType::Email {
            errors.push(InboundSpecErrorKind::Type(self.mail.channel.kind.clone()));
        }
        if !(1..=MAIL_BYTES_MAX).contains(&self.mail.bytes_max) {
            errors.push(InboundSpecErrorKind::MessageLimit(self.mail.bytes_max));
        }
        let Some(provider) = provider::find(&self.provider) else {
            errors.push(InboundSpecErrorKind::Provider { found: self.provider.clone() });
            return Err(errors);
        };
        errors.extend(self.unfit_settings(provider));
        let window = Window {
            past: provider.signed_age_max(self.mail.terms.dedupe),
            future: INBOUND_SIGNED_AGE_MAX,
        };
        match (provider.carrier(), self.secrets.is_empty()) {
            (Some(_), true) => {}
            (None, true) => errors.push(InboundSpecErrorKind::NoSecret(provider.secret_form())),
            (_, false) => {
                let wrong = provider.check(&self.secrets, window).err();
                errors.extend(wrong.map(secret));
            }
        }
        if errors.is_empty() { Ok((provider, window)) } else { Err(errors) }
    }

    fn unfit_settings(&self, provider: &'static dyn Provider) -> Vec<InboundSpecErrorKind> {
        let known = provider.settings();
        let missing = known.iter().filter(|one| one.is_required);
        let missing = missing.filter(|one| !self.settings.contains_key(one.name)).map(|one| {
            let (provider, name, about) = (provider.name(), one.name, one.about);
            InboundSpecErrorKind::NoSetting { provider, name, about }
        });
        let names = || known.iter().map(|one| one.name).collect::<Vec<_>>();
        let unknown = self.settings.keys().filter(|name| !names().contains(&name.as_str()));
        let unknown = unknown.map(|found| {
            let found = found.clone();
            InboundSpecErrorKind::UnknownSetting { found, known: names() }
        });
        missing.chain(unknown).collect()
    }
}

fn secret((index, error): (usize, SecretError)) -> InboundSpecErrorKind {
    InboundSpecErrorKind::Secret { index, error }
}

/// What settings there are, for people.
fn expected_settings(known: &[&str]) -> String {
    match known {
        [] => "expected no settings".to_owned(),
        known => format!("expected a setting out of `{}`", known.join("`, `")),
    }
}

impl InboundChannel {
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
