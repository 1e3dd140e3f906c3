//! Who carries mail: Amazon SNS, whose proof is that of the webhook provider `sns`.

use headgate_email::inbound::{self, AgeRule, CarrierTerms, HandshakeAnswer};
use headgate_event::{BoxFuture, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verified, Verify};
use headgate_webhook::{Carrier, Fetched, Providers, Shaken, Terms, Tolerance};
use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

/// The providers that are built in, read when the first carrier is opened.
static PROVIDERS: LazyLock<Providers> = LazyLock::new(Providers::embedded);

/// Opens carriers by the files of webhook providers.
pub struct Carriers {
    fetched: Arc<Fetched>,
}

/// A carrier as mail knows it.
struct Opened(Carrier);

impl Carriers {
    /// Carriers that fetch what they need with this.
    #[must_use]
    pub fn new(fetched: Arc<Fetched>) -> Self {
        Self { fetched }
    }
}

impl inbound::Carriers for Carriers {
    fn open(
        &self,
        carrier: &str,
        terms: CarrierTerms<'_>,
    ) -> Result<Arc<dyn inbound::Carrier>, String> {
        let provider = PROVIDERS.find(carrier);
        let provider = provider.ok_or_else(|| format!("nobody is known as `{carrier}`"))?;
        let any = Tolerance { past: Duration::MAX, future: Duration::MAX };
        let asked = Terms {
            settings: terms.settings.clone(),
            tolerance: (terms.age == AgeRule::Any).then_some(any),
            fetched: Arc::clone(&self.fetched),
            ..Terms::default()
        };
        let opened = Carrier::new(provider, terms.channel, asked);
        opened.map(|carrier| Arc::new(Opened(carrier)) as _).map_err(|error| error.to_string())
    }
}

impl Verify for Opened {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        self.0.verify(request, now)
    }
}

impl inbound::Carrier for Opened {
    fn bring<'a>(
        &'a self,
        request: &'a RawRequest,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), Reject>> {
        Box::pin(self.0.bring(request, now))
    }

    fn shake<'a>(
        &'a self,
        verified: &'a Verified,
        now: Timestamp,
    ) -> BoxFuture<'a, Option<Result<HandshakeAnswer, Reject>>> {
        Box::pin(async move {
            let shaken = self.0.shake(verified, now).await?;
            Some(shaken.map(|Shaken { name, answer }| HandshakeAnswer { handshake: name, answer }))
        })
    }
}

impl fmt::Debug for Carriers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carriers").finish_non_exhaustive()
    }
}
