//! A request as a file holds it: request line, headers, an empty line, and the bytes of the body.

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use headgate_event::{Timestamp, limits::BODY_BYTES_MAX};
use headgate_http::{Arrival, BodyHold, RawRequest, RequestId};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use std::{
    fs::File,
    io::{self, Read},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

/// Room for a head besides the largest body.
const FILE_BYTES_MAX: u64 = BODY_BYTES_MAX as u64 + (1 << 20);

/// The bytes of a file, or of stdin for `-`.
pub fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let from: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).with_context(|| format!("cannot read `{}`", file.display()))?)
    };
    let mut bytes = Vec::new();
    from.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        bail!("expected at most {FILE_BYTES_MAX} bytes in `{}`, found more", file.display());
    }
    Ok(bytes)
}

/// The request in a file. `received_at` is when it is taken to have come.
pub fn request(file: Vec<u8>, received_at: Timestamp) -> anyhow::Result<RawRequest> {
    let file = Bytes::from(file);
    let (head_end, body_start) = split(&file);
    let head = file.get(..head_end).unwrap_or_default();
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let line = std::str::from_utf8(lines.next().unwrap_or_default());
    let line = line.map_err(|_| anyhow!("the request line is not UTF-8"))?;
    let (method, target) = request_line(line)?;
    let mut headers = HeaderMap::new();
    // A head without a body after it may end in a line end.
    for (at, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let (name, value) = header(line)
            .ok_or_else(|| anyhow!("expected `name: value`, found another line {}", at + 2))?;
        headers.append(name, value);
    }
    Ok(RawRequest {
        method,
        path: target.path().to_owned(),
        query: target.query().unwrap_or_default().to_owned(),
        headers,
        body: file.slice(body_start..),
        arrival: Arrival {
            remote: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            received_at,
            request_id: RequestId::new("captured"),
        },
        hold: BodyHold::default(),
    })
}

/// Where the head ends and the body begins. The first empty line counts, with either line end.
fn split(file: &[u8]) -> (usize, usize) {
    let end = |mark: &[u8]| file.windows(mark.len()).position(|window| window == mark);
    match (end(b"\r\n\r\n"), end(b"\n\n")) {
        (Some(crlf), lf) if lf.is_none_or(|lf| crlf < lf) => (crlf, crlf + 4),
        (_, Some(lf)) => (lf, lf + 2),
        (_, None) => (file.len(), file.len()),
    }
}

fn request_line(line: &str) -> anyhow::Result<(Method, Uri)> {
    const EXPECTED: &str = "expected a request line such as `POST /path HTTP/1.1`";
    let mut words = line.split_ascii_whitespace();
    let method = words.next().and_then(|word| word.parse().ok());
    let target = words.next().and_then(|word| word.parse().ok());
    let version = words.next().is_none_or(|word| word.starts_with("HTTP/"));
    match (method, target, version, words.next()) {
        (Some(method), Some(target), true, None) => Ok((method, target)),
        _ => bail!("{EXPECTED}, found another first line"),
    }
}

/// A value may hold bytes that are not UTF-8, as on the wire.
fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    let value = HeaderValue::from_bytes(value.trim_ascii()).ok()?;
    Some((HeaderName::from_bytes(name).ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8]) -> anyhow::Result<RawRequest> {
        request(file.to_vec(), Timestamp::from_unix_s(0))
    }

    #[test]
    fn a_request_is_read_with_either_line_end_and_its_body_as_it_is() {
        for file in [
            &b"POST /a?b=1 HTTP/1.1\r\nX-A:  1 \r\nx-a: 2\r\n\r\n{}\n\n\r\n"[..],
            b"POST /a?b=1 HTTP/1.1\nX-A: 1\nx-a: 2\n\n{}\n\n\r\n",
            b"POST https://in.example.com/a?b=1\nX-A: 1\nx-a: 2\n\n{}\n\n\r\n",
        ] {
            let request = read(file).expect("a request");
            assert_eq!((request.path.as_str(), request.query.as_str()), ("/a", "b=1"));
            let values: Vec<_> = request.headers.get_all("x-a").iter().collect();
            assert_eq!(values, ["1", "2"]);
            assert_eq!(&request.body[..], b"{}\n\n\r\n");
        }
    }

    #[test]
    fn a_header_may_hold_other_bytes_than_text() {
        let request = read(b"POST / HTTP/1.1\r\nx-a: \xff\x80\r\n\r\n").expect("a request");
        assert_eq!(request.headers["x-a"].as_bytes(), b"\xff\x80");
    }

    #[test]
    fn a_request_without_a_body_is_one() {
        assert!(read(b"POST / HTTP/1.1\nhost: a\n").expect("a request").body.is_empty());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for file in [&b""[..], b"{\"a\": 1}", b"POST", b"POST / HTTP/1.1\nno colon\n\n", b"\xff / "]
        {
            assert!(read(file).is_err(), "{}", String::from_utf8_lossy(file));
        }
    }
}
