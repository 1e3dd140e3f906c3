//! What is on its way to the store, and what acknowledges it once it is there.

use super::{LinkId, StoringId};
use crate::socket::{
    ack::{Carried, ack},
    message::Envelope,
};
use headgate_event::limits::{SOCKET_STORING_BYTES_MAX, SOCKET_STORING_MAX};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The envelopes that are being stored, within bounds of number and size.
#[derive(Clone, Debug, Default)]
pub(super) struct Storing {
    waiting: BTreeMap<StoringId, Waiting>,
    begun: u64,
    bytes: usize,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    link: LinkId,
    envelope_id: Option<String>,
    takes_answer: bool,
    bytes: usize,
}

impl Storing {
    /// Notes an envelope; none when there are too many already.
    pub(super) fn take(&mut self, link: LinkId, envelope: &Envelope) -> Option<StoringId> {
        let bytes = envelope.payload.len();
        let fits = self.bytes + bytes <= SOCKET_STORING_BYTES_MAX;
        if self.waiting.len() >= SOCKET_STORING_MAX || !fits {
            return None;
        }
        let id = StoringId(self.begun);
        self.begun += 1;
        self.bytes += bytes;
        let (envelope_id, takes_answer) = (envelope.id.clone(), envelope.takes_answer);
        self.waiting.insert(id, Waiting { link, envelope_id, takes_answer, bytes });
        Some(id)
    }

    /// Ends the wait for an envelope, whatever became of it.
    pub(super) fn finish(&mut self, id: StoringId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        self.bytes -= waiting.bytes;
        Some(waiting)
    }
}

impl Waiting {
    /// The connection that brought it.
    pub(super) fn link(&self) -> LinkId {
        self.link
    }

    /// What acknowledges it, and whether the answer was left out for its size.
    pub(super) fn acknowledgement(&self, answer: Option<&RawValue>) -> Option<(String, bool)> {
        let answer = answer.filter(|_| self.takes_answer);
        let (text, carried) = ack(self.envelope_id.as_deref()?, answer);
        Some((text, carried == Carried::TooLarge))
    }
}
