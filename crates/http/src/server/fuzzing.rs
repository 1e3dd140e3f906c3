//! A door for fuzzers and for nobody else: the judge of heads, with what must hold of any bytes.

use super::head::{Framing, Head, Judge, Judgement};

/// Judges a head that comes in these parts.
///
/// # Panics
///
/// When the parts make a difference, or a head that passes does not say of its body's end what
/// `Framing` says.
pub fn head(bytes: &[u8], parts: &[usize], bytes_max: usize) {
    let (at_once, _) = judged(&[bytes.len()], bytes, bytes_max);
    let (in_parts, seen) = judged(parts, bytes, bytes_max);
    match (&at_once, &in_parts) {
        // A head is judged when it ends, so what comes after it cannot matter; without an end,
        // parts may bring out a fault earlier or later.
        (Some(Ok(one)), Some(Ok(other))) => assert_eq!(one, other),
        (Some(Ok(_)), Some(Err(code))) => panic!("refused in parts with {code}, taken at once"),
        (Some(Err(code)), Some(Ok(_))) => panic!("taken in parts, refused at once with {code}"),
        (Some(Ok(head)), None) => assert!(seen < head.bytes, "a whole head is not seen"),
        _ => {}
    }
    if let Some(Ok(head)) = at_once {
        check(bytes.get(..head.bytes).unwrap_or_default(), &head, bytes_max);
    }
}

/// The judgement, and how many bytes it took.
fn judged(
    parts: &[usize],
    bytes: &[u8],
    bytes_max: usize,
) -> (Option<Result<Head, &'static str>>, usize) {
    let mut judge = Judge::new(bytes_max);
    let mut came = 0_usize;
    for part in parts.iter().copied().chain([bytes.len()]) {
        came = bytes.len().min(came.saturating_add(part));
        match judge.judge(bytes.get(..came).unwrap_or_default()) {
            Judgement::Incomplete => {}
            Judgement::Passed(head) => return (Some(Ok(head)), came),
            Judgement::Refused(reject) => return (Some(Err(reject.code())), came),
        }
    }
    (None, came)
}

/// Reads the head once more, line by line and without any library.
fn check(head: &[u8], judged: &Head, bytes_max: usize) {
    assert!(head.len() == judged.bytes && head.len() <= bytes_max);
    assert!(head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n"), "an empty line ends it");
    let (mut lengths, mut codings, mut hosts) = (Vec::new(), 0, 0);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        match name.to_ascii_lowercase().as_slice() {
            b"content-length" => lengths.push(value.get(1..).unwrap_or_default().trim_ascii()),
            b"transfer-encoding" => codings += 1,
            b"host" => hosts += 1,
            _ => {}
        }
    }
    assert!(hosts <= 1, "more than one host passed");
    match judged.framing {
        Framing::Length(length) => {
            assert_eq!(codings, 0, "a coding was passed over");
            let text = length.to_string();
            for found in &lengths {
                let digits = found.iter().skip_while(|byte| **byte == b'0').copied();
                let found: Vec<u8> = digits.collect();
                assert!(found == text.as_bytes() || (length == 0 && found.is_empty()));
            }
            assert!(length == 0 || !lengths.is_empty(), "a length out of nowhere");
        }
        Framing::Chunked => assert!(codings == 1 && lengths.is_empty(), "two ways to the end"),
    }
}
