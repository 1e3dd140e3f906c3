//! A Slack channel as it is configured, and what is wrong with it.

use super::SlackChannel;
use crate::{
    directory::Directory,
    merge::Merges,
    verify::{ClientCertificate, Keys, SigningSecret},
};
use headgate_event::{
    Channel, ChannelType, Open,
    limits::{
        SLACK_ANSWER_BYTES_MAX, SLACK_BODY_BYTES_MAX, SLACK_DEDUPE_WINDOW_DEFAULT, SLACK_MERGE_MAX,
    },
};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A Slack channel as it is configured.
#[derive(Clone, Debug)]
pub struct SlackChannelSpec {
    /// The channel.
    pub channel: Channel,
    /// The signing secrets, of which any may have signed: of several apps, or the old and the next
    /// one of one app. None for a channel that only receives over Socket Mode.
    pub signing_secrets: Vec<SigningSecret>,
    /// What a proxy has to say of the client's certificate besides; nothing when none is given.
    pub client_certificate: Option<ClientCertificate>,
    /// The largest body, in bytes; [`SLACK_BODY_BYTES_MAX`] when none is given.
    pub body_bytes_max: Option<usize>,
    /// How long a repeat of an event is known; every event counts when none is given.
    pub dedupe: Option<Duration>,
    /// What is done about what the app itself did.
    pub self_events: SelfEvents,
    /// How long a message and the mention in it wait for each other, to be one event; they are two
    /// when none is given. At most [`SLACK_MERGE_MAX`].
    pub merge_mentions: Option<Duration>,
    /// The names of workspaces by id, which Slack does not send.
    pub team_names: BTreeMap<String, String>,
    /// The names of users, conversations and groups by id, without `@` and `#`.
    pub names: BTreeMap<String, String>,
    /// What is answered to whom waits for more than an empty answer, as JSON objects: by
    /// [`ANSWERED`](Self::ANSWERED).
    pub answers: BTreeMap<String, Box<RawValue>>,
}

/// What is done about what the app itself did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfEvents {
    /// It is an event like any other, and says `is_self`.
    #[default]
    Flag,
    /// It is answered and not stored, except that the app came to a conversation or left it.
    Drop,
}

/// What is wrong with a Slack channel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("channel `{channel}`")]
pub struct SlackChannelSpecError {
    /// The id of the channel.
    pub channel: String,
    /// What it is.
    #[source]
    pub kind: SlackChannelSpecErrorKind,
}

/// What is wrong with a Slack channel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackChannelSpecErrorKind {
    /// Another channel has its id.
    #[error("another channel has this id")]
    Repeated,
    /// It is of another type.
    #[error("expected type `slack`, found `{0}`")]
    Type(Open<ChannelType>),
    /// A secret has nothing in it: anyone could sign with it.
    #[error("signing secret {} is empty", .index + 1)]
    EmptySecret {
        /// Which, from 0.
        index: usize,
    },
    /// A secret belongs to something that is no app.
    #[error(
        "signing secret {}: expected an app id such as `A0123ABCD`, found `{found}`", .index + 1
    )]
    App {
        /// Which, from 0.
        index: usize,
        /// The id as found.
        found: String,
    },
    /// A certificate without a name is anybody's.
    #[error("expected the name of a client certificate, found nothing")]
    Certificate,
    /// No body of this size is taken.
    #[error("expected a body limit of 1 to {SLACK_BODY_BYTES_MAX} bytes, found {0}")]
    BodyLimit(usize),
    /// A message would wait too long for its mention: Slack waits 3 s for the answer.
    #[error("expected 1 to {} ms, found {_0} ms", SLACK_MERGE_MAX.as_millis())]
    MergeMentions(u128),
    /// Nobody waits for an answer to this.
    #[error(
        "expected an answer to one of `{}`, found `{found}`", SlackChannelSpec::ANSWERED.join("`, `")
    )]
    AnswerTo {
        /// The name as found.
        found: String,
    },
    /// The answer is no object, or too large.
    #[error(
        "answer to `{to}`: expected a JSON object of {SLACK_ANSWER_BYTES_MAX} bytes at most, \
         found {bytes} bytes that begin with `{begin}`"
    )]
    Answer {
        /// To what.
        to: String,
        /// Its size.
        bytes: usize,
        /// Its first character.
        begin: String,
    },
}

