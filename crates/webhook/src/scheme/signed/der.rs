//! The little of X.509 (RFC 5280, section 4.1) that `webpki` does not tell: how long a certificate
//! is valid, and its RSA key as PKCS#1 has it.

use headgate_event::Timestamp;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// What is read of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inner {
    begins: Timestamp,
    ends: Timestamp,
    /// `RSAPublicKey`, where the key is one of RSA.
    pub(super) rsa_key: Vec<u8>,
}

impl Inner {
    pub(super) fn is_valid_at(&self, now: Timestamp) -> bool {
        (self.begins.unix_ms()..=self.ends.unix_ms()).contains(&now.unix_ms())
    }
}

/// Reads a certificate; none when it is no such thing.
pub(super) fn certificate(der: &[u8]) -> Option<Inner> {
    let (whole, _) = value(der, SEQUENCE)?;
    let (mut rest, _) = value(whole, SEQUENCE)?;
    if let Some((_, after)) = value(rest, VERSION) {
        rest = after;
    }
    let (_serial, rest) = value(rest, INTEGER)?;
    let (_algorithm, rest) = value(rest, SEQUENCE)?;
    let (_issuer, rest) = value(rest, SEQUENCE)?;
    let (validity, rest) = value(rest, SEQUENCE)?;
    let (_subject, rest) = value(rest, SEQUENCE)?;
    let (key, _) = value(rest, SEQUENCE)?;
    let (begins, after) = time(validity)?;
    let (ends, _) = time(after)?;
    let (_algorithm, bits) = value(key, SEQUENCE)?;
    let (bits, _) = value(bits, BIT_STRING)?;
    // The first byte says how many bits of the last one do not count: none, in keys.
    let rsa_key = bits.strip_prefix(&[0])?.to_vec();
    Some(Inner { begins, ends, rsa_key })
}

/// The content of the element that begins here, if it has this tag, and what follows it.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short if short < 0x80 => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let fits = (1..=3).contains(&digits.len());
            let number = |sum: usize, digit: &u8| sum << 8 | usize::from(*digit);
            (fits.then(|| digits.iter().fold(0, number))?, rest)
        }
    };
    let parts = rest.split_at_checked(length)?;
    (found == tag).then_some(parts)
}

/// The time that begins here (RFC 5280, section 4.1.2.5), and what follows it.
fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, century, rest) = match value(der, UTC_TIME) {
        Some((text, rest)) => (text, None, rest),
        None => {
            let (text, rest) = value(der, GENERALIZED_TIME)?;
            (text.get(2..)?, Some(text.get(..2)?), rest)
        }
    };
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let two = |at: usize| digits.get(at..at + 2);
    let century = match century {
        Some(century) => std::str::from_utf8(century).ok()?,
        None if two(0)?.parse::<u8>().ok()? < 50 => "20",
        None => "19",
    };
    let (year, month, day) = (two(0)?, two(2)?, two(4)?);
    let (hour, minute, second) = (two(6)?, two(8)?, two(10)?);
    let text = format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    Some((text.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_kinds_are_read() {
        let read = |tag: u8, text: &str| {
            let der = [&[tag, text.len() as u8], text.as_bytes(), b"rest"].concat();
            time(&der).map(|(time, rest)| (time.to_string(), rest.to_vec()))
        };
        let shown = |text: &str| Some((text.to_owned(), b"rest".to_vec()));
        assert_eq!(read(UTC_TIME, "260419091522Z"), shown("2026-04-19T09:15:22.000Z"));
        assert_eq!(read(UTC_TIME, "500101000000Z"), shown("1950-01-01T00:00:00.000Z"));
        assert_eq!(read(GENERALIZED_TIME, "20610101000000Z"), shown("2061-01-01T00:00:00.000Z"));
        assert_eq!(read(UTC_TIME, "2604190915Z"), None);
        assert_eq!(read(0x16, "260419091522Z"), None);
    }

    #[test]
    fn what_is_cut_short_is_nothing() {
        for broken in [&b""[..], b"\x30", b"\x30\x05\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80"]
        {
            assert_eq!(certificate(broken), None);
        }
    }
}
