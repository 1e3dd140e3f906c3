//! What a zoneinfo folder says of itself in `tzdata.zi`: its release, its zones, and which names
//! are links to which. The rules in that file are not read; the TZif files hold them compiled.

use super::ZoneVersion;
use std::{collections::BTreeMap, sync::Arc};

/// The names of a zoneinfo folder and the release it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// From the first line, `# version 2025b`.
    pub(crate) version: Option<ZoneVersion>,
    /// Each name, and what it links to.
    pub(crate) names: BTreeMap<Arc<str>, Option<Arc<str>>>,
}

impl Listing {
    /// The zones and links of `tzdata.zi`. Lines that are neither, and names that are no names,
    /// are passed over.
    pub(crate) fn parse(text: &str) -> Self {
        let version = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# version "))
            .and_then(|name| name.trim().parse().ok());
        let names = text.lines().filter_map(name_of_line).collect();
        Self { version, names }
    }

    /// The zone that a name links to, when it does.
    pub(crate) fn target(&self, name: &str) -> Option<&str> {
        self.names.get(name)?.as_deref()
    }
}

/// `Z America/New_York -4:56 ...` is a zone; `L America/New_York US/Eastern` a link to it.
fn name_of_line(line: &str) -> Option<(Arc<str>, Option<Arc<str>>)> {
    let mut words = line.split_ascii_whitespace();
    let (kind, first) = (words.next()?, words.next().filter(|name| is_zone_name(name))?);
    match kind {
        "Z" => Some((first.into(), None)),
        "L" => {
            let name = words.next().filter(|name| is_zone_name(name))?;
            Some((name.into(), Some(first.into())))
        }
        _ => None,
    }
}

/// Whether a text can be the name of a zone, and so of a file below a zoneinfo folder: it has no
/// dot, and neither begins nor ends with a slash.
pub(crate) fn is_zone_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-/".contains(&byte);
    (1..=64).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('/')
        && !text.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_links_and_the_release_are_found() {
        let listing = Listing::parse(
            "# version 2026f\nR d 1916 o - Jun 14 23s 1 S\nZ Africa/Abidjan -0:16:8 - LMT 1912\n\
             0 - GMT\nL Africa/Abidjan Africa/Accra\n",
        );
        assert_eq!(listing.version, "2026f".parse().ok());
        assert_eq!(listing.target("Africa/Accra"), Some("Africa/Abidjan"));
        assert_eq!(listing.names.len(), 2);
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        for text in ["../etc/passwd", "/etc/passwd", "Europe/..", "Europe/", "", "a b", "é"] {
            assert!(!is_zone_name(text), "{text}");
        }
        let listing =
            Listing::parse("# version x\nZ ../../etc/shadow 0\nL ../a B\nL A ../b\nL A\n");
        assert_eq!(listing, Listing::default());
        for text in ["Etc/GMT+5", "America/Port-au-Prince", "EST5EDT", "America/Argentina/Salta"] {
            assert!(is_zone_name(text), "{text}");
        }
    }
}
