//! An SPF record read as RFC 7208 writes it (section 12), and nothing more lenient: who publishes a
//! record that is wrong learns it everywhere alike.

use super::Verdict;
use mail_auth::{common::parse::TxtRecordParser, spf::Macro};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<Macro>,
}

/// One directive.
#[derive(Debug)]
pub(super) struct Directive {
    /// The verdict where it matches.
    pub(super) verdict: Verdict,
    pub(super) mechanism: Mechanism,
}

/// What a client is compared with. Without a name it is the domain itself.
#[derive(Debug)]
pub(super) enum Mechanism {
    All,
    Include(Macro),
    A(Option<Macro>, Masks),
    Mx(Option<Macro>, Masks),
    Ptr(Option<Macro>),
    Ip(IpAddr, Masks),
    Exists(Macro),
}

/// Which bits of addresses count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) v4: u32,
    pub(super) v6: u128,
}

/// A record that is wrong somewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Record {
    /// Reads what stands after `v=spf1`.
    pub(super) fn parse(terms: &[u8]) -> Result<Self, Malformed> {
        let visible = terms.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let text = std::str::from_utf8(terms).ok().filter(|_| visible).ok_or(Malformed)?;
        let mut record = Self { directives: Vec::new(), redirect: None };
        let mut explained = false;
        for term in text.split(' ').filter(|term| !term.is_empty()) {
            match modifier(term) {
                Some((name, value)) if name.eq_ignore_ascii_case("redirect") => {
                    let target = domain_spec(value)?;
                    // RFC 7208, 6: each of the two may be there once.
                    if record.redirect.replace(target).is_some() {
                        return Err(Malformed);
                    }
                }
                Some((name, value)) if name.eq_ignore_ascii_case("exp") => {
                    domain_spec(value)?;
                    if std::mem::replace(&mut explained, true) {
                        return Err(Malformed);
                    }
                }
                Some((_, value)) => macro_string(value).map(drop)?,
                None => record.directives.push(directive(term)?),
            }
        }
        Ok(record)
    }
}

/// The name and the value of a modifier; none of a directive.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let rest = letters.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (first && rest).then_some((name, value))
}

fn directive(term: &str) -> Result<Directive, Malformed> {
    let (verdict, term) = match term.as_bytes().first() {
        Some(b'+') => (Verdict::Pass, term.get(1..)),
        Some(b'-') => (Verdict::Fail, term.get(1..)),
        Some(b'~') => (Verdict::SoftFail, term.get(1..)),
        Some(b'?') => (Verdict::Neutral, term.get(1..)),
        _ => (Verdict::Pass, Some(term)),
    };
    let term = term.ok_or(Malformed)?;
    let end = term.find([':', '/']).unwrap_or(term.len());
    let (name, rest) = term.split_at(end);
    let value = rest.strip_prefix(':');
    let only = || value.filter(|value| !value.is_empty()).ok_or(Malformed);
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Mechanism::All,
        "include" => Mechanism::Include(domain_spec(only()?)?),
        "exists" => Mechanism::Exists(domain_spec(only()?)?),
        "ptr" if rest.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(domain_spec(only()?)?)),
        "a" => {
            let (target, masks) = target(rest)?;
            Mechanism::A(target, masks)
        }
        "mx" => {
            let (target, masks) = target(rest)?;
            Mechanism::Mx(target, masks)
        }
        "ip4" => {
            let (address, bits) = network(only()?);
            let address: Ipv4Addr = address.parse().map_err(|_| Malformed)?;
            Mechanism::Ip(address.into(), Masks { v4: mask4(bits)?, v6: u128::MAX })
        }
        "ip6" => {
            let (address, bits) = network(only()?);
            let address: Ipv6Addr = address.parse().map_err(|_| Malformed)?;
            Mechanism::Ip(address.into(), Masks { v4: u32::MAX, v6: mask6(bits)? })
        }
        _ => return Err(Malformed),
    };
    Ok(Directive { verdict, mechanism })
}

