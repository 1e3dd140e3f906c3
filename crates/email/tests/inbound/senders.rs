//! The message as each provider sends it, in each of its forms, proved by its secret at a time.

use crate::{
    gate::{NOW, Post},
    letter::*,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_email::inbound::sign_raw;
use headgate_event::{Secret, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::LazyLock;

/// How a form of a provider is sent.
pub(crate) struct Form {
    pub(crate) provider: &'static str,
    pub(crate) name: &'static str,
    /// Whether it has the message as it was sent.
    pub(crate) is_whole: bool,
    /// The right secret.
    pub(crate) secret: String,
    /// One of the same form that proves nothing.
    pub(crate) wrong_secret: String,
    pub(crate) post: fn(&str, Timestamp) -> Post,
}

const URL_USER: &str = "headgate:pass:word";
const BOUNDARY: &str = "----form";

/// All forms, but for those without the content.
pub(crate) fn forms() -> Vec<Form> {
    let form = |provider, name, is_whole, secret: &str, post| Form {
        provider,
        name,
        is_whole,
        secret: secret.to_owned(),
        wrong_secret: "headgate:other word".to_owned(),
        post,
    };
    let key = ECDSA.0.as_str();
    let mut forms = vec![
        form("raw", "raw", true, "a secret of ours", raw as fn(&str, Timestamp) -> Post),
        form("postmark", "raw", true, URL_USER, |s, _| basic(s, postmark(true))),
        form("postmark", "parsed", false, URL_USER, |s, _| basic(s, postmark(false))),
        form("mailgun", "raw", true, "key-1", |s, t| mailgun(s, t, true)),
        form("mailgun", "parsed", false, "key-1", |s, t| mailgun(s, t, false)),
        form("sendgrid", "raw", true, URL_USER, |s, _| basic(s, sendgrid(true))),
        form("sendgrid", "parsed", false, URL_USER, |s, _| basic(s, sendgrid(false))),
        form("sendgrid", "signed", true, key, |_, t| ecdsa(t, sendgrid(true))),
        form("cloudmailin", "raw", true, URL_USER, |s, _| basic(s, cloudmailin_form(true))),
        form("cloudmailin", "parsed", false, URL_USER, |s, _| basic(s, cloudmailin_json())),
        form("cloudmailin", "form", false, URL_USER, |s, _| basic(s, cloudmailin_form(false))),
        form("postal", "raw", true, URL_USER, |s, _| basic(s, postal(true))),
        form("postal", "parsed", false, URL_USER, |s, _| basic(s, postal(false))),
    ];
    for form in forms.iter_mut().filter(|form| form.name == "signed") {
        form.wrong_secret = OTHER_ECDSA.0.clone();
    }
    forms
}

/// Keys of SendGrid's: the public one as its console shows it, and the pair.
static ECDSA: LazyLock<(String, EcdsaKeyPair)> = LazyLock::new(key_pair);
static OTHER_ECDSA: LazyLock<(String, EcdsaKeyPair)> = LazyLock::new(key_pair);

fn key_pair() -> (String, EcdsaKeyPair) {
    let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("a key");
    let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let mut public = hex::decode(head).expect("hex");
    public.extend_from_slice(pair.public_key().as_ref());
    (STANDARD.encode(public), pair)
}

fn ecdsa(at: Timestamp, post: Post) -> Post {
    let time = at.unix_s().to_string();
    let text = [time.as_bytes(), &post.body].concat();
    let signature = ECDSA.1.sign(&SystemRandom::new(), &text).expect("signed");
    post.header("x-twilio-email-event-webhook-timestamp", time)
        .header("x-twilio-email-event-webhook-signature", STANDARD.encode(signature))
}

fn basic(secret: &str, post: Post) -> Post {
    post.header("authorization", format!("Basic {}", STANDARD.encode(secret)))
}

/// HMAC-SHA256 over pieces.
pub(crate) fn hmac(key: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    pieces.iter().for_each(|piece| mac.update(piece));
    mac.finalize().into_bytes().to_vec()
}

fn raw(secret: &str, at: Timestamp) -> Post {
    let signed = sign_raw(&Secret::new(secret), at, &envelope(), &message());
    let post = Post::new("message/rfc822", message());
    signed.0.into_iter().fold(post, |post, (name, value)| post.header(name, value))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn postmark(is_whole: bool) -> Post {
    let full = |name: &str, email: &str| json!({"Name": name, "Email": email, "MailboxHash": ""});
    let taken_out = ["From", "To", "Cc", "Reply-To", "Subject", "Date"];
    let mut headers = vec![json!({"Name": "Return-Path", "Value": format!("<{FROM}>")})];
    let rest = fields().into_iter().filter(|(name, _)| !taken_out.contains(&name.as_str()));
    headers.extend(rest.map(|(name, value)| json!({"Name": name, "Value": value})));
    let mut body = json!({
        "RecordType": "Inbound", "MessageStream": "inbound",
        "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
        "From": FROM, "FromName": FROM_NAME, "FromFull": full(FROM_NAME, FROM),
        "To": TO, "ToFull": [full("", TO)], "Cc": CC, "CcFull": [full("Bob, the builder", CC)],
        "Bcc": "", "BccFull": [], "OriginalRecipient": TO, "MailboxHash": "plans",
        "Subject": SUBJECT, "Date": DATE, "ReplyTo": "office@orchard.example",
        "TextBody": TEXT, "HtmlBody": HTML, "StrippedTextReply": "", "Tag": "",
        "Headers": headers,
        "Attachments": [
            {"Name": "pic.png", "ContentType": "image/png", "Content": STANDARD.encode(PICTURE),
             "ContentLength": PICTURE.len(), "ContentID": "pic@orchard"},
            {"Name": PLAN_NAME, "ContentType": "application/pdf", "Content": STANDARD.encode(PLAN),
             "ContentLength": PLAN.len(), "ContentID": ""},
        ],
    });
    if is_whole {
        body["RawEmail"] = text(&message()).into();
    }
    Post::new("application/json; charset=utf-8", body.to_string())
}

/// A part of a multipart form: its name, the name of a file with its type, the value.
type Part<'a> = (&'a str, Option<(&'a str, &'a str)>, Vec<u8>);

pub(crate) fn multipart(parts: &[Part<'_>]) -> Post {
    let mut body = Vec::new();
    for (name, file, value) in parts {
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"").bytes(),
        );
        if let Some((filename, kind)) = file {
            body.extend(format!("; filename=\"{filename}\"\r\nContent-Type: {kind}").bytes());
        }
        body.extend(b"\r\n\r\n");
        body.extend(value);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    Post::new(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

fn mailgun(secret: &str, at: Timestamp, is_whole: bool) -> Post {
    let time = at.unix_s().to_string();
    let token = "3c1f9ebf0c1d2ac2f0aa9a8a6a5f8c31f0c6d8c8c4b1a9d4e2";
    let signature = hex::encode(hmac(secret.as_bytes(), &[time.as_bytes(), token.as_bytes()]));
    let list: Vec<Value> = fields().into_iter().map(|(name, value)| json!([name, value])).collect();
    let mut parts: Vec<Part<'_>> = vec![
        ("recipient", None, TO.into()),
        ("sender", None, FROM.into()),
        ("timestamp", None, time.into()),
        ("token", None, token.into()),
        ("signature", None, signature.into()),
    ];
    if is_whole {
        parts.push(("body-mime", None, message()));
        return multipart(&parts);
    }
    parts.extend([
        ("message-headers", None, Value::from(list).to_string().into_bytes()),
        ("body-plain", None, TEXT.into()),
        ("body-html", None, HTML.into()),
        ("stripped-text", None, "of no interest".into()),
        ("attachment-count", None, "2".into()),
        (
            "content-id-map",
            None,
            br#"{"": "attachment-2", "<pic@orchard>": "attachment-1"}"#.into(),
        ),
        ("attachment-1", Some(("pic.png", "image/png")), PICTURE.into()),
        ("attachment-2", Some((PLAN_NAME, "application/pdf")), PLAN.into()),
    ]);
    multipart(&parts)
}

fn sendgrid(is_whole: bool) -> Post {
    let envelope = json!({"to": [TO], "from": FROM}).to_string();
    let mut parts: Vec<Part<'_>> = vec![
        ("envelope", None, envelope.into()),
        ("sender_ip", None, CLIENT.into()),
        ("SPF", None, "pass".into()),
        ("dkim", None, "{@orchard.example : pass}".into()),
        ("spam_score", None, "0.011".into()),
    ];
    if is_whole {
        parts.push(("email", None, message()));
        return multipart(&parts);
    }
    let latin: Vec<u8> =
        TEXT.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    let infos = json!({
        "attachment1": {"filename": "pic.png", "type": "image/png", "content-id": "pic@orchard"},
        "attachment2": {"filename": PLAN_NAME, "type": "application/pdf"},
    });
    parts.extend([
        ("headers", None, block().into_bytes()),
        ("charsets", None, br#"{"html": "UTF-8", "text": "iso-8859-1"}"#.into()),
        ("text", None, latin),
        ("html", None, HTML.into()),
        ("attachments", None, "2".into()),
        ("attachment-info", None, infos.to_string().into_bytes()),
        ("attachment1", Some(("pic.png", "image/png")), PICTURE.into()),
        ("attachment2", Some((PLAN_NAME, "application/pdf")), PLAN.into()),
    ]);
    multipart(&parts)
}

fn cloudmailin_json() -> Post {
    let headers: serde_json::Map<String, Value> = fields()
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase().replace('-', "_"), value.into()))
        .collect();
    let body = json!({
        "headers": headers,
        "envelope": {
            "to": TO, "recipients": [TO], "from": FROM, "helo_domain": "mx.orchard.example",
            "remote_ip": CLIENT, "tls": false, "spf": {"result": "pass", "domain": "orchard.example"},
        },
        "plain": TEXT, "html": HTML, "reply_plain": "of no interest",
        "attachments": [
            {"content": STANDARD.encode(PICTURE), "file_name": "pic.png", "content_type": "image/png",
             "size": PICTURE.len().to_string(), "disposition": "inline",
             "content_id": "<pic@orchard>"},
            {"content": STANDARD.encode(PLAN), "file_name": PLAN_NAME,
             "content_type": "application/pdf", "size": PLAN.len(), "disposition": "attachment"},
        ],
    });
    Post::new("application/json", body.to_string())
}

fn cloudmailin_form(is_whole: bool) -> Post {
    let mut parts: Vec<Part<'_>> = vec![
        ("envelope[to]", None, TO.into()),
        ("envelope[recipients][0]", None, TO.into()),
        ("envelope[from]", None, FROM.into()),
        ("envelope[helo_domain]", None, "mx.orchard.example".into()),
        ("envelope[remote_ip]", None, CLIENT.into()),
        ("envelope[spf][result]", None, "pass".into()),
        ("envelope[spf][domain]", None, "orchard.example".into()),
    ];
    if is_whole {
        parts.push(("message", None, message()));
        return multipart(&parts);
    }
    let fields = fields();
    let names: Vec<String> = fields
        .iter()
        .map(|(name, _)| format!("headers[{}]", name.to_ascii_lowercase().replace('-', "_")))
        .collect();
    for (name, (_, value)) in names.iter().zip(&fields) {
        parts.push((name, None, value.clone().into_bytes()));
    }
    parts.extend([
        ("plain", None, TEXT.into()),
        ("html", None, HTML.into()),
        ("attachments[0]", Some(("pic.png", "image/png")), PICTURE.into()),
        ("attachments[1]", Some((PLAN_NAME, "application/pdf")), PLAN.into()),
    ]);
    multipart(&parts)
}

