//! The content of a message: handed on as it comes, judged when it is whole.
//!
//! Not for where a message ends: that is the decoder's and, for chunks, the client's word.

use super::{Framing, Incoming, Phase, Posted, Session, Step, Transaction};
use crate::smtp::{address::Address, reply::Reply};
use headgate_event::data::Envelope;
use std::time::Instant;

/// What of a message came with some input.
struct Part {
    /// What is to be kept.
    bytes: Vec<u8>,
    /// Where the session is behind it.
    phase: Phase,
    /// Whether the message was refused before, so that nothing of it is kept.
    was_refused: bool,
    is_refused: bool,
}

impl Session {
    /// Takes what has come of a message.
    pub(super) fn body(&mut self, framing: Framing, now: Instant) -> Option<Step> {
        if self.spent.bytes > self.rules.bytes_max {
            return self.close(Reply::TOO_MUCH);
        }
        let is_whole = matches!(framing, Framing::Chunk { left: 0, .. });
        if self.input.is_empty() && !is_whole {
            return Some(Step::Read);
        }
        let Some(incoming) = &mut self.incoming else { return self.close(Reply::OUT_OF_ORDER) };
        let (used, part) = take(incoming, framing, &self.input, now);
        self.input.drain(..used);
        self.phase = part.phase;
        if self.phase == Phase::Commands {
            self.waiting_since = now;
            return self.end_chunk(part.bytes);
        }
        match (part.was_refused, part.is_refused) {
            (false, true) => Some(Step::Discard),
            (true, _) => None,
            (false, false) => keep(part.bytes),
        }
    }

    /// The reply to a chunk that is not the last. One that was refused ends its message.
    fn end_chunk(&mut self, part: Vec<u8>) -> Option<Step> {
        let refusal = self.incoming.as_ref().and_then(Incoming::refusal).cloned();
        match refusal {
            None => {
                self.say(Reply::CHUNK_OK);
                keep(part)
            }
            Some(reply) => {
                self.abandon();
                self.say(reply);
                Some(Step::Discard)
            }
        }
    }

    /// Drops bytes of a chunk whose command was refused: they are no commands.
    pub(super) fn drop_chunk(&mut self, left: u64, now: Instant) -> Option<Step> {
        let there = usize::try_from(left).unwrap_or(usize::MAX).min(self.input.len());
        self.input.drain(..there);
        let left = left - there as u64;
        if left == 0 {
            self.phase = Phase::Commands;
            self.waiting_since = now;
            return None;
        }
        self.phase = Phase::Refused { left };
        Some(Step::Read)
    }

    /// Hands on a whole message, or refuses it.
    pub(super) fn judge(&mut self) -> Option<Step> {
        let verdict = self.incoming.take().map_or(Ok(()), |incoming| incoming.verdict());
        let transaction = self.transaction.take();
        self.phase = Phase::Commands;
        match (verdict, transaction) {
            (Ok(()), Some(transaction)) => {
                self.phase = Phase::Delivering;
                Some(Step::Deliver(self.posted(transaction)))
            }
            (Ok(()), None) => self.close(Reply::OUT_OF_ORDER),
            (Err(reply), _) => {
                // Who sends line ends that others read otherwise gets no second try.
                if reply == Reply::BARE_NEWLINES {
                    self.close(reply);
                } else {
                    self.say(reply);
                }
                Some(Step::Discard)
            }
        }
    }

    fn posted(&self, transaction: Transaction) -> Posted {
        let Transaction { from, recipients, .. } = transaction;
        let envelope = Envelope {
            mail_from: Some(from.as_ref().map(Address::to_string).unwrap_or_default()),
            rcpt_to: recipients.iter().map(|recipient| recipient.address.to_string()).collect(),
            helo: self.helo.clone(),
            remote_ip: Some(self.peer.address.ip().to_canonical().to_string()),
            tls: self.secured,
        };
        Posted { envelope, from, recipients }
    }
}

/// Takes the bytes of the message that `input` begins with.
fn take(incoming: &mut Incoming, framing: Framing, input: &[u8], now: Instant) -> (usize, Part) {
    let was_refused = incoming.refusal().is_some();
    let most = match framing {
        Framing::Dot => input.len(),
        Framing::Chunk { left, .. } => usize::try_from(left).unwrap_or(usize::MAX),
    };
    let input = input.get(..most.min(input.len())).unwrap_or_default();
    let (used, ended, mut bytes) = incoming.take(input, now);
    let phase = match framing {
        Framing::Dot if ended => Phase::Ended,
        Framing::Dot => Phase::Body(framing),
        Framing::Chunk { left, is_last } => match (left.saturating_sub(used as u64), is_last) {
            (0, true) => {
                bytes.extend(incoming.finish());
                Phase::Ended
            }
            (0, false) => Phase::Commands,
            (left, is_last) => Phase::Body(Framing::Chunk { left, is_last }),
        },
    };
    (used, Part { bytes, phase, was_refused, is_refused: incoming.refusal().is_some() })
}

fn keep(part: Vec<u8>) -> Option<Step> {
    (!part.is_empty()).then_some(Step::Keep(part))
}
