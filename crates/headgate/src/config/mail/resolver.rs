//! `resolver` and `auth_timeout` of `[email]`: who is asked about senders, and for how long.

use crate::config::value::Value;
use headgate_event::limits::{DNS_SERVERS_MAX, MAIL_AUTH_TIMEOUT_MAX, MAIL_AUTH_TIMEOUT_MIN};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// The DNS servers that are asked who sent a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsServers {
    /// Those of this system.
    System,
    /// None: nobody's sender is proved.
    Off,
    /// These.
    At(Vec<SocketAddr>),
}

/// Where DNS servers listen.
const DNS_PORT: u16 = 53;
const EXPECTED: &str = "`\"system\"`, `\"off\"`, or addresses such as `[\"192.0.2.53\"]`";
const ONE: &str = "an address such as `192.0.2.53` or `127.0.0.1:5353`";

impl DnsServers {
    /// In one word or more, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::System => "system".to_owned(),
            Self::Off => "off".to_owned(),
            Self::At(servers) => {
                servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

pub(super) fn servers(value: &Value<'_>) -> Option<DnsServers> {
    match value.plain_text() {
        Some("system") => return Some(DnsServers::System),
        Some("off") => return Some(DnsServers::Off),
        Some(_) => return value.parsed(ONE, address).map(|one| DnsServers::At(vec![one])),
        None => {}
    }
    let members = value.list(EXPECTED)?;
    if members.is_empty() || members.len() > DNS_SERVERS_MAX {
        value.note(&format!("expected 1 to {DNS_SERVERS_MAX} addresses, found {}", members.len()));
        return None;
    }
    let all = members.iter().map(|member| member.parsed(ONE, address)).collect::<Vec<_>>();
    all.into_iter().collect::<Option<_>>().map(DnsServers::At)
}

fn address(text: &str) -> Option<SocketAddr> {
    let alone = text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, DNS_PORT));
    alone.or_else(|| text.parse().ok())
}

pub(super) fn limit(value: &Value<'_>) -> Option<Duration> {
    let span = value.duration()?;
    if !(MAIL_AUTH_TIMEOUT_MIN..=MAIL_AUTH_TIMEOUT_MAX).contains(&span) {
        return value.wrong("a duration from 100ms to 1m");
    }
    Some(span)
}