fn postal(is_whole: bool) -> Post {
    let value = |wanted: &str| {
        let found = fields().into_iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value).unwrap_or_default()
    };
    let mut body = json!({"id": 12345, "rcpt_to": TO, "mail_from": FROM, "size": message().len()});
    let object = body.as_object_mut().expect("an object");
    if is_whole {
        object.insert("message".into(), STANDARD.encode(message()).into());
        object.insert("base64".into(), true.into());
        return Post::new("application/json", body.to_string());
    }
    for (name, value) in [
        ("from", format!("{FROM_NAME} <{FROM}>")),
        ("to", TO.to_owned()),
        ("cc", value("Cc")),
        ("reply_to", value("Reply-To")),
        ("subject", SUBJECT.to_owned()),
        ("date", DATE.to_owned()),
        ("message_id", MESSAGE_ID.trim_matches(['<', '>']).to_owned()),
        ("in_reply_to", ANSWERED.to_owned()),
        ("references", ANSWERED.to_owned()),
        ("plain_body", TEXT.to_owned()),
        ("html_body", HTML.to_owned()),
    ] {
        object.insert(name.to_owned(), value.into());
    }
    object.insert("auto_submitted".into(), Value::Null);
    object.insert("received_with_ssl".into(), false.into());
    object.insert(
        "attachments".into(),
        json!([
            {"filename": "pic.png", "content_type": "image/png", "size": PICTURE.len(),
             "data": STANDARD.encode(PICTURE)},
            {"filename": PLAN_NAME, "content_type": "application/pdf", "size": PLAN.len(),
             "data": STANDARD.encode(PLAN)},
        ]),
    );
    Post::new("application/json", body.to_string())
}

