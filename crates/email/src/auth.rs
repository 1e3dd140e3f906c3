//! Who really sent a message: SPF (RFC 7208), DKIM (RFC 6376, 8301, 8463) and DMARC (RFC 9989),
//! within one time limit for all of it.
//!
//! The message's own words about it count for nothing: an `Authentication-Results` field, whosever
//! name it bears, is a header like any other. ARC is not judged, because it says what strangers
//! believed.

mod dns;
pub use dns::{DnsSetUp, dns_servers};

mod spf;

mod dkim;

mod dmarc;

mod domain;
pub use domain::{Asked, DomainRecords, Exchange};

#[cfg(test)]
mod tests;

use crate::{
    Authenticator, Claimed,
    head::{Head, Keep},
};
use bytes::Bytes;
use dns::Resolver;
use headgate_event::{
    BoxFuture, Timestamp,
    data::{Auth, AuthResult, Envelope},
    limits::{BLOCKING_BYTES_MIN, MAIL_AUTH_AT_ONCE_MAX},
};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, timeout_at},
};

/// What the verdict of something is called that could not be found out in time.
const UNKNOWN: &str = "temperror";
/// Who checked, in an event.
const SOURCE: &str = "headgate";

/// The fields that a message has once (RFC 5322, 3.6; RFC 2045). Of two, a signature may be over
/// the one while a reader is shown the other.
const ONCE: [&str; 11] = [
    "from",
    "sender",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// Finds out who sent messages by asking the DNS. Clones share what they know.
#[derive(Clone)]
pub struct MailAuth {
    resolver: Resolver,
    hostname: Arc<str>,
    limit: Duration,
    /// Large messages that are hashed at one time: each has a thread for as long as it takes.
    seats: Arc<Semaphore>,
}

/// A message to be judged, by itself.
struct Case {
    raw: Bytes,
    /// Where the body begins, as the event's reader sees it.
    body: usize,
    /// The one author, where no two readers could see another message.
    author: Option<String>,
    /// Whether its header block is within the limits of what is read.
    is_readable: bool,
    client: Option<IpAddr>,
    helo: String,
    mail_from: Option<String>,
    received_at: Timestamp,
}

impl MailAuth {
    /// Asks these servers, as this host, and gives up after `limit`.
    pub fn new(servers: &[SocketAddr], hostname: &str, limit: Duration) -> Result<Self, DnsSetUp> {
        Ok(Self {
            resolver: Resolver::new(servers, limit)?,
            hostname: hostname.into(),
            limit,
            seats: Arc::new(Semaphore::new(MAIL_AUTH_AT_ONCE_MAX)),
        })
    }

    /// Judges where it holds up nobody: hashing a large message takes a while.
    async fn judge(&self, case: Case) -> Auth {
        if case.raw.len() < BLOCKING_BYTES_MIN {
            return self.verdicts(&case).await;
        }
        let deadline = Instant::now() + self.limit;
        let Ok(Ok(seat)) = timeout_at(deadline, Arc::clone(&self.seats).acquire_owned()).await
        else {
            return unknown();
        };
        let (this, runtime) = (self.clone(), Handle::current());
        let judged = tokio::task::spawn_blocking(move || {
            let auth = runtime.block_on(this.verdicts(&case));
            drop(seat);
            auth
        });
        judged.await.unwrap_or_else(|error| {
            tracing::error!(%error, "who sent a message could not be judged");
            unknown()
        })
    }

    /// SPF and DKIM beside each other, then DMARC over both.
    async fn verdicts(&self, case: &Case) -> Auth {
        let deadline = Instant::now() + self.limit;
        let message = dkim::Message::read(case);
        let (spf, dkim) = tokio::join!(
            timeout_at(deadline, self.spf(case)),
            timeout_at(deadline, message.verify(self.resolver.verifier())),
        );
        let spf = spf.unwrap_or_else(|_| spf::Outcome::unknown(case));
        let dkim = dkim.unwrap_or_else(|_| message.unknown());
        let judged = timeout_at(
            deadline,
            dmarc::judge(self.resolver.verifier(), case.author.as_deref(), &spf, &dkim),
        );
        let dmarc = judged.await.unwrap_or_else(|_| dmarc::unknown(case.author.as_deref()));
        Auth {
            spf: spf.shown(),
            dkim: dkim.shown(),
            from_verified: case.author.is_some() && dmarc.verdict == "pass",
            dmarc: Some(dmarc),
            source: Some(SOURCE.to_owned()),
        }
    }

    /// Of the sender's domain; of the client's name where there is no sender (RFC 7208, 2.4).
    async fn spf(&self, case: &Case) -> spf::Outcome {
        let Some(client) = case.client else { return spf::Outcome::none() };
        let query = spf::Query {
            client,
            helo: &case.helo,
            sender: case.mail_from.as_deref().unwrap_or_default(),
            hostname: &self.hostname,
        };
        spf::check(&self.resolver, &query).await
    }
}

impl Case {
    fn of(claimed: &Claimed<'_>) -> Self {
        let Envelope { mail_from, helo, remote_ip, .. } = claimed.envelope;
        let cut = ["headers_left_out", "header_cut"];
        let (message, defects) = (claimed.message, claimed.message.defects());
        let head = Head::read(message.raw(), 0, Keep::All, |_| false);
        let is_clear = ONCE.iter().all(|name| head.all(name).nth(1).is_none());
        Self {
            raw: message.raw().clone(),
            body: head.body,
            author: message.author().filter(|_| is_clear).map(str::to_lowercase),
            is_readable: !defects.iter().any(|defect| cut.contains(&defect.as_str())),
            client: remote_ip.as_deref().and_then(|text| text.parse().ok()),
            helo: helo.clone().unwrap_or_default(),
            mail_from: mail_from.clone(),
            received_at: claimed.received_at,
        }
    }
}

/// The verdicts on what nobody could look at.
fn unknown() -> Auth {
    let unknown = || Some(AuthResult { verdict: UNKNOWN.to_owned(), domain: None });
    let (spf, dmarc, source) = (unknown(), unknown(), Some(SOURCE.to_owned()));
    Auth { spf, dkim: Vec::new(), dmarc, from_verified: false, source }
}

impl Authenticator for MailAuth {
    fn authenticate<'a>(&'a self, claimed: Claimed<'a>) -> BoxFuture<'a, Auth> {
        let case = Case::of(&claimed);
        Box::pin(self.judge(case))
    }
}

impl fmt::Debug for MailAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hostname, limit, .. } = self;
        let mut shown = f.debug_struct("MailAuth");
        shown.field("hostname", hostname).field("limit", limit).finish_non_exhaustive()
    }
}
