//! What may have been done to a body between the sender and here.

const LINE_ENDS: [(&[u8], &str, &str); 2] = [
    (b"\r\n", "CRLF was added at its end", "CRLF was taken off its end"),
    (b"\n", "a trailing newline was added", "a trailing newline was taken off"),
];

/// A body as it may have been sent, and what was then done to it.
pub(super) struct Variant {
    pub(super) body: Vec<u8>,
    pub(super) change: &'static str,
}

/// How the white space of JSON is written.
#[derive(Clone, Copy)]
enum Style {
    /// `{"a":1,"b":[2]}`
    Compact,
    /// `{"a": 1, "b": [2]}`
    Spaced,
    /// One member a line, so many spaces for each level.
    Indented(usize),
}

/// The bodies that may have become this one, likely ones first.
pub(super) fn of(body: &[u8]) -> Vec<Variant> {
    let mut variants = Vec::new();
    let mut add = |sent: Vec<u8>, change| {
        if sent != body {
            variants.push(Variant { body: sent, change });
        }
    };
    for (end, added, taken) in LINE_ENDS {
        if let Some(without) = body.strip_suffix(end) {
            add(without.to_vec(), added);
        }
        add([body, end].concat(), taken);
    }
    let unix = replaced(body, b"\r\n", b"\n");
    add(replaced(&unix, b"\n", b"\r\n"), "its line ends were turned from CRLF into LF");
    add(unix, "its line ends were turned from LF into CRLF");
    if let Some(without) = body.strip_prefix(b"\xef\xbb\xbf") {
        add(without.to_vec(), "a byte order mark was put before it");
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        let white = "its JSON was re-serialized with other white space";
        for style in [Style::Compact, Style::Spaced, Style::Indented(2), Style::Indented(4)] {
            let written = written(body, style);
            add([&written[..], b"\n"].concat(), white);
            add(written, white);
        }
        let slashes = "its JSON was re-serialized with other escapes";
        let plain = replaced(&written(body, Style::Compact), b"\\/", b"/");
        add(replaced(&plain, b"/", b"\\/"), slashes);
        add(plain, slashes);
    }
    variants
}

/// The same JSON, token for token, with other white space.
fn written(json: &[u8], style: Style) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let line = |out: &mut Vec<u8>, depth: usize| {
        if let Style::Indented(width) = style {
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', width * depth));
        }
    };
    let (mut depth, mut opened) = (0_usize, false);
    let (mut quoted, mut escaped) = (false, false);
    for &byte in json {
        if quoted {
            out.push(byte);
            quoted = byte != b'"' || escaped;
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        if byte.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(byte, b'}' | b']');
        depth = depth.saturating_sub(usize::from(closes));
        // What is empty stays on its line.
        if closes != opened {
            line(&mut out, depth);
        }
        out.push(byte);
        opened = matches!(byte, b'{' | b'[');
        depth += usize::from(opened);
        match (byte, style) {
            (b'"', _) => quoted = true,
            (b',', Style::Spaced) | (b':', Style::Spaced | Style::Indented(_)) => out.push(b' '),
            (b',', _) => line(&mut out, depth),
            _ => {}
        }
    }
    out
}

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = behind;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str, style: Style) -> String {
        String::from_utf8(written(json.as_bytes(), style)).expect("text")
    }

    #[test]
    fn json_is_written_as_common_libraries_write_it() {
        let json = r#" { "a b" : 1.50 ,"c\"{" : [ ] , "d":[{"e":null},2] ,"f":{}, "g":"\\"} "#;
        assert_eq!(
            text(json, Style::Compact),
            r#"{"a b":1.50,"c\"{":[],"d":[{"e":null},2],"f":{},"g":"\\"}"#
        );
        assert_eq!(
            text(json, Style::Spaced),
            r#"{"a b": 1.50, "c\"{": [], "d": [{"e": null}, 2], "f": {}, "g": "\\"}"#
        );
        let value = serde_json::json!({"a": [1, {"b": []}, "x, y"], "c": {}});
        let pretty = serde_json::to_string_pretty(&value).expect("text");
        assert_eq!(text(&value.to_string(), Style::Indented(2)), pretty);
    }

    #[test]
    fn every_variant_is_another_body() {
        for body in [&b"{\"a\": 1}\r\n"[..], b"", b"a\nb", b"[]"] {
            assert!(of(body).iter().all(|variant| variant.body != body));
        }
    }
}
