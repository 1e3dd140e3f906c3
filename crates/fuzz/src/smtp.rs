//! SMTP: where a message ends, and that any session is answered or closed.

use crate::Parts;
use headgate_email::{
    Terms,
    smtp::{
        AddressPattern, BareNewlines, Conditions, Delivered, Directory, MailChannel, Peer, Session,
        SessionRules, Step, TlsOffer,
    },
};
use headgate_event::{Channel, ChannelType, EventId, Timestamp};
use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

const BYTES_MAX: usize = 4_000;

static DIRECTORY: LazyLock<Arc<Directory>> = LazyLock::new(|| {
    let channel = Channel::new("mail", "Mail", ChannelType::Email).expect("fits");
    Arc::new(Directory::new(vec![MailChannel {
        channel: Arc::new(channel),
        addresses: vec![AddressPattern::parse("*@c.d").expect("a pattern")],
        senders_allow: Vec::new(),
        senders_deny: Vec::new(),
        bytes_max: BYTES_MAX,
        terms: Terms::default(),
    }]))
});

/// What became of a session.
struct Outcome {
    said: String,
    stored: Vec<Vec<u8>>,
    closed: bool,
}

/// A session on a wire of memory.
struct Wire {
    session: Session,
    now: Instant,
    kept: Vec<u8>,
    outcome: Outcome,
}

impl Wire {
    fn new(bare_newlines: BareNewlines) -> Self {
        let rules = SessionRules {
            tls: TlsOffer::Offered,
            message_bytes_max: BYTES_MAX,
            ..SessionRules::new("mx")
        };
        let address = SocketAddr::from(([192, 0, 2, 7], 50_000));
        let peer = Peer { address, secured: false, bare_newlines };
        let recipients = Arc::<Directory>::clone(&DIRECTORY);
        let now = Instant::now();
        let session = Session::new(Arc::new(rules), recipients, peer, now);
        let outcome = Outcome { said: String::new(), stored: Vec::new(), closed: false };
        let mut wire = Self { session, now, kept: Vec::new(), outcome };
        wire.run();
        wire
    }

    fn send(&mut self, bytes: &[u8]) {
        if !self.outcome.closed {
            self.session.receive(bytes);
            self.run();
        }
    }

    fn run(&mut self) {
        loop {
            let step = self.session.step(self.now, Conditions::default());
            let said = String::from_utf8(self.session.take_output()).expect("replies are text");
            self.outcome.said.push_str(&said);
            let told = self.outcome.said.matches("250 2.0.0 stored as ").count();
            assert_eq!(told, self.outcome.stored.len(), "told so exactly when it is stored");
            match step {
                Step::Read => break,
                Step::Keep(part) => self.kept.extend(part),
                Step::Discard => self.kept.clear(),
                Step::Deliver(posted) => {
                    assert!(!posted.recipients.is_empty() && self.kept.len() <= BYTES_MAX);
                    self.outcome.stored.push(std::mem::take(&mut self.kept));
                    let id = EventId::from_parts(Timestamp::from_unix_s(1), 1);
                    self.session.delivered(&Delivered::Stored(id), self.now);
                }
                Step::Secure => self.session.secured(self.now),
                Step::Close => {
                    self.outcome.closed = true;
                    break;
                }
            }
        }
        assert!(self.kept.len() <= BYTES_MAX, "more is kept than a message may have");
    }
}

/// Any session is answered in whole lines, stores each message once and before it says so, and ends
/// when its time is over.
pub(crate) fn session(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let size = usize::from(parts.byte()) + 1;
    let mut wire = Wire::new(BareNewlines::Reject);
    parts.rest().chunks(size).for_each(|packet| wire.send(packet));
    if !wire.outcome.closed {
        wire.now += Duration::from_secs(3600);
        wire.session.expire();
        wire.run();
    }
    assert!(wire.outcome.closed, "a client that says no more is left");
    for line in wire.outcome.said.split_inclusive("\r\n") {
        assert!(line.ends_with("\r\n") && line.len() < 512, "{line:?}");
        assert!(line.is_ascii() && line.as_bytes().iter().take(3).all(u8::is_ascii_digit));
    }
}

/// The content of DATA, in any packets, is what a second reading of RFC 5321 says: it ends at the
/// first CR LF `.` CR LF, and is stored only when no line ends otherwise.
pub(crate) fn data(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let size = usize::from(parts.byte()) + 1;
    let content = parts.rest();
    let mut wire = Wire::new(BareNewlines::Reject);
    for line in ["EHLO c\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<x@c.d>\r\n", "DATA\r\n"] {
        wire.send(line.as_bytes());
    }
    assert!(wire.outcome.said.contains("354 "), "{}", wire.outcome.said);
    wire.outcome.said.clear();
    let lined = [b"\r\n", content].concat();
    let Some(end) = lined.windows(5).position(|five| five == b"\r\n.\r\n") else {
        content.chunks(size).for_each(|packet| wire.send(packet));
        assert_eq!(wire.outcome.said, "", "a message that has no end is answered");
        return;
    };
    let whole = content.get(..end + 3).expect("inside");
    whole.chunks(size).for_each(|packet| wire.send(packet));
    let message = unstuffed(lined.get(2..end + 2).unwrap_or_default());
    let is_clean = is_clean(&message);
    let fits = message.len() <= BYTES_MAX;
    let expected = match (is_clean, fits) {
        (false, _) => "550 5.6.0",
        (true, false) => "552 5.3.4",
        (true, true) if hops(&message) > 50 => "550 5.4.6",
        (true, true) => "250 2.0.0",
    };
    let said = &wire.outcome.said;
    assert!(said.starts_with(expected) && said.lines().count() == 1, "{expected}, not {said}");
    let stored: Vec<Vec<u8>> = if expected.starts_with("250") { vec![message] } else { Vec::new() };
    assert_eq!(wire.outcome.stored, stored);
}

/// Lines without the dot that was put before theirs.
fn unstuffed(content: &[u8]) -> Vec<u8> {
    let lined = [b"\r\n", content].concat();
    let mut message = Vec::new();
    for (at, byte) in lined.iter().enumerate() {
        let begins = at.checked_sub(2).and_then(|start| lined.get(start..at)) == Some(b"\r\n");
        if !(begins && *byte == b'.') {
            message.push(*byte);
        }
    }
    message.split_off(2)
}

fn is_clean(message: &[u8]) -> bool {
    let text: Vec<u8> = String::from_utf8_lossy(message).replace("\r\n", "").into_bytes();
    !text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

fn hops(message: &[u8]) -> usize {
    let lines = message.split(|byte| *byte == b'\n').take_while(|line| *line != b"\r");
    lines.filter(|line| line.len() > 8 && line[..9].eq_ignore_ascii_case(b"received:")).count()
}
