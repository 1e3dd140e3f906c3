//! Slack's HTTP side: what is sent when, signed, and what is made of the answers. It has no clock
//! and no socket.

use super::Ledger;
use bytes::Bytes;
use headgate_event::{Secret, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// When the retries follow the attempt before them, unless a test has no time for that.
const RETRIES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300)];
/// The span over which answers and deliveries are counted.
const HOUR: Duration = Duration::from_secs(3600);
/// The most deliveries of an hour.
const DELIVERIES_PER_HOUR: usize = 30_000;
/// With fewer attempts in an hour an app is never switched off.
const ATTEMPTS_JUDGED_MIN: usize = 1_000;

/// A request to send.
#[derive(Clone, Debug)]
pub struct SignedRequest {
    /// The event, as the ledger calls it.
    pub event_id: String,
    /// The headers, by name.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status, within 3 s.
    Status(u16),
    /// The same, with `x-slack-no-retry: 1`.
    StatusNoRetry(u16),
    /// No answer within 3 s.
    TimedOut,
    /// Nobody listened.
    Unreachable,
    /// More than two redirects.
    TooManyRedirects,
    /// No certificate that is believed.
    BadCertificate,
}

/// One app's events over HTTP.
#[derive(Debug)]
pub struct EventsApi {
    secret: Secret,
    retries: [Duration; 3],
    begun: u64,
    waiting: BTreeMap<String, Waiting>,
    ledger: Ledger,
    /// Of each attempt of the last hour when it was and whether it was answered 2xx.
    attempts: VecDeque<(Timestamp, bool)>,
    /// When each event of the last hour was let through.
    delivered: VecDeque<Timestamp>,
    /// The last minute for which the app was told that events are held back.
    told_minute: Option<i64>,
    disabled: bool,
}

#[derive(Debug)]
struct Waiting {
    body: Bytes,
    attempt: usize,
    reason: &'static str,
    due: Timestamp,
    under_way: bool,
}

