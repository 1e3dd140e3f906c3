//! `[email]`: where mail servers are listened to, under which name, and what they may cost.

mod resolver;

pub use resolver::DnsServers;

use super::{
    Connections, Server, network,
    section::Section,
    server::{address, connections},
    value::Value,
};
use headgate_event::limits::{
    LINK_LIFETIME_DEFAULT, LINK_LIFETIME_MAX, MAIL_AUTH_TIMEOUT_DEFAULT, MAIL_BYTES_MAX,
    SMTP_CONNECTIONS_MAX, SMTP_CONNECTIONS_PER_NETWORK_MAX, SMTP_MESSAGE_BYTES_DEFAULT,
    SMTP_RECIPIENTS_CONFIGURED_MAX, SMTP_RECIPIENTS_MAX,
};
use headgate_http::IpNet;
use std::{net::SocketAddr, time::Duration};

/// How mail is received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Where mail servers are listened to; none when mail comes over HTTP alone.
    pub listen: Option<SocketAddr>,
    /// The same with TLS from the first byte.
    pub tls_listen: Option<SocketAddr>,
    /// The name of this host, as MX records have it.
    pub hostname: String,
    /// What is said of STARTTLS on `listen`.
    pub starttls: StartTls,
    /// The proxies whose PROXY header is believed, and has to be there.
    pub proxies: Vec<IpNet>,
    /// Networks without a limit of connections.
    pub trusted_networks: Vec<IpNet>,
    /// What becomes of bare line ends that come from trusted networks.
    pub bare_newlines: LineEnds,
    /// The largest message, in bytes.
    pub message_bytes_max: usize,
    /// The most recipients of one message.
    pub recipients_max: usize,
    /// How many connections there may be on each listener.
    pub connections: Connections,
    /// How long a signed URL is good.
    pub link_lifetime: Duration,
    /// Who is asked about senders.
    pub resolver: DnsServers,
    /// How long finding out who sent a message may take.
    pub auth_timeout: Duration,
}

/// Whether TLS is spoken after STARTTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// Never.
    Off,
    /// If the client wants it.
    Offered,
    /// Always: no message is taken before.
    Required,
}

/// What becomes of a line end that is a CR or an LF alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnds {
    /// The message is refused.
    Rejected,
    /// It is mended.
    Normalized,
}

/// The name of a host that only this machine talks to.
const LOCAL_NAME: &str = "localhost";

impl Mail {
    /// No listener, and the limits of `headgate_event::limits`.
    #[must_use]
    pub fn without_listener() -> Self {
        Self {
            listen: None,
            tls_listen: None,
            hostname: LOCAL_NAME.to_owned(),
            starttls: StartTls::Off,
            proxies: Vec::new(),
            trusted_networks: Vec::new(),
            bare_newlines: LineEnds::Rejected,
            message_bytes_max: SMTP_MESSAGE_BYTES_DEFAULT,
            recipients_max: SMTP_RECIPIENTS_MAX,
            connections: default_connections(),
            link_lifetime: LINK_LIFETIME_DEFAULT,
            resolver: DnsServers::System,
            auth_timeout: MAIL_AUTH_TIMEOUT_DEFAULT,
        }
    }

    /// Whether mail servers are listened to.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.listen.is_some() || self.tls_listen.is_some()
    }

    /// The most files that connections open: each listener has room of its own.
    #[must_use]
    pub fn connections_max(&self) -> usize {
        let listeners = usize::from(self.listen.is_some()) + usize::from(self.tls_listen.is_some());
        self.connections.total * listeners
    }

    /// Everything that takes a restart to change, for one line.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{self:?}")
    }
}

impl StartTls {
    /// The word of the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Offered => "offered",
            Self::Required => "required",
        }
    }
}

fn default_connections() -> Connections {
    let (total, per_network) = (SMTP_CONNECTIONS_MAX, SMTP_CONNECTIONS_PER_NETWORK_MAX);
    Connections { total, per_network }
}

