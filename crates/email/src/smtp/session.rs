//! One SMTP session without a socket or a clock: bytes and moments go in, replies and steps come
//! out.
//!
//! The shell feeds [`Session::receive`], does what [`Session::step`] says, writes what
//! [`Session::take_output`] gives, and calls [`Session::expire`] when [`Session::deadline`] is
//! over.
//!
//! ```text
//! Greeting -> Commands <-> Body -> Ended -> Delivering -> Commands
//!             Commands  -> Handshake -> Commands            any -> Closed
//! ```

mod body;
mod commands;
mod incoming;
mod rules;
mod transaction;

pub use crate::smtp::data::BareNewlines;
pub use rules::{Conditions, Disk, Load, Peer, SessionRules, TlsOffer};

use super::{
    address::Address,
    line::{Line, LineReader},
    ports::{Delivered, Recipient, Recipients},
    reply::Reply,
};
use headgate_event::{data::Envelope, limits};
use incoming::{Framing, Incoming};
use std::{mem, sync::Arc, time::Instant};
use transaction::Transaction;

/// One session.
#[derive(Debug)]
pub struct Session {
    rules: Arc<SessionRules>,
    recipients: Arc<dyn Recipients>,
    peer: Peer,
    phase: Phase,
    lines: LineReader,
    input: Vec<u8>,
    output: Vec<u8>,
    secured: bool,
    stopping: bool,
    /// The name that the client gave.
    helo: Option<String>,
    transaction: Option<Transaction>,
    /// The message of DATA, or of BDAT also between its chunks.
    incoming: Option<Incoming>,
    spent: Spent,
    /// When the client's turn began.
    waiting_since: Instant,
}

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    Commands,
    Body(Framing),
    /// Bytes of a chunk that was refused.
    Refused {
        left: u64,
    },
    Ended,
    Delivering,
    Handshake,
    Closed,
}

/// What a session has cost.
#[derive(Debug, Default)]
struct Spent {
    bytes: u64,
    errors: u32,
    messages: u32,
    commands_without_message: u32,
}

/// What the shell does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Write the output, then read more.
    Read,
    /// Keep these bytes of the message.
    Keep(Vec<u8>),
    /// Let go what is kept of the message: it is refused.
    Discard,
    /// The message is whole: store it, then say [`Session::delivered`].
    Deliver(Posted),
    /// Write the output, drop what was read and not received, shake hands, then say
    /// [`Session::secured`].
    Secure,
    /// Write the output and close.
    Close,
}

/// The envelope of a whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// As an event tells it.
    pub envelope: Envelope,
    /// The sender of MAIL; none for a bounce.
    pub from: Option<Address>,
    /// The recipients that were accepted, at least one.
    pub recipients: Vec<Recipient>,
}

impl Session {
    /// A session that begins at `now`.
    #[must_use]
    pub fn new(
        rules: Arc<SessionRules>,
        recipients: Arc<dyn Recipients>,
        peer: Peer,
        now: Instant,
    ) -> Self {
        Self {
            rules,
            recipients,
            secured: peer.secured,
            peer,
            phase: Phase::Greeting,
            lines: LineReader::default(),
            input: Vec::new(),
            output: Vec::new(),
            stopping: false,
            helo: None,
            transaction: None,
            incoming: None,
            spent: Spent::default(),
            waiting_since: now,
        }
    }

