//! Which channels an address belongs to: exact addresses first, then without the tag, then whole
//! domains.

use super::{
    address::{Address, AddressError},
    ports::{Match, Recipients, Routed},
};
use crate::Terms;
use headgate_event::{Channel, limits::SMTP_TAG_BYTES_MAX};
use std::{collections::HashMap, fmt, sync::Arc};

/// The addresses of all e-mail channels.
#[derive(Debug, Default)]
pub struct Directory {
    channels: Vec<MailChannel>,
    /// By pattern: places in `channels`, in the order of the configuration.
    by_pattern: HashMap<AddressPattern, Vec<usize>>,
}

/// An e-mail channel as the receiver knows it.
#[derive(Clone, Debug)]
pub struct MailChannel {
    /// The channel.
    pub channel: Arc<Channel>,
    /// The addresses it takes mail for.
    pub addresses: Vec<AddressPattern>,
    /// The senders it takes mail from; from all when there are none. A bounce has no sender: it
    /// passes only where this is empty.
    pub senders_allow: Vec<AddressPattern>,
    /// The senders it takes no mail from, also when they are among the others.
    pub senders_deny: Vec<AddressPattern>,
    /// The largest message it takes, in bytes.
    pub bytes_max: usize,
    /// On which terms it takes messages.
    pub terms: Terms,
}

/// One address, or all of a domain. Upper and lower case are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AddressPattern {
    /// `support@example.com`.
    Exact {
        /// The local part in lower case.
        local: String,
        /// The domain in lower case.
        domain: String,
    },
    /// `*@example.com`.
    Domain(String),
}

/// A text that is no pattern of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address or `*@domain`, found `{found}`: {cause}")]
pub struct PatternError {
    found: String,
    cause: AddressError,
}

impl AddressPattern {
    /// Reads `local@domain` or `*@domain`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let wrong = |cause| PatternError { found: text.chars().take(200).collect(), cause };
        let address = Address::parse(text).map_err(wrong)?;
        let domain = address.domain().to_owned();
        match address.local() {
            "*" => Ok(Self::Domain(domain)),
            local => Ok(Self::Exact { local: local.to_lowercase(), domain }),
        }
    }

    fn exact(local: &str, domain: &str) -> Self {
        Self::Exact { local: local.to_lowercase(), domain: domain.to_owned() }
    }

    fn contains(&self, address: &Address) -> bool {
        match self {
            Self::Exact { local, domain } => {
                *domain == address.domain() && *local == address.local().to_lowercase()
            }
            Self::Domain(domain) => domain == address.domain(),
        }
    }
}

impl fmt::Display for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact { local, domain } if domain.is_empty() => f.write_str(local),
            Self::Exact { local, domain } => write!(f, "{local}@{domain}"),
            Self::Domain(domain) => write!(f, "*@{domain}"),
        }
    }
}

impl Directory {
    /// The directory of these channels.
    #[must_use]
    pub fn new(channels: Vec<MailChannel>) -> Self {
        let mut by_pattern: HashMap<AddressPattern, Vec<usize>> = HashMap::new();
        for (place, channel) in channels.iter().enumerate() {
            for pattern in &channel.addresses {
                let places = by_pattern.entry(pattern.clone()).or_default();
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        Self { channels, by_pattern }
    }

    /// The channel with this id.
    #[must_use]
    pub fn channel(&self, id: &str) -> Option<&MailChannel> {
        self.channels.iter().find(|channel| channel.channel.id == id)
    }

    fn channels(&self, pattern: &AddressPattern) -> impl Iterator<Item = &MailChannel> {
        let places = self.by_pattern.get(pattern).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.channels.get(*place))
    }
}

impl Recipients for Directory {
    /// The most exact pattern that any channel has decides; a whole domain takes only what no
    /// address of it does.
    fn route(&self, to: &Address, from: Option<&Address>) -> Routed {
        let (untagged, tag) = match to.local().split_once('+') {
            Some((untagged, tag)) if !untagged.is_empty() => (untagged, Some(tag)),
            _ => (to.local(), None),
        };
        let patterns = [
            (AddressPattern::exact(to.local(), to.domain()), None),
            (AddressPattern::exact(untagged, to.domain()), tag),
            (AddressPattern::Domain(to.domain().to_owned()), tag),
        ];
        for (pattern, tag) in patterns {
            let mut known = self.channels(&pattern).peekable();
            if known.peek().is_none() {
                continue;
            }
            let willing: Vec<Match> = known
                .filter(|channel| channel.takes_from(from))
                .map(|channel| channel.matched(&pattern, tag))
                .collect();
            return if willing.is_empty() { Routed::Denied } else { Routed::To(willing) };
        }
        Routed::Unknown
    }
}

impl MailChannel {
    /// Whether it takes mail from this sender (none for a bounce).
    pub(crate) fn takes_from(&self, from: Option<&Address>) -> bool {
        let listed = |list: &[AddressPattern]| {
            from.is_some_and(|from| list.iter().any(|pattern| pattern.contains(from)))
        };
        !listed(&self.senders_deny)
            && (self.senders_allow.is_empty() || listed(&self.senders_allow))
    }

    fn matched(&self, pattern: &AddressPattern, tag: Option<&str>) -> Match {
        Match {
            channel: Arc::clone(&self.channel),
            matched_address: pattern.to_string(),
            tag: tag.map(|tag| tag.chars().take(SMTP_TAG_BYTES_MAX).collect()),
            bytes_max: self.bytes_max,
            terms: self.terms,
        }
    }
}
