//! Requests: their heads, their encoded bodies, and where they say they come from.

use crate::Parts;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headgate::captured;
use headgate_event::Timestamp;
use headgate_http::{RawRequest, TrustedProxies};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_ENCODING};
use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr},
};

/// The most that a decoded body may have here.
const BYTES_MAX: usize = 1 << 20;

/// A head is judged the same however it arrives, and its body ends where it says.
pub(crate) fn head(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let lengths: Vec<usize> = (0..parts.byte() % 8).map(|_| usize::from(parts.byte())).collect();
    headgate_http::fuzzing::head(parts.rest(), &lengths, 4096);
    let one_by_one = vec![1; parts.rest().len().min(600)];
    headgate_http::fuzzing::head(parts.rest(), &one_by_one, 512);
}

/// A body is decoded within its bound or shown as it came, and what was encoded comes back.
pub(crate) fn decoded(bytes: &[u8]) {
    let now = Timestamp::from_unix_s(1_795_219_200);
    let Ok(mut request) = captured::request(bytes.to_vec(), now) else { return };
    for bytes_max in [BYTES_MAX, 64] {
        shown(&request, bytes_max);
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&request.body).expect("memory");
    let plain = std::mem::replace(&mut request.body, Bytes::from(gzip.finish().expect("memory")));
    request.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let back = request.decoded(BYTES_MAX).expect("small");
    assert!(back.body == plain && back.defect.is_none(), "what was encoded comes back");
}

fn shown(request: &RawRequest, bytes_max: usize) {
    let Ok(decoded) = request.decoded(bytes_max) else { return };
    if let Some(coded) = decoded.coded {
        assert!(coded.bytes == decoded.body.len() && coded.bytes <= bytes_max, "within its bound");
        assert!(decoded.defect.is_none());
    } else {
        assert_eq!(decoded.body, request.body, "as it came");
    }
    assert_eq!(decoded.content_encoding.is_some(), request.is_encoded());
}

/// What an untrusted client puts before its trusted proxy's word makes no difference.
pub(crate) fn forwarded(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let name = if parts.byte().is_multiple_of(2) { "x-forwarded-for" } else { "forwarded" };
    let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().expect("a network")]);
    let proxy = IpAddr::from(Ipv4Addr::new(10, 0, 0, 1));
    let stranger = IpAddr::from(Ipv4Addr::new(192, 0, 2, 7));
    let said = parts.bytes();
    let Ok(value) = HeaderValue::from_bytes(said) else { return };
    let header: HeaderName = name.parse().expect("a name");
    let only = HeaderMap::from_iter([(header.clone(), value.clone())]);
    assert_eq!(proxies.origin(stranger, &only).address, stranger, "a stranger is not believed");
    let ends = if name == "forwarded" { "for=192.0.2.7" } else { "192.0.2.7" };
    let mut claimed = only;
    claimed.append(name, HeaderValue::from_static(ends));
    let origin = proxies.origin(proxy, &claimed);
    assert_eq!((origin.address, origin.is_certain), (stranger, true), "{value:?}");

    // Most proxies add their word to the client's line. What the client left open may make that
    // unreadable, and never anybody else's.
    let Ok(line) = HeaderValue::from_bytes(&[said, b", ", ends.as_bytes()].concat()) else {
        return;
    };
    let origin = proxies.origin(proxy, &HeaderMap::from_iter([(header, line)]));
    assert!(origin.address == stranger || !origin.is_certain, "{value:?}: {origin:?}");
}
