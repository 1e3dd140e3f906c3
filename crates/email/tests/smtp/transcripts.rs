//! Every conversation of `fixtures/smtp`: what the client says is given, what comes back is
//! checked.
//!
//! A file has lines of these kinds: `# ` a remark, `= ` a setting, `C: ` a line of the client (with
//! `\r`, `\n`, `\0`, `\\` and `{text*times}`), `C+ ` the same without CR LF behind it, `C& ` a line
//! that comes in one packet with the next, `! ` something that happens. Written by the test: `S: `
//! a reply, `M: ` a message that was stored, `T:` a handshake, `X:` the end of the connection.
//! `UPDATE_FIXTURES=1` writes the latter anew; read the difference before you keep it.

use crate::wire::{Wire, peer, rules};
use headgate_email::smtp::{BareNewlines, Delivered, Disk, Load, Posted, SessionRules, TlsOffer};
use std::{fmt::Write, fs, path::PathBuf, time::Duration};

const UPDATE: &str = "UPDATE_FIXTURES";

/// How a packet reaches the session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packets {
    Whole,
    Bytes,
}

fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/smtp");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() > 10, "there are no transcripts");
    files
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test is told by the environment to rewrite")]
fn every_conversation_goes_as_it_is_written() {
    let update = std::env::var_os(UPDATE).is_some();
    let mut wrong = Vec::new();
    for file in files() {
        let script = fs::read_to_string(&file).expect("a transcript");
        let played = play(&script, Packets::Whole);
        if update {
            fs::write(&file, &played).expect("writes");
        } else if played != script {
            wrong.push(format!("{}:\n{played}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{UPDATE}=1 keeps what follows\n{}", wrong.join("\n"));
}

#[test]
fn a_conversation_goes_the_same_when_every_byte_comes_alone() {
    for file in files() {
        let script = fs::read_to_string(&file).expect("a transcript");
        if !script.contains("\n= packets matter") {
            let played = play(&script, Packets::Bytes);
            assert_eq!(played, script, "{}", file.display());
        }
    }
}

/// The script with what is said and done put in.
fn play(script: &str, packets: Packets) -> String {
    let settings = |line: &&str| line.starts_with("= ");
    let mut wire = wire(script.lines().filter(settings));
    let (mut out, mut packet, mut begun) = (String::new(), Vec::new(), false);
    for line in script.lines() {
        let (kind, rest) = line.split_at(line.len().min(3));
        if ["S: ", "M: ", "T:", "X:"].iter().any(|written| line.starts_with(written)) {
            continue;
        }
        if !begun && (kind.starts_with('C') || kind.starts_with('!')) && line != "! early" {
            begun = true;
            wire.run();
            tell(&mut wire, &mut out);
        }
        writeln!(out, "{line}").expect("writes");
        match kind {
            "C: " => packet.extend(bytes(rest, "\r\n")),
            "C& " => {
                packet.extend(bytes(rest, "\r\n"));
                continue;
            }
            "C+ " => packet.extend(bytes(rest, "")),
            _ if line.starts_with("! ") => happen(&mut wire, line.trim_start_matches("! ")),
            _ => continue,
        }
        let size = if packets == Packets::Whole { packet.len().max(1) } else { 1 };
        packet.chunks(size).for_each(|bytes| wire.send(bytes));
        packet.clear();
        tell(&mut wire, &mut out);
    }
    out
}

fn wire<'s>(settings: impl Iterator<Item = &'s str>) -> Wire {
    let mut rules: SessionRules = rules();
    let mut peer = peer(BareNewlines::Reject);
    for setting in settings {
        match setting.trim_start_matches("= ") {
            "packets matter" => {}
            "tls offered" => rules.tls = TlsOffer::Offered,
            "tls required" => rules.tls = TlsOffer::Required,
            "tls from the start" => peer.secured = true,
            "bare newlines normalized" => peer.bare_newlines = BareNewlines::Normalize,
            other => match other.split_once(" = ").expect("a setting") {
                ("recipients_max", value) => rules.recipients_max = value.parse().expect("n"),
                ("errors_max", value) => rules.errors_max = value.parse().expect("n"),
                ("messages_max", value) => rules.messages_max = value.parse().expect("n"),
                ("bytes_max", value) => rules.bytes_max = value.parse().expect("n"),
                (other, _) => panic!("unknown setting {other}"),
            },
        }
    }
    Wire::new(rules, peer)
}

fn happen(wire: &mut Wire, what: &str) {
    match what {
        "early" => wire.send(b"EHLO c\r\n"),
        "disk low" => wire.conditions.disk = Disk::Low,
        "disk free" => wire.conditions.disk = Disk::Free,
        "load" => wire.conditions.load = Load::Heavy,
        "stop" => {
            wire.session.stop();
            wire.run();
        }
        "store fails" => wire.answers.push_back(Delivered::TryAgain),
        "store is full" => wire.answers.push_back(Delivered::DiskLow),
        "store refuses" => wire.answers.push_back(Delivered::Refused("SPF fails".into())),
        "keeping fails" => wire.keeping_fails = true,
        other => {
            let seconds = other.strip_suffix(" s pass").expect("something that happens");
            wire.pass(Duration::from_secs(seconds.parse().expect("seconds")));
        }
    }
}

fn tell(wire: &mut Wire, out: &mut String) {
    for (posted, message) in wire.take_stored() {
        writeln!(out, "M: {} {:?}", told(&posted), String::from_utf8_lossy(&message))
            .expect("writes");
    }
    for line in wire.take_said().split_inclusive("\r\n") {
        let line = line.strip_suffix("\r\n").expect("a reply ends with CR LF");
        writeln!(out, "S: {line}").expect("writes");
    }
    for _ in 0..std::mem::take(&mut wire.handshakes) {
        writeln!(out, "T:").expect("writes");
    }
    if wire.closed && !out.contains("\nX:") {
        writeln!(out, "X:").expect("writes");
    }
}

fn told(posted: &Posted) -> String {
    let recipients: Vec<String> = posted
        .recipients
        .iter()
        .map(|recipient| {
            let channels: Vec<String> = recipient
                .matches
                .iter()
                .map(|found| {
                    let tag = found.tag.as_ref().map(|tag| format!("+{tag}")).unwrap_or_default();
                    format!("{}{tag}", found.channel.id)
                })
                .collect();
            format!("<{}> ({})", recipient.address, channels.join(", "))
        })
        .collect();
    let envelope = &posted.envelope;
    let tls = if envelope.tls { " by TLS" } else { "" };
    let from = envelope.mail_from.as_deref().expect("a sender");
    format!("<{from}> to {}{tls}", recipients.join(", "))
}

fn bytes(text: &str, end: &str) -> Vec<u8> {
    let mut text = text.to_owned();
    while let Some((before, rest)) = text.split_once('{') {
        let (inside, after) = rest.split_once('}').expect("a closing brace");
        let (piece, times) = inside.rsplit_once('*').expect("times");
        text = format!("{before}{}{after}", piece.repeat(times.parse().expect("times")));
    }
    let unescaped =
        text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0").replace("\\\\", "\\");
    [unescaped.as_bytes(), end.as_bytes()].concat()
}
