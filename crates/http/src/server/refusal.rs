//! The head of a request in HTTP/2, or what every version shares, judged before the service sees
//! it.
//!
//! What HTTP/2 itself forbids (RFC 9113, 8.2 and 8.3) hyper has refused already; here is what
//! HTTP/1 is held to in `head`, so that no client gets around it by the other version.

use crate::Reject;
use headgate_event::limits;
use http::{HeaderMap, Request, StatusCode, Version, header};

/// What each header counts beside its name and value (RFC 9113, 10.5.1).
const HEADER_BYTES: usize = 32;

/// Why a request is refused by its head alone, if it is.
pub(super) fn refusal<B>(request: &Request<B>, head_bytes_max: usize) -> Option<Reject> {
    if request.version() == Version::HTTP_2 {
        check(request, head_bytes_max).and_then(|()| check_expectation(request)).err()
    } else {
        check_expectation(request).err()
    }
}

fn check<B>(request: &Request<B>, head_bytes_max: usize) -> Result<(), Reject> {
    let headers = request.headers();
    let too_large = |code: &'static str, message: String| {
        Err(Reject::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, code, message).closing())
    };
    if headers.len() > limits::HEADERS_MAX {
        let max = limits::HEADERS_MAX;
        let message = format!("the request has more than the {max} headers that are taken");
        return too_large("too_many_headers", message);
    }
    let bytes: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER_BYTES).sum();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if bytes + target > head_bytes_max {
        let message = format!(
            "the head of the request has more than the {head_bytes_max} bytes that are taken"
        );
        return too_large("head_too_large", message);
    }
    check_host(request)?;
    check_length(headers)
}

/// RFC 9113, 8.3.1: one authority, and a `host` only if it says the same.
fn check_host<B>(request: &Request<B>) -> Result<(), Reject> {
    let hosts: Vec<&[u8]> =
        request.headers().get_all(header::HOST).iter().map(|host| host.as_bytes()).collect();
    let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let found = match (authority, hosts.as_slice()) {
        (Some(_), []) | (None, [_]) => return Ok(()),
        (Some(authority), [host]) if authority.eq_ignore_ascii_case(host) => return Ok(()),
        (None, []) => "none".to_owned(),
        (Some(_), [_]) => "an authority and another `host`".to_owned(),
        (_, hosts) => hosts.len().to_string(),
    };
    Err(Reject::bad_request("bad_host", format!("expected one host, found {found}")))
}

fn check_length(headers: &HeaderMap) -> Result<(), Reject> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let first = lengths.next();
    if lengths.all(|length| Some(length) == first) {
        return Ok(());
    }
    let message = "the request has two `content-length` headers that differ";
    Err(Reject::bad_request("ambiguous_length", message))
}

/// RFC 9110, 10.1.1: there is one expectation; HTTP/1.0 knows none and is not held to any.
fn check_expectation<B>(request: &Request<B>) -> Result<(), Reject> {
    let mut expected = request.headers().get_all(header::EXPECT).iter();
    let known = expected.all(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if known || request.version() == Version::HTTP_10 {
        return Ok(());
    }
    let message = "expected no expectation but `100-continue`, found another one";
    let status = StatusCode::EXPECTATION_FAILED;
    Err(Reject::new(status, "unknown_expectation", message).closing())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES_MAX: usize = 4096;

    fn code(uri: &str, version: Version, headers: &[(&str, &str)]) -> Option<(u16, &'static str)> {
        let mut request = Request::post(uri).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("well formed");
        refusal(&request, BYTES_MAX).map(|reject| (reject.status().as_u16(), reject.code()))
    }

    fn code_of_2(headers: &[(&str, &str)]) -> Option<(u16, &'static str)> {
        code("https://a/hook", Version::HTTP_2, headers)
    }

    #[test]
    fn a_head_is_held_to_its_size_and_its_number_of_headers() {
        assert_eq!(code_of_2(&[("x", "y"); 100]), None);
        assert_eq!(code_of_2(&[("x", "y"); 101]), Some((431, "too_many_headers")));
        let long = "y".repeat(BYTES_MAX - HEADER_BYTES - "/hook".len() - 1);
        assert_eq!(code_of_2(&[("x", &long)]), None);
        assert_eq!(code_of_2(&[("xx", &long)]), Some((431, "head_too_large")));
    }

    #[test]
    fn there_is_one_host() {
        assert_eq!(code_of_2(&[("host", "A")]), None);
        assert_eq!(code("/hook", Version::HTTP_2, &[("host", "a")]), None);
        let refused = Some((400, "bad_host"));
        assert_eq!(code_of_2(&[("host", "b")]), refused);
        assert_eq!(code_of_2(&[("host", "a"), ("host", "a")]), refused);
        assert_eq!(code("/hook", Version::HTTP_2, &[]), refused);
    }

    #[test]
    fn two_lengths_must_be_the_same() {
        let of = |second| code_of_2(&[("content-length", "5"), ("content-length", second)]);
        assert_eq!((of("5"), of("6")), (None, Some((400, "ambiguous_length"))));
    }

    #[test]
    fn an_expectation_nobody_knows_is_refused_in_every_version_that_has_them() {
        let refused = Some((417, "unknown_expectation"));
        for version in [Version::HTTP_2, Version::HTTP_11] {
            assert_eq!(code("https://a/", version, &[("expect", "100-Continue")]), None);
            assert_eq!(code("https://a/", version, &[("expect", "a-miracle")]), refused);
        }
        assert_eq!(code("/", Version::HTTP_10, &[("expect", "a-miracle")]), None);
    }
}
