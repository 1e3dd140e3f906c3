//! The PROXY header of a connection that a trusted proxy made for another: who that is.

use headgate_event::limits::PROXY_HEADER_BYTES_MAX;
use proxy_header::{ParseConfig, ProxyHeader};
use std::{io, net::SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What a header of version 2 has before the length of its rest, and that length.
const BINARY_BYTES: usize = 16;
const BINARY_START: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header of version 1.
const TEXT_BYTES_MAX: usize = 107;

/// Reads the header and not one byte more. None when the proxy speaks for itself (a health check)
/// or does not know.
pub(super) async fn source(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut header = Vec::with_capacity(TEXT_BYTES_MAX);
    loop {
        header.push(io.read_u8().await?);
        if header.len() == BINARY_BYTES && header.starts_with(BINARY_START) {
            break read_rest(io, &mut header).await?;
        }
        let is_binary = BINARY_START.starts_with(&header) || header.starts_with(BINARY_START);
        if !is_binary && header.last() == Some(&b'\n') {
            break;
        }
        if header.len() > TEXT_BYTES_MAX {
            return Err(malformed("no end"));
        }
    }
    let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    let (parsed, length) = ProxyHeader::parse(&header, config).map_err(malformed)?;
    if length != header.len() {
        return Err(malformed("another length"));
    }
    Ok(parsed.proxied_address().map(|address| address.source))
}

async fn read_rest(io: &mut (impl AsyncRead + Unpin), header: &mut Vec<u8>) -> io::Result<()> {
    let rest = match header.as_slice() {
        [.., high, low] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    if BINARY_BYTES + rest > PROXY_HEADER_BYTES_MAX {
        return Err(malformed("too long"));
    }
    let start = header.len();
    header.resize(start + rest, 0);
    io.read_exact(header.get_mut(start..).unwrap_or_default()).await.map(drop)
}

fn malformed(found: impl std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("expected a PROXY header, found one that is malformed: {found}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proxy_header::ProxiedAddress;

    async fn read(mut bytes: &[u8]) -> (Option<Option<SocketAddr>>, usize) {
        let source = source(&mut bytes).await;
        (source.ok(), bytes.len())
    }

    fn client() -> SocketAddr {
        "203.0.113.9:51234".parse().expect("an address")
    }

    #[tokio::test]
    async fn both_versions_name_the_client_and_leave_what_follows() {
        let text = b"PROXY TCP4 203.0.113.9 192.0.2.1 51234 25\r\nEHLO";
        assert_eq!(read(text).await, (Some(Some(client())), 4));
        let to = "192.0.2.1:25".parse().expect("an address");
        let mut binary = Vec::new();
        ProxyHeader::with_address(ProxiedAddress::stream(client(), to))
            .encode_v2(&mut binary)
            .expect("fits");
        binary.extend_from_slice(b"EHLO");
        assert_eq!(read(&binary).await, (Some(Some(client())), 4));
    }

    #[tokio::test]
    async fn a_proxy_may_speak_for_itself() {
        assert_eq!(read(b"PROXY UNKNOWN\r\n").await, (Some(None), 0));
        let local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
        assert_eq!(read(local).await, (Some(None), 0));
    }

    #[tokio::test]
    async fn anything_else_is_no_header() {
        let endless = [b'P'; 500];
        let long = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff";
        let without_return = b"PROXY TCP4 203.0.113.9 192.0.2.1 51234 25\n";
        for bytes in [&b"EHLO a\r\n"[..], &endless, long, without_return, b"", b"PROXY TCP4 "] {
            assert_eq!(read(bytes).await.0, None, "{bytes:?}");
        }
    }
}
