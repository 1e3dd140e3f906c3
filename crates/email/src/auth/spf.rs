//! SPF (RFC 7208): whether a host may send for a domain.
//!
//! Macros are expanded by `mail-auth`; records are read and judged here. Its reader takes much that
//! the grammar does not allow, and its evaluation lets the result of an include inside an include
//! be that of the whole record, takes the first of several records, and counts no void lookups.

mod address;

mod record;

use super::{
    Case, UNKNOWN,
    dns::{self, Kind, Missing, Records},
};
use address::{Host, is_in};
use headgate_event::{
    BoxFuture,
    data::AuthResult,
    limits::{SPF_LOOKUPS_MAX, SPF_NAMES_MAX, SPF_VOID_LOOKUPS_MAX},
};
use mail_auth::spf::{Macro, Variables};
use record::{Malformed, Masks, Mechanism, Record};
use std::net::IpAddr;

/// What SPF is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    /// The address of the client.
    pub(super) client: IpAddr,
    /// Its greeting.
    pub(super) helo: &'a str,
    /// MAIL FROM; empty for a bounce.
    pub(super) sender: &'a str,
    /// Our own name.
    pub(super) hostname: &'a str,
}

/// A verdict of SPF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Fail,
    SoftFail,
    Neutral,
    None,
    TempError,
    PermError,
}

/// A verdict, and whose domain it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) domain: Option<String>,
}

/// Why a record gives no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// The record is wrong, or asks too much.
    Permanent,
    /// The DNS said nothing.
    Temporary,
}

/// One evaluation with all its includes.
struct Evaluation<'a> {
    records: &'a dyn Records,
    query: &'a Query<'a>,
    sender: String,
    /// Terms that asked the DNS (RFC 7208, 4.6.4).
    lookups: usize,
    /// Those that found nothing.
    voids: usize,
}

/// Evaluates a query.
pub(super) async fn check(records: &dyn Records, query: &Query<'_>) -> Outcome {
    // RFC 7208, 4.3: where there is no local part, `postmaster` stands for it.
    let domain = match query.sender.rsplit_once('@') {
        Some((_, domain)) => domain,
        None if query.sender.is_empty() => query.helo,
        None => query.sender,
    };
    let domain = domain.trim_end_matches('.').to_lowercase();
    let shown = (!domain.is_empty()).then(|| domain.clone());
    if !is_domain(&domain) {
        return Outcome { verdict: Verdict::None, domain: shown };
    }
    let sender = match query.sender.rsplit_once('@') {
        Some((local, _)) if !local.is_empty() => query.sender.to_owned(),
        _ => format!("postmaster@{domain}"),
    };
    // RFC 7208, 5: an IPv4 address written as IPv6 is an IPv4 address.
    let query = &Query { client: query.client.to_canonical(), ..*query };
    let mut evaluation = Evaluation { records, query, sender, lookups: 0, voids: 0 };
    let verdict = match evaluation.check_host(domain).await {
        Ok(verdict) => verdict,
        Err(Broken::Permanent) => Verdict::PermError,
        Err(Broken::Temporary) => Verdict::TempError,
    };
    Outcome { verdict, domain: shown }
}

/// RFC 7208, 4.3: a name of more than one label that the DNS can hold.
fn is_domain(domain: &str) -> bool {
    let labels = domain.split('.');
    let fits = |label: &str| (1..=63).contains(&label.len());
    domain.len() <= 253 && domain.contains('.') && domain.is_ascii() && labels.clone().all(fits)
}

