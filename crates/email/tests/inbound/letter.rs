//! One message: its parts as providers tell them, and the whole of it as it was sent.

use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::data::Envelope;

pub(crate) const TEXT: &str = "Grüße,\nthe plan and the picture are below.\n\n> Where is it?\n";
pub(crate) const HTML: &str =
    "<p>Gr&uuml;&szlig;e, the plan and <img src=\"cid:pic@orchard\"> are below.</p>\n";
pub(crate) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n a picture";
pub(crate) const PLAN: &[u8] = b"%PDF-1.4 a plan\x00\xff";
pub(crate) const PLAN_NAME: &str = "Pläne 2026.pdf";
pub(crate) const SUBJECT: &str = "Die Pläne";
pub(crate) const FROM_NAME: &str = "Anna Grüber";
pub(crate) const FROM: &str = "anna@orchard.example";
pub(crate) const TO: &str = "support+plans@in.example.com";
pub(crate) const CC: &str = "bob@orchard.example";
pub(crate) const DATE: &str = "Sun, 19 Apr 2026 09:15:22 +0200";
pub(crate) const MESSAGE_ID: &str = "<plan-2@orchard.example>";
pub(crate) const ANSWERED: &str = "<plan-1@in.example.com>";
pub(crate) const CLIENT: &str = "192.0.2.7";

/// The fields as they were sent, without those about the body.
pub(crate) fn fields() -> Vec<(String, String)> {
    let encoded = |text: &str| format!("=?utf-8?B?{}?=", STANDARD.encode(text));
    [
        ("Received", "from mx.orchard.example by mx.example.net; Sun, 19 Apr 2026 09:15:23 +0200"),
        ("From", &format!("{} <{FROM}>", encoded(FROM_NAME))),
        ("To", TO),
        ("Cc", &format!("\"Bob, the builder\" <{CC}>")),
        ("Reply-To", "office@orchard.example"),
        ("Subject", &encoded(SUBJECT)),
        ("Date", DATE),
        ("Message-ID", MESSAGE_ID),
        ("In-Reply-To", ANSWERED),
        ("References", ANSWERED),
        ("X-Orchard", "parcel 7"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// The same as one block.
pub(crate) fn block() -> String {
    fields().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

/// The whole message.
pub(crate) fn message() -> Vec<u8> {
    let text = |kind: &str, text: &str| {
        let text = STANDARD.encode(text);
        format!(
            "Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
             {text}\r\n"
        )
    };
    let file = |head: &str, bytes: &[u8]| {
        format!("{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n", STANDARD.encode(bytes))
    };
    let name = "Pl%C3%A4ne%202026.pdf";
    format!(
        "{}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
         --m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
         --r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
         --a\r\n{}--a\r\n{}--a--\r\n\
         --r\r\n{}--r--\r\n\
         --m\r\n{}--m--\r\n",
        block(),
        text("plain", TEXT),
        text("html", HTML),
        file(
            "Content-Type: image/png\r\nContent-ID: <pic@orchard>\r\n\
             Content-Disposition: inline; filename=pic.png",
            PICTURE
        ),
        file(
            &format!(
                "Content-Type: application/pdf\r\n\
                 Content-Disposition: attachment; filename*=utf-8''{name}"
            ),
            PLAN
        ),
    )
    .into_bytes()
}

/// The envelope of it.
pub(crate) fn envelope() -> Envelope {
    Envelope {
        mail_from: Some(FROM.to_owned()),
        rcpt_to: vec![TO.to_owned()],
        helo: Some("mx.orchard.example".to_owned()),
        remote_ip: Some(CLIENT.to_owned()),
        tls: false,
    }
}
