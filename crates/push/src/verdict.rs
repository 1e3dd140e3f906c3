//! What an attempt means: for its delivery, for its endpoint, and for who reads about it.

use chrono::DateTime;
use headgate_event::{
    Timestamp,
    limits::{PUSH_RETRY_AFTER_MAX, REASON_BYTES_MAX},
};
use headgate_queue::{RetryPolicy, Verb};
use std::time::Duration;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The endpoint answered.
    Answered(Answer),
    /// It did not.
    Failed(Fault),
}

/// An answer, as far as it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its `retry-after`, when there is one that is text.
    pub(crate) retry_after: Option<String>,
    /// The begin of its body.
    pub(crate) body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It took too long.
    #[error("no answer within {within_ms} ms")]
    TimedOut {
        /// How long was waited, in milliseconds.
        within_ms: u64,
    },
    /// The name of the host has no address.
    #[error("the host has no address: {0}")]
    Unresolved(String),
    /// The host has private addresses only.
    #[error("the host has private addresses only, which `server.push_private` does not allow")]
    Private,
    /// No connection came about.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// A connection came about, and no TLS on it.
    #[error("no TLS: {0}")]
    Tls(String),
    /// The connection ended before the answer.
    #[error("the connection ended before an answer: {0}")]
    Cut(String),
    /// What came is no HTTP.
    #[error("the answer is no HTTP: {0}")]
    Garbage(String),
}

/// What an attempt means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What becomes of the delivery.
    pub(crate) verb: Verb,
    /// What it says of the endpoint.
    pub(crate) health: Health,
    /// One word for it.
    pub(crate) outcome: &'static str,
    /// Why it failed; nothing when it did not.
    pub(crate) error: Option<String>,
}

/// What an attempt says of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It takes events.
    Well,
    /// It answers, and does not want this event.
    Picky,
    /// It did not take this one.
    Ill,
    /// It asks to be left alone for so long.
    Busy(Duration),
    /// It wants no event ever again.
    Gone,
}

/// Decides what an attempt means at this moment.
pub(crate) fn verdict(reply: &Reply, now: Timestamp) -> Verdict {
    let answer = match reply {
        Reply::Answered(answer) => answer,
        Reply::Failed(fault) => {
            let error = shortened(fault.to_string());
            return failed(fault.outcome(), error, None, Health::Ill);
        }
    };
    let status = answer.status;
    if (200..300).contains(&status) {
        return Verdict { verb: Verb::Ack, health: Health::Well, outcome: "acked", error: None };
    }
    let after = answer.retry_after.as_deref().and_then(|text| retry_after(text, now));
    let error = format!("answered {status}");
    match (status, after) {
        (410, _) => failed("gone", error, after, Health::Gone),
        (429, Some(span)) => failed("throttled", error, after, Health::Busy(span)),
        (429, None) => failed("throttled", error, after, Health::Ill),
        (300..400, _) => failed("redirected", error, after, Health::Ill),
        (503, Some(span)) => failed("refused", error, after, Health::Busy(span)),
        (400..500, _) if status != 408 => failed("refused", error, after, Health::Picky),
        _ => failed("refused", error, after, Health::Ill),
    }
}

impl Verdict {
    /// The same, but not sooner than this attempt's turn is: what an endpoint asks for lengthens a
    /// wait and never shortens it, or one that asks for 0 s would use up every attempt at once.
    #[must_use]
    pub(crate) fn no_sooner(mut self, retry: RetryPolicy, attempt: u32) -> Self {
        if let Verb::Retry { after, .. } = &mut self.verb {
            let turn = retry.wait_after(attempt);
            // The queue's own wait is up to a fifth shorter than the turn.
            *after = after.filter(|asked| *asked > turn * 4 / 5).map(|asked| asked.max(turn));
        }
        self
    }
}

fn failed(
    outcome: &'static str,
    error: String,
    after: Option<Duration>,
    health: Health,
) -> Verdict {
    let verb = Verb::Retry { after, reason: Some(error.clone()) };
    Verdict { verb, health, outcome, error: Some(error) }
}

/// How long an endpoint asks to wait: seconds or a date (RFC 9110, 10.2.3), and never longer than
/// is honoured.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let span = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let date = DateTime::parse_from_rfc2822(text).ok()?;
        Timestamp::from_unix_s(date.timestamp()).since(now)
    };
    Some(span.min(PUSH_RETRY_AFTER_MAX))
}