/// What Resend sends: that a message came.
pub(crate) fn resend(secret: &str, at: Timestamp) -> Post {
    let body = json!({
        "type": "email.received", "created_at": "2026-04-19T09:15:24.000Z",
        "data": {
            "email_id": "56761188-7520-42d8-8898-ff6fc54ce618", "created_at": NOW.to_string(),
            "from": format!("{FROM_NAME} <{FROM}>"), "to": [TO], "cc": [CC], "bcc": [],
            "message_id": MESSAGE_ID, "subject": SUBJECT,
            "attachments": [{"id": "2a0c9ce0", "filename": PLAN_NAME,
                             "content_type": "application/pdf"}],
        },
    })
    .to_string();
    svix(secret, at, &body)
}

/// A body as Svix signs it.
pub(crate) fn svix(secret: &str, at: Timestamp, body: &str) -> Post {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let (id, time) = ("msg_2kGk", at.unix_s().to_string());
    let pieces = [id.as_bytes(), b".", time.as_bytes(), b".", body.as_bytes()];
    let signature = STANDARD.encode(hmac(&key, &pieces));
    Post::new("application/json", body)
        .header("svix-id", id)
        .header("svix-timestamp", time)
        .header("svix-signature", format!("v1,bm9uZQ== v1,{signature}"))
}
