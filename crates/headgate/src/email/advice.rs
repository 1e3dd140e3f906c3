//! What is to be set in the DNS of a domain, by what there is.

use headgate_email::{Asked, DomainRecords, Exchange};
use serde::Serialize;

/// One kind of record, and what is to be said of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// `MX`, `SPF` or `DMARC`.
    pub(super) record: &'static str,
    /// How it stands.
    pub(super) state: State,
    /// What there is.
    pub(super) found: Vec<String>,
    /// What is wrong, and what to set.
    pub(super) advice: Vec<String>,
}

/// How a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Nothing to be said.
    Good,
    /// Mail comes, and something could be better.
    Weak,
    /// Mail does not come, or who sends it cannot be told.
    Wrong,
    /// The DNS says nothing.
    Unknown,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Weak => "weak",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

/// What is to be said of a domain whose mail should come to `host`, where that is known.
pub(super) fn findings(domain: &str, host: Option<&str>, records: &DomainRecords) -> Vec<Finding> {
    vec![
        exchanges(domain, host, &records.exchanges),
        spf(domain, &records.spf),
        dmarc(domain, &records.dmarc),
    ]
}

fn exchanges(domain: &str, host: Option<&str>, asked: &Asked<Exchange>) -> Finding {
    let Asked::Found(found) = asked else { return unknown("MX") };
    let mut advice = Vec::new();
    let wanted = host.unwrap_or("the name of your gateway");
    let set = format!("set `{domain}. MX 10 {wanted}.`");
    if found.is_empty() {
        advice.push(format!("no mail comes: {set}"));
    } else if found.iter().any(|exchange| exchange.host.is_empty()) {
        advice.push(format!("it says that it takes no mail (RFC 7505): {set} instead"));
    } else if let Some(host) = host
        && !found.iter().any(|exchange| exchange.host.eq_ignore_ascii_case(host))
    {
        advice.push(format!("mail goes elsewhere: {set}"));
    }
    for exchange in found.iter().filter(|exchange| !exchange.host.is_empty()) {
        if exchange.addresses == Asked::Found(Vec::new()) {
            let name = &exchange.host;
            advice.push(format!("`{name}` has no address: set its A or AAAA record"));
        }
    }
    let state = if advice.is_empty() { State::Good } else { State::Wrong };
    Finding { record: "MX", state, found: found.iter().map(shown).collect(), advice }
}

fn shown(exchange: &Exchange) -> String {
    let Exchange { preference, host, addresses } = exchange;
    let addresses = match addresses {
        Asked::Found(found) if found.is_empty() => "no address".to_owned(),
        Asked::Found(found) => found.join(", "),
        Asked::Unknown => "address unknown".to_owned(),
    };
    format!("{preference} {host}. ({addresses})")
}

fn spf(domain: &str, asked: &Asked<String>) -> Finding {
    let Asked::Found(found) = asked else { return unknown("SPF") };
    let (state, advice) = match found.as_slice() {
        [] => (
            State::Weak,
            format!(
                "anyone may send in its name: set `{domain}. TXT \"v=spf1 -all\"` if it sends no \
                 mail, else name who does before `-all`"
            ),
        ),
        [one] if one.split_whitespace().any(|term| term == "+all" || term == "all") => {
            (State::Wrong, "it lets everyone send: end it in `-all` or `~all`".to_owned())
        }
        [_] => {
            return Finding {
                record: "SPF",
                state: State::Good,
                found: found.clone(),
                advice: Vec::new(),
            };
        }
        _ => (State::Wrong, "several count as an error (RFC 7208, 4.5): keep one".to_owned()),
    };
    Finding { record: "SPF", state, found: found.clone(), advice: vec![advice] }
}

fn dmarc(domain: &str, asked: &Asked<String>) -> Finding {
    let Asked::Found(found) = asked else { return unknown("DMARC") };
    let policy = |text: &String| {
        let tags = text.split(';').filter_map(|tag| tag.split_once('='));
        let mut policies = tags.filter(|(name, _)| name.trim().eq_ignore_ascii_case("p"));
        policies.next().map(|(_, value)| value.trim().to_lowercase())
    };
    let set = format!("`_dmarc.{domain}. TXT \"v=DMARC1; p=quarantine\"`");
    let (state, advice) = match found.as_slice() {
        [] => (State::Weak, format!("nobody can verify its authors: set {set}")),
        [one] => match policy(one).as_deref() {
            Some("quarantine" | "reject") => {
                return Finding {
                    record: "DMARC",
                    state: State::Good,
                    found: found.clone(),
                    advice: Vec::new(),
                };
            }
            Some("none") => {
                let what = "it asks for nothing when a message fails: `p=quarantine` does";
                (State::Weak, what.to_owned())
            }
            _ => (State::Wrong, format!("it has no policy that is known: set {set}")),
        },
        _ => (State::Wrong, "several count as none: keep one".to_owned()),
    };
    Finding { record: "DMARC", state, found: found.clone(), advice: vec![advice] }
}

fn unknown(record: &'static str) -> Finding {
    let advice = vec!["the DNS does not answer: try again, or name a server with --dns".to_owned()];
    Finding { record, state: State::Unknown, found: Vec::new(), advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(records: &DomainRecords) -> String {
        let findings = findings("in.example.com", Some("mx.example.com"), records);
        super::super::check_dns::told(&findings)
    }

    fn exchange(host: &str, addresses: &[&str]) -> Exchange {
        let addresses = addresses.iter().map(|text| (*text).to_owned()).collect();
        Exchange { preference: 10, host: host.to_owned(), addresses: Asked::Found(addresses) }
    }

    fn texts(texts: &[&str]) -> Asked<String> {
        Asked::Found(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_set() {
        insta::assert_snapshot!("check_dns_nothing", told(&DomainRecords::default()));
    }

    #[test]
    fn what_is_right_needs_no_words() {
        let records = DomainRecords {
            exchanges: Asked::Found(vec![exchange(
                "MX.example.com",
                &["192.0.2.1", "2001:db8::1"],
            )]),
            spf: texts(&["v=spf1 mx -all"]),
            dmarc: texts(&["v=DMARC1; p=reject; rua=mailto:x@example.com"]),
        };
        insta::assert_snapshot!("check_dns_good", told(&records));
    }

    #[test]
    fn what_is_there_and_wrong_is_told_apart() {
        let cases = [
            DomainRecords {
                exchanges: Asked::Found(vec![exchange("other.example", &[])]),
                spf: texts(&["v=spf1 +all"]),
                dmarc: texts(&["v=DMARC1; p=none"]),
            },
            DomainRecords {
                exchanges: Asked::Found(vec![exchange("", &[])]),
                spf: texts(&["v=spf1 -all", "v=spf1 mx -all"]),
                dmarc: texts(&["v=DMARC1; p=maybe"]),
            },
            DomainRecords { exchanges: Asked::Unknown, spf: Asked::Unknown, dmarc: Asked::Unknown },
        ];
        let all: Vec<String> = cases.iter().map(told).collect();
        insta::assert_snapshot!("check_dns_wrong", all.join("\n\n"));
    }
}
