use super::*;
use http::HeaderValue;
use proptest::prelude::*;

const PEER: &str = "10.0.0.1";

fn proxies() -> TrustedProxies {
    let networks = ["10.0.0.0/8", "::1/128", "2001:db8:aa::/48"];
    TrustedProxies::new(networks.iter().map(|text| text.parse().expect("a network")).collect())
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
    }
    headers
}

/// The address, with a `?` when it is not certain.
fn origin(peer: &str, lines: &[(&'static str, &str)]) -> String {
    let peer = peer.parse().expect("an address");
    let Origin { address, is_certain } = proxies().origin(peer, &headers(lines));
    format!("{address}{}", if is_certain { "" } else { "?" })
}

#[test]
fn an_untrusted_peer_is_not_believed() {
    let lines = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
    assert_eq!(origin("203.0.113.5", &lines), "203.0.113.5");
    assert_eq!(origin("203.0.113.5", &[]), "203.0.113.5");
    assert_eq!(origin(PEER, &[]), PEER);
    assert_eq!(origin("::ffff:10.0.0.1", &[("x-forwarded-for", "192.0.2.1")]), "192.0.2.1");
}

#[test]
fn the_last_untrusted_address_counts_and_nothing_before_it() {
    for (value, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.7, 192.0.2.1", "192.0.2.1"),
        ("127.0.0.1, 192.0.2.1 , 10.2.3.4", "192.0.2.1"),
        ("<script>, \"192.0.2.1:4711\", 10.2.3.4:80", "192.0.2.1"),
        ("10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("2001:db8::1, [2001:db8:aa::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
    ] {
        assert_eq!(origin(PEER, &[("x-forwarded-for", value)]), expected, "{value}");
    }
    let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.1, 10.0.0.2")];
    assert_eq!(origin("::1", &lines), "192.0.2.1");
}

#[test]
fn the_standard_header_is_read_with_its_quotes_and_names() {
    for (value, expected) in [
        ("for=192.0.2.1", "192.0.2.1"),
        ("For=\"[2001:db8::1]:4711\";proto=https;by=203.0.113.43", "2001:db8::1"),
        ("for=1.1.1.1, for=192.0.2.1:80;host=\"a,b;for=2.2.2.2\", for=10.0.0.2", "192.0.2.1"),
        ("for=\"192.0.2.1:_port\"", "192.0.2.1"),
        ("for=\"[2001:db8::1]:_port\"", "2001:db8::1"),
        ("for=\"a\\\"b\", for=192.0.2.1", "192.0.2.1"),
        ("for=_hidden", "10.0.0.1?"),
        ("for=unknown, for=10.0.0.2", "10.0.0.2?"),
        ("proto=https", "10.0.0.1?"),
        ("for=\"192.0.2.1", "10.0.0.1?"),
        ("for=\"1.1.1.1, for=192.0.2.1", "10.0.0.1?"),
        ("", "10.0.0.1?"),
    ] {
        assert_eq!(origin(PEER, &[("forwarded", value)]), expected, "{value}");
    }
}

#[test]
fn what_cannot_be_read_ends_at_the_last_trusted_hop() {
    for value in ["", "unknown", "_x", "999.1.1.1", "1.1.1.1:99999", "a, ", "\u{e9}", "[::1"] {
        assert_eq!(origin(PEER, &[("x-forwarded-for", value)]), "10.0.0.1?", "{value}");
    }
    assert_eq!(origin(PEER, &[("x-forwarded-for", "1.1.1.1, nonsense, 10.0.0.2")]), "10.0.0.2?");
    let endless = "10.0.0.2, ".repeat(1000) + "10.0.0.2";
    assert_eq!(origin(PEER, &[("x-forwarded-for", &endless)]), "10.0.0.2?");
}

// Symptom: a client was taken for whoever it named. Cause: it left a quote open, and what its proxy
// added to the line counted to the quoted text. Fix: such a line says nothing.
#[test]
fn a_client_cannot_hide_the_word_of_its_proxy_in_a_quote() {
    for claimed in ["for=1.2.3.4;x=\"", "for=1.2.3.4;x=\"\\", "\"", "for=\"1.2.3.4"] {
        for added in ["for=192.0.2.1", "for=\"[2001:db8::1]:80\""] {
            let line = format!("{claimed}, {added}");
            assert_eq!(origin(PEER, &[("forwarded", &line)]), "10.0.0.1?", "{line}");
        }
    }
}

#[test]
fn two_headers_that_contradict_each_other_are_not_believed() {
    let agree = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1;proto=https")];
    assert_eq!(origin(PEER, &agree), "192.0.2.1");
    let contradict = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=198.51.100.1")];
    assert_eq!(origin(PEER, &contradict), "10.0.0.1?");
}

proptest! {
    #[test]
    fn nothing_panics_and_no_one_but_the_trusted_is_passed(
        hops in proptest::collection::vec("[ -~]{0,20}", 0..5),
        name in prop_oneof![Just("x-forwarded-for"), Just("forwarded")],
    ) {
        let lines = [(name, format!("{}, for=192.0.2.1", hops.join(",")))];
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let found = origin(PEER, &lines);
        let certain = !found.ends_with('?');
        prop_assert!(!certain || found == "192.0.2.1", "{}", found);
    }
}
