//! Who is asked whether mail is from whom it says.

use crate::config::{Config, DnsServers};
use anyhow::Context;
use headgate_email::{Authenticator, MailAuth, dns_servers};
use headgate_event::limits::DNS_SERVERS_MAX;
use std::{fs, net::SocketAddr, sync::Arc};

/// Where a Unix system names its DNS servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The authenticator that a configuration asks for; none where nobody is to be asked.
pub(super) fn of(config: &Config) -> anyhow::Result<Option<Arc<dyn Authenticator>>> {
    let channels = &config.channels;
    if channels.mail.is_empty() && channels.inbound.is_empty() {
        return Ok(None);
    }
    let servers = match &config.mail.resolver {
        DnsServers::Off => Vec::new(),
        DnsServers::At(servers) => servers.clone(),
        DnsServers::System => of_system(),
    };
    if servers.is_empty() {
        return Ok(None);
    }
    let auth = MailAuth::new(&servers, &config.mail.hostname, config.mail.auth_timeout);
    let auth = auth.context("cannot find out who sends mail")?;
    Ok(Some(Arc::new(auth)))
}

/// The DNS servers of this system.
pub fn of_system() -> Vec<SocketAddr> {
    let text = fs::read_to_string(RESOLV_CONF).unwrap_or_default();
    let mut servers = dns_servers(&text);
    servers.truncate(DNS_SERVERS_MAX);
    if servers.is_empty() {
        tracing::warn!(file = RESOLV_CONF, "no DNS server is named: no sender of mail is proved");
    }
    servers
}
