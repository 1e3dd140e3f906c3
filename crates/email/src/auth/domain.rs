//! What the DNS says of a domain's mail, for whoever sets it up.

use super::{
    MailAuth,
    dns::{Kind, Missing, Record, Records},
};
use headgate_event::limits::MAIL_EXCHANGES_SHOWN_MAX;

/// What the DNS says of a domain's mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainRecords {
    /// Where its mail goes, the first choice first.
    pub exchanges: Asked<Exchange>,
    /// Who may send for it: TXT records that begin as SPF's do (RFC 7208, 4.5).
    pub spf: Asked<String>,
    /// What it asks of receivers: TXT records of `_dmarc` that begin as DMARC's do.
    pub dmarc: Asked<String>,
}

/// What the DNS answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked<T> {
    /// These, or none.
    Found(Vec<T>),
    /// It says nothing.
    Unknown,
}

/// A host that takes mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Lower is tried first.
    pub preference: u16,
    /// Its name; empty for a domain that takes no mail (RFC 7505).
    pub host: String,
    /// Its addresses.
    pub addresses: Asked<String>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self::Found(Vec::new())
    }
}

impl MailAuth {
    /// Asks what there is about a domain's mail.
    pub async fn domain(&self, domain: &str) -> DomainRecords {
        records(&self.resolver, domain).await
    }
}

async fn records(dns: &dyn Records, domain: &str) -> DomainRecords {
    let mut exchanges = asked(dns, domain, Kind::Mx, |record| match record {
        Record::Name(preference, host) => {
            let host = host.trim_end_matches('.').to_lowercase();
            Some(Exchange { preference, host, addresses: Asked::default() })
        }
        Record::Txt(_) | Record::Address(_) => None,
    })
    .await;
    if let Asked::Found(exchanges) = &mut exchanges {
        exchanges.sort_by(|a, b| (a.preference, &a.host).cmp(&(b.preference, &b.host)));
        exchanges.truncate(MAIL_EXCHANGES_SHOWN_MAX);
        for exchange in exchanges.iter_mut().filter(|exchange| !exchange.host.is_empty()) {
            exchange.addresses = addresses(dns, &exchange.host).await;
        }
    }
    let spf = texts(dns, domain, "v=spf1").await;
    let dmarc = texts(dns, &format!("_dmarc.{domain}"), "v=DMARC1").await;
    DomainRecords { exchanges, spf, dmarc }
}

async fn addresses(dns: &dyn Records, host: &str) -> Asked<String> {
    let mut all = Vec::new();
    for kind in [Kind::A, Kind::Aaaa] {
        let of_kind = asked(dns, host, kind, |record| match record {
            Record::Address(address) => Some(address.to_string()),
            Record::Txt(_) | Record::Name(..) => None,
        });
        match of_kind.await {
            Asked::Found(found) => all.extend(found),
            Asked::Unknown => return Asked::Unknown,
        }
    }
    Asked::Found(all)
}

/// TXT records whose first word is this one.
async fn texts(dns: &dyn Records, name: &str, version: &str) -> Asked<String> {
    asked(dns, name, Kind::Txt, |record| {
        let Record::Txt(bytes) = record else { return None };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let first = text.split([' ', ';', '\t']).next().unwrap_or_default();
        first.eq_ignore_ascii_case(version).then_some(text)
    })
    .await
}

async fn asked<T>(
    dns: &dyn Records,
    name: &str,
    kind: Kind,
    read: impl Fn(Record) -> Option<T>,
) -> Asked<T> {
    match dns.lookup(name, kind).await {
        Ok(records) => Asked::Found(records.into_iter().filter_map(read).collect()),
        Err(Missing::None) => Asked::default(),
        Err(Missing::Unknown) => Asked::Unknown,
    }
}
