//! An address of an envelope, read from a path of MAIL or RCPT (RFC 5321, section 4.1.2; RFC 6531).
//!
//! Not for addresses in a message's fields: these have names, comments and groups.

use headgate_event::limits::{SMTP_DOMAIN_BYTES_MAX, SMTP_LOCAL_PART_BYTES_MAX};
use std::{fmt, net::Ipv4Addr, net::Ipv6Addr};

/// An address as it was written, with its domain in lower case and its local part unquoted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    local: String,
    /// None for `postmaster`, which every host knows (RFC 5321, section 4.5.1).
    domain: Option<String>,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No local part, or one with a character that needs quotes.
    #[error("the part before `@` is not valid")]
    LocalPart,
    /// A quoted local part with an `@` or a control character: two readers could read two
    /// addresses.
    #[error("the quoted part before `@` holds `@` or a control character")]
    Quoted,
    /// No domain, or one that no host can have.
    #[error("the domain is not valid")]
    Domain,
    /// The local part or the domain is too long.
    #[error("the address is too long")]
    TooLong,
}

impl Address {
    /// Reads what stands between `<` and `>`. A source route before it is left out, as RFC 5321
    /// (appendix C) asks.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = without_route(text);
        if text.eq_ignore_ascii_case("postmaster") {
            return Ok(Self { local: text.to_owned(), domain: None });
        }
        let (local, rest) = match text.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => plain(text)?,
        };
        let domain = rest.strip_prefix('@').ok_or(AddressError::Domain)?;
        if local.len() > SMTP_LOCAL_PART_BYTES_MAX || domain.len() > SMTP_DOMAIN_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        if !is_domain(domain) {
            return Err(AddressError::Domain);
        }
        Ok(Self { local, domain: Some(domain.to_lowercase()) })
    }

    /// What stands before the `@`, without quotes.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// What stands behind the `@`, in lower case; empty for a bare `postmaster`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.domain.as_deref().unwrap_or_default()
    }

    /// Whether it can be said without SMTPUTF8.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii() && self.domain().is_ascii()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.local.chars().all(is_plain) {
            f.write_str(&self.local)?;
        } else {
            let escaped = self.local.replace('\\', "\\\\").replace('"', "\\\"");
            write!(f, "\"{escaped}\"")?;
        }
        match &self.domain {
            Some(domain) => write!(f, "@{domain}"),
            None => Ok(()),
        }
    }
}

fn without_route(text: &str) -> &str {
    if !text.starts_with('@') {
        return text;
    }
    text.split_once(':').map_or(text, |(_, rest)| rest)
}

fn plain(text: &str) -> Result<(String, &str), AddressError> {
    let end = text.find('@').unwrap_or(text.len());
    let (local, rest) = text.split_at(end);
    if local.is_empty() || !local.chars().all(is_plain) {
        return Err(AddressError::LocalPart);
    }
    Ok((local.to_owned(), rest))
}

/// The content of a quoted local part and what stands behind its end.
fn unquoted(text: &str) -> Result<(String, &str), AddressError> {
    let mut local = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '@' => return Err(AddressError::Quoted),
            character if character.is_control() => return Err(AddressError::Quoted),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '"' if !escaped => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let found = !local.is_empty();
                return found.then_some((local, rest)).ok_or(AddressError::LocalPart);
            }
            character => local.push(character),
        }
        escaped = false;
    }
    Err(AddressError::LocalPart)
}

/// A character of an unquoted local part. Dots may stand anywhere: such addresses exist.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~.".contains(character)
        || (!character.is_ascii() && !character.is_control())
}

fn is_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match literal.get(..5) {
            Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => {
                literal.get(5..).is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
            }
            _ => literal.parse::<Ipv4Addr>().is_ok(),
        };
    }
    let fits = |character: char| {
        character.is_ascii_alphanumeric()
            || "-_".contains(character)
            || (!character.is_ascii() && !character.is_control() && !character.is_whitespace())
    };
    domain.split('.').all(|label| !label.is_empty() && label.chars().all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, AddressError> {
        Address::parse(text).map(|address| address.to_string())
    }

    #[test]
    fn an_address_is_read_as_every_other_reader_reads_it() {
        for (text, expected) in [
            ("Ann.Lee+x@Example.COM", "Ann.Lee+x@example.com"),
            ("\"ann\"@example.com", "ann@example.com"),
            ("\"a b\\\"c\"@example.com", "\"a b\\\"c\"@example.com"),
            ("a@[192.0.2.1]", "a@[192.0.2.1]"),
            ("a@[IPv6:2001:db8::1]", "a@[ipv6:2001:db8::1]"),
            ("@one.example,@two.example:a@example.com", "a@example.com"),
            ("Postmaster", "Postmaster"),
            ("grüße@bücher.example", "grüße@bücher.example"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        use AddressError::{Domain, LocalPart, Quoted, TooLong};
        let long = format!("{}@example.com", "a".repeat(255));
        for (text, expected) in [
            ("\"a@evil.example\"@example.com", Quoted),
            ("\"a\u{0}\"@example.com", Quoted),
            ("\"a", LocalPart),
            ("\"\"@example.com", LocalPart),
            ("a b@example.com", LocalPart),
            ("@example.com", LocalPart),
            ("a@b@c", Domain),
            ("a", Domain),
            ("a@", Domain),
            ("a@b..c", Domain),
            ("a@.", Domain),
            ("a@[300.1.1.1]", Domain),
            ("a@[é:::::1]", Domain),
            ("a@b\u{85}", Domain),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }
}
