//! The head of an HTTP/1 request, judged before any of it is believed. No socket, no clock.
//!
//! A head passes when this parser and hyper's read the same length of the same body out of it, so
//! that nothing before or behind Headgate can take a part of a body for another request
//! (RFC 9112, 6.3 and 11.2).

use crate::Reject;
use headgate_event::limits;
use http::{Method, StatusCode, Uri};
use httparse::{EMPTY_HEADER, Header, Request, Status};

/// What came of a head.
#[derive(Debug)]
pub(super) enum Judgement {
    /// More bytes are needed.
    Incomplete,
    /// It may pass.
    Passed(Head),
    /// It may not, and nothing after it can be trusted.
    Refused(Reject),
}

/// A head that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its length with the empty line at its end, in bytes.
    pub(super) bytes: usize,
    /// Where its body ends.
    pub(super) framing: Framing,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// After its last chunk.
    Chunked,
}

/// Judges a head that comes in parts, in time linear in its length.
#[derive(Debug)]
pub(super) struct Judge {
    bytes_max: usize,
    /// So many bytes hold no end of the head.
    searched: usize,
    /// So many bytes were parsed and found incomplete.
    parsed: usize,
}

impl Judge {
    /// Judges heads of so many bytes at most.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, searched: 0, parsed: 0 }
    }

    /// Judges the head at the start of `bytes`, which are those of the last call and more.
    pub(super) fn judge(&mut self, bytes: &[u8]) -> Judgement {
        let end = end_of_head(bytes, self.searched);
        self.searched = bytes.len();
        if end.unwrap_or(bytes.len()) > self.bytes_max {
            return Judgement::Refused(too_large(bytes, self.bytes_max));
        }
        // An incomplete head is parsed each time its length has doubled, so that what can never
        // become one is refused early and bytes that come one by one cost no more than others.
        if end.is_none() && bytes.len() < self.parsed.saturating_mul(2) {
            return Judgement::Incomplete;
        }
        self.parsed = bytes.len();
        match parse(bytes, end) {
            Ok(Some(head)) => {
                *self = Self::new(self.bytes_max);
                Judgement::Passed(head)
            }
            Ok(None) => Judgement::Incomplete,
            Err(reject) => Judgement::Refused(reject),
        }
    }
}

/// Where the first empty line ends, of which no part but its beginning is before `searched`.
fn end_of_head(bytes: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(2); // of `\n\r\n`, two bytes may have been seen
    let mut rest = bytes.get(from..)?;
    loop {
        let newline = rest.iter().position(|byte| *byte == b'\n')?;
        rest = rest.get(newline + 1..)?;
        let empty_line = match rest {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => continue,
        };
        return Some(bytes.len() - rest.len() + empty_line);
    }
}

fn too_large(bytes: &[u8], bytes_max: usize) -> Reject {
    let (status, part) = if bytes.iter().take(bytes_max).any(|byte| *byte == b'\n') {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "head")
    } else {
        (StatusCode::URI_TOO_LONG, "first line")
    };
    let message =
        format!("the {part} of the request has more than the {bytes_max} bytes that are taken");
    Reject::new(status, "head_too_large", message).closing()
}

fn parse(bytes: &[u8], end: Option<usize>) -> Result<Option<Head>, Reject> {
    let mut headers = [EMPTY_HEADER; limits::HEADERS_MAX];
    let mut request = Request::new(&mut headers);
    let parsed = request.parse(bytes).map_err(malformed)?;
    match (parsed, end) {
        (Status::Partial, None) => Ok(None),
        (Status::Complete(length), Some(end)) if length == end => {
            let framing = framing(&request)?;
            Ok(Some(Head { bytes: length, framing }))
        }
        _ => {
            let message = "the head of the request does not end where it seems to";
            Err(Reject::bad_request("head_malformed", message))
        }
    }
}

fn malformed(error: httparse::Error) -> Reject {
    if error == httparse::Error::TooManyHeaders {
        let message =
            format!("the request has more than the {} headers that are taken", limits::HEADERS_MAX);
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Reject::new(status, "too_many_headers", message).closing();
    }
    let message = format!("the head of the request is malformed: {error}");
    Reject::bad_request("head_malformed", message)
}

/// Checks what hyper would refuse without an id or would let pass, and finds the body's end.
fn framing(request: &Request<'_, '_>) -> Result<Framing, Reject> {
    let method = request.method.unwrap_or_default();
    if Method::from_bytes(method.as_bytes()).is_err() {
        return Err(Reject::bad_request("head_malformed", "the method is malformed"));
    }
    if request.path.unwrap_or_default().parse::<Uri>().is_err() {
        return Err(Reject::bad_request("head_malformed", "the request target is malformed"));
    }
    let is_http_11 = request.version == Some(1);
    check_host(request.headers, is_http_11)?;
    let length = content_length(request.headers)?;
    match (is_chunked(request.headers, is_http_11)?, length) {
        (true, None) => Ok(Framing::Chunked),
        (false, length) => Ok(Framing::Length(length.unwrap_or(0))),
        (true, Some(_)) => Err(Reject::bad_request(
            "ambiguous_length",
            "the request has both `content-length` and `transfer-encoding`",
        )),
    }
}

