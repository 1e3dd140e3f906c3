//! A source with a store, a quarantine and an authenticator that do what a test says.

use headgate_email::{
    Authenticator, Claimed, MailPorts, MailSource, Require, Terms, Unproven,
    smtp::{Address, AddressPattern, Letter, MailChannel, Recipient, Recipients, Routed},
};
use headgate_event::{
    Accepted, BoxFuture, Channel, ChannelType, Draft, EventId, Sink, StoreError, Timestamp,
    data::{Auth, AuthResult, Envelope},
    prompt::PromptKey,
};
use headgate_http::{BodyHold, Rejection, RejectionSink};
use headgate_testkit::ManualClock;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

pub(crate) const RECEIVED: Timestamp = Timestamp::from_unix_s(1_776_590_125);
pub(crate) const MESSAGE: &[u8] =
    b"From: Ann <ann@example.org>\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\n\r\nhello\r\n";

/// Remembers the calls, and fails when told to.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) calls: Mutex<Vec<Vec<Draft>>>,
    pub(crate) fails: Mutex<Option<StoreError>>,
}

#[derive(Default)]
pub(crate) struct Quarantine(pub(crate) Mutex<Vec<Rejection>>);

/// Says what a test says.
#[derive(Default)]
pub(crate) struct Verdicts(pub(crate) Mutex<Auth>);

pub(crate) struct World {
    pub(crate) source: MailSource,
    pub(crate) store: Arc<Store>,
    pub(crate) quarantine: Arc<Quarantine>,
    pub(crate) verdicts: Arc<Verdicts>,
    pub(crate) room: Arc<AtomicBool>,
}

impl Sink for Store {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        if let Some(error) = self.fails.lock().unwrap().clone() {
            return Box::pin(async move { Err(error) });
        }
        let id = |number: usize| EventId::from_parts(RECEIVED, number as u128 + 1);
        let ids = (0..drafts.len()).map(|number| Accepted::New(id(number))).collect();
        self.calls.lock().unwrap().push(drafts);
        Box::pin(async move { Ok(ids) })
    }
}

impl RejectionSink for Quarantine {
    fn keep(&self, rejection: Rejection) {
        self.0.lock().unwrap().push(rejection);
    }
}

impl Authenticator for Verdicts {
    fn authenticate<'a>(&'a self, _: Claimed<'a>) -> BoxFuture<'a, Auth> {
        Box::pin(async { self.0.lock().unwrap().clone() })
    }
}

pub(crate) fn channel(id: &str, addresses: &[&str], terms: Terms) -> MailChannel {
    MailChannel {
        channel: Arc::new(Channel::new(id, id, ChannelType::Email).unwrap()),
        addresses: addresses.iter().map(|text| AddressPattern::parse(text).unwrap()).collect(),
        senders_allow: Vec::new(),
        senders_deny: Vec::new(),
        bytes_max: 1 << 20,
        terms,
    }
}

pub(crate) fn asks(require: Require, unproven: Unproven) -> Terms {
    Terms { require, unproven, ..Terms::default() }
}

/// Verdicts of which DMARC has this one.
pub(crate) fn dmarc(verdict: &str) -> Auth {
    let domain = Some("example.org".to_owned());
    let result = AuthResult { verdict: verdict.to_owned(), domain };
    Auth { dmarc: Some(result), from_verified: verdict == "pass", ..Auth::default() }
}

impl World {
    pub(crate) fn new(channels: Vec<MailChannel>) -> Self {
        let (store, quarantine) = (Arc::<Store>::default(), Arc::<Quarantine>::default());
        let (verdicts, room) = (Arc::<Verdicts>::default(), Arc::new(AtomicBool::new(true)));
        let has_room = Arc::clone(&room);
        let ports = MailPorts {
            sink: store.clone(),
            room: Arc::new(move || has_room.load(Ordering::SeqCst)),
            authenticator: Some(verdicts.clone()),
            clock: Arc::new(ManualClock::at(RECEIVED)),
            prompt_key: PromptKey::new([7; 32]),
            rejections: Some(quarantine.clone()),
        };
        Self { source: MailSource::new(channels, ports), store, quarantine, verdicts, room }
    }

    /// A message to these addresses, as the receiver hands it over.
    pub(crate) fn letter(&self, to: &[&str]) -> Letter {
        let from = Address::parse("ann@example.org").unwrap();
        let recipient = |text: &&str| {
            let address = Address::parse(text).unwrap();
            let Routed::To(matches) = self.source.route(&address, Some(&from)) else {
                panic!("no channel takes mail for {text}")
            };
            Recipient { address, matches }
        };
        Letter {
            envelope: Envelope {
                mail_from: Some("ann@example.org".to_owned()),
                rcpt_to: to.iter().map(|text| (*text).to_owned()).collect(),
                helo: Some("mx.example.org".to_owned()),
                remote_ip: Some("203.0.113.9".to_owned()),
                tls: true,
            },
            from: Some(from.clone()),
            recipients: to.iter().map(recipient).collect(),
            received_at: RECEIVED,
            message: MESSAGE.into(),
            hold: BodyHold::default(),
        }
    }

    /// The channels of each call of the store.
    pub(crate) fn stored(&self) -> Vec<Vec<String>> {
        let calls = self.store.calls.lock().unwrap();
        let ids = |call: &Vec<Draft>| call.iter().map(|draft| draft.channel.id.clone()).collect();
        calls.iter().map(ids).collect()
    }

    /// Channel and code of what was refused.
    pub(crate) fn refused(&self) -> Vec<(String, &'static str)> {
        let kept = self.quarantine.0.lock().unwrap();
        kept.iter().map(|one| (one.channel.id.clone(), one.reject.code())).collect()
    }
}
