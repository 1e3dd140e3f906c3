//! Which command is legal in which state, all of them in all of them.

use crate::wire::{Wire, peer, rules};
use headgate_email::smtp::{BareNewlines, SessionRules, TlsOffer};
use std::fmt::Write;

const STATES: [(&str, &[&str]); 6] = [
    ("connected", &[]),
    ("greeted", &["EHLO c"]),
    ("sender", &["EHLO c", "MAIL FROM:<a@b.example>"]),
    ("no valid", &["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<nobody@example.com>"]),
    ("recipient", &["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<support@example.com>"]),
    (
        "chunks",
        &["EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<support@example.com>", "BDAT 2\r\n"],
    ),
];

const COMMANDS: [&str; 14] = [
    "EHLO c",
    "HELO c",
    "MAIL FROM:<x@y.example>",
    "RCPT TO:<sales@example.com>",
    "DATA",
    "BDAT 0",
    "BDAT 0 LAST",
    "RSET",
    "NOOP",
    "VRFY support",
    "STARTTLS",
    "QUIT",
    "EXPN list",
    "AUTH PLAIN AA==",
];

#[test]
fn every_command_in_every_state_is_answered_as_the_table_says() {
    let mut table = String::new();
    // By column: connected, greeted, sender, no valid recipient, recipient, chunks begun.
    for command in COMMANDS {
        write!(table, "{:<28}", command.split(" F").next().expect("a verb")).expect("writes");
        for (name, before) in STATES {
            let rules = SessionRules { tls: TlsOffer::Offered, ..rules() };
            let mut wire = Wire::greeted(rules, peer(BareNewlines::Reject));
            before.iter().for_each(|line| wire.send(format!("{line}\r\n").as_bytes()));
            wire.take_said();
            assert!(!wire.closed, "{name}");
            let said = wire.ask(format!("{command}\r\n").as_bytes());
            let code = said.lines().last().and_then(|line| line.get(..3)).expect("a reply");
            let stored = if wire.stored.is_empty() { "" } else { "!" };
            write!(table, "{:<11}", format!("{code}{stored}")).expect("writes");
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    }
    insta::assert_snapshot!(table, @r"
    EHLO c                      250        250        250        250        250        250
    HELO c                      250        250        250        250        250        250
    MAIL                        503        250        503        503        503        503
    RCPT TO:<sales@example.com> 503        503        250        250        250        503
    DATA                        503        503        554        554        354        503
    BDAT 0                      503        503        554        554        250        250
    BDAT 0 LAST                 503        503        554        554        250!       250!
    RSET                        250        250        250        250        250        250
    NOOP                        250        250        250        250        250        250
    VRFY support                252        252        252        252        252        252
    STARTTLS                    220        220        220        220        220        220
    QUIT                        221        221        221        221        221        221
    EXPN list                   502        502        502        502        502        502
    AUTH PLAIN AA==             502        502        502        502        502        502
    ");
}

#[test]
fn a_reset_forgets_the_message_that_was_begun_and_none_that_was_stored() {
    let mut wire = Wire::greeted(rules(), peer(BareNewlines::Reject));
    wire.begin_message();
    wire.send(b"BDAT 3\r\na\r\nBDAT 3 LAST\r\nb\r\nRSET\r\n");
    assert_eq!(wire.stored.len(), 1);
    wire.begin_message();
    wire.send(b"BDAT 3\r\nc\r\nRSET\r\n");
    assert!(wire.kept.is_empty(), "what was kept of it went");
    assert!(wire.ask(b"DATA\r\n").contains("503"));
    assert_eq!((wire.stored.len(), wire.closed), (1, false));
}

#[test]
fn every_greeting_begins_anew() {
    let mut wire = Wire::greeted(rules(), peer(BareNewlines::Reject));
    wire.begin_message();
    assert!(wire.ask(b"HELO d\r\n").starts_with("250"));
    assert!(wire.ask(b"RCPT TO:<support@example.com>\r\n").starts_with("503"));
    wire.begin_message();
    wire.send(b"DATA\r\n");
    wire.send(b"x\r\n.\r\n");
    assert_eq!(wire.stored[0].0.envelope.helo.as_deref(), Some("c"));
}

#[test]
fn commands_that_bring_no_message_come_to_an_end() {
    let mut wire = Wire::greeted(rules(), peer(BareNewlines::Reject));
    let said = wire.ask("NOOP\r\n".repeat(1_000).as_bytes());
    assert_eq!((said.matches("250 2.0.0 ok").count(), wire.closed), (1_000, false));
    assert!(wire.ask(b"NOOP\r\n").starts_with("421 4.7.0"));
    assert!(wire.closed);
}
