use super::*;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use std::io::Write;

const TEXT: &[u8] = br#"{"a": 1}"#;
/// `TEXT`, and ten million zeros, by the reference encoder of brotli.
const BR_TEXT: &str = "8b03807b2261223a20317d03";
const BR_ZEROS: &str = "cbffff3ff82700e2b14020f7fe2fff2c31f04f00c46111808e2306";

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("finished")
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("finished")
}

fn bare(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("finished")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn decode(header: &str, body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    codings(header).decode(body, 1 << 20, |_| true)
}

fn codings(header: &str) -> Codings {
    Codings::read(header).expect("known").expect("something to undo")
}

fn corrupt(result: Result<Vec<u8>, DecodeError>) -> bool {
    matches!(result, Err(DecodeError::Corrupt { .. }))
}

#[test]
fn what_clients_send_is_undone() {
    let twice = gzip(&zlib(TEXT));
    let members = [gzip(&TEXT[..3]), gzip(&TEXT[3..])].concat();
    for (header, body) in [
        ("gzip", gzip(TEXT)),
        ("X-GZip", gzip(TEXT)),
        ("gzip", members),
        ("deflate", zlib(TEXT)),
        ("deflate", bare(TEXT)),
        ("br", bytes(BR_TEXT)),
        ("deflate, gzip", twice),
        ("identity, br ,,", bytes(BR_TEXT)),
        ("br, gzip, deflate", zlib(&gzip(&bytes(BR_TEXT)))),
    ] {
        assert_eq!(decode(header, &body).as_deref(), Ok(TEXT), "{header}");
    }
    assert_eq!(decode("gzip", b"").as_deref(), Ok(&b""[..]));
    assert_eq!(decode("gzip", &gzip(b"")).as_deref(), Ok(&b""[..]));
}

#[test]
fn nothing_to_undo_and_what_nobody_undoes_are_told_apart() {
    assert_eq!(Codings::read(""), Ok(None));
    assert_eq!(Codings::read("identity, Identity"), Ok(None));
    assert_eq!(Codings::read("gzip, zstd"), Err(CodingError::Unknown("zstd".into())));
    assert_eq!(Codings::read("gzip,gzip,gzip,gzip"), Err(CodingError::TooMany(4)));
    assert_eq!(codings("x-gzip, BR").to_string(), "gzip, br");
}

#[test]
fn whatever_is_cut_short_or_goes_on_behind_its_end_is_corrupt() {
    for (header, body) in [
        ("gzip", gzip(TEXT)),
        ("deflate", zlib(TEXT)),
        ("deflate", bare(TEXT)),
        ("br", bytes(BR_TEXT)),
        ("deflate, gzip", gzip(&zlib(TEXT))),
    ] {
        for end in 1..body.len() {
            assert!(corrupt(decode(header, &body[..end])), "{header}: {end} bytes");
        }
        for behind in [&b"x"[..], b"\0", &[7; 40_000]] {
            assert!(corrupt(decode(header, &[&body, behind].concat())), "{header} and more");
        }
        assert!(corrupt(decode(header, TEXT)), "{header}");
    }
    let inside = gzip(&[zlib(TEXT), b"more".to_vec()].concat());
    assert!(corrupt(decode("deflate, gzip", &inside)), "behind the end of an inner layer");
}

#[test]
fn a_checksum_that_does_not_fit_is_corrupt() {
    for (header, mut body) in [("gzip", gzip(TEXT)), ("deflate", zlib(TEXT))] {
        let at = body.len() - if header == "gzip" { 8 } else { 1 };
        body[at] ^= 1;
        assert!(corrupt(decode(header, &body)), "{header}");
    }
}

#[test]
fn a_bomb_takes_no_more_memory_than_the_cap() {
    let zeros = vec![0; 10_000_000];
    let nested = gzip(&gzip(&gzip(&zeros)));
    for (header, body) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("br", bytes(BR_ZEROS)),
        ("gzip, gzip, gzip", nested),
    ] {
        let mut taken = 0;
        let windows = if header == "br" { BROTLI_WINDOW_BYTES_MAX } else { 0 };
        let bomb = codings(header).decode(&body, 100_000, |bytes| {
            taken += bytes;
            true
        });
        assert_eq!(bomb, Err(DecodeError::TooLarge { bytes_max: 100_000 }), "{header}");
        assert!(taken <= 100_000 + 2 * STEP_BYTES + windows, "{header}: {taken} bytes");
    }
}

#[test]
fn a_bomb_between_two_layers_is_one_too() {
    // Empty stored blocks: megabytes of them are nothing in the end.
    let blocks = [0, 0, 0, 0xff, 0xff].repeat(200_000);
    let nothing = [blocks, vec![3, 0]].concat();
    assert_eq!(decode("deflate", &nothing).as_deref(), Ok(&b""[..]));
    let outer = codings("deflate, gzip").decode(&gzip(&nothing), 100_000, |_| true);
    assert_eq!(outer, Err(DecodeError::TooLarge { bytes_max: 100_000 }));
}

#[test]
fn brotli_beyond_the_standard_is_not_taken() {
    // A window of 1 GiB, and the end: nothing, for decoders that take such windows.
    assert!(corrupt(decode("br", &[0x11, 0xde])));
}

#[test]
fn without_room_nothing_is_decoded() {
    assert_eq!(codings("gzip").decode(&gzip(TEXT), 100, |_| false), Err(DecodeError::NoRoom));
    let mut asked = Vec::new();
    let room = |bytes| {
        asked.push(bytes);
        false
    };
    assert_eq!(codings("br").decode(&bytes(BR_TEXT), 100, room), Err(DecodeError::NoRoom));
    assert_eq!(asked, [BROTLI_WINDOW_BYTES_MAX], "a window is asked for before it is made");
}

#[test]
fn a_stored_body_becomes_what_it_was_or_is_damage() {
    let coded = Coded { codings: codings("gzip"), bytes: TEXT.len() };
    assert_eq!(coded.undo(&gzip(TEXT)).as_deref(), Ok(TEXT));
    assert!(corrupt(coded.undo(&gzip(&TEXT[1..]))));
    assert!(coded.undo(&gzip(&[TEXT, b"x"].concat())).is_err());
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic_or_grow_beyond_the_cap(
        body in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
        header in proptest::sample::select(vec!["gzip", "deflate", "br", "br, deflate, gzip"]),
    ) {
        if let Ok(decoded) = codings(header).decode(&body, 1000, |_| true) {
            proptest::prop_assert!(decoded.len() <= 1000);
        }
    }
}
