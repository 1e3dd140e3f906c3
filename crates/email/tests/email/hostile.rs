//! Messages made to abort, to hang or to fill the memory. Each becomes an event; what is kept of it
//! is bounded, and ten times as much of it takes no more than about ten times as long.

use crate::{drafted, event_of, receipt};
use headgate_event::{
    Event,
    limits::{MAIL_ATTACHMENTS_MAX, MAIL_HEAD_BYTES_MAX, MAIL_HTML_BYTES_MAX, MAIL_TEXT_BYTES_MAX},
};
use std::time::{Duration, Instant};

const FROM: &str = "From: a@orchard.example\r\nSubject: s\r\n";

/// A hostile message of about so many bytes.
type Maker = fn(usize) -> Vec<u8>;

fn repeated(head: &str, piece: &str, bytes: usize) -> Vec<u8> {
    let mut message = head.as_bytes().to_vec();
    message.extend(piece.as_bytes().iter().cycle().take(bytes / piece.len() * piece.len()));
    message
}

fn numbered(head: &str, bytes: usize, piece: impl Fn(usize) -> String) -> Vec<u8> {
    let mut message = head.as_bytes().to_vec();
    for number in 0.. {
        if message.len() >= bytes {
            break;
        }
        message.extend(piece(number).bytes());
    }
    message
}

fn html(piece: &str, bytes: usize) -> Vec<u8> {
    repeated(&format!("{FROM}Content-Type: text/html\r\n\r\n"), piece, bytes)
}

fn text(piece: &str, bytes: usize) -> Vec<u8> {
    repeated(&format!("{FROM}\r\n"), piece, bytes)
}

fn mixed(piece: &str, bytes: usize) -> Vec<u8> {
    let head = format!("{FROM}Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    repeated(&head, piece, bytes)
}

const HOSTILE: &[(&str, Maker)] = &[
    ("nested messages", |n| repeated(FROM, "Content-Type: message/rfc822\r\n\r\n", n)),
    ("nested digests", |n| {
        numbered(FROM, n, |i| {
            format!("Content-Type: multipart/digest; boundary=b{i}\r\n\r\n--b{i}\r\n\r\n")
        })
    }),
    ("nested multiparts", |n| {
        numbered(FROM, n, |i| {
            format!("Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n")
        })
    }),
    ("one boundary nested in itself", |n| {
        repeated(FROM, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", n)
    }),
    ("empty parts", |n| mixed("--b\r\n", n)),
    ("attachments", |n| mixed("--b\r\nContent-Disposition: attachment\r\n\r\n\r\n", n)),
    ("empty parts with heads", |n| mixed("--b\r\n\r\n\r\n", n)),
    ("parts whose boundaries are nowhere", |n| {
        mixed("--b\r\nContent-Type: multipart/mixed; boundary=none\r\n\r\n", n)
    }),
    ("parts in base64", |n| mixed("--b\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ\r\n", n)),
    ("lines like boundaries", |n| mixed("--bb\r\n", n)),
    ("tiny headers", |n| repeated(FROM, "a:\r\n", n)),
    ("folded lines", |n| repeated(&format!("{FROM}X: y\r\n"), " z\r\n", n)),
    ("one long header line", |n| repeated(&format!("{FROM}X: "), "x", n)),
    ("a header that never ends", |n| repeated(FROM, "no colon here ", n)),
    ("addresses", |n| repeated(&format!("{FROM}To: "), "a@b.example, ", n)),
    ("groups", |n| repeated(&format!("{FROM}To: "), "g:;", n)),
    ("comments", |n| repeated(&format!("{FROM}To: "), "(", n)),
    ("encoded words without end", |n| repeated(&format!("{FROM}Comments: "), "=?utf-8?q?", n)),
    ("encoded words", |n| repeated(&format!("{FROM}Subject: "), "=?utf-8?q?=C3=A4?= ", n)),
    ("parameters", |n| {
        numbered(&format!("{FROM}Content-Type: text/plain"), n, |i| format!("; a*{i}*=''b"))
    }),
    ("references", |n| repeated(&format!("{FROM}References: "), "<a@b>", n)),
    ("open angle brackets", |n| repeated(&format!("{FROM}References: "), "<", n)),
    ("deep HTML", |n| html("<div>", n)),
    ("deep lists", |n| html("<ul><li>", n)),
    ("deep quotes", |n| html("<blockquote>x", n)),
    ("end tags", |n| html("</div></x>", n)),
    ("crossing tags", |n| html("<b><i><div></b></i>x", n)),
    ("open comments", |n| html("<!--", n)),
    ("open tags", |n| html("<a href=\"", n)),
    ("attributes", |n| html("<p a=b style='/*' c>", n)),
    ("entities", |n| html("&amp&notin;", n)),
    ("links", |n| html("<a href=https://a.example/>b", n)),
    ("empty lines", |n| text("\r\n", n)),
    ("quote marks", |n| text(">", n)),
    ("quotes", |n| text("> a\r\n\r\n", n)),
    ("attributions", |n| text("On a\r\n", n)),
    ("attributions with a date", |n| text("On 1\r\nb@c\r\n", n)),
    ("header blocks", |n| text("From: a\r\nTo: b\r\n\r\n", n)),
    ("rules", |n| text("____________________\r\n", n)),
    ("signatures", |n| text("-- \r\n", n)),
    ("footers", |n| text("Sent from my iPhone\r\n", n)),
    ("NULs", |n| text("\0", n)),
    ("bare carriage returns", |n| text("\r", n)),
    ("soft line breaks", |n| {
        repeated(&format!("{FROM}Content-Transfer-Encoding: quoted-printable\r\n\r\n"), "=\r\n", n)
    }),
    ("calendar lines", |n| {
        repeated(&format!("{FROM}Content-Type: text/calendar\r\n\r\n"), "BEGIN:VEVENT\r\n \r\n", n)
    }),
    ("random bytes", |n| {
        let mut seed = 7u32;
        (0..n)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_be_bytes()[0]
            })
            .collect()
    }),
];

