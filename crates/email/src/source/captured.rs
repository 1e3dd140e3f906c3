//! A message as the quarantine keeps it, and back.
//!
//! The quarantine keeps requests. A message is one with the method `SMTP`, its envelope in headers
//! and its bytes as body.

use crate::smtp::{Address, Letter, Match, Recipient};
use headgate_event::data::Envelope;
use headgate_http::{Arrival, RawRequest, RequestId};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The method of a message that came by SMTP.
const METHOD: &str = "SMTP";
const FROM: HeaderName = HeaderName::from_static("x-envelope-from");
const TO: HeaderName = HeaderName::from_static("x-envelope-to");
const MATCHED: HeaderName = HeaderName::from_static("x-matched-address");
const TAG: HeaderName = HeaderName::from_static("x-matched-tag");
const HELO: HeaderName = HeaderName::from_static("x-envelope-helo");
const TLS: HeaderName = HeaderName::from_static("x-envelope-tls");

/// The message as a request to the channel that refused it.
pub(super) fn request(letter: &Letter, matched: &Match) -> RawRequest {
    let envelope = &letter.envelope;
    let mut headers = HeaderMap::new();
    let mut note = |name: HeaderName, value: &str| {
        // No part of an envelope holds a line end; what else a header cannot hold is left out.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.append(name, value);
        }
    };
    note(FROM, envelope.mail_from.as_deref().unwrap_or_default());
    for recipient in &envelope.rcpt_to {
        note(TO, recipient);
    }
    note(MATCHED, &matched.matched_address);
    if let Some(tag) = &matched.tag {
        note(TAG, tag);
    }
    if let Some(helo) = &envelope.helo {
        note(HELO, helo);
    }
    note(TLS, if envelope.tls { "1" } else { "0" });
    let address = envelope.remote_ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    RawRequest {
        method: Method::from_bytes(METHOD.as_bytes()).unwrap_or(Method::POST),
        path: format!("/v1/email/{}", matched.channel.id),
        query: String::new(),
        headers,
        body: letter.message.clone(),
        arrival: Arrival {
            remote: SocketAddr::new(address, 0),
            received_at: letter.received_at,
            request_id: RequestId::new("smtp"),
        },
        hold: letter.hold.clone(),
    }
}

/// The message of such a request, for the channel of `matched` alone; none when it is none.
pub(super) fn letter(request: RawRequest, mut matched: Match) -> Option<Letter> {
    if request.method.as_str() != METHOD {
        return None;
    }
    let texts = |name: &HeaderName| -> Vec<String> {
        let values = request.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    let text = |name: &HeaderName| texts(name).into_iter().next();
    let (from, rcpt_to) = (text(&FROM).unwrap_or_default(), texts(&TO));
    let to = rcpt_to.iter().find_map(|text| Address::parse(text).ok())?;
    matched.matched_address = text(&MATCHED)?;
    matched.tag = text(&TAG);
    let address = request.arrival.remote.ip();
    let envelope = Envelope {
        mail_from: Some(from.clone()),
        rcpt_to,
        helo: text(&HELO),
        remote_ip: (!address.is_unspecified()).then(|| address.to_string()),
        tls: text(&TLS).as_deref() == Some("1"),
    };
    Some(Letter {
        envelope,
        from: Address::parse(&from).ok(),
        recipients: vec![Recipient { address: to, matches: vec![matched] }],
        received_at: request.arrival.received_at,
        message: request.body,
        hold: request.hold,
    })
}