/// RFC 9112, 3.2: one `Host`, without exception in HTTP/1.1.
fn check_host(headers: &[Header<'_>], is_http_11: bool) -> Result<(), Reject> {
    match values(headers, "host").count() {
        1 => Ok(()),
        0 if !is_http_11 => Ok(()),
        found => {
            let message = format!("expected one `host` header, found {found}");
            Err(Reject::bad_request("bad_host", message))
        }
    }
}

/// The length that is announced; several that say the same count as one (RFC 9110, 8.6).
fn content_length(headers: &[Header<'_>]) -> Result<Option<u64>, Reject> {
    let mut length = None;
    for value in values(headers, "content-length") {
        let found = digits(value).ok_or_else(|| {
            Reject::bad_request("bad_content_length", "the `content-length` is no number of bytes")
        })?;
        if length.is_some_and(|length| length != found) {
            let message = "the request has two `content-length` headers that differ";
            return Err(Reject::bad_request("ambiguous_length", message));
        }
        length = Some(found);
    }
    Ok(length)
}

/// Digits alone: `str::parse` would also take a sign. The two greatest numbers stand for something
/// else in hyper, which would answer them itself, without an id.
fn digits(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|length| plain && *length <= u64::MAX - 2)
}

/// Whether the body comes in chunks. No other coding is taken: we would not know how to undo it.
fn is_chunked(headers: &[Header<'_>], is_http_11: bool) -> Result<bool, Reject> {
    let mut codings = values(headers, "transfer-encoding");
    let Some(coding) = codings.next() else { return Ok(false) };
    if codings.next().is_some() || !coding.eq_ignore_ascii_case(b"chunked") {
        let message = "the `transfer-encoding` is not `chunked` alone";
        return Err(Reject::bad_request("bad_transfer_encoding", message));
    }
    if !is_http_11 {
        let message = "a `transfer-encoding` is not taken in HTTP/1.0";
        return Err(Reject::bad_request("bad_transfer_encoding", message));
    }
    Ok(true)
}

fn values<'h>(headers: &'h [Header<'h>], name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BYTES_MAX: usize = 4096;

    /// What comes of bytes that arrive in parts: the head, or the status and code of its refusal.
    fn judge(parts: &[&[u8]]) -> Option<Result<Head, (u16, &'static str)>> {
        let mut judge = Judge::new(BYTES_MAX);
        let mut came = Vec::new();
        for part in parts {
            came.extend_from_slice(part);
            match judge.judge(&came) {
                Judgement::Incomplete => {}
                Judgement::Passed(head) => return Some(Ok(head)),
                Judgement::Refused(reject) => {
                    return Some(Err((reject.status().as_u16(), reject.code())));
                }
            }
        }
        None
    }

    fn length(headers: &str) -> Result<Framing, (u16, &'static str)> {
        let head = format!("POST /a HTTP/1.1\r\nHost: b\r\n{headers}\r\n");
        let judged = judge(&[head.as_bytes()]).expect("the head is whole");
        judged.map(|found| {
            assert_eq!(found.bytes, head.len());
            found.framing
        })
    }

    #[test]
    fn the_end_of_a_body_is_read_from_its_head() {
        assert_eq!(length(""), Ok(Framing::Length(0)));
        assert_eq!(length("Content-Length: 12\r\n"), Ok(Framing::Length(12)));
        assert_eq!(length("content-LENGTH:12 \t\r\n"), Ok(Framing::Length(12)));
        assert_eq!(length("Content-Length: 12\r\nContent-Length: 12\r\n"), Ok(Framing::Length(12)));
        assert_eq!(length("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
    }

    #[test]
    fn two_ways_to_find_the_end_of_a_body_are_refused() {
        let ambiguous = Err((400, "ambiguous_length"));
        assert_eq!(length("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), ambiguous);
        assert_eq!(
            length("tRANSFER-eNCODING:\tchunked\r\nX: y\r\nCONTENT-LENGTH:5\r\n"),
            ambiguous
        );
        assert_eq!(length("Content-Length: 5\r\nContent-Length: 6\r\n"), ambiguous);
    }

    #[test]
    fn a_length_that_is_not_digits_alone_is_refused() {
        let beyond = ["99999999999999999999", "18446744073709551615", "18446744073709551614"];
        for value in ["", "-1", "+5", "5, 5", "0x5", "5 5", "\u{661}"].into_iter().chain(beyond) {
            let headers = format!("Content-Length: {value}\r\n");
            assert_eq!(length(&headers), Err((400, "bad_content_length")), "{value:?}");
        }
    }

    #[test]
    fn a_coding_other_than_chunked_alone_is_refused() {
        let refused = Err((400, "bad_transfer_encoding"));
        for value in ["gzip, chunked", "chunked, gzip", "identity", "xchunked", "", "\"chunked\""] {
            assert_eq!(length(&format!("Transfer-Encoding: {value}\r\n")), refused, "{value:?}");
        }
        let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(length(twice), refused);
        let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(judge(&[old]), Some(refused.map(|_: Framing| unreachable!())));
    }

    #[test]
    fn what_hides_a_header_from_another_parser_is_malformed() {
        for headers in [
            "Content-Length : 5\r\n",
            " Content-Length: 5\r\n",
            "X: y\r\n folded\r\n",
            "X: y\r\n\tTransfer-Encoding: chunked\r\n",
            "Transfer\u{0}-Encoding: chunked\r\n",
            "X: a\u{0}b\r\n",
            "X: a\rContent-Length: 5\r\n",
            "No colon\r\n",
            ": no name\r\n",
        ] {
            assert_eq!(length(headers), Err((400, "head_malformed")), "{headers:?}");
        }
    }

    #[test]
    fn a_request_of_http_1_1_names_one_host() {
        let of = |head: &str| judge(&[head.as_bytes()]).expect("whole").map(|_| ());
        assert_eq!(of("GET / HTTP/1.1\r\n\r\n"), Err((400, "bad_host")));
        assert_eq!(of("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), Err((400, "bad_host")));
        assert_eq!(of("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"), Err((400, "bad_host")));
        assert_eq!(of("GET / HTTP/1.0\r\n\r\n"), Ok(()));
    }

    #[test]
    fn what_is_not_http_is_refused_before_an_end_comes() {
        let malformed = Some(Err((400, "head_malformed")));
        assert_eq!(judge(&[b"\x16\x03\x01\x02"]), malformed); // a TLS hello
        assert_eq!(judge(&[b"GET / HTTP/3.0\r\n"]), malformed);
        assert_eq!(judge(&[b"GET / HTTP/1.1\r\nbad header\r\n"]), malformed);
        assert_eq!(judge(&[b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n"]), malformed);
    }

    #[test]
    fn a_head_beyond_its_limit_is_refused_whether_it_ends_or_not() {
        let long = "a".repeat(BYTES_MAX);
        let line = format!("GET /{long} HTTP/1.1\r\nHost: b\r\n\r\n");
        assert_eq!(judge(&[line.as_bytes()]), Some(Err((414, "head_too_large"))));
        let whole = format!("GET / HTTP/1.1\r\nHost: b\r\nX: {long}\r\n\r\n");
        assert_eq!(judge(&[whole.as_bytes()]), Some(Err((431, "head_too_large"))));
        let partial = format!("GET / HTTP/1.1\r\nHost: b\r\nX: {long}");
        assert_eq!(judge(&[partial.as_bytes()]), Some(Err((431, "head_too_large"))));
        let rest = BYTES_MAX - "GET / HTTP/1.1\r\nHost: b\r\nX: \r\n\r\n".len();
        let fits = format!("GET / HTTP/1.1\r\nHost: b\r\nX: {}\r\n\r\n", "a".repeat(rest));
        assert!(judge(&[fits.as_bytes()]).expect("whole").is_ok());
    }

    #[test]
    fn a_hundred_headers_are_taken_and_one_more_is_not() {
        let head =
            |more: usize| format!("GET / HTTP/1.1\r\nHost: b\r\n{}\r\n", "X: y\r\n".repeat(more));
        assert!(judge(&[head(99).as_bytes()]).expect("whole").is_ok());
        assert_eq!(judge(&[head(100).as_bytes()]), Some(Err((431, "too_many_headers"))));
    }

    #[test]
    fn what_follows_a_head_does_not_count_to_it() {
        let two = b"GET / HTTP/1.1\nHost: a\n\nGET / HTTP/1.1\r\nHost: b\r\n\r\n";
        let head = Head { bytes: 24, framing: Framing::Length(0) };
        assert_eq!(judge(&[two]), Some(Ok(head)));
    }

    /// Lines that are legal, illegal, and nearly so, with each kind of line end.
    fn lines() -> impl Strategy<Value = Vec<u8>> {
        let line = prop::sample::select(vec![
            "GET / HTTP/1.1",
            "POST /a?b HTTP/1.0",
            "Host: a",
            "Content-Length: 3",
            "content-length:3",
            "Content-Length : 3",
            "Transfer-Encoding: chunked",
            " folded",
            "X: \u{7f}",
            "X",
            "",
        ]);
        let end = prop::sample::select(vec!["\r\n", "\n", "\r", "\r\r\n", ""]);
        prop::collection::vec((line, end), 1..8).prop_map(|lines| {
            let start = "PUT / HTTP/1.1\r\nHost: a\r\n".to_owned();
            lines.into_iter().fold(start, |text, (line, end)| text + line + end).into_bytes()
        })
    }

    proptest! {
        #[test]
        fn how_a_head_is_split_changes_nothing(bytes in lines(), at in 0_usize..200) {
            // A part of a malformed head may be enough to refuse it, so that is left open.
            let passed = |parts: &[&[u8]]| judge(parts).and_then(Result::ok);
            let whole = passed(&[&bytes]);
            let (before, after) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(whole, passed(&[before, after]));
            prop_assert_eq!(whole, passed(&bytes.chunks(1).collect::<Vec<_>>()));
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = judge(&[&bytes]);
        }
    }
}
