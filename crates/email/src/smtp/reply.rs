//! What the server says: a code, an enhanced code (RFC 3463) and a sentence.
//!
//! Not for when it is said. The texts name no version and no cause that is ours to know.

use headgate_event::limits::SMTP_REPLY_TEXT_BYTES_MAX;
use std::borrow::Cow;

/// One reply of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: &'static str,
    text: Cow<'static, str>,
}

macro_rules! replies {
    ($($name:ident = $code:literal $enhanced:literal $text:literal;)+) => {
        $(pub(super) const $name: Self = Self::fixed($code, $enhanced, $text);)+
    };
}

impl Reply {
    replies! {
        BYE = 221 "2.0.0" "closing the connection";
        OK = 250 "2.0.0" "ok";
        SENDER_OK = 250 "2.1.0" "sender ok";
        RECIPIENT_OK = 250 "2.1.5" "recipient ok";
        CHUNK_OK = 250 "2.0.0" "chunk received";
        CANNOT_VERIFY = 252 "2.5.0" "cannot verify, but will take mail for it if it is known";
        READY_FOR_TLS = 220 "2.0.0" "ready for TLS";
        START_DATA = 354 "" "end the message with a dot on a line of its own";

        TOO_SLOW = 421 "4.4.2" "too slow, closing the connection";
        TOO_MANY_CONNECTIONS = 421 "4.7.0" "too many connections, try again later";
        TOO_MANY_ERRORS = 421 "4.7.0" "too many errors, closing the connection";
        TOO_MUCH = 421 "4.7.0" "this connection has brought enough, open another one";
        SHUTTING_DOWN = 421 "4.3.2" "shutting down, try again later";
        STORAGE_FAILED = 451 "4.3.0" "the message could not be stored, try again later";
        DISK_LOW = 452 "4.3.1" "not enough room, try again later";
        TOO_MANY_RECIPIENTS = 452 "4.5.3" "too many recipients, send the others separately";

        LINE_TOO_LONG = 500 "5.5.2" "the line is too long";
        LINE_END = 500 "5.5.2" "a line has to end with CR LF";
        UNKNOWN_COMMAND = 502 "5.5.1" "the command is not known";
        OUT_OF_ORDER = 503 "5.5.1" "the command is out of order";
        GREET_FIRST = 503 "5.5.1" "say EHLO or HELO first";
        SENDER_FIRST = 503 "5.5.1" "say MAIL first";
        SENDER_KNOWN = 503 "5.5.1" "a message is begun already";
        CHUNKS_BEGUN = 503 "5.5.1" "the message comes in chunks, end it with BDAT LAST";
        TALKED_TOO_EARLY = 503 "5.5.1" "wait for the reply to this command";
        TALKED_BEFORE_GREETING = 554 "5.5.1" "wait for the greeting";
        TLS_IS_ON = 503 "5.5.1" "TLS is on already";
        TLS_FIRST = 530 "5.7.0" "say STARTTLS first";
        NO_VALID_RECIPIENTS = 554 "5.5.1" "no valid recipients";

        UNKNOWN_RECIPIENT = 550 "5.1.1" "there is no such address here";
        SENDER_DENIED = 550 "5.7.1" "this address does not take mail from this sender";
        MAIL_LOOP = 550 "5.4.6" "the message has been through too many hosts";
        BARE_NEWLINES = 550 "5.6.0" "a line ends with something other than CR LF, or holds a NUL";
        TOO_LARGE = 552 "5.3.4" "the message is too large";
        NEEDS_UTF8 = 553 "5.6.7" "an address that is not ASCII needs SMTPUTF8";
        BAD_PARAMETER = 555 "5.5.4" "a parameter is not known";
        BODY_NOT_TAKEN = 504 "5.5.4" "expected `BODY=7BIT` or `BODY=8BITMIME`";
    }

    const fn fixed(code: u16, enhanced: &'static str, text: &'static str) -> Self {
        Self { code, enhanced, text: Cow::Borrowed(text) }
    }

    /// Arguments that cannot be read: `501 5.5.4`, or another enhanced code for addresses.
    pub(super) const fn syntax(enhanced: &'static str, text: &'static str) -> Self {
        Self::fixed(501, enhanced, text)
    }

    pub(super) fn greeting(host: &str) -> Self {
        Self { code: 220, enhanced: "", text: format!("{host} ESMTP").into() }
    }

    /// A line of the reply to EHLO or HELO.
    pub(super) fn hello(text: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 250, enhanced: "", text: text.into() }
    }

    /// The message is stored; the id is for the sender's log.
    pub(super) fn stored(id: &str) -> Self {
        Self { code: 250, enhanced: "2.0.0", text: shown("stored as ", id).into() }
    }

    /// The message is refused for good, for a reason that the sender may know.
    pub(super) fn refused(reason: &str) -> Self {
        Self { code: 550, enhanced: "5.7.1", text: shown("", reason).into() }
    }

    /// The code of RFC 5321: 2xx and 3xx go on, 4xx may be tried again, 5xx may not.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Whether trying again makes no sense (RFC 5321, section 4.2.1).
    pub(super) fn is_permanent_error(&self) -> bool {
        self.code >= 500
    }

    /// Appends the line and its end.
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        self.write_line(b' ', out);
    }

    /// Appends the line as one that others of the same reply follow.
    pub(super) fn write_continued_to(&self, out: &mut Vec<u8>) {
        self.write_line(b'-', out);
    }

    fn write_line(&self, separator: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(self.code.to_string().as_bytes());
        out.push(separator);
        if !self.enhanced.is_empty() {
            out.extend_from_slice(self.enhanced.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(self.text.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// A text that is not ours, on one line of visible ASCII.
fn shown(before: &str, text: &str) -> String {
    let visible = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' });
    before.chars().chain(visible).take(SMTP_REPLY_TEXT_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_text_cannot_add_a_line_to_a_reply() {
        let mut out = Vec::new();
        Reply::refused("no\r\n250 ok \u{1b}[1m").write_to(&mut out);
        assert_eq!(out, b"550 5.7.1 no??250 ok ?[1m\r\n");
        out.clear();
        Reply::refused(&"x".repeat(10_000)).write_to(&mut out);
        assert!(out.len() < 512, "{}", out.len());
    }
}