impl<'a> Evaluation<'a> {
    /// `check_host()` of RFC 7208, section 4.
    fn check_host(&mut self, domain: String) -> BoxFuture<'_, Result<Verdict, Broken>> {
        Box::pin(async move {
            let Some(record) = self.record_of(&domain).await? else { return Ok(Verdict::None) };
            for directive in &record.directives {
                if self.matches(&directive.mechanism, &domain).await? {
                    return Ok(directive.verdict);
                }
            }
            let Some(target) = &record.redirect else { return Ok(Verdict::Neutral) };
            self.count()?;
            let target = self.expanded(Some(target), &domain).await;
            match self.check_host(target).await? {
                // RFC 7208, 6.1: the target has to have a record.
                Verdict::None => Err(Broken::Permanent),
                verdict => Ok(verdict),
            }
        })
    }

    /// The one record of a domain (RFC 7208, 4.5).
    async fn record_of(&self, domain: &str) -> Result<Option<Record>, Broken> {
        if !is_domain(domain) {
            return Ok(None);
        }
        let found = match self.records.lookup(domain, Kind::Txt).await {
            Ok(found) => found,
            Err(Missing::None) => return Ok(None),
            Err(Missing::Unknown) => return Err(Broken::Temporary),
        };
        let mut records = found.iter().filter_map(terms);
        match (records.next(), records.next()) {
            (None, _) => Ok(None),
            (Some(terms), None) => {
                Record::parse(terms).map(Some).map_err(|Malformed| Broken::Permanent)
            }
            (Some(_), Some(_)) => Err(Broken::Permanent),
        }
    }

    async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Broken> {
        let client = self.query.client;
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip(network, masks) => Ok(is_in(client, *network, *masks)),
            Mechanism::A(target, masks) => {
                self.count()?;
                let target = self.expanded(target.as_ref(), domain).await;
                let addresses = self.addresses(&target).await?;
                self.void(addresses.is_empty())?;
                Ok(addresses.iter().any(|one| is_in(client, *one, *masks)))
            }
            Mechanism::Mx(target, masks) => {
                self.count()?;
                let target = self.expanded(target.as_ref(), domain).await;
                self.is_exchange(&target, *masks).await
            }
            Mechanism::Include(target) => {
                self.count()?;
                let target = self.expanded(Some(target), domain).await;
                match self.check_host(target).await? {
                    Verdict::Pass => Ok(true),
                    // RFC 7208, 5.2: what is included has to have a record.
                    Verdict::None => Err(Broken::Permanent),
                    _ => Ok(false),
                }
            }
            Mechanism::Exists(target) => {
                self.count()?;
                let target = self.expanded(Some(target), domain).await;
                // RFC 7208, 5.7: an A record also for a client with an IPv6 address.
                let found = self.lookup(&target, Kind::A).await?;
                self.void(found.is_empty())?;
                Ok(!found.is_empty())
            }
            Mechanism::Ptr(target) => {
                self.count()?;
                let target = self.expanded(target.as_ref(), domain).await.to_lowercase();
                let target = target.trim_end_matches('.');
                let names = self.validated_names().await?;
                let below = |name: &String| {
                    let rest = name.strip_suffix(target);
                    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                };
                Ok(names.iter().any(below))
            }
        }
    }

    /// Whether the client is a mail exchange of a domain (RFC 7208, 5.4).
    async fn is_exchange(&mut self, domain: &str, masks: Masks) -> Result<bool, Broken> {
        let exchanges = self.lookup(domain, Kind::Mx).await?;
        self.void(exchanges.is_empty())?;
        // RFC 7208, 4.6.4: more names than that are an error, not a cut.
        if exchanges.len() > SPF_NAMES_MAX {
            return Err(Broken::Permanent);
        }
        for exchange in exchanges {
            let dns::Record::Name(_, name) = exchange else { continue };
            let addresses = self.addresses(&name).await?;
            if addresses.iter().any(|one| is_in(self.query.client, *one, masks)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names of the client that lead back to it (RFC 7208, 5.5). What goes wrong in between
    /// means that a name does not, and no more than that.
    async fn validated_names(&mut self) -> Result<Vec<String>, Broken> {
        let reversed = Host(self.query.client).reversed();
        let found = self.records.lookup(&reversed, Kind::Ptr).await.unwrap_or_default();
        self.void(found.is_empty())?;
        let mut names = Vec::new();
        for record in found.into_iter().take(SPF_NAMES_MAX) {
            let dns::Record::Name(_, name) = record else { continue };
            let addresses = self.addresses(&name).await.unwrap_or_default();
            if addresses.contains(&self.query.client) {
                names.push(name.trim_end_matches('.').to_lowercase());
            }
        }
        Ok(names)
    }

    /// The addresses of a name, of the client's kind.
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Broken> {
        let kind = if self.query.client.is_ipv4() { Kind::A } else { Kind::Aaaa };
        let found = self.lookup(name, kind).await?;
        let address = |record: dns::Record| match record {
            dns::Record::Address(address) => Some(address),
            _ => None,
        };
        Ok(found.into_iter().filter_map(address).collect())
    }

    async fn lookup(&self, name: &str, kind: Kind) -> Result<Vec<dns::Record>, Broken> {
        match self.records.lookup(name, kind).await {
            Ok(found) => Ok(found),
            Err(Missing::None) => Ok(Vec::new()),
            Err(Missing::Unknown) => Err(Broken::Temporary),
        }
    }

    /// A name with its macros expanded (RFC 7208, 7); the domain itself where there is none.
    async fn expanded(&mut self, text: Option<&Macro>, domain: &str) -> String {
        let Some(text) = text else { return domain.to_owned() };
        let names = if text.needs_ptr() {
            self.validated_names().await.unwrap_or_default()
        } else {
            Vec::new()
        };
        let mut variables = Variables::new();
        variables.set_ip(&self.query.client);
        variables.set_sender(self.sender.as_bytes());
        variables.set_helo_domain(self.query.helo.as_bytes());
        variables.set_host_domain(self.query.hostname.as_bytes());
        variables.set_domain(domain.as_bytes());
        let own = names.iter().find(|name| *name == domain).or_else(|| names.first());
        let validated = own.map_or("unknown", String::as_str);
        variables.set_validated_domain(validated.as_bytes());
        let name = text.eval(&variables, domain, false);
        shortened(name.trim_end_matches('.')).to_owned()
    }

    fn count(&mut self) -> Result<(), Broken> {
        self.lookups += 1;
        if self.lookups > SPF_LOOKUPS_MAX { Err(Broken::Permanent) } else { Ok(()) }
    }

    fn void(&mut self, is_void: bool) -> Result<(), Broken> {
        self.voids += usize::from(is_void);
        if self.voids > SPF_VOID_LOOKUPS_MAX { Err(Broken::Permanent) } else { Ok(()) }
    }
}

/// What stands after the version of an SPF record; none of another text.
fn terms(record: &dns::Record) -> Option<&[u8]> {
    let dns::Record::Txt(text) = record else { return None };
    let (version, rest) = text.split_at_checked(6)?;
    let ends = matches!(rest.first(), None | Some(b' '));
    (version.eq_ignore_ascii_case(b"v=spf1") && ends).then_some(rest)
}

/// RFC 7208, 7.3: of a name that is too long, labels are left out from the left.
fn shortened(name: &str) -> &str {
    let mut name = name;
    while name.len() > 253 {
        let Some((_, rest)) = name.split_once('.') else { break };
        name = rest;
    }
    name
}

impl Verdict {
    /// The name of RFC 8601.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::None => "none",
            Self::TempError => UNKNOWN,
            Self::PermError => "permerror",
        }
    }
}

impl Outcome {
    /// Of a message whose client nobody knows.
    pub(super) fn none() -> Self {
        Self { verdict: Verdict::None, domain: None }
    }

    /// Of a message for which there was no time.
    pub(super) fn unknown(case: &Case) -> Self {
        let from = case.mail_from.as_deref().unwrap_or_default();
        let domain = from.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
        Self { verdict: Verdict::TempError, domain }
    }

    /// As an event has it; nothing where there was nothing to ask.
    pub(super) fn shown(&self) -> Option<AuthResult> {
        let Self { verdict, domain } = self;
        let asked = *verdict != Verdict::None || domain.is_some();
        let verdict = verdict.name().to_owned();
        asked.then(|| AuthResult { verdict, domain: domain.clone() })
    }
}
