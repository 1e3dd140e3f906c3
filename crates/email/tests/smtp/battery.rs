//! Where a message ends: only at CR LF `.` CR LF, however its bytes are cut into packets.

use crate::wire::{Wire, peer, rules};
use headgate_email::smtp::BareNewlines::{self, Normalize, Reject};

/// What some server takes, or took, for the end of a message.
const FALSE_ENDS: [&[u8]; 15] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r.\n",
    b"\r\n.\r\r\n",
    b"\r\n.\0\r\n",
    b"\r\n\0.\r\n",
    b"\r\n.\r\0\n",
    b"\r\0\n.\r\n",
    b"\r\r.\r\r",
    b"\n\n.\n\n",
];

/// The message that a sender of `FALSE_ENDS` would like to be another.
const SMUGGLED: &[u8] = b"MAIL FROM:<admin@example.com>\r\nRCPT TO:<support@example.com>\r\n\
    DATA\r\nSubject: forged\r\n\r\nforged\r\n.\r\n";

/// Sends a content that begins with a false end in every way two cuts allow, and byte by byte.
fn each_cut(content: &[u8], bare: BareNewlines, mut check: impl FnMut(Wire)) {
    let mut cut = |pieces: &[&[u8]]| {
        let mut wire = Wire::greeted(rules(), peer(bare));
        wire.begin_data();
        pieces.iter().for_each(|piece| wire.send(piece));
        check(wire);
    };
    for at in 0..=content.len() {
        let (one, two) = content.split_at(at);
        cut(&[one, two]);
    }
    cut(&content.chunks(1).collect::<Vec<_>>());
}

#[test]
fn nothing_but_a_dot_between_two_line_ends_ends_a_message() {
    for end in FALSE_ENDS {
        let content = [b"Subject: a\r\n\r\none", end, SMUGGLED].concat();
        each_cut(&content, Reject, |mut wire| {
            let said = wire.take_said();
            assert!(wire.stored.is_empty(), "{end:?} stored something");
            assert_eq!(said.matches("550 5.6.0").count(), 1, "{end:?}: {said}");
            assert_eq!(said.lines().count(), 1, "{end:?}: {said}");
            assert!(wire.closed, "{end:?} left the connection open");
        });
    }
}

#[test]
fn a_false_end_is_not_answered_before_the_true_one() {
    for end in FALSE_ENDS {
        let mut wire = Wire::greeted(rules(), peer(Reject));
        wire.begin_data();
        assert_eq!(wire.ask(&[b"one", end, b"two\r\n"].concat()), "", "{end:?}");
        assert!(!wire.closed);
    }
}

#[test]
fn a_trusted_network_gets_one_message_out_of_a_false_end() {
    for end in FALSE_ENDS {
        let content = [b"one", end, SMUGGLED].concat();
        each_cut(&content, Normalize, |mut wire| {
            let said = wire.take_said();
            assert!(said.starts_with("250 2.0.0 stored"), "{end:?}: {said}");
            assert_eq!((wire.stored.len(), said.lines().count()), (1, 1), "{end:?}");
            let (posted, message) = &wire.stored[0];
            assert_eq!(posted.envelope.mail_from.as_deref(), Some("a@b.example"));
            assert!(message.ends_with(b"DATA\r\nSubject: forged\r\n\r\nforged\r\n"));
            let bare = message
                .windows(2)
                .any(|two| (two[0] == b'\r') != (two[1] == b'\n') || two.contains(&0));
            assert!(!bare, "{end:?}: {:?}", String::from_utf8_lossy(message));
        });
    }
}

#[test]
fn a_message_comes_out_as_it_was_before_its_dots_were_stuffed() {
    for (sent, stored) in [
        (&b".\r\n"[..], &b""[..]),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..b\r\n...\r\n.c\r\n.\r\n", b"a\r\n.b\r\n..\r\nc\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
        (b"caf\xc3\xa9 \xff\r\n.\r\n", b"caf\xc3\xa9 \xff\r\n"),
    ] {
        each_cut(sent, Reject, |mut wire| {
            let said = wire.take_said();
            assert_eq!(wire.stored.len(), 1, "{sent:?}: {said}");
            assert_eq!(wire.stored[0].1, stored, "{sent:?}");
        });
    }
}

#[test]
fn a_return_before_the_last_line_end_is_refused_there() {
    each_cut(b"a\r\r\n.\r\n", Reject, |mut wire| {
        assert!(wire.take_said().starts_with("550 5.6.0"));
        assert!(wire.stored.is_empty() && wire.closed);
    });
}

#[test]
fn chunks_say_where_they_end_and_nothing_in_them_does() {
    let content = b"a\r\n.\r\nQUIT\r\n..b\r\n";
    let command = format!("BDAT {}\r\n", content.len());
    let sent = [command.as_bytes(), content, b"BDAT 0 LAST\r\n"].concat();
    for at in 0..=sent.len() {
        let mut wire = Wire::greeted(rules(), peer(Reject));
        wire.begin_message();
        let (one, two) = sent.split_at(at);
        wire.send(one);
        wire.send(two);
        assert_eq!(wire.stored.len(), 1, "cut at {at}: {}", wire.take_said());
        assert_eq!(wire.stored[0].1, content);
    }
}

#[test]
fn chunks_keep_to_the_same_line_ends() {
    for content in [&b"a\nb\r\n"[..], b"a\rb\r\n", b"a\0\r\n", b"a\r"] {
        let command = format!("BDAT {} LAST\r\n", content.len());
        let mut wire = Wire::greeted(rules(), peer(Reject));
        wire.begin_message();
        let said = wire.ask(&[command.as_bytes(), content].concat());
        assert!(said.starts_with("550 5.6.0"), "{content:?}: {said}");
        assert!(wire.stored.is_empty() && wire.closed);
        let mut wire = Wire::greeted(rules(), peer(Normalize));
        wire.begin_message();
        let said = wire.ask(&[command.as_bytes(), content].concat());
        assert!(said.starts_with("250"), "{content:?}: {said}");
    }
}

#[test]
fn a_line_end_across_two_chunks_is_one() {
    let mut wire = Wire::greeted(rules(), peer(Reject));
    wire.begin_message();
    let said = wire.ask(b"BDAT 2\r\na\rBDAT 1\r\n\nBDAT 0 LAST\r\n");
    assert_eq!(wire.stored.len(), 1, "{said}");
    assert_eq!(wire.stored[0].1, b"a\r\n");
}