impl Fault {
    fn outcome(&self) -> &'static str {
        match self {
            Self::TimedOut { .. } => "timed_out",
            Self::Unresolved(_) => "unresolved",
            Self::Private => "private",
            Self::Unreachable(_) => "unreachable",
            Self::Tls(_) => "tls",
            Self::Cut(_) => "cut",
            Self::Garbage(_) => "garbage",
        }
    }
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(REASON_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<&str>) -> Verdict {
        let retry_after = retry_after.map(str::to_owned);
        let answer = Answer { status, retry_after, body: Vec::new() };
        verdict(&Reply::Answered(answer), "2026-11-21T12:00:00Z".parse().expect("a time"))
    }

    fn wait(verdict: &Verdict) -> Option<u64> {
        match verdict.verb {
            Verb::Retry { after, .. } => after.map(|after| after.as_secs()),
            _ => panic!("{verdict:?}"),
        }
    }

    #[test]
    fn every_2xx_acks_and_nothing_else_does() {
        for status in 100..600 {
            let verdict = answered(status, None);
            let acks = verdict.verb == Verb::Ack;
            assert_eq!(acks, (200..300).contains(&status), "{status}");
            assert_eq!(verdict.health == Health::Well, acks, "{status}");
            assert_eq!(verdict.error.is_none(), acks, "{status}");
            assert_eq!(verdict.health == Health::Gone, status == 410, "{status}");
        }
    }

    #[test]
    fn retry_after_is_honoured_in_seconds_and_as_a_date_and_bounded() {
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sat, 21 Nov 2026 12:01:00 GMT", Some(60)),
            ("Sat, 21 Nov 2026 11:59:00 GMT", Some(0)),
            ("99999999999999999999999", Some(24 * 3600)),
            ("Sat, 21 Nov 2099 12:01:00 GMT", Some(24 * 3600)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            for status in [429, 500, 503, 404] {
                assert_eq!(wait(&answered(status, Some(text))), seconds, "{status} {text}");
            }
        }
    }

    /// Symptom: an endpoint that answered 429 with `Retry-After: 0` made a dead letter of every
    /// event within seconds. Cause: its wish stood in the place of the backoff. Fix: `no_sooner`.
    #[test]
    fn retry_after_lengthens_a_wait_and_never_shortens_it() {
        let policy = RetryPolicy { attempts: 97, first_ms: 5_000, longest_ms: 3_600_000 };
        for (text, attempt, seconds) in [
            // Its own turn comes later, so the queue decides.
            ("0", 1, None),
            ("1", 1, None),
            ("4", 1, None),
            ("0", 97, None),
            ("2880", 97, None),
            // What the queue's jitter might cut off.
            ("5", 1, Some(5)),
            ("3000", 97, Some(3600)),
            ("120", 1, Some(120)),
            ("7200", 97, Some(7200)),
            ("999999", 97, Some(24 * 3600)),
        ] {
            for status in [429, 503, 500, 404] {
                let verdict = answered(status, Some(text)).no_sooner(policy, attempt);
                assert_eq!(wait(&verdict), seconds, "{status} {text} {attempt}");
            }
        }
        assert_eq!(answered(200, Some("9")).no_sooner(policy, 1).verb, Verb::Ack);
    }

    #[test]
    fn who_says_when_to_come_again_is_left_alone_until_then() {
        let span = Duration::from_secs(7);
        assert_eq!(answered(429, Some("7")).health, Health::Busy(span));
        assert_eq!(answered(503, Some("7")).health, Health::Busy(span));
        assert_eq!(answered(429, None).health, Health::Ill);
        // One event that is not liked says nothing of the others.
        assert_eq!(answered(404, Some("7")).health, Health::Picky);
        assert_eq!(answered(500, Some("7")).health, Health::Ill);
    }

    #[test]
    fn what_failed_without_an_answer_comes_again_with_its_reason() {
        let now = Timestamp::from_unix_s(0);
        let told: Vec<String> = [
            Fault::TimedOut { within_ms: 15_000 },
            Fault::Unresolved("no such host".into()),
            Fault::Private,
            Fault::Unreachable("connection refused".into()),
            Fault::Tls("unknown issuer".into()),
            Fault::Cut("end of file".into()),
            Fault::Garbage("invalid HTTP version".into()),
        ]
        .into_iter()
        .map(|fault| verdict(&Reply::Failed(fault), now))
        .map(|verdict| format!("{}: {}", verdict.outcome, verdict.error.expect("failed")))
        .collect();
        insta::assert_snapshot!("faults", told.join("\n"));
    }
}
