//! A message while it comes: its end, its size, its hops, and how long it may take.

use super::rules::{Load, SessionRules};
use crate::smtp::{
    data::{BareNewlines, Decoder, Stuffing},
    received::Hops,
    reply::Reply,
};
use headgate_event::limits::SMTP_RECEIVED_HOPS_MAX;
use std::time::{Duration, Instant};

/// A message that is not whole yet.
#[derive(Debug)]
pub(super) struct Incoming {
    decoder: Decoder,
    bare: BareNewlines,
    hops: Hops,
    /// The message so far, in bytes.
    bytes: u64,
    bytes_max: u64,
    /// What came over the line for it, in bytes.
    arrived: u64,
    /// Why it will be refused once it is whole.
    refusal: Option<Reply>,
    started: Instant,
    moved: Instant,
}

/// How the bytes of a message are told from what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// DATA: by a dot on a line of its own.
    Dot,
    /// BDAT: by its length.
    Chunk { left: u64, is_last: bool },
}

impl Incoming {
    pub(super) fn new(
        stuffing: Stuffing,
        bare: BareNewlines,
        bytes_max: u64,
        now: Instant,
    ) -> Self {
        Self {
            decoder: Decoder::new(stuffing, bare),
            bare,
            hops: Hops::default(),
            bytes: 0,
            bytes_max,
            arrived: 0,
            refusal: None,
            started: now,
            moved: now,
        }
    }

    /// Why the message is going to be refused, as far as it has come.
    pub(super) fn refusal(&self) -> Option<&Reply> {
        self.refusal.as_ref()
    }

    /// Refuses it once it is whole. What is kept of it may go.
    pub(super) fn refuse(&mut self, reply: Reply) {
        self.refusal.get_or_insert(reply);
    }

    /// Refuses it for its size if a part of so many bytes makes it too large.
    pub(super) fn announce(&mut self, part: u64) {
        if self.bytes.saturating_add(part) > self.bytes_max {
            self.refuse(Reply::TOO_LARGE);
        }
    }

    /// Takes the next bytes. Returns how many are of the message, whether it ends with them, and
    /// what they say.
    pub(super) fn take(&mut self, input: &[u8], now: Instant) -> (usize, bool, Vec<u8>) {
        let mut part = Vec::with_capacity(input.len());
        let decoded = self.decoder.decode(input, &mut part);
        self.moved = now;
        self.arrived = self.arrived.saturating_add(decoded.used as u64);
        self.note(&part);
        (decoded.used, decoded.ended, part)
    }

    /// Ends a message that has no end of its own. Returns what was still waiting.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut part = Vec::new();
        self.decoder.finish(&mut part);
        self.note(&part);
        part
    }

    fn note(&mut self, part: &[u8]) {
        self.bytes = self.bytes.saturating_add(part.len() as u64);
        self.hops.look(part);
        if self.bytes > self.bytes_max {
            self.refuse(Reply::TOO_LARGE);
        }
    }

    /// What is wrong with the whole message.
    pub(super) fn verdict(&self) -> Result<(), Reply> {
        if self.decoder.has_bare() && self.bare == BareNewlines::Reject {
            return Err(Reply::BARE_NEWLINES);
        }
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        if self.hops.count() > SMTP_RECEIVED_HOPS_MAX {
            return Err(Reply::MAIL_LOOP);
        }
        Ok(())
    }

    /// Until when more of it has to come.
    pub(super) fn deadline(&self, rules: &SessionRules, load: Load) -> Instant {
        let idle = match load {
            Load::Ordinary => rules.body_idle_timeout,
            Load::Heavy => rules.body_idle_timeout.min(rules.idle_timeout_under_load),
        };
        let rate = rules.body_bytes_per_second_min.max(1);
        let earned = Duration::from_millis(self.arrived.saturating_mul(1000) / rate);
        (self.moved + idle).min(self.started + rules.body_grace_timeout + earned)
    }
}