/// `[":" domain-spec] ["/" bits] ["//" bits]`. A name may hold slashes, so the bits are looked for
/// at the end.
fn target(rest: &str) -> Result<(Option<Macro>, Masks), Malformed> {
    let (rest, v6) = ends_in(rest, "//");
    let (rest, v4) = ends_in(rest, "/");
    let masks = Masks { v4: mask4(v4)?, v6: mask6(v6)? };
    if rest.is_empty() {
        return Ok((None, masks));
    }
    let name = rest.strip_prefix(':').ok_or(Malformed)?;
    Ok((Some(domain_spec(name)?), masks))
}

/// A text without the slashes and the digits at its end, and these digits.
fn ends_in<'a>(text: &'a str, slashes: &str) -> (&'a str, Option<&'a str>) {
    let begin = text.trim_end_matches(|c: char| c.is_ascii_digit());
    match begin.strip_suffix(slashes) {
        Some(before) if begin.len() < text.len() => (before, text.get(begin.len()..)),
        _ => (text, None),
    }
}

fn network(text: &str) -> (&str, Option<&str>) {
    text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)))
}

/// A number of bits without zeros before it.
fn bits(text: &str, most: u32) -> Result<u32, Malformed> {
    let plain = text == "0" || !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|bits| plain && *bits <= most).ok_or(Malformed)
}

fn mask4(text: Option<&str>) -> Result<u32, Malformed> {
    let bits = text.map_or(Ok(32), |text| bits(text, 32))?;
    Ok(u32::MAX.checked_shl(32 - bits).unwrap_or(0))
}

fn mask6(text: Option<&str>) -> Result<u128, Malformed> {
    let bits = text.map_or(Ok(128), |text| bits(text, 128))?;
    Ok(u128::MAX.checked_shl(128 - bits).unwrap_or(0))
}

/// `domain-spec`: it ends with a label that can be a top-level one, or with a macro.
fn domain_spec(text: &str) -> Result<Macro, Malformed> {
    let tail = macro_string(text)?;
    let by_macro = tail.is_empty() && !text.is_empty();
    let tail = tail.strip_suffix('.').unwrap_or(tail);
    let top = tail.rsplit_once('.').map_or("", |(_, top)| top);
    let fits = top.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !top.is_empty()
        && !top.starts_with('-')
        && !top.ends_with('-')
        && !top.bytes().all(|byte| byte.is_ascii_digit());
    if !(by_macro || fits) {
        return Err(Malformed);
    }
    Macro::parse(text.as_bytes()).map_err(|_| Malformed)
}

/// Checks a `macro-string`, and gives what stands after its last macro.
fn macro_string(text: &str) -> Result<&str, Malformed> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        rest = match after.as_bytes().first() {
            Some(b'%' | b'_' | b'-') => after.get(1..).unwrap_or_default(),
            Some(b'{') => {
                let (inner, after) =
                    after.get(1..).and_then(|t| t.split_once('}')).ok_or(Malformed)?;
                if !is_macro(inner) {
                    return Err(Malformed);
                }
                after
            }
            _ => return Err(Malformed),
        };
    }
    Ok(rest)
}

/// What stands between `%{` and `}`: a letter, digits, `r`, delimiters.
fn is_macro(text: &str) -> bool {
    let Some(letter) = text.chars().next() else { return false };
    // RFC 7208, 7.2: `c`, `r` and `t` are for explanations alone.
    let known = "slodiphv".contains(letter.to_ascii_lowercase());
    let rest = text.get(letter.len_utf8()..).unwrap_or_default();
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = rest.get(..rest.len() - after.len()).unwrap_or_default();
    let counts = digits.is_empty() || digits.bytes().any(|digit| digit != b'0');
    let after = after.strip_prefix(['r', 'R']).unwrap_or(after);
    known && counts && after.bytes().all(|byte| b".-+,/_=".contains(&byte))
}
