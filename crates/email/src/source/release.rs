//! A refused message looked at again: by the terms that its channel has, at the time it came.

use super::{MailSource, Unstored, captured, code, reading, reason, shown, sorted::Sorted};
use crate::{
    Message, Receipt,
    smtp::{Letter, Match},
};
use headgate_event::Accepted;
use headgate_http::{RawRequest, Reject};
use std::sync::Arc;

/// Why a message stays refused.
#[derive(Clone, Debug)]
pub enum NotReleased {
    /// Its channel is no longer there.
    UnknownChannel,
    /// It is no message that came by SMTP.
    NoMessage,
    /// It still is not what its channel asks for.
    Refused(Reject),
    /// It is, and could not be stored: our fault, and it may pass.
    NotStored(Reject),
}

/// A message that its channel takes by now.
struct Released {
    message: Message,
    receipt: Receipt,
    matched: crate::Matched,
    letter: Letter,
}

impl MailSource {
    /// Whether a refused message would be taken. `request.arrival` says when it came.
    pub async fn try_release(&self, channel: &str, request: RawRequest) -> Result<(), NotReleased> {
        self.judge_again(channel, request).await.map(drop)
    }

    /// Makes the event of a refused message that its channel takes by now, and stores it like any
    /// other. `rejection` is its id, which the event bears.
    pub async fn release(
        &self,
        channel: &str,
        request: RawRequest,
        rejection: &str,
    ) -> Result<Accepted, NotReleased> {
        let mut released = self.judge_again(channel, request).await?;
        let metadata = &mut released.matched.metadata;
        metadata.insert("released_from".to_owned(), rejection.into());
        let Released { message, receipt, matched, letter } = released;
        let key = self.ports.prompt_key.clone();
        let drafts = reading::drafts(message, receipt, vec![matched], key).await;
        let stored = match drafts {
            Some(drafts) => self.store(drafts, letter.hold).await,
            None => Err(Unstored::Failed("the event could not be made".to_owned())),
        };
        let stored = stored.and_then(|accepted| {
            let first = accepted.first().copied();
            first.ok_or_else(|| Unstored::Failed("the store gave no id".to_owned()))
        });
        stored.map_err(|why| {
            let (Unstored::Failed(cause) | Unstored::TooMuch(cause)) = why;
            let wait = headgate_event::limits::STORE_RETRY_AFTER;
            NotReleased::NotStored(Reject::unavailable(cause, wait))
        })
    }

    async fn judge_again(
        &self,
        channel: &str,
        request: RawRequest,
    ) -> Result<Released, NotReleased> {
        let matched = self.matched(channel).ok_or(NotReleased::UnknownChannel)?;
        let asked = matched.terms.require;
        let letter = captured::letter(request, matched).ok_or(NotReleased::NoMessage)?;
        let message = reading::read(&letter.message).await.ok_or(NotReleased::NoMessage)?;
        let receipt = self.receipt(&message, &letter).await;
        let auth = message.auth(&receipt);
        let mut sorted = Sorted::of(&letter.recipients, auth.as_ref());
        let taken = sorted.taken.pop();
        match taken {
            Some(matched) => Ok(Released { message, receipt, matched, letter }),
            None => {
                let found = auth.as_ref().map_or_else(|| "nobody checked".to_owned(), shown);
                let reject = Reject::unauthorized(code(asked), reason(asked)).with_cause(found);
                Err(NotReleased::Refused(reject))
            }
        }
    }

    /// The channel on its terms of this moment.
    fn matched(&self, id: &str) -> Option<Match> {
        let directory = self.directory.load();
        let channel = directory.channel(id)?;
        Some(Match {
            channel: Arc::clone(&channel.channel),
            matched_address: String::new(),
            tag: None,
            bytes_max: channel.bytes_max,
            terms: channel.terms,
        })
    }
}
