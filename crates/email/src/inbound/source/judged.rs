//! Whether a channel takes a message, and what its event is to say of how it came.

use super::{Brought, InboundSource};
use crate::{
    Claimed, Matched, Receipt, Taken,
    inbound::{channel::InboundChannel, provider::Origin},
};
use headgate_event::{data::Auth, limits::STORE_RETRY_AFTER};
use headgate_http::Reject;
use serde_json::json;
use std::sync::Arc;

impl InboundSource {
    /// The way of a message to the channel and how it came, or why the channel does not take it.
    pub(super) async fn judge(
        &self,
        channel: &InboundChannel,
        brought: &Brought,
    ) -> Result<(Matched, Receipt), Reject> {
        let Brought { verified, handed, message } = brought;
        let way = channel.way(&handed.envelope)?;
        let provider = channel.provider.name();
        let receipt = Receipt {
            received_at: verified.request().arrival.received_at,
            envelope: Some(handed.envelope.clone()),
            auth: self.verdicts(provider, brought).await,
            provider: Some(provider.to_owned()),
            delivery_id: handed.delivery_id.clone(),
        };
        let mut metadata = handed.metadata.clone();
        let auth = message.auth(&receipt);
        match channel.mail.terms.judge(auth.as_ref()) {
            Taken::Proven => {}
            Taken::Flagged => {
                let asked = channel.mail.terms.require.name();
                metadata.insert("require_unmet".to_owned(), asked.into());
            }
            Taken::Refused => return Err(channel.unproven()),
            Taken::NotYet => {
                let cause = "who sent the message could not be found out in time";
                return Err(Reject::unavailable(cause, STORE_RETRY_AFTER));
            }
        }
        let proof = verified.verification();
        let handed_over = json!({
            "provider": provider,
            "method": proof.method,
            "covers": proof.covers.as_str(),
            "key": proof.key,
            "detail": proof.detail,
        });
        metadata.insert("handed_over".to_owned(), handed_over);
        if handed.origin == Origin::Parts {
            metadata.insert("message_rebuilt".to_owned(), true.into());
        }
        let matched = Matched {
            channel: Arc::clone(&channel.mail.channel),
            address: way.address,
            tag: way.tag.or_else(|| handed.tag.clone()),
            dedupe: channel.mail.terms.dedupe,
            metadata,
        };
        Ok((matched, receipt))
    }

    /// Our own verdicts, where there are the bytes that the sender signed; else the provider's,
    /// which say nothing of DMARC and so never prove an author.
    async fn verdicts(&self, provider: &str, brought: &Brought) -> Option<Auth> {
        let Brought { verified, handed, message } = brought;
        if let Some(authenticator) = &self.ports.authenticator
            && handed.origin == Origin::Sender
        {
            let received_at = verified.request().arrival.received_at;
            let claimed = Claimed { message, envelope: &handed.envelope, received_at };
            return Some(authenticator.authenticate(claimed).await);
        }
        let source = Some(format!("provider:{provider}"));
        handed.auth.clone().map(|auth| Auth { from_verified: false, source, ..auth })
    }
}
