//! A provider: who sends to a webhook channel, as its file describes it.
//!
//! All that differs between two senders is in their files; nothing here knows one by name.

mod generic;
mod problem;
mod table;

pub use problem::ProviderError;
pub(crate) use problem::{Problems, ProviderText};
pub use table::AnswerBody;
pub(crate) use table::VerifyTable;

use crate::{
    handshake::Handshakes,
    identity::Identity,
    render::Templates,
    sample::{SampleFile, Samples},
    scheme::{self, Scheme, Settings, Tolerance},
};
use headgate_event::{
    Covers, is_name,
    limits::{BODY_BYTES_DEFAULT, BODY_BYTES_MAX, CHANNEL_ID_BYTES_MAX},
};
use http::StatusCode;
use std::{fmt, time::Duration};
use table::{AnswerTable, FileTable, SettingTable};
use toml::{Spanned, de::DeValue};

/// Who sends to a webhook channel.
#[derive(Debug)]
pub struct Provider {
    name: String,
    title: String,
    docs: Option<String>,
    body_bytes_max: usize,
    answer: AnswerKind,
    sender: Sender,
    settings: Vec<Setting>,
    unconfirmed: Vec<String>,
    pub(crate) handshakes: Handshakes,
    pub(crate) scheme: Box<dyn Scheme>,
    pub(crate) identity: Identity,
    pub(crate) templates: Templates,
    pub(crate) samples: Samples,
}

/// What a provider wants to hear when its event is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerKind {
    /// A 2xx status.
    pub status: StatusCode,
    /// What the answer says.
    pub body: AnswerBody,
    /// The text that it says instead.
    pub text: Option<String>,
}

/// What a channel of a provider says beside its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key in the `settings` of a channel.
    pub name: String,
    /// What it is, for people.
    pub about: String,
    /// Whether a channel has to have it.
    pub is_required: bool,
}

/// How a provider behaves towards answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// How long it waits for an answer.
    pub timeout: Option<Duration>,
    /// When it sends again, in words.
    pub retries: Option<String>,
    /// What makes it stop sending, in words.
    pub stops: Option<String>,
}

impl Provider {
    /// The provider of channels whose sender nobody knows and nothing proves.
    pub const ANYONE: &str = "none";

    /// The provider of channels that describe their sender themselves.
    pub const GENERIC: &str = "generic";

    /// Reads a provider file. `file` is what errors call it; all of them are given, as far as the
    /// file can be read at all.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<ProviderError>> {
        Self::parse_with(file, text, &[])
    }

    /// The same with samples that stand beside the file, of this provider or of others. One of a
    /// name that is built in takes its place.
    pub fn parse_with(
        file: &str,
        text: &str,
        samples: &[SampleFile],
    ) -> Result<Self, Vec<ProviderError>> {
        Self::read(&ProviderText { file, text, part: None, samples })
    }

    /// The sender that a channel describes in its configuration: the provider
    /// [`GENERIC`](Self::GENERIC) with these tables in the place of its own. `text` is the whole
    /// file that `tables` was read from, and `file` what errors call it.
    pub fn generic(
        file: &str,
        text: &str,
        tables: &Spanned<DeValue<'_>>,
    ) -> Result<Self, Vec<ProviderError>> {
        let mut problems = Problems::of(&ProviderText { file, text, part: None, samples: &[] });
        match generic::merged(tables, &mut problems) {
            Some(part) if problems.len() == 0 => {
                Self::read(&ProviderText { file, text, part: Some(&part), samples: &[] })
            }
            _ => Err(problems.into_errors()),
        }
    }

    fn read(text: &ProviderText<'_>) -> Result<Self, Vec<ProviderError>> {
        let mut problems = Problems::of(text);
        match read(text, &mut problems) {
            Some(provider) if problems.len() == 0 => Ok(provider),
            _ => Err(problems.into_errors()),
        }
    }

    /// The name in the configuration and in events.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name in events: none for [`ANYONE`](Self::ANYONE).
    pub(crate) fn known_name(&self) -> Option<&str> {
        Some(self.name()).filter(|name| *name != Self::ANYONE)
    }

    /// The name people know it by.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where it documents its webhooks.
    #[must_use]
    pub fn docs(&self) -> Option<&str> {
        self.docs.as_deref()
    }

    /// The largest body it sends.
    #[must_use]
    pub fn body_bytes_max(&self) -> usize {
        self.body_bytes_max
    }

    /// What it wants to hear when an event is stored.
    #[must_use]
    pub fn answer(&self) -> &AnswerKind {
        &self.answer
    }

    /// How it behaves towards answers.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// How it proves itself, in one line for people.
    #[must_use]
    pub fn proof(&self) -> String {
        self.scheme.describe()
    }

    /// Whether its requests prove themselves. A channel of one whose do not takes what anyone
    /// sends.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.scheme.proves()
    }

    /// Whether its channels have secrets.
    #[must_use]
    pub fn takes_secrets(&self) -> bool {
        self.scheme.takes_secrets()
    }

    /// Whether a channel with these settings needs no secrets: what proves a request is asked for
    /// with them.
    #[must_use]
    pub fn asks_by(&self, settings: &Settings) -> bool {
        let names = self.scheme.settings_for_secrets();
        !names.is_empty() && names.iter().all(|name| settings.contains_key(*name))
    }

    /// Whether a channel may need no secrets, if it has the settings for that.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        !self.scheme.settings_for_secrets().is_empty()
    }

    /// Whether it hands a channel its secret, so that a channel may begin without.
    #[must_use]
    pub fn brings_secret(&self) -> bool {
        self.handshakes.bring_secret()
    }

    /// Whether it signs the URL, so that the public one has to be known.
    #[must_use]
    pub fn signs_url(&self) -> bool {
        self.scheme.needs_url()
    }

    /// What its proof covers.
    #[must_use]
    pub fn covers(&self) -> Covers {
        self.scheme.covers()
    }

    /// How far a time that it signs may be from ours; none when it signs none.
    #[must_use]
    pub fn tolerance(&self) -> Option<Tolerance> {
        self.scheme.tolerance()
    }

    /// What its channels say beside secrets.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// How it shakes hands, a line for each way.
    #[must_use]
    pub fn handshakes(&self) -> Vec<String> {
        self.handshakes.describe()
    }

    /// Whether a body of several events can become one event for each.
    #[must_use]
    pub fn can_split(&self) -> bool {
        self.identity.split.is_some()
    }

    /// What its file says that nobody has confirmed.
    #[must_use]
    pub fn unconfirmed(&self) -> &[String] {
        &self.unconfirmed
    }
}

fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Provider> {
    let file: FileTable = text.table(problems)?;
    if !is_name(file.name.get_ref(), CHANNEL_ID_BYTES_MAX) {
        let message =
            format!("expected a name of `a-z`, `0-9`, `-`, found `{}`", &file.name.as_ref());
        problems.add(file.name.span(), message);
    }
    if file.title.get_ref().trim().is_empty() {
        problems.add(file.title.span(), "expected a title, found nothing");
    }
    let body_max = file
        .request
        .body_max
        .map(|size| (size.span(), usize::try_from(size.into_inner().bytes).unwrap_or(usize::MAX)));
    if let Some((at, bytes)) = &body_max
        && !(1..=BODY_BYTES_MAX).contains(bytes)
    {
        problems.add(at.clone(), format!("expected 1 to {BODY_BYTES_MAX} bytes, found {bytes}"));
    }
    let answer = answer(&file.answer, problems);
    let scheme = scheme::read(text, problems);
    let identity = Identity::read(file.identity, file.split, scheme.as_deref(), problems);
    let handshakes = Handshakes::read(file.handshake, problems);
    let settings = settings(file.setting, problems);
    let templates = Templates::read(file.prompt, file.event, problems);
    let name = file.name.into_inner();
    let samples = Samples::read(&name, file.sample, text.samples, problems);
    let sender = file.sender;
    Some(Provider {
        name,
        title: file.title.into_inner(),
        docs: file.docs,
        body_bytes_max: body_max.map_or(BODY_BYTES_DEFAULT, |(_, bytes)| bytes),
        answer: answer?,
        sender: Sender {
            timeout: sender.timeout.map(|span| span.0),
            retries: sender.retries,
            stops: sender.stops,
        },
        settings,
        unconfirmed: file.unconfirmed,
        handshakes: handshakes?,
        scheme: scheme?,
        identity: identity?,
        templates: templates?,
        samples: samples?,
    })
}

fn settings(tables: Vec<Spanned<SettingTable>>, problems: &mut Problems) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for table in tables {
        let (at, table) = (table.span(), table.into_inner());
        let word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if table.name.is_empty() || !table.name.bytes().all(word) {
            let message = format!("expected a name of `a-z`, `_`, found `{}`", table.name);
            problems.add(at.clone(), message);
        }
        if settings.iter().any(|known| known.name == table.name) {
            problems.add(at, format!("setting `{}` stands for two things", table.name));
        }
        let SettingTable { name, about, required } = table;
        settings.push(Setting { name, about, is_required: required });
    }
    settings
}

fn answer(table: &AnswerTable, problems: &mut Problems) -> Option<AnswerKind> {
    let text = table.text.clone();
    let Some(status) = &table.status else {
        return Some(AnswerKind { status: StatusCode::OK, body: table.body, text });
    };
    match StatusCode::from_u16(*status.get_ref()) {
        Ok(read) if read.is_success() => Some(AnswerKind { status: read, body: table.body, text }),
        _ => {
            let message = format!("expected a 2xx status, found {}", status.get_ref());
            problems.add(status.span(), message);
            None
        }
    }
}

impl fmt::Display for AnswerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return write!(f, "{} with the text `{text}`", self.status.as_u16());
        }
        let body = match self.body {
            AnswerBody::Json => "with the id as JSON",
            AnswerBody::Empty => "with an empty body",
        };
        write!(f, "{} {body}", self.status.as_u16())
    }
}
