//! The events of a Slack channel, made of the envelopes that Socket Mode brings.

use super::{
    deliver::{Deliver, Delivered},
    message::{Envelope, EnvelopeKind, Part},
};
use crate::{
    channel::SlackChannel,
    draft::{Drafted, Receipt, Transport, draft},
    merge::{self, Sent},
    payload::Payload,
    source::measures,
};
use headgate_event::{
    Accepted, BoxFuture, Clock, Covers, Sink, StoreError, Verdict, Verification, prompt::PromptKey,
};
use serde_json::value::RawValue;
use std::{fmt, sync::Arc};

/// What a verification by the connection is called: it was opened with the app's token.
const METHOD: &str = "slack_socket";

/// Stores what comes for one channel.
#[derive(Clone)]
pub struct ChannelDelivery {
    channel: Arc<SlackChannel>,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    prompt_key: PromptKey,
}

impl ChannelDelivery {
    /// A delivery to this channel.
    #[must_use]
    pub fn new(
        channel: Arc<SlackChannel>,
        sink: Arc<dyn Sink>,
        clock: Arc<dyn Clock>,
        prompt_key: PromptKey,
    ) -> Self {
        Self { channel, sink, clock, prompt_key }
    }

    async fn store(&self, envelope: Envelope) -> Result<Delivered, StoreError> {
        let name = &self.channel.channel.id;
        let retry_num = envelope.retry_attempt.filter(|attempt| *attempt > 0);
        if retry_num.is_some() {
            measures::retried(name, envelope.retry_reason.as_deref());
        }
        let payload = Arc::new(match envelope.part {
            Part::Payload => Payload::json(envelope.payload),
            Part::Message => Payload::missing(envelope.payload),
        });
        let receipt = Receipt {
            received_at: self.clock.now(),
            verification: verification(envelope.kind),
            transport: Transport::Socket,
            signed_at: None,
            retry_num,
            retry_reason: envelope.retry_reason,
            envelope_id: envelope.id,
        };
        match draft(&self.channel, &payload, &receipt, &self.prompt_key) {
            Drafted::OnlyAnswer => {}
            Drafted::OwnEvent => measures::dropped_own(name),
            Drafted::Event(draft) => {
                let sent = Sent { payload: Arc::clone(&payload), receipt, draft: *draft };
                let (sink, key) = (self.sink.as_ref(), &self.prompt_key);
                let stored = merge::store(&self.channel, sink, sent, key).await?;
                measures::stored(name, !matches!(stored.accepted, Accepted::New(_)));
            }
        }
        let answer = self.channel.answer_to(&payload);
        Ok(answer.and_then(|json| RawValue::from_string(json.to_owned()).ok()))
    }
}

impl Deliver for ChannelDelivery {
    fn deliver(&self, envelope: Envelope) -> BoxFuture<'_, Result<Delivered, StoreError>> {
        Box::pin(self.store(envelope))
    }
}

/// Envelopes carry no signature: Slack proves itself by its certificate, and we by the token.
fn verification(kind: EnvelopeKind) -> Verification {
    let detail = match kind {
        EnvelopeKind::Unknown => Some("an envelope of unknown type".to_owned()),
        EnvelopeKind::Unreadable => Some("a message that cannot be read".to_owned()),
        EnvelopeKind::EventsApi | EnvelopeKind::Interactive | EnvelopeKind::SlashCommands => None,
    };
    Verification {
        verdict: Verdict::Verified.into(),
        method: METHOD.into(),
        covers: Covers::Connection.into(),
        detail,
        key: None,
    }
}

impl fmt::Debug for ChannelDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelDelivery").field("channel", &self.channel.channel.id).finish()
    }
}
