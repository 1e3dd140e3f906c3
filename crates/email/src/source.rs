//! Takes messages for the e-mail channels: who sent it, the events of it, and their way into the
//! store, before its sender is told that it was taken.
//!
//! Not for how messages come (that is [`smtp`](crate::smtp)'s), nor for what they say.

mod captured;
pub(crate) mod measures;
mod reading;
mod release;
mod sorted;

pub use release::NotReleased;

use crate::{
    Authenticator, Claimed, Message, Receipt, Require,
    smtp::{
        Address, Delivered, Directory, Letter, MailChannel, Mailbox, Match, Recipients, Routed,
    },
};
use arc_swap::ArcSwap;
use headgate_event::{
    Accepted, Clock, Draft, EventId, Sink, StoreError, data::Auth, prompt::PromptKey,
};
use headgate_http::{BodyHold, RefusalLog, Reject, Rejection, RejectionSink};
use sorted::Sorted;
use std::{fmt, sync::Arc};

/// Says whether the store has room for another message. It answers at once.
pub type Room = Arc<dyn Fn() -> bool + Send + Sync>;

/// What the source needs of the program around it.
#[derive(Clone)]
pub struct MailPorts {
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// Says whether there is room for them.
    pub room: Room,
    /// Finds out who sent a message; without one nobody does.
    pub authenticator: Option<Arc<dyn Authenticator>>,
    /// Says what time it is when a line of the log may be due.
    pub clock: Arc<dyn Clock>,
    /// Makes the fences of prompts.
    pub prompt_key: PromptKey,
    /// Keeps what is refused; without one nothing of it is kept.
    pub rejections: Option<Arc<dyn RejectionSink>>,
}

/// Takes messages for the e-mail channels.
pub struct MailSource {
    directory: ArcSwap<Directory>,
    ports: MailPorts,
    log: RefusalLog,
}

/// Why a message was not stored.
enum Unstored {
    /// Our fault, and it may pass.
    Failed(String),
    /// It never can be, in one piece.
    TooMuch(String),
}

impl MailSource {
    /// A source for these channels.
    #[must_use]
    pub fn new(channels: Vec<MailChannel>, ports: MailPorts) -> Self {
        let directory = ArcSwap::from_pointee(Directory::new(channels));
        Self { directory, ports, log: RefusalLog::default() }
    }

    /// Puts other channels in the place of those there are. A recipient that was accepted before
    /// keeps its channel.
    pub fn replace(&self, channels: Vec<MailChannel>) {
        self.directory.store(Arc::new(Directory::new(channels)));
    }

    /// Stores a message for those of its channels that take it.
    async fn take(&self, letter: Letter) -> Delivered {
        let message = reading::read(&letter.message).await;
        let Some(message) = message else { return Delivered::TryAgain };
        let receipt = self.receipt(&message, &letter).await;
        let auth = message.auth(&receipt);
        let sorted = Sorted::of(&letter.recipients, auth.as_ref());
        if sorted.taken.is_empty() {
            return self.turn_away(&sorted, &letter, auth.as_ref());
        }
        let (key, channels) = (self.ports.prompt_key.clone(), sorted.taken.clone());
        let drafts = reading::drafts(message, receipt, channels, key).await;
        let Some(drafts) = drafts else { return Delivered::TryAgain };
        match self.store(drafts, letter.hold.clone()).await {
            Ok(accepted) => {
                let stored = self.told(&sorted, &accepted);
                if !sorted.not_yet.is_empty() {
                    // The whole message comes again: those that have it know it for a repeat, and
                    // those that refuse it do so then.
                    return Delivered::TryAgain;
                }
                for matched in &sorted.refused {
                    self.refuse(matched, &letter, auth.as_ref());
                }
                stored
            }
            Err(Unstored::TooMuch(cause)) => {
                tracing::warn!(cause, "a message was refused");
                Delivered::Refused("the message is too large for so many channels".to_owned())
            }
            Err(Unstored::Failed(cause)) => {
                tracing::warn!(cause, "a message was not stored, its sender tries again");
                if self.has_room() { Delivered::TryAgain } else { Delivered::DiskLow }
            }
        }
    }

    /// How the message came, and who is believed to have sent it.
    async fn receipt(&self, message: &Message, letter: &Letter) -> Receipt {
        let received_at = letter.received_at;
        let auth = match &self.ports.authenticator {
            None => None,
            Some(authenticator) => {
                let claimed = Claimed { message, envelope: &letter.envelope, received_at };
                Some(authenticator.authenticate(claimed).await)
            }
        };
        let envelope = Some(letter.envelope.clone());
        Receipt { received_at, envelope, auth, provider: None, delivery_id: None }
    }

