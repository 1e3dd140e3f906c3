//! A webhook channel as it is configured, and what is wrong with it.

use super::{WebhookChannel, figures::Figures};
use crate::{
    Fetched, Providers,
    provider::Provider,
    scheme::{SecretError, Settings, Terms, Tolerance},
};
use headgate_event::{
    Channel, ChannelType, Open, Secret,
    limits::{BODY_BYTES_MAX, DEDUPE_WINDOW_DEFAULT},
};
use headgate_http::{IpNet, Rate, RateLimit};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A webhook channel as it is configured.
#[derive(Clone, Debug)]
pub struct ChannelSpec {
    /// The channel.
    pub channel: Channel,
    /// The name of who sends to it.
    pub provider: String,
    /// Who sends to it, where the channel itself describes them instead of a known provider.
    pub own: Option<Arc<Provider>>,
    /// The secrets, of which any may have signed; none for a provider that does not sign.
    pub secrets: Vec<Secret>,
    /// The largest body; the provider's own limit when none is given.
    pub body_bytes_max: Option<usize>,
    /// What is done about repeats.
    pub dedupe: DedupePolicy,
    /// How far a signed time may be from ours; what the provider's file says when none is given.
    pub tolerance: Option<Tolerance>,
    /// What its provider asks for beside secrets.
    pub settings: Settings,
    /// The URL before the path by which senders reach us.
    pub public_url: Option<String>,
    /// Whether the events of one body become one event each.
    pub splits: bool,
    /// How many requests it takes in a time; as many as come when none is given.
    pub rate: Option<RateLimit>,
    /// Where its requests may come from; from anywhere when there are none.
    pub allow_ips: Vec<IpNet>,
}

/// What is done about repeats of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DedupePolicy {
    /// The sender's id of a delivery is remembered so long. Without one, every event counts.
    Window(Duration),
    /// The digest of the body is remembered so long: equal bodies are one event.
    Digest(Duration),
    /// Every event counts.
    Off,
}

/// What is wrong with a webhook channel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("channel `{channel}`")]
pub struct ChannelSpecError {
    /// The id of the channel.
    pub channel: String,
    /// What it is.
    #[source]
    pub kind: ChannelSpecErrorKind,
}

/// What is wrong with a webhook channel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelSpecErrorKind {
    /// Another channel has its id.
    #[error("another channel has this id")]
    Repeated,
    /// It is of another type.
    #[error("expected type `webhook`, found `{0}`")]
    Type(Open<ChannelType>),
    /// Nobody is known by this name.
    #[error("expected a provider out of `{}`, found `{found}`", .known.join("`, `"))]
    Provider {
        /// The name as found.
        found: String,
        /// Those that are known.
        known: Vec<String>,
    },
    /// There is nothing to check a signature by.
    #[error("provider `{0}` signs its requests: expected one secret at least, found none")]
    NoSecret(String),
    /// There is no signature to check.
    #[error("provider `{0}` does not sign its requests: expected no secrets, found some")]
    SecretForNothing(String),
    /// A secret cannot be one of this provider.
    #[error("secret {} is not one of provider `{provider}`", .index + 1)]
    Secret {
        /// Which, from 0.
        index: usize,
        /// Whose it should be.
        provider: String,
        /// What is wrong with it.
        #[source]
        error: SecretError,
    },
    /// Something that the provider asks for is missing.
    #[error("provider `{provider}` asks for setting `{name}` ({about}), found none")]
    NoSetting {
        /// Who asks.
        provider: String,
        /// The setting.
        name: String,
        /// What it is.
        about: String,
    },
    /// The provider does not ask for this.
    #[error("expected a setting out of `{}`, found `{found}`", .known.join("`, `"))]
    UnknownSetting {
        /// The setting as found.
        found: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The URL is signed.
    #[error("provider `{0}` signs the URL: expected `server.public_url`, found none")]
    NoPublicUrl(String),
    /// A body is one event.
    #[error("provider `{0}` sends one event at a time: expected no `split`, found one")]
    SplitForNothing(String),
    /// No time is signed.
    #[error("provider `{0}` signs no time: expected no tolerance, found one")]
    ToleranceForNothing(String),
    /// No body of this size is ever taken.
    #[error("expected a body limit of 1 to {BODY_BYTES_MAX} bytes, found {0}")]
    BodyLimit(usize),
}

impl Default for DedupePolicy {
    fn default() -> Self {
        Self::Window(DEDUPE_WINDOW_DEFAULT)
    }
}

