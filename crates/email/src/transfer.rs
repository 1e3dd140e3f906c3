//! Content-Transfer-Encodings (RFC 2045, 6), undone as far as they can be: no bytes are refused.

use headgate_event::data::TransferEncoding;
use std::borrow::Cow;

/// The encoding that a header names, and whether the name is known.
pub(crate) fn named(value: Option<&[u8]>) -> (TransferEncoding, bool) {
    let text = String::from_utf8_lossy(value.unwrap_or_default());
    let name = text.split([';', '(', ' ', '\t']).find(|word| !word.trim().is_empty());
    match name.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "base64" => (TransferEncoding::Base64, true),
        "quoted-printable" => (TransferEncoding::QuotedPrintable, true),
        "" | "7bit" | "8bit" | "binary" => (TransferEncoding::Identity, true),
        _ => (TransferEncoding::Identity, false),
    }
}

/// The bytes that were encoded.
pub(crate) fn decode(bytes: &[u8], encoding: TransferEncoding) -> Cow<'_, [u8]> {
    match encoding {
        TransferEncoding::Identity => Cow::Borrowed(bytes),
        TransferEncoding::Base64 => Cow::Owned(base64(bytes)),
        TransferEncoding::QuotedPrintable => Cow::Owned(quoted_printable(bytes)),
    }
}

/// Base64 with everything that is not of its alphabet passed over, padded or not.
fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0u8);
    for byte in bytes {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                flush(&mut out, bits, count);
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 1);
        if count == 4 {
            out.extend(bits.to_be_bytes().into_iter().skip(1));
            (bits, count) = (0, 0);
        }
    }
    flush(&mut out, bits, count);
    out
}

/// The bytes of a last group that is not whole.
fn flush(out: &mut Vec<u8>, bits: u32, count: u8) {
    let bytes = (bits << (6 * (4 - u32::from(count.min(4))))).to_be_bytes();
    out.extend(bytes.into_iter().skip(1).take(usize::from(count.saturating_sub(1))));
}

/// Quoted-printable; an escape that is none stays as it is.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        let end = line.len() - line.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let line_end = line.get(end..).unwrap_or_default();
        let (text, line_end) = match text.strip_suffix(b"=") {
            Some(text) => (text, &[][..]),
            None => (text, line_end),
        };
        let mut rest = text;
        while let Some(at) = memchr::memchr(b'=', rest) {
            let (plain, escape) = rest.split_at(at);
            out.extend_from_slice(plain);
            let byte = escape.get(1).zip(escape.get(2)).and_then(|(a, b)| hex(*a, *b));
            out.push(byte.unwrap_or(b'='));
            rest = escape.get(if byte.is_some() { 3 } else { 1 }..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
        out.extend_from_slice(line_end);
    }
    out
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_without_its_padding_is_whole() {
        assert_eq!(base64(b"aGVsbG8h"), b"hello!");
        assert_eq!(base64(b"aGVs\r\nbG8"), b"hello");
        assert_eq!(base64(b"aGVsbA"), b"hell");
        assert_eq!(base64(b"aGVsbA==aGVsbA=="), b"hellhell");
        assert_eq!(base64(b"a"), b"");
    }

    #[test]
    fn quoted_printable_keeps_what_is_no_escape() {
        assert_eq!(quoted_printable(b"a=C3=A4 =\r\nb=zz  \r\n=3"), b"a\xc3\xa4 b=zz\r\n=3");
    }
}
