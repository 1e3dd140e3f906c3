//! What is asked of the DNS, and the resolver that asks: it keeps answers for as long as they say,
//! and reads no file.

use headgate_event::{
    BoxFuture,
    limits::{DNS_ANSWERS_KEPT, DNS_QUESTIONS_AT_ONCE_MAX},
};
use mail_auth::{
    MessageAuthenticator,
    hickory_resolver::{
        config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
        net::{DnsError, NetError},
        proto::rr::{Name, RData, RecordType},
    },
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Why no resolver could be made.
#[derive(Debug, thiserror::Error)]
pub enum DnsSetUp {
    /// There is nobody to ask.
    #[error("expected the address of a DNS server, found none")]
    NoServer,
    /// The resolver does not start.
    #[error("the DNS resolver cannot be made: {0}")]
    Resolver(String),
}

/// What is asked about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Txt,
    A,
    Aaaa,
    Mx,
    Ptr,
}

/// One record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The strings of a TXT record, put together (RFC 7208, 3.3).
    Txt(Vec<u8>),
    Address(IpAddr),
    /// The exchange of an MX record with its preference, or the name of a PTR record.
    Name(u16, String),
}

/// Why there is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The DNS says that there is none.
    None,
    /// The DNS says nothing.
    Unknown,
}

/// Answers questions about names.
pub(super) trait Records: Send + Sync {
    /// The records of a kind, at least one.
    fn lookup<'a>(
        &'a self,
        name: &'a str,
        kind: Kind,
    ) -> BoxFuture<'a, Result<Vec<Record>, Missing>>;
}

/// Asks DNS servers. Clones share the answers that they keep.
#[derive(Clone)]
pub(super) struct Resolver(MessageAuthenticator);

impl Resolver {
    pub(super) fn new(servers: &[SocketAddr], limit: Duration) -> Result<Self, DnsSetUp> {
        if servers.is_empty() {
            return Err(DnsSetUp::NoServer);
        }
        let server = |address: &SocketAddr| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = address.port();
            }
            NameServerConfig::new(address.ip(), true, connections)
        };
        let servers = servers.iter().map(server).collect();
        let mut options = ResolverOpts::default();
        // So that a server which is silent once may answer within the limit for all.
        options.timeout = limit / 3;
        options.attempts = 2;
        options.cache_size = DNS_ANSWERS_KEPT;
        options.max_active_requests = DNS_QUESTIONS_AT_ONCE_MAX;
        options.use_hosts_file = ResolveHosts::Never;
        let made = MessageAuthenticator::new(ResolverConfig::from_name_servers(servers), options);
        made.map(Self).map_err(|error| DnsSetUp::Resolver(error.to_string()))
    }

    /// The library that judges signatures and policies asks by this.
    pub(super) fn verifier(&self) -> &MessageAuthenticator {
        &self.0
    }
}

impl Records for Resolver {
    fn lookup<'a>(
        &'a self,
        name: &'a str,
        kind: Kind,
    ) -> BoxFuture<'a, Result<Vec<Record>, Missing>> {
        Box::pin(async move {
            // A name that cannot be asked for has no records.
            let mut name = Name::from_str_relaxed(name).map_err(|_| Missing::None)?;
            name.set_fqdn(true);
            let answer = self.0.resolver().lookup(name, kind.of_dns()).await;
            let answer = answer.map_err(|error| match error {
                NetError::Dns(DnsError::NoRecordsFound(_)) => Missing::None,
                _ => Missing::Unknown,
            })?;
            let of_kind = |data: &RData| match (kind, data) {
                (Kind::Txt, RData::TXT(text)) => Some(Record::Txt(text.txt_data.concat())),
                (Kind::A, RData::A(address)) => Some(Record::Address(address.0.into())),
                (Kind::Aaaa, RData::AAAA(address)) => Some(Record::Address(address.0.into())),
                (Kind::Mx, RData::MX(mx)) => {
                    Some(Record::Name(mx.preference, mx.exchange.to_ascii()))
                }
                (Kind::Ptr, RData::PTR(name)) => Some(Record::Name(0, name.to_ascii())),
                _ => None,
            };
            let records: Vec<_> =
                answer.answers().iter().filter_map(|record| of_kind(&record.data)).collect();
            if records.is_empty() { Err(Missing::None) } else { Ok(records) }
        })
    }
}

impl Kind {
    fn of_dns(self) -> RecordType {
        match self {
            Self::Txt => RecordType::TXT,
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Mx => RecordType::MX,
            Self::Ptr => RecordType::PTR,
        }
    }
}

/// The servers that a `resolv.conf` names: lines `nameserver ADDRESS`. Of addresses with a zone
/// (`fe80::1%eth0`) nothing can be made here.
#[must_use]
pub fn dns_servers(resolv_conf: &str) -> Vec<SocketAddr> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        Some(SocketAddr::new(address.parse().ok()?, 53))
    };
    resolv_conf.lines().filter_map(server).collect()
}