pub(super) fn read(root: &Section<'_>, server: Option<&Server>) -> Option<Mail> {
    let Some(value) = root.optional("email") else { return Some(Mail::without_listener()) };
    let section = value.section("a table")?;
    let listen = optional(&section, "listen", address);
    let tls_listen = optional(&section, "tls_listen", address);
    let hostname = optional(&section, "hostname", |value| {
        value.parsed("a host name such as `mx.example.com`", host_name)
    });
    let starttls = optional(&section, "starttls", starttls);
    let proxies = networks(&section, "proxies");
    let trusted_networks = networks(&section, "trusted_networks");
    let bare_newlines = optional(&section, "bare_newlines", |value| {
        value.word(&[("reject", LineEnds::Rejected), ("normalize", LineEnds::Normalized)])
    });
    let message_bytes_max = optional(&section, "max_message", message_bytes_max);
    let recipients_max = optional(&section, "max_recipients", |value| {
        value.integer(1..=SMTP_RECIPIENTS_CONFIGURED_MAX).map(|n| n as usize)
    });
    let connections = connections(&section, default_connections());
    let link_lifetime = optional(&section, "link_lifetime", link_lifetime);
    let resolver = optional(&section, "resolver", |value| resolver::servers(&value));
    let auth_timeout = optional(&section, "auth_timeout", |value| resolver::limit(&value));
    let all_known = section.report_unknown(&[]);
    let named = server.and_then(|server| server.public_host());
    let mail = Mail {
        listen: listen?,
        tls_listen: tls_listen?,
        hostname: hostname.clone()?.or(named).unwrap_or_else(|| LOCAL_NAME.to_owned()),
        starttls: starttls?.unwrap_or(match server {
            Some(server) if server.tls.is_some() => StartTls::Offered,
            _ => StartTls::Off,
        }),
        proxies: proxies?,
        trusted_networks: trusted_networks?,
        bare_newlines: bare_newlines?.unwrap_or(LineEnds::Rejected),
        message_bytes_max: message_bytes_max?.unwrap_or(SMTP_MESSAGE_BYTES_DEFAULT),
        recipients_max: recipients_max?.unwrap_or(SMTP_RECIPIENTS_MAX),
        connections: connections?,
        link_lifetime: link_lifetime?.unwrap_or(LINK_LIFETIME_DEFAULT),
        resolver: resolver?.unwrap_or(DnsServers::System),
        auth_timeout: auth_timeout?.unwrap_or(MAIL_AUTH_TIMEOUT_DEFAULT),
    };
    (fits(&section, &mail, server?) && all_known).then_some(mail)
}

/// Whether the keys fit together; notes why not.
fn fits(section: &Section<'_>, mail: &Mail, server: &Server) -> bool {
    let mut wrong = Vec::new();
    let ways = [("listen", mail.listen), ("tls_listen", mail.tls_listen)];
    let open = ways.into_iter().find_map(|(_, at)| at.filter(|at| !is_local(*at)));
    if let Some(open) = open.filter(|_| mail.hostname == LOCAL_NAME) {
        let text = format!(
            "expected the name that MX records have for this host, to listen beyond it on \
             `{open}`, found none"
        );
        wrong.push(("hostname", text));
    }
    let needs_tls =
        [("tls_listen", mail.tls_listen.is_some()), ("starttls", mail.starttls != StartTls::Off)];
    for (key, _) in needs_tls.into_iter().filter(|(_, is)| *is && server.tls.is_none()) {
        wrong.push((key, "expected the `tls` of `[server]` for this, found none".to_owned()));
    }
    // Port 0 is another one each time.
    if let Some(at) = mail.tls_listen.filter(|at| mail.listen == Some(*at) && at.port() != 0) {
        let text = format!("expected another address than that of `listen`, found `{at}`");
        wrong.push(("tls_listen", text));
    }
    if mail.bare_newlines == LineEnds::Normalized && mail.trusted_networks.is_empty() {
        let text = "expected the `trusted_networks` whose line ends are mended, found none";
        wrong.push(("bare_newlines", text.to_owned()));
    }
    for (key, text) in &wrong {
        section.wrong(key, text);
    }
    wrong.is_empty()
}

/// A key that may be left out: none when it is wrong.
fn optional<T>(
    section: &Section<'_>,
    key: &'static str,
    read: impl FnOnce(Value<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match section.optional(key) {
        Some(value) => read(value).map(Some),
        None => Some(None),
    }
}

fn networks(section: &Section<'_>, key: &'static str) -> Option<Vec<IpNet>> {
    section.optional(key).map_or(Some(Vec::new()), |value| network::list(&value))
}

fn starttls(value: Value<'_>) -> Option<StartTls> {
    let words = [StartTls::Off, StartTls::Offered, StartTls::Required];
    value.word(&words.map(|word| (word.name(), word)))
}

fn message_bytes_max(value: Value<'_>) -> Option<usize> {
    let bytes = value.size().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))?;
    if !(1..=MAIL_BYTES_MAX).contains(&bytes) {
        return value.wrong(&format!("a size from 1B to {}MiB", MAIL_BYTES_MAX >> 20));
    }
    Some(bytes)
}

fn link_lifetime(value: Value<'_>) -> Option<Duration> {
    let span = value.duration()?;
    if span < Duration::from_secs(1) || span > LINK_LIFETIME_MAX {
        return value.wrong("a duration from 1s to 7d");
    }
    Some(span)
}

fn host_name(text: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(fits);
    (text.len() <= 253 && text.split('.').all(label)).then(|| text.to_ascii_lowercase())
}

fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
