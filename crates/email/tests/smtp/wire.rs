//! A session on a wire of memory: what the shell does, without a socket.

use headgate_email::Terms;
use headgate_email::smtp::{
    AddressPattern, BareNewlines, Conditions, Delivered, Directory, MailChannel, Peer, Posted,
    Session, SessionRules, Step,
};
use headgate_event::{Channel, ChannelType, EventId, Timestamp};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// The moment at which every stored message was stored.
pub(crate) const STORED_AT: Timestamp = Timestamp::from_unix_s(1_776_590_125);

/// One session and what became of it.
pub(crate) struct Wire {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    pub(crate) conditions: Conditions,
    pub(crate) kept: Vec<u8>,
    /// The answers of the mailbox; it stores when there are none left.
    pub(crate) answers: VecDeque<Delivered>,
    pub(crate) stored: Vec<(Posted, Vec<u8>)>,
    pub(crate) said: Vec<u8>,
    told_stored: usize,
    stored_before: usize,
    pub(crate) handshakes: usize,
    pub(crate) closed: bool,
    /// Whether keeping what comes fails.
    pub(crate) keeping_fails: bool,
}

pub(crate) fn rules() -> SessionRules {
    SessionRules { message_bytes_max: 1_000, ..SessionRules::new("mx.example.com") }
}

pub(crate) fn peer(bare_newlines: BareNewlines) -> Peer {
    let address = "203.0.113.9:51234".parse().expect("an address");
    Peer { address, secured: false, bare_newlines }
}

/// The addresses of all tests.
pub(crate) fn directory() -> Directory {
    let channel = |id: &str, addresses: &[&str]| MailChannel {
        channel: Arc::new(Channel::new(id, id, ChannelType::Email).expect("a channel")),
        addresses: patterns(addresses),
        senders_allow: Vec::new(),
        senders_deny: Vec::new(),
        bytes_max: 8 << 20,
        terms: Terms::default(),
    };
    Directory::new(vec![
        channel("support", &["support@example.com", "sales@example.com"]),
        channel("audit", &["sales@example.com"]),
        channel("all", &["*@catch.example"]),
        channel("books", &["grüße@bücher.example"]),
        MailChannel { bytes_max: 50, ..channel("small", &["small@example.com"]) },
        MailChannel {
            senders_allow: patterns(&["boss@example.org", "*@partner.example"]),
            senders_deny: patterns(&["bad@partner.example"]),
            ..channel("few", &["few@example.com"])
        },
    ])
}

fn patterns(texts: &[&str]) -> Vec<AddressPattern> {
    texts.iter().map(|text| AddressPattern::parse(text).expect("a pattern")).collect()
}

impl Wire {
    pub(crate) fn new(rules: SessionRules, peer: Peer) -> Self {
        let now = Instant::now();
        Self {
            session: Session::new(Arc::new(rules), Arc::new(directory()), peer, now),
            now,
            conditions: Conditions::default(),
            kept: Vec::new(),
            answers: VecDeque::new(),
            stored: Vec::new(),
            said: Vec::new(),
            told_stored: 0,
            stored_before: 0,
            handshakes: 0,
            closed: false,
            keeping_fails: false,
        }
    }

    /// A session that was greeted.
    pub(crate) fn greeted(rules: SessionRules, peer: Peer) -> Self {
        let mut wire = Self::new(rules, peer);
        wire.run();
        wire.take_said();
        wire
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if !self.closed {
            self.session.receive(bytes);
            self.run();
        }
    }

    /// Sends and returns the replies.
    pub(crate) fn ask(&mut self, bytes: &[u8]) -> String {
        self.send(bytes);
        self.take_said()
    }

    /// One message to `support`, up to the start of its content.
    pub(crate) fn begin_message(&mut self) {
        for line in
            ["EHLO c\r\n", "MAIL FROM:<a@b.example>\r\n", "RCPT TO:<support@example.com>\r\n"]
        {
            let reply = self.ask(line.as_bytes());
            assert!(reply.starts_with("250"), "{reply}");
        }
    }

    pub(crate) fn begin_data(&mut self) {
        self.begin_message();
        let reply = self.ask(b"DATA\r\n");
        assert!(reply.starts_with("354"), "{reply}");
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        self.now += span;
        if !self.closed && self.now >= self.session.deadline(self.conditions.load) {
            self.session.expire();
            self.run();
        }
    }

    pub(crate) fn take_said(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.said)).expect("replies are text")
    }

    pub(crate) fn run(&mut self) {
        loop {
            match self.session.step(self.now, self.conditions) {
                Step::Read => break self.collect(),
                Step::Keep(_) if self.keeping_fails => self.session.keeping_failed(),
                Step::Keep(part) => self.kept.extend(part),
                Step::Discard => self.kept.clear(),
                Step::Deliver(posted) => self.deliver(posted),
                Step::Secure => {
                    self.collect();
                    self.handshakes += 1;
                    self.session.secured(self.now);
                }
                Step::Close => {
                    self.collect();
                    break self.closed = true;
                }
            }
        }
    }

    fn deliver(&mut self, posted: Posted) {
        let message = std::mem::take(&mut self.kept);
        let id =
            EventId::from_parts(STORED_AT, (self.stored_before + self.stored.len()) as u128 + 1);
        let answer = self.answers.pop_front().unwrap_or(Delivered::Stored(id));
        self.collect();
        if matches!(answer, Delivered::Stored(_)) {
            self.stored.push((posted, message));
        }
        self.session.delivered(&answer, self.now);
    }

    /// Takes the replies; none says that a message is stored before it is.
    fn collect(&mut self) {
        let said = self.session.take_output();
        self.told_stored += String::from_utf8_lossy(&said).matches("250 2.0.0 stored").count();
        assert!(self.told_stored <= self.stored_before + self.stored.len(), "told too early");
        self.said.extend(said);
    }

    pub(crate) fn take_stored(&mut self) -> Vec<(Posted, Vec<u8>)> {
        self.stored_before += self.stored.len();
        std::mem::take(&mut self.stored)
    }
}
