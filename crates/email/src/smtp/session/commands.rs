//! What each command does, and when it is legal (RFC 5321, section 4.1.4).

use super::{Conditions, Disk, Framing, Incoming, Phase, Session, Step, TlsOffer, Transaction};
use crate::smtp::{
    address::Address,
    command::{self, Chunk, Command, MailFrom},
    data::Stuffing,
    reply::Reply,
};
use headgate_event::limits::SMTP_COMMANDS_WITHOUT_MESSAGE_MAX;
use std::time::Instant;

/// What comes of a command: a reply, none before a chunk is read, or the end of the session.
type Answer = Result<Option<Reply>, Ending>;

/// The session ends with this reply.
struct Ending(Reply);

impl Session {
    /// Does what a line asks for.
    pub(super) fn obey(
        &mut self,
        line: &[u8],
        now: Instant,
        conditions: Conditions,
    ) -> Option<Step> {
        let spent = &mut self.spent;
        spent.commands_without_message = spent.commands_without_message.saturating_add(1);
        if spent.commands_without_message > SMTP_COMMANDS_WITHOUT_MESSAGE_MAX {
            return self.close(Reply::TOO_MUCH);
        }
        let had_message = self.incoming.is_some();
        let answer = match command::parse(line) {
            Ok(command) => self.answer(command, now, conditions),
            // What follows may be a chunk: nobody knows where it ends.
            Err(reply) if is_chunk(line) => Err(Ending(reply)),
            Err(reply) => Ok(Some(reply)),
        };
        match answer {
            Ok(Some(reply)) => self.say(reply),
            Ok(None) => {}
            Err(Ending(reply)) => return self.close(reply),
        }
        if self.phase == Phase::Handshake {
            return Some(Step::Secure);
        }
        (had_message && self.incoming.is_none()).then_some(Step::Discard)
    }

    fn answer(&mut self, command: Command, now: Instant, conditions: Conditions) -> Answer {
        Ok(Some(match command {
            Command::Ehlo(name) => self.greeted(name, Extensions::Listed)?,
            Command::Helo(name) => self.greeted(name, Extensions::None)?,
            Command::Mail(mail) => self.mail(mail, conditions)?,
            Command::Rcpt(address) => self.recipient(address),
            Command::Data => self.data(now)?,
            Command::Bdat(chunk) => return self.chunk(chunk, now),
            Command::Rset => {
                self.abandon();
                Reply::OK
            }
            Command::Noop => Reply::OK,
            Command::Vrfy => Reply::CANNOT_VERIFY,
            Command::Quit => return Err(Ending(Reply::BYE)),
            Command::StartTls => self.start_tls(),
        }))
    }

    fn greeted(&mut self, name: String, extensions: Extensions) -> Result<Reply, Ending> {
        self.is_last_of_its_group()?;
        self.abandon();
        self.helo = Some(name);
        let host = self.rules.host.clone();
        if extensions == Extensions::None {
            return Ok(Reply::hello(host));
        }
        let mut lines = vec![host];
        lines.extend(
            ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING"]
                .map(str::to_owned),
        );
        lines.push(format!("LIMITS RCPTMAX={}", self.rules.recipients_max));
        if self.rules.tls != TlsOffer::None && !self.secured {
            lines.push("STARTTLS".to_owned());
        }
        for line in lines {
            Reply::hello(line).write_continued_to(&mut self.output);
        }
        Ok(Reply::hello(format!("SIZE {}", self.rules.message_bytes_max)))
    }

    fn mail(&mut self, mail: MailFrom, conditions: Conditions) -> Result<Reply, Ending> {
        if self.rules.tls == TlsOffer::Required && !self.secured {
            return Ok(Reply::TLS_FIRST);
        }
        if self.helo.is_none() {
            return Ok(Reply::GREET_FIRST);
        }
        if self.transaction.is_some() {
            return Ok(Reply::SENDER_KNOWN);
        }
        if self.spent.messages >= self.rules.messages_max {
            return Err(Ending(Reply::TOO_MUCH));
        }
        if conditions.disk == Disk::Low {
            return Ok(Reply::DISK_LOW);
        }
        Ok(match Transaction::begin(mail, self.rules.message_bytes_max) {
            Ok(transaction) => {
                self.transaction = Some(transaction);
                Reply::SENDER_OK
            }
            Err(reply) => reply,
        })
    }

    fn recipient(&mut self, address: Address) -> Reply {
        let Some(transaction) = &mut self.transaction else { return Reply::SENDER_FIRST };
        if self.incoming.is_some() {
            return Reply::CHUNKS_BEGUN;
        }
        let most = self.rules.recipients_max;
        match transaction.add(address, &*self.recipients, most) {
            Ok(()) => Reply::RECIPIENT_OK,
            Err(reply) => reply,
        }
    }

    fn data(&mut self, now: Instant) -> Result<Reply, Ending> {
        // Also when the command is refused: what comes behind it may be a message, and its lines
        // are no commands.
        self.is_last_of_its_group()?;
        if self.incoming.is_some() {
            return Ok(Reply::CHUNKS_BEGUN);
        }
        if let Err(reply) = self.begin_message(Stuffing::Dots, now) {
            return Ok(reply);
        }
        self.phase = Phase::Body(Framing::Dot);
        Ok(Reply::START_DATA)
    }

    fn chunk(&mut self, chunk: Chunk, now: Instant) -> Answer {
        let begun = match self.incoming {
            Some(_) => Ok(()),
            None => self.begin_message(Stuffing::None, now),
        };
        if chunk.bytes > self.rules.bytes_max {
            return Err(Ending(begun.err().unwrap_or(Reply::TOO_LARGE)));
        }
        if let Err(reply) = begun {
            self.phase = Phase::Refused { left: chunk.bytes };
            return Ok(Some(reply));
        }
        if let Some(incoming) = &mut self.incoming {
            incoming.announce(chunk.bytes);
        }
        let Chunk { bytes: left, is_last } = chunk;
        self.phase = Phase::Body(Framing::Chunk { left, is_last });
        Ok(None)
    }

    fn begin_message(&mut self, stuffing: Stuffing, now: Instant) -> Result<(), Reply> {
        let transaction = self.transaction.as_ref().ok_or(Reply::SENDER_FIRST)?;
        if transaction.recipients.is_empty() {
            return Err(Reply::NO_VALID_RECIPIENTS);
        }
        let bytes_max = transaction.bytes_max(self.rules.message_bytes_max);
        let bare = self.peer.bare_newlines;
        self.incoming = Some(Incoming::new(stuffing, bare, bytes_max, now));
        Ok(())
    }

    fn start_tls(&mut self) -> Reply {
        if self.rules.tls == TlsOffer::None {
            return Reply::UNKNOWN_COMMAND;
        }
        if self.secured {
            return Reply::TLS_IS_ON;
        }
        // Whatever came behind the command came from before the handshake, from anybody on the
        // line.
        self.input.clear();
        self.abandon();
        self.phase = Phase::Handshake;
        Reply::READY_FOR_TLS
    }

    /// A client has to wait for the reply to some commands (RFC 2920, section 3.1).
    fn is_last_of_its_group(&self) -> Result<(), Ending> {
        if self.input.is_empty() { Ok(()) } else { Err(Ending(Reply::TALKED_TOO_EARLY)) }
    }
}

/// Whether the reply to a greeting lists what the server can do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extensions {
    Listed,
    None,
}

fn is_chunk(line: &[u8]) -> bool {
    line.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"BDAT"))
}
