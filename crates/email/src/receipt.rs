//! What is known of a message besides its bytes: how it was handed over, and who is believed to
//! have sent it. Whoever receives messages makes one; this crate's reader asks nobody else.

use headgate_event::{
    Channel, Covers, Timestamp, Verdict, Verification,
    data::{Auth, AuthResult, Envelope},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How a message was handed over.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// When it was received.
    pub received_at: Timestamp,
    /// The envelope, by SMTP or as a provider tells it; none where nobody knows.
    pub envelope: Option<Envelope>,
    /// What SPF, DKIM and DMARC say, and who checked; none where nobody did.
    pub auth: Option<Auth>,
    /// The provider that handed it over; none for SMTP.
    pub provider: Option<String>,
    /// The provider's own name of this delivery, the same in its retries; none for SMTP.
    pub delivery_id: Option<String>,
}

/// To which channel a message goes, and why.
#[derive(Clone, Debug)]
pub struct Matched {
    /// The channel.
    pub channel: Arc<Channel>,
    /// The configured address that took it.
    pub address: Option<String>,
    /// The tag of a plus address, or what a catch-all matched.
    pub tag: Option<String>,
    /// How long a repeat is known; none to keep every repeat.
    pub dedupe: Option<Duration>,
    /// What is to be kept beside the data.
    pub metadata: BTreeMap<String, Value>,
}

/// How a message was proved genuine, by the verdicts on it.
///
/// Verified is only the author of a message with exactly one From whose domain passed DMARC. A pass
/// of SPF or DKIM alone proves some domain and not the author: the method says which passed, the
/// verdict is `unverified`.
#[must_use]
pub fn verification(auth: Option<&Auth>) -> Verification {
    let none = Verification::none();
    let Some(auth) = auth else { return none };
    let passed = |result: &AuthResult| result.verdict == "pass";
    let dmarc = auth.dmarc.as_ref().is_some_and(passed);
    let dkim = auth.dkim.iter().find(|result| passed(result));
    let detail = |what: &str, result: &AuthResult| {
        result.domain.as_deref().map(|domain| format!("{what} passed for {domain}"))
    };
    if dmarc && auth.from_verified {
        let detail = auth.dmarc.as_ref().and_then(|result| detail("dmarc", result));
        // A signature covers the body; an address of a client covers its connection.
        let covers = if dkim.is_some() { Covers::Body } else { Covers::Connection };
        return Verification {
            verdict: Verdict::Verified.into(),
            method: "dmarc".into(),
            covers: covers.into(),
            detail,
            key: None,
        };
    }
    if let Some(result) = dkim {
        return Verification { method: "dkim".into(), detail: detail("dkim", result), ..none };
    }
    match auth.spf.as_ref().filter(|result| passed(result)) {
        Some(result) => {
            Verification { method: "spf".into(), detail: detail("spf", result), ..none }
        }
        None => none,
    }
}