    /// Bytes that the client sent. Before the first [`step`](Self::step) that means that it did not
    /// wait for the greeting.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.spent.bytes = self.spent.bytes.saturating_add(bytes.len() as u64);
        self.input.extend_from_slice(bytes);
    }

    /// Goes on as far as it can without the shell.
    pub fn step(&mut self, now: Instant, conditions: Conditions) -> Step {
        loop {
            let done = match self.phase {
                Phase::Greeting => self.greet(now),
                Phase::Commands => self.command(now, conditions),
                Phase::Body(framing) => self.body(framing, now),
                Phase::Refused { left } => self.drop_chunk(left, now),
                Phase::Ended => self.judge(),
                // The shell owes an answer to the step before.
                Phase::Delivering | Phase::Handshake => Some(Step::Close),
                Phase::Closed => Some(Step::Close),
            };
            if let Some(step) = done {
                return step;
            }
        }
    }

    /// The replies that were not written yet.
    pub fn take_output(&mut self) -> Vec<u8> {
        mem::take(&mut self.output)
    }

    /// When the client's turn is over.
    #[must_use]
    pub fn deadline(&self, load: Load) -> Instant {
        if let (Phase::Body(_), Some(incoming)) = (self.phase, &self.incoming) {
            return incoming.deadline(&self.rules, load);
        }
        let idle = match load {
            Load::Ordinary => self.rules.idle_timeout,
            Load::Heavy => self.rules.idle_timeout.min(self.rules.idle_timeout_under_load),
        };
        self.waiting_since + idle
    }

    /// The client's turn is over.
    pub fn expire(&mut self) {
        self.close(Reply::TOO_SLOW);
    }

    /// The program stops: the message in hand is finished, and nothing else is begun.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether [`stop`](Self::stop) was said.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// What the shell could not keep is refused, once it is whole, with a reply that lets the
    /// sender try again.
    pub fn keeping_failed(&mut self) {
        if let Some(incoming) = &mut self.incoming {
            incoming.refuse(Reply::STORAGE_FAILED);
        }
    }

    /// What became of the message of [`Step::Deliver`].
    pub fn delivered(&mut self, delivered: &Delivered, now: Instant) {
        if self.phase != Phase::Delivering {
            return;
        }
        self.phase = Phase::Commands;
        self.waiting_since = now;
        self.spent.messages = self.spent.messages.saturating_add(1);
        self.spent.commands_without_message = 0;
        self.say(match delivered {
            Delivered::Stored(id) => Reply::stored(&id.to_string()),
            Delivered::TryAgain => Reply::STORAGE_FAILED,
            Delivered::DiskLow => Reply::DISK_LOW,
            Delivered::Refused(reason) => Reply::refused(reason),
        });
    }

    /// The connection is TLS from here on: what was said before it is forgotten (RFC 3207,
    /// section 4.2).
    pub fn secured(&mut self, now: Instant) {
        if self.phase == Phase::Handshake {
            self.phase = Phase::Commands;
            self.waiting_since = now;
            self.secured = true;
            self.helo = None;
            self.abandon();
        }
    }

    fn greet(&mut self, now: Instant) -> Option<Step> {
        if !self.input.is_empty() {
            return self.close(Reply::TALKED_BEFORE_GREETING);
        }
        if self.stopping {
            return self.close(Reply::SHUTTING_DOWN);
        }
        self.say(Reply::greeting(&self.rules.host));
        self.waiting_since = now;
        self.phase = Phase::Commands;
        None
    }

    fn command(&mut self, now: Instant, conditions: Conditions) -> Option<Step> {
        if self.stopping {
            return self.close(Reply::SHUTTING_DOWN);
        }
        if self.spent.bytes > self.rules.bytes_max {
            return self.close(Reply::TOO_MUCH);
        }
        match self.lines.next(&self.input) {
            Line::Partial => {
                // A session that waits holds no more than a line.
                self.input.shrink_to(limits::SMTP_COMMAND_BYTES_MAX);
                Some(Step::Read)
            }
            Line::Whole(length) => {
                let line = self.take_line(length);
                self.waiting_since = now;
                self.obey(&line, now, conditions)
            }
            Line::TooLong(length) => {
                self.take_line(length);
                self.waiting_since = now;
                self.say(Reply::LINE_TOO_LONG);
                None
            }
            Line::Skipped(length) => {
                self.take_line(length);
                None
            }
            Line::Endless => self.close(Reply::LINE_TOO_LONG),
            Line::BareNewline => self.close(Reply::LINE_END),
        }
    }

    /// Takes a line from the input, without its end.
    fn take_line(&mut self, length: usize) -> Vec<u8> {
        let mut line: Vec<u8> = self.input.drain(..length.min(self.input.len())).collect();
        line.truncate(line.len().saturating_sub(2));
        line
    }

    /// Forgets the message that was begun.
    fn abandon(&mut self) {
        self.transaction = None;
        self.incoming = None;
    }

    /// Says a reply; too many refusals end the session.
    fn say(&mut self, reply: Reply) {
        reply.write_to(&mut self.output);
        if !reply.is_permanent_error() {
            return;
        }
        self.spent.errors = self.spent.errors.saturating_add(1);
        if self.spent.errors >= self.rules.errors_max {
            self.close(Reply::TOO_MANY_ERRORS);
        }
    }

    /// Says a last reply. What the client has sent beyond it is not read.
    fn close(&mut self, reply: Reply) -> Option<Step> {
        if self.phase != Phase::Closed {
            reply.write_to(&mut self.output);
        }
        self.abandon();
        self.input.clear();
        self.phase = Phase::Closed;
        Some(Step::Close)
    }
}
