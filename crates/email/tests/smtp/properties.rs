//! What holds of any bytes whatever.

use crate::wire::{Wire, peer, rules};
use headgate_email::smtp::{BareNewlines, SessionRules, TlsOffer};
use proptest::prelude::*;

/// Pieces of conversations, legal and not.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        &b"EHLO c\r\n"[..],
        b"HELO c\r\n",
        b"MAIL FROM:<a@b.example>\r\n",
        b"MAIL FROM:<> SIZE=10\r\n",
        b"RCPT TO:<support@example.com>\r\n",
        b"RCPT TO:<nobody@example.com>\r\n",
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n",
        b"DATA\r\n",
        b"BDAT 5\r\n",
        b"BDAT 3 LAST\r\n",
        b"RSET\r\n",
        b"STARTTLS\r\n",
        b"NOOP\r\n",
        b"QUIT\r\n",
        b"Subject: a\r\n\r\n",
        b".\r\n",
        b"\r\n.\r\n",
        b"\r",
        b"\n",
        b".",
        b"\0",
    ]);
    prop_oneof![9 => known.prop_map(<[u8]>::to_vec), 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

fn played(pieces: &[Vec<u8>]) -> Wire {
    let rules = SessionRules { tls: TlsOffer::Offered, ..rules() };
    let mut wire = Wire::greeted(rules, peer(BareNewlines::Reject));
    wire.send(b"EHLO c\r\n");
    pieces.iter().for_each(|piece| wire.send(piece));
    wire
}

proptest! {
    #[test]
    fn any_bytes_are_answered_and_each_message_is_stored_once(
        pieces in prop::collection::vec(piece(), 0..40),
    ) {
        let mut wire = played(&pieces);
        let said = wire.take_said();
        let stored = said.matches("250 2.0.0 stored as ").count();
        prop_assert!(wire.kept.len() <= 1_000, "more is kept than a message may have");
        prop_assert_eq!(stored, wire.stored.len(), "{}", &said);
        for line in said.split_inclusive("\r\n") {
            prop_assert!(line.ends_with("\r\n") && line.len() < 512);
            prop_assert!(line.get(..3).is_some_and(|code| code.parse::<u16>().is_ok()));
        }
        for (posted, message) in &wire.stored {
            prop_assert!(!posted.recipients.is_empty());
            prop_assert!(message.len() <= 1_000);
        }
        wire.pass(std::time::Duration::from_secs(3600));
        prop_assert!(wire.closed, "a client that says no more is left");
    }

    #[test]
    fn what_is_stored_is_what_a_sender_stuffed(
        lines in prop::collection::vec("[ -~]{0,20}|\\.{0,3}", 0..20),
        at in any::<prop::sample::Index>(),
    ) {
        let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let stuffed: String = lines
            .iter()
            .map(|line| format!("{}{line}\r\n", if line.starts_with('.') { "." } else { "" }))
            .collect();
        let sent = format!("{stuffed}.\r\n");
        let mut wire = Wire::greeted(rules(), peer(BareNewlines::Reject));
        wire.begin_data();
        let (one, two) = sent.split_at(at.index(sent.len()));
        wire.send(one.as_bytes());
        wire.send(two.as_bytes());
        prop_assert_eq!(wire.stored.len(), 1);
        prop_assert_eq!(&wire.stored[0].1, message.as_bytes());
    }
}
