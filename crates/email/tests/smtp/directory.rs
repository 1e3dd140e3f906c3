//! Which channels an address belongs to.

use crate::wire::directory;
use headgate_email::smtp::{Address, AddressPattern, Recipients, Routed};

/// The channels of an address, with the pattern and the tag that led to each.
fn route(to: &str, from: Option<&str>) -> String {
    let address = |text: &str| Address::parse(text).expect("an address");
    match directory().route(&address(to), from.map(address).as_ref()) {
        Routed::Unknown => "unknown".to_owned(),
        Routed::Denied => "denied".to_owned(),
        Routed::To(matches) => {
            let told = matches.iter().map(|found| {
                let tag = found.tag.as_deref().unwrap_or("-");
                format!("{} by {} tag {tag}", found.channel.id, found.matched_address)
            });
            told.collect::<Vec<_>>().join("; ")
        }
    }
}

#[test]
fn the_most_exact_address_decides() {
    let ann = Some("ann@b.example");
    for (to, expected) in [
        ("support@example.com", "support by support@example.com tag -"),
        ("SUPPORT@EXAMPLE.com", "support by support@example.com tag -"),
        ("support+Order-7+x@example.com", "support by support@example.com tag Order-7+x"),
        ("support+@example.com", "support by support@example.com tag "),
        (
            "sales@example.com",
            "support by sales@example.com tag -; audit by sales@example.com tag -",
        ),
        ("x@catch.example", "all by *@catch.example tag -"),
        ("x+t@catch.example", "all by *@catch.example tag t"),
        ("+t@catch.example", "all by *@catch.example tag -"),
        ("GRÜSSE@bücher.example", "unknown"),
        ("GRÜßE@BÜCHER.example", "books by grüße@bücher.example tag -"),
        ("x@sub.catch.example", "unknown"),
        ("nobody@example.com", "unknown"),
        ("*@example.com", "unknown"),
        ("postmaster", "unknown"),
    ] {
        assert_eq!(route(to, ann), expected, "{to}");
    }
}

#[test]
fn a_channel_takes_mail_only_from_whom_it_wants() {
    let few = "few by few@example.com tag -";
    for (from, expected) in [
        (Some("boss@example.org"), few),
        (Some("Boss@EXAMPLE.org"), few),
        (Some("any@partner.example"), few),
        (Some("bad@partner.example"), "denied"),
        (Some("other@example.org"), "denied"),
        (None, "denied"),
    ] {
        assert_eq!(route("few@example.com", from), expected, "{from:?}");
    }
    assert_eq!(route("support@example.com", None), "support by support@example.com tag -");
}

#[test]
fn a_pattern_that_is_none_is_told_with_its_text() {
    let errors: Vec<String> = ["support", "*", "a b@example.com", "@example.com", "a@-b..c"]
        .iter()
        .map(|text| AddressPattern::parse(text).expect_err("no pattern").to_string())
        .collect();
    insta::assert_snapshot!(errors.join("\n"), @r"
    expected an address or `*@domain`, found `support`: the domain is not valid
    expected an address or `*@domain`, found `*`: the domain is not valid
    expected an address or `*@domain`, found `a b@example.com`: the part before `@` is not valid
    expected an address or `*@domain`, found `@example.com`: the part before `@` is not valid
    expected an address or `*@domain`, found `a@-b..c`: the domain is not valid
    ");
}
