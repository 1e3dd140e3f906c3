//! From a request to its message: proved, read, and completed with what its provider keeps.

use super::{InboundSource, OTHER_EVENT, apart, unstored};
use crate::{
    Message,
    inbound::{
        carrier::HandshakeAnswer,
        channel::{InboundChannel, Proof},
        held::{Held, NotHad},
        provider::{Handed, Unreadable},
    },
};
use headgate_event::{Timestamp, limits::STORE_RETRY_AFTER};
use headgate_http::{RawRequest, Refused, Reject, Verified};
use http::StatusCode;
use std::sync::Arc;
use tokio::task::JoinError;

/// A request that proved itself, and the message in it.
pub(super) struct Brought {
    pub(super) verified: Verified,
    pub(super) handed: Handed,
    pub(super) message: Message,
}

/// What a request that proved itself is.
pub(super) enum Came {
    Message(Box<Brought>),
    Handshake(HandshakeAnswer),
}

/// Why there is no message.
pub(super) enum NotBrought {
    /// The request is not taken.
    Refused(Box<Refused>),
    /// Our fault, with which the request is gone.
    Stopped(Reject),
}

impl InboundSource {
    /// What a request is that proves itself by `check`, with all of its message.
    pub(super) async fn brought(
        &self,
        channel: &Arc<InboundChannel>,
        request: RawRequest,
        check: &Proof,
        now: Timestamp,
    ) -> Result<Came, NotBrought> {
        let size = request.body.len();
        if let Some(carrier) = &channel.carrier
            && let Err(reject) = carrier.bring(&request, now).await
        {
            return Err(Box::new(Refused { request, reject }).into());
        }
        let check = Arc::clone(check);
        let verified = apart(size, move || Verified::check(request, &*check, now)).await??;
        if let Some(carrier) = &channel.carrier
            && let Some(shaken) = carrier.shake(&verified, now).await
        {
            return shaken.map(Came::Handshake).map_err(|reject| refused(verified, reject));
        }
        let of = Arc::clone(channel);
        let read = apart(size, move || match handed(&of, verified.request()) {
            Ok(handed) => Ok((verified, handed)),
            Err(reject) => Err(refused(verified, reject)),
        });
        let (verified, handed) = read.await??;
        let completed = channel.provider.complete(handed, self.held(channel)).await;
        let handed = completed.map_err(|why| not_had(channel, why));
        let handed = match handed.and_then(|handed| fitting(channel, handed)) {
            Ok(handed) => handed,
            Err(reject) => return Err(refused(verified, reject)),
        };
        let (raw, defects) = (handed.message.clone(), handed.defects.clone());
        let message = apart(raw.len(), move || Message::read(raw).with_defects(&defects)).await?;
        Ok(Came::Message(Box::new(Brought { verified, handed, message })))
    }

    /// By what the channel has things fetched.
    fn held<'a>(&'a self, channel: &'a InboundChannel) -> Held<'a> {
        Held {
            fetch: self.ports.held.as_deref(),
            settings: &channel.settings,
            message_bytes_max: channel.mail.bytes_max,
            bound: self.ports.intake.bound(),
        }
    }
}

/// What a proven request holds of a message.
fn handed(channel: &InboundChannel, request: &RawRequest) -> Result<Handed, Reject> {
    channel.provider.read(request).map_err(|why| {
        let message = "the request holds no message as the provider of this channel sends it";
        let (status, code) = match why {
            Unreadable::NoMessage(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unreadable_message"),
            Unreadable::OtherEvent(_) => (StatusCode::OK, OTHER_EVENT),
        };
        Reject::new(status, code, message).with_cause(why)
    })
}

/// The same, within the limit of its channel.
fn fitting(channel: &InboundChannel, handed: Handed) -> Result<Handed, Reject> {
    let size = handed.message.len();
    if size > channel.mail.bytes_max {
        return Err(too_large(channel, format!("it has {size} bytes")));
    }
    Ok(handed)
}

fn too_large(channel: &InboundChannel, cause: String) -> Reject {
    let most = channel.mail.bytes_max;
    let message = format!("the message has more than the {most} bytes that are taken here");
    Reject::new(channel.provider.refusal(), "message_too_large", message).with_cause(cause)
}

fn not_had(channel: &InboundChannel, why: NotHad) -> Reject {
    match why {
        NotHad::TooLarge(_) => too_large(channel, why.to_string()),
        NotHad::Failed(_) => {
            let cause = format!("the content of the message cannot be fetched: {why}");
            Reject::unavailable(cause, STORE_RETRY_AFTER)
        }
    }
}

fn refused(verified: Verified, reject: Reject) -> NotBrought {
    let (request, _) = verified.into_parts();
    Box::new(Refused { request, reject }).into()
}

impl From<Box<Refused>> for NotBrought {
    fn from(refused: Box<Refused>) -> Self {
        Self::Refused(refused)
    }
}

impl From<JoinError> for NotBrought {
    fn from(stopped: JoinError) -> Self {
        Self::Stopped(unstored(&stopped))
    }
}