/// The event of a message on a thread with the smallest stack that any program gives.
fn event(raw: Vec<u8>) -> Event {
    let builder = std::thread::Builder::new().stack_size(512 << 10);
    let thread = builder.spawn(move || event_of(&drafted(&raw, &receipt()))).expect("a thread");
    thread.join().expect("an event")
}

#[test]
fn no_message_aborts_or_makes_an_event_that_is_too_large() {
    for (what, make) in HOSTILE {
        let raw = make(400 << 10);
        let size = raw.len();
        let event = event(raw);
        let data = event.email().unwrap_or_else(|| panic!("{what}: no message"));
        assert_eq!(data.size_bytes, size as u64, "{what}");
        assert!(data.attachments.len() <= MAIL_ATTACHMENTS_MAX, "{what}");
        let text = data.text.as_ref().map_or(0, String::len);
        assert!(text <= MAIL_TEXT_BYTES_MAX, "{what}: {text} bytes of text");
        assert!(data.html.as_ref().map_or(0, String::len) <= MAIL_HTML_BYTES_MAX, "{what}");
        let headers: usize = data.headers.iter().map(|h| h.name.len() + h.value.len()).sum();
        assert!(headers <= 2 * MAIL_HEAD_BYTES_MAX, "{what}: {headers} bytes of headers");
        assert!(event.data().get().len() < 4 * size + (4 << 20), "{what}");
    }
}

#[test]
fn ten_times_the_message_takes_about_ten_times_as_long() {
    let least = |make: &Maker, bytes: usize| {
        let raw = make(bytes);
        let took = (0..2).map(|_| {
            let start = Instant::now();
            drop(drafted(&raw, &receipt()));
            start.elapsed()
        });
        took.min().unwrap_or_default()
    };
    for (what, make) in HOSTILE {
        let short = least(make, 30 << 10).max(Duration::from_millis(20));
        let long = least(make, 300 << 10);
        assert!(long < short * 40, "{what}: {short:?} became {long:?}");
    }
}

#[test]
fn what_is_beyond_the_limits_is_named() {
    let defects = |make: Maker| {
        let event = event(make(1 << 20));
        event.email().expect("a message").defects.clone()
    };
    let of = |name: &str| HOSTILE.iter().find(|(known, _)| *known == name).expect("one").1;
    for (name, code) in [
        ("nested multiparts", "too_deep"),
        ("one boundary nested in itself", "boundary_repeated"),
        ("empty parts", "too_many_parts"),
        ("attachments", "too_many_attachments"),
        ("parts whose boundaries are nowhere", "too_many_parts"),
        ("tiny headers", "headers_left_out"),
        ("one long header line", "header_cut"),
    ] {
        let found = defects(of(name));
        assert!(found.iter().any(|defect| defect == code), "{name}: {found:?}");
    }
}

#[test]
fn the_author_is_found_behind_any_number_of_headers() {
    let mut raw = b"X: y\r\n".repeat(200_000);
    raw.extend_from_slice(b"From: anna@orchard.example\r\nSubject: found\r\n\r\nHello\r\n");
    let event = event(raw);
    let data = event.email().expect("a message");
    assert_eq!((data.from.as_str(), data.subject.as_str()), ("anna@orchard.example", "found"));
}