impl EventsApi {
    /// Events signed with this secret.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            retries: RETRIES,
            begun: 0,
            waiting: BTreeMap::new(),
            ledger: Ledger::default(),
            attempts: VecDeque::new(),
            delivered: VecDeque::new(),
            told_minute: None,
            disabled: false,
        }
    }

    /// The same with other spans between the attempts.
    #[must_use]
    pub fn retrying_after(self, retries: [Duration; 3]) -> Self {
        Self { retries, ..self }
    }

    /// An event happens. None when it is dropped: the app is switched off, or over its rate, of
    /// which it is told once a minute.
    pub fn emit(&mut self, now: Timestamp) -> Option<String> {
        forget(&mut self.delivered, now, |at| *at);
        if self.disabled {
            return None;
        }
        if self.delivered.len() >= DELIVERIES_PER_HOUR {
            self.tell_rate_limit(now);
            return None;
        }
        self.delivered.push_back(now);
        self.begun += 1;
        let id = format!("Ev{:08}", self.begun);
        let ts = format!("{}.{:06}", now.unix_s(), self.begun % 1_000_000);
        let body = json!({
            "token": "fake", "team_id": "T0FAKE", "api_app_id": "A0FAKE", "type": "event_callback",
            "event_id": id, "event_time": now.unix_s(),
            "event": {"type": "message", "channel": "C0FAKE", "user": "U0HUMAN", "text": id,
                "ts": ts, "event_ts": ts, "channel_type": "channel"},
        });
        self.ledger.add(&id);
        self.queue(now, id.clone(), body.to_string().into());
        Some(id)
    }

    /// The requests that are due, signed at `now`. Each waits for its [`EventsApi::answered`].
    pub fn due(&mut self, now: Timestamp) -> Vec<SignedRequest> {
        let mut requests = Vec::new();
        for (id, waiting) in &mut self.waiting {
            if waiting.under_way || waiting.due > now {
                continue;
            }
            waiting.under_way = true;
            self.ledger.sent(id);
            let mut headers = vec![("content-type", "application/json".to_owned())];
            headers.extend(signature(&self.secret, now, &waiting.body));
            if waiting.attempt > 0 {
                headers.push(("x-slack-retry-num", waiting.attempt.to_string()));
                headers.push(("x-slack-retry-reason", waiting.reason.to_owned()));
            }
            let body = waiting.body.clone();
            requests.push(SignedRequest { event_id: id.clone(), headers, body });
        }
        requests
    }

    /// Tells what became of a request: it is done, sent again later, or given up.
    pub fn answered(&mut self, now: Timestamp, event_id: &str, outcome: Outcome) {
        let Some(waiting) = self.waiting.get_mut(event_id) else { return };
        forget(&mut self.attempts, now, |(at, _)| *at);
        self.attempts.push_back((now, outcome.is_success()));
        if outcome.is_success() {
            self.ledger.acknowledged(event_id);
            self.waiting.remove(event_id);
        } else if let Some(pause) =
            self.retries.get(waiting.attempt).filter(|_| outcome.is_retried())
        {
            waiting.attempt += 1;
            waiting.reason = outcome.reason();
            waiting.under_way = false;
            waiting.due = later(now, *pause);
        } else {
            self.ledger.given_up(event_id);
            self.waiting.remove(event_id);
        }
        // Failures of more than 95 % within an hour switch the events of the app off.
        let judged = self.attempts.len() >= ATTEMPTS_JUDGED_MIN;
        let answered = self.attempts.iter().filter(|(_, success)| *success).count();
        self.disabled |= judged && answered * 20 < self.attempts.len();
    }

    /// When a request is due next.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        let waiting = self.waiting.values().filter(|waiting| !waiting.under_way);
        waiting.map(|waiting| waiting.due).min()
    }

    /// Whether the events of the app are switched off, until a person switches them on again.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// What was sent and what became of it.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn tell_rate_limit(&mut self, now: Timestamp) {
        let minute = now.unix_s() / 60 * 60;
        if self.told_minute.replace(minute) == Some(minute) {
            return;
        }
        let body = json!({
            "token": "fake", "type": "app_rate_limited", "team_id": "T0FAKE",
            "minute_rate_limited": minute, "api_app_id": "A0FAKE",
        });
        self.queue(now, format!("app_rate_limited {minute}"), body.to_string().into());
    }

    fn queue(&mut self, now: Timestamp, id: String, body: Bytes) {
        let waiting = Waiting { body, attempt: 0, reason: "", due: now, under_way: false };
        self.waiting.insert(id, waiting);
    }
}

impl Outcome {
    fn is_success(self) -> bool {
        matches!(self, Self::Status(200..=299) | Self::StatusNoRetry(200..=299))
    }

    fn is_retried(self) -> bool {
        !matches!(self, Self::StatusNoRetry(_))
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Status(_) | Self::StatusNoRetry(_) => "http_error",
            Self::TimedOut => "http_timeout",
            Self::Unreachable => "connection_failed",
            Self::TooManyRedirects => "too_many_redirects",
            Self::BadCertificate => "ssl_error",
        }
    }
}

/// The headers of version `v0`: HMAC-SHA256 over `v0:{timestamp}:{body}`.
fn signature(secret: &Secret, now: Timestamp, body: &[u8]) -> [(&'static str, String); 2] {
    let timestamp = now.unix_s().to_string();
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).expect("a key");
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    [("x-slack-request-timestamp", timestamp), ("x-slack-signature", signature)]
}

fn later(now: Timestamp, span: Duration) -> Timestamp {
    let ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_ms(now.unix_ms().saturating_add(ms))
}

fn forget<T>(seen: &mut VecDeque<T>, now: Timestamp, at: impl Fn(&T) -> Timestamp) {
    while seen.front().is_some_and(|first| later(at(first), HOUR) <= now) {
        seen.pop_front();
    }
}