/// The channels of these specs by id, or all that is wrong with them.
pub(crate) fn prepare(
    specs: Vec<ChannelSpec>,
    providers: &Providers,
    fetched: &Arc<Fetched>,
) -> Result<BTreeMap<String, WebhookChannel>, Vec<ChannelSpecError>> {
    let (mut channels, mut errors) = (BTreeMap::new(), Vec::new());
    for spec in specs {
        let id = spec.channel.id.clone();
        let wrong = |kind| ChannelSpecError { channel: id.clone(), kind };
        match spec.prepare(providers, fetched) {
            _ if channels.contains_key(&id) => errors.push(wrong(ChannelSpecErrorKind::Repeated)),
            Ok(channel) => {
                channels.insert(id, channel);
            }
            Err(kinds) => errors.extend(kinds.into_iter().map(wrong)),
        }
    }
    if errors.is_empty() { Ok(channels) } else { Err(errors) }
}

impl ChannelSpec {
    /// Whether a channel can be made of it, or all that is wrong with it.
    pub fn check(&self, providers: &Providers) -> Result<(), Vec<ChannelSpecErrorKind>> {
        self.clone().prepare(providers, &Arc::default()).map(|_| ())
    }

    /// Whether its requests have to prove themselves, by a secret or by what is fetched.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        let own = self.own.as_ref().map(|own| own.is_signed());
        own.unwrap_or(self.provider != Provider::ANYONE)
    }

    /// What its requests are checked by.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            secrets: self.secrets.clone(),
            tolerance: self.tolerance,
            settings: self.settings.clone(),
            public_url: self.public_url.clone(),
            fetched: Arc::default(),
        }
    }

    fn prepare(
        self,
        providers: &Providers,
        fetched: &Arc<Fetched>,
    ) -> Result<WebhookChannel, Vec<ChannelSpecErrorKind>> {
        let Some(provider) = self.own.as_ref().or_else(|| providers.find(&self.provider)) else {
            let known = providers.iter().map(|provider| provider.name().to_owned()).collect();
            return Err(vec![ChannelSpecErrorKind::Provider { found: self.provider, known }]);
        };
        let mut errors = self.unfit(provider);
        let terms = Terms { fetched: fetched.of_channel(&self.channel.id), ..self.terms() };
        let check = provider.scheme.check(provider.name(), &terms);
        match check {
            Ok(check) if errors.is_empty() => Ok(WebhookChannel {
                provider: Arc::clone(provider),
                check,
                body_bytes_max: self.body_bytes_max.unwrap_or(provider.body_bytes_max()),
                terms,
                splits: self.splits,
                figures: Figures::default(),
                dedupe: self.dedupe,
                rate: self.rate.map(|limit| Arc::new(Rate::new(limit))),
                allow_ips: self.allow_ips,
                channel: Arc::new(self.channel),
            }),
            Ok(_) => Err(errors),
            Err((index, error)) => {
                let provider = provider.name().to_owned();
                errors.push(ChannelSpecErrorKind::Secret { index, provider, error });
                Err(errors)
            }
        }
    }

    /// What does not fit the provider, apart from the form of the secrets.
    fn unfit(&self, provider: &Provider) -> Vec<ChannelSpecErrorKind> {
        let name = || provider.name().to_owned();
        let mut errors = Vec::new();
        if self.channel.kind != ChannelType::Webhook {
            errors.push(ChannelSpecErrorKind::Type(self.channel.kind.clone()));
        }
        match (provider.takes_secrets(), self.secrets.is_empty()) {
            (true, true) if provider.brings_secret() || provider.asks_by(&self.settings) => {}
            (true, true) => errors.push(ChannelSpecErrorKind::NoSecret(name())),
            (false, false) => errors.push(ChannelSpecErrorKind::SecretForNothing(name())),
            _ => {}
        }
        let known = provider.settings();
        for setting in known.iter().filter(|setting| setting.is_required) {
            if !self.settings.contains_key(&setting.name) {
                let (name, about) = (setting.name.clone(), setting.about.clone());
                let provider = provider.name().to_owned();
                errors.push(ChannelSpecErrorKind::NoSetting { provider, name, about });
            }
        }
        for found in self.settings.keys() {
            if !known.iter().any(|setting| setting.name == *found) {
                let known = known.iter().map(|setting| setting.name.clone()).collect();
                errors.push(ChannelSpecErrorKind::UnknownSetting { found: found.clone(), known });
            }
        }
        if provider.signs_url() && self.public_url.is_none() {
            errors.push(ChannelSpecErrorKind::NoPublicUrl(name()));
        }
        if self.splits && !provider.can_split() {
            errors.push(ChannelSpecErrorKind::SplitForNothing(name()));
        }
        if self.tolerance.is_some() && !provider.scheme.signs_time() {
            errors.push(ChannelSpecErrorKind::ToleranceForNothing(name()));
        }
        match self.body_bytes_max {
            Some(bytes) if !(1..=BODY_BYTES_MAX).contains(&bytes) => {
                errors.push(ChannelSpecErrorKind::BodyLimit(bytes));
            }
            _ => {}
        }
        errors
    }
}