impl SlackChannelSpec {
    /// To what Slack takes more than an empty answer.
    pub const ANSWERED: [&'static str; 5] = [
        "slash_command",
        "view_submission",
        "dialog_submission",
        "block_suggestion",
        "dialog_suggestion",
    ];

    /// A channel with these secrets and otherwise the defaults.
    #[must_use]
    pub fn new(channel: Channel, signing_secrets: Vec<SigningSecret>) -> Self {
        Self {
            channel,
            signing_secrets,
            client_certificate: None,
            body_bytes_max: None,
            dedupe: Some(SLACK_DEDUPE_WINDOW_DEFAULT),
            self_events: SelfEvents::default(),
            merge_mentions: None,
            team_names: BTreeMap::new(),
            names: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// The channel, or all that is wrong with it.
    pub fn prepare(self) -> Result<SlackChannel, Vec<SlackChannelSpecErrorKind>> {
        self.prepare_among(&Merges::default())
    }

    /// The same, with the place of its messages and mentions among those there are: what was joined
    /// there before is known.
    pub fn prepare_among(
        self,
        merges: &Merges,
    ) -> Result<SlackChannel, Vec<SlackChannelSpecErrorKind>> {
        let mut errors = Vec::new();
        if self.channel.kind != ChannelType::Slack {
            errors.push(SlackChannelSpecErrorKind::Type(self.channel.kind.clone()));
        }
        self.check_proofs(&mut errors);
        match self.body_bytes_max {
            Some(bytes) if !(1..=SLACK_BODY_BYTES_MAX).contains(&bytes) => {
                errors.push(SlackChannelSpecErrorKind::BodyLimit(bytes));
            }
            _ => {}
        }
        match self.merge_mentions {
            Some(window) if window.is_zero() || window > SLACK_MERGE_MAX => {
                errors.push(SlackChannelSpecErrorKind::MergeMentions(window.as_millis()));
            }
            _ => {}
        }
        self.check_answers(&mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let merge = self.merge_mentions.map(|window| merges.of(&self.channel.id, window));
        Ok(SlackChannel {
            merge: merge.map(Arc::new),
            channel: Arc::new(self.channel),
            keys: Keys::new(&self.signing_secrets),
            certificate: self.client_certificate,
            body_bytes_max: self.body_bytes_max.unwrap_or(SLACK_BODY_BYTES_MAX),
            dedupe: self.dedupe,
            self_events: self.self_events,
            team_names: self.team_names,
            directory: Directory::new(self.names),
            answers: self.answers,
        })
    }

    fn check_proofs(&self, errors: &mut Vec<SlackChannelSpecErrorKind>) {
        for (index, signing) in self.signing_secrets.iter().enumerate() {
            if signing.secret.expose().trim_ascii().is_empty() {
                errors.push(SlackChannelSpecErrorKind::EmptySecret { index });
            }
            if let Some(app) = &signing.api_app_id
                && !is_app(app)
            {
                let found = app.chars().take(40).collect();
                errors.push(SlackChannelSpecErrorKind::App { index, found });
            }
        }
        if self.client_certificate.as_ref().is_some_and(|certificate| certificate.name.is_empty()) {
            errors.push(SlackChannelSpecErrorKind::Certificate);
        }
    }

    fn check_answers(&self, errors: &mut Vec<SlackChannelSpecErrorKind>) {
        for (to, json) in &self.answers {
            if !Self::ANSWERED.contains(&to.as_str()) {
                let found = to.chars().take(40).collect();
                errors.push(SlackChannelSpecErrorKind::AnswerTo { found });
            }
            let (bytes, begin) = (json.get().len(), json.get().chars().take(1).collect::<String>());
            if begin != "{" || bytes > SLACK_ANSWER_BYTES_MAX {
                let to = to.clone();
                errors.push(SlackChannelSpecErrorKind::Answer { to, bytes, begin });
            }
        }
    }
}

fn is_app(id: &str) -> bool {
    let rest = id.strip_prefix('A').unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
