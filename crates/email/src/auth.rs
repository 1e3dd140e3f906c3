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
    data::{Auth, Envelope},
    limits::{BLOCKING_BYTES_MIN, MAIL_AUTH_AT_ONCE_MAX},
};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
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
    /// Large messages that are read and hashed at one time: each has a thread for that, and none
    /// while the DNS is asked.
    seats: Arc<Semaphore>,
}

/// A message to be judged, by itself.
struct Case {
    raw: Bytes,
    /// The one author that it names.
    author: Option<String>,
    /// Whether its header block is within the limits of what is read.
    is_readable: bool,
    client: Option<IpAddr>,
    helo: String,
    mail_from: Option<String>,
    received_at: Timestamp,
}

/// What is to be known of all of a message: work that grows with its size.
struct Whole {
    /// Where the body begins, as the event's reader sees it.
    body: usize,
    /// The author, where no two readers could see another message.
    author: Option<String>,
    hashed: dkim::Hashed,
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

    /// SPF and DKIM beside each other, then DMARC over both, all before one deadline.
    async fn judge(&self, case: Case) -> Auth {
        let (case, deadline) = (Arc::new(case), Instant::now() + self.limit);
        let (spf, signed) =
            tokio::join!(timeout_at(deadline, self.spf(&case)), self.signed(&case, deadline),);
        let spf = spf.unwrap_or_else(|_| spf::Outcome::unknown(&case));
        let (dkim, author, dmarc) = match signed {
            Some((author, dkim)) => {
                let by = self.resolver.verifier();
                let judging = dmarc::judge(by, author.as_deref(), &spf, &dkim);
                let dmarc = timeout_at(deadline, judging).await;
                let dmarc = dmarc.unwrap_or_else(|_| dmarc::unknown(author.as_deref()));
                (dkim, author, dmarc)
            }
            None => (dkim::Outcomes::default(), None, dmarc::unknown(case.author.as_deref())),
        };
        Auth {
            spf: spf.shown(),
            dkim: dkim.shown(),
            from_verified: author.is_some() && dmarc.verdict == "pass",
            dmarc: Some(dmarc),
            source: Some(SOURCE.to_owned()),
        }
    }

    /// The author and the outcomes of the signatures; none when the message could not be read in
    /// time.
    async fn signed(
        &self,
        case: &Arc<Case>,
        deadline: Instant,
    ) -> Option<(Option<String>, dkim::Outcomes)> {
        let whole = timeout_at(deadline, self.whole(case)).await.ok()??;
        let message = dkim::Message::read(case, &whole);
        let verified = timeout_at(deadline, message.verify(self.resolver.verifier())).await;
        let outcomes = verified.unwrap_or_else(|_| message.unknown());
        Some((whole.author.clone(), outcomes))
    }

    /// Reads all of the message where it holds up nobody.
    async fn whole(&self, case: &Arc<Case>) -> Option<Whole> {
        if case.raw.len() < BLOCKING_BYTES_MIN {
            return Some(Whole::read(case));
        }
        let seat = Arc::clone(&self.seats).acquire_owned().await.ok()?;
        let case = Arc::clone(case);
        let reading = tokio::task::spawn_blocking(move || {
            let whole = Whole::read(&case);
            drop(seat);
            whole
        });
        let read = reading.await;
        read.inspect_err(|error| tracing::error!(%error, "a message could not be judged")).ok()
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
        Self {
            raw: message.raw().clone(),
            author: message.author().map(str::to_lowercase),
            is_readable: !defects.iter().any(|defect| cut.contains(&defect.as_str())),
            client: remote_ip.as_deref().and_then(|text| text.parse().ok()),
            helo: helo.clone().unwrap_or_default(),
            mail_from: mail_from.clone(),
            received_at: claimed.received_at,
        }
    }
}

impl Whole {
    fn read(case: &Case) -> Self {
        let head = Head::read(&case.raw, 0, Keep::All, |_| false);
        let is_clear = ONCE.iter().all(|name| head.all(name).nth(1).is_none());
        let author = case.author.clone().filter(|_| is_clear);
        let hashed = if case.is_readable {
            dkim::Hashed::of(&case.raw, head.body, author.is_some())
        } else {
            // Every name that a signature lists is looked for in all fields.
            dkim::Hashed::Unreadable
        };
        Self { body: head.body, author, hashed }
    }
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
