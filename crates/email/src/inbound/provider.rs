//! What a provider of inbound mail is, and the list of them.

use super::{
    cloudmailin::CloudMailin,
    held::{Held, NotHad},
    mailgun::Mailgun,
    postal::Postal,
    postmark::Postmark,
    raw::Raw,
    resend::Resend,
    sendgrid::SendGrid,
    ses::Ses,
};
use bytes::Bytes;
use headgate_event::{
    BoxFuture, Secret,
    data::{Auth, Envelope},
    limits::INBOUND_SIGNED_AGE_MAX,
};
use headgate_http::{CountedHold, RawRequest, Verify};
use http::StatusCode;
use serde_json::Value;
use std::{collections::BTreeMap, fmt, time::Duration};

/// The check of one channel, with its secrets prepared.
pub(super) type Check = Box<dyn Verify + Send + Sync>;

/// Who receives mail and hands it over.
pub(super) trait Provider: fmt::Debug + Send + Sync {
    /// The name in the configuration and in events.
    fn name(&self) -> &'static str;

    /// What its secrets are, for people.
    fn secret_form(&self) -> &'static str;

    /// Who carries its messages and proves them by a proof of its own, where it has no secrets.
    fn carrier(&self) -> Option<&'static str> {
        None
    }

    /// What a channel says beside secrets.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    /// Prepares the check of a channel: any of the secrets may prove a request whose signed time is
    /// within the window.
    fn check(&self, secrets: &[Secret], window: Window) -> Result<Check, (usize, SecretError)>;

    /// How old a signed time may be, where a repeat is known for this long.
    fn signed_age_max(&self, _known_for: Option<Duration>) -> Duration {
        INBOUND_SIGNED_AGE_MAX
    }

    /// The message that a request holds.
    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable>;

    /// The same with what the provider keeps of it, where the channel can have that fetched.
    fn complete<'a>(
        &'a self,
        handed: Handed,
        _held: Held<'a>,
    ) -> BoxFuture<'a, Result<Handed, NotHad>> {
        Box::pin(async { Ok(handed) })
    }

    /// The status by which it knows that a message is refused for good.
    fn refusal(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }
}

/// What a channel says beside secrets.
#[derive(Debug)]
pub(super) struct Setting {
    /// Its key in the `settings` of a channel.
    pub(super) name: &'static str,
    /// What it is, for people.
    pub(super) about: &'static str,
    pub(super) is_required: bool,
}

/// How far a signed time may be from ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) past: Duration,
    pub(super) future: Duration,
}

/// A message as a provider handed it over.
#[derive(Debug, Default)]
pub(super) struct Handed {
    /// The message (RFC 5322).
    pub(super) message: Bytes,
    /// Whether these are the bytes that its sender sent.
    pub(super) origin: Origin,
    /// The envelope, as far as the provider tells it.
    pub(super) envelope: Envelope,
    /// What the provider says of its sender.
    pub(super) auth: Option<Auth>,
    /// The provider's name of this delivery, the same in its retries.
    pub(super) delivery_id: Option<String>,
    /// The tag that the provider took out of the address.
    pub(super) tag: Option<String>,
    /// What is worth keeping besides.
    pub(super) metadata: BTreeMap<String, Value>,
    /// What is wrong with the message beside what its bytes say.
    pub(super) defects: Vec<&'static str>,
    /// The memory that what was fetched of it holds.
    pub(super) hold: Option<CountedHold>,
}

/// What is wrong with a message whose content its provider keeps.
pub(super) const CONTENT_PENDING: &str = "content_pending";

/// Where the bytes of a message are from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// Its sender: signatures over them can hold.
    #[default]
    Sender,
    /// They were put together from the parts that a provider gives.
    Parts,
}

/// Why a proven request holds no message.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// It should hold one.
    #[error("{0}")]
    NoMessage(String),
    /// It tells of something else, which is nothing to be mended.
    #[error("it tells of `{0}`")]
    OtherEvent(String),
}

/// Why a secret cannot be used. Its text never shows the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct SecretError {
    /// What the provider's secrets look like.
    pub expected: &'static str,
    /// What is wrong with this one.
    pub found: &'static str,
}

/// All providers, in the order in which they are told of.
static PROVIDERS: [&dyn Provider; 8] =
    [&Raw, &Postmark, &Mailgun, &SendGrid, &CloudMailin, &Postal, &Resend, &Ses];

/// The provider of a name.
pub(super) fn find(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.into_iter().find(|provider| provider.name() == name)
}

/// Whether the messages of a provider are carried, and proved, by somebody else: it has no secrets.
#[must_use]
pub fn is_carried(name: &str) -> bool {
    find(name).is_some_and(|provider| provider.carrier().is_some())
}

/// The names of all providers.
pub fn provider_names() -> impl Iterator<Item = &'static str> + Clone {
    PROVIDERS.into_iter().map(Provider::name)
}

/// The same as a list.
pub(super) fn names() -> Vec<&'static str> {
    provider_names().collect()
}

impl Window {
    /// A window without an end.
    pub(super) const ANY: Self = Self { past: Duration::MAX, future: Duration::MAX };
}

impl Unreadable {
    /// Something was expected that is not there.
    pub(super) fn missing(what: &str) -> Self {
        Self::NoMessage(format!("expected {what}, found none"))
    }
}