    /// No channel takes it.
    fn turn_away(&self, sorted: &Sorted<'_>, letter: &Letter, auth: Option<&Auth>) -> Delivered {
        if !sorted.not_yet.is_empty() {
            // What could not be found out may be when the sender tries again.
            return Delivered::TryAgain;
        }
        for matched in &sorted.refused {
            self.refuse(matched, letter, auth);
        }
        let asked = sorted.refused.first().map_or(Require::Nothing, |one| one.terms.require);
        Delivered::Refused(reason(asked).to_owned())
    }

    /// Notes that a channel does not take a message, and keeps it for admins.
    fn refuse(&self, matched: &Match, letter: &Letter, auth: Option<&Auth>) {
        let asked = matched.terms.require;
        let found = auth.map_or_else(|| "nobody checked".to_owned(), shown);
        let reject = Reject::unauthorized(code(asked), reason(asked)).with_cause(found);
        let id = &matched.channel.id;
        let (code, now) = (reject.code(), self.ports.clock.now());
        if let Some(suppressed) = self.log.count(id, code, now) {
            tracing::info!(channel = id, code, cause = %reject, suppressed, "refused");
        }
        measures::rejected(id, code);
        if let Some(rejections) = &self.ports.rejections {
            let request = captured::request(letter, matched);
            let shown_path = request.path.clone();
            let channel = Arc::clone(&matched.channel);
            rejections.keep(Rejection { channel, shown_path, request, reject });
        }
    }

    /// Stores the drafts, all or none. Storing goes on to its end also when nobody waits for the
    /// answer any more, and the message is accounted to its sender until then.
    async fn store(&self, drafts: Vec<Draft>, hold: BodyHold) -> Result<Vec<Accepted>, Unstored> {
        let (sink, asked) = (Arc::clone(&self.ports.sink), drafts.len());
        let storing = tokio::spawn(async move {
            let accepted = sink.accept(drafts).await;
            drop(hold);
            accepted
        });
        match storing.await {
            Ok(Ok(accepted)) if accepted.len() == asked => Ok(accepted),
            Ok(Ok(accepted)) => Err(Unstored::Failed(format!(
                "expected {asked} ids from the store, found {}",
                accepted.len()
            ))),
            Ok(Err(error @ (StoreError::TooLarge { .. } | StoreError::TooMany { .. }))) => {
                Err(Unstored::TooMuch(error.to_string()))
            }
            Ok(Err(error)) => Err(Unstored::Failed(error.to_string())),
            Err(stopped) => Err(Unstored::Failed(stopped.to_string())),
        }
    }

    /// Counts what was stored; the sender is told the first id.
    fn told(&self, sorted: &Sorted<'_>, accepted: &[Accepted]) -> Delivered {
        for (matched, accepted) in sorted.taken.iter().zip(accepted) {
            let duplicate = !matches!(accepted, Accepted::New(_));
            let channel = &matched.channel.id;
            tracing::debug!(channel, event = %accepted.id(), duplicate, "stored");
            measures::stored(channel, duplicate);
        }
        let first: Option<EventId> = accepted.first().map(|accepted| accepted.id());
        first.map_or(Delivered::TryAgain, Delivered::Stored)
    }
}

impl Recipients for MailSource {
    fn route(&self, to: &Address, from: Option<&Address>) -> Routed {
        self.directory.load().route(to, from)
    }
}

impl Mailbox for MailSource {
    async fn deliver(&self, letter: Letter) -> Delivered {
        // On the heap: a session's own future is small, and there are thousands of them.
        Box::pin(self.take(letter)).await
    }

    fn has_room(&self) -> bool {
        (self.ports.room)()
    }
}

/// What a sender is told that did not prove itself.
fn reason(asked: Require) -> &'static str {
    match asked {
        Require::Nothing => "this address does not take the message",
        Require::SpfOrDkim => "this address takes only mail that passes SPF or DKIM",
        Require::Dmarc => "this address takes only mail whose author's domain passes DMARC",
    }
}

fn code(asked: Require) -> &'static str {
    match asked {
        Require::Nothing => "refused",
        Require::SpfOrDkim => "spf_or_dkim_required",
        Require::Dmarc => "dmarc_required",
    }
}

/// The verdicts in one line, for the log and for admins.
fn shown(auth: &Auth) -> String {
    let dkim = auth.dkim.iter().map(|result| ("dkim", result));
    let spf = auth.spf.iter().map(|result| ("spf", result));
    let dmarc = auth.dmarc.iter().map(|result| ("dmarc", result));
    let each = spf.chain(dkim).chain(dmarc).map(|(what, result)| match &result.domain {
        Some(domain) => format!("{what} {} for `{domain}`", result.verdict),
        None => format!("{what} {}", result.verdict),
    });
    each.collect::<Vec<_>>().join(", ")
}

impl fmt::Debug for MailPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailPorts").finish_non_exhaustive()
    }
}

impl fmt::Debug for MailSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSource").field("directory", &self.directory).finish_non_exhaustive()
    }
}
