//! A Slack channel, ready to receive: what both of its ways in know of it.

mod spec;

pub use spec::{SelfEvents, SlackChannelSpec, SlackChannelSpecError, SlackChannelSpecErrorKind};

use crate::{
    directory::Directory,
    merge::Merge,
    payload::{Payload, PayloadKind},
    verify::{ClientCertificate, Keys},
};
use headgate_event::Channel;
use serde_json::value::RawValue;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What a menu shows that nobody configured options for.
const NO_OPTIONS: &str = r#"{"options":[]}"#;

/// A channel, ready to receive.
#[derive(Clone, Debug)]
pub struct SlackChannel {
    pub(crate) channel: Arc<Channel>,
    pub(crate) keys: Keys,
    pub(crate) certificate: Option<ClientCertificate>,
    pub(crate) body_bytes_max: usize,
    pub(crate) dedupe: Option<Duration>,
    pub(crate) self_events: SelfEvents,
    /// Where a message meets its mention, when they are to be one event.
    pub(crate) merge: Option<Arc<Merge>>,
    pub(crate) team_names: BTreeMap<String, String>,
    pub(crate) directory: Directory,
    answers: BTreeMap<String, Box<RawValue>>,
}

impl SlackChannel {
    /// The channel as events name it.
    #[must_use]
    pub fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// The JSON to answer a payload with, where one is configured or Slack needs one; nothing is
    /// the empty answer.
    #[must_use]
    pub fn answer_to(&self, payload: &Payload) -> Option<&str> {
        let configured = match payload.kind() {
            PayloadKind::SlashCommand | PayloadKind::Interaction | PayloadKind::Options => {
                self.answers.get(payload.event_type()).map(|json| json.get())
            }
            _ => None,
        };
        configured.or((payload.kind() == PayloadKind::Options).then_some(NO_OPTIONS))
    }
}
