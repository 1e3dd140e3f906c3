//! A message and the mention in it, which Slack sends as two events, stored as one.
//!
//! Whichever comes first waits for the other, for a span far below Slack's patience, and both are
//! answered once what they became is stored. Nothing depends on their meeting: who waited for
//! nothing, came later, or met a message that was stored before, is stored by itself.

use crate::{
    channel::SlackChannel,
    draft::{Receipt, joined},
    identity::Identity,
    mapping::{self, Field},
    payload::Payload,
    source::measures,
};
use headgate_event::{
    Accepted, Draft, EventId, Sink, StoreError, Timestamp,
    limits::{SLACK_HELD_MAX, SLACK_JOINED_KNOWN_FOR, SLACK_JOINED_MAX, STORE_RETRY_AFTER},
    prompt::PromptKey,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

/// Where the messages and mentions of all channels meet, by channel. Clones are the same: a channel
/// that is prepared again, by a reload or for its other way in, has the place that it had.
#[derive(Clone, Debug, Default)]
pub struct Merges(Arc<Mutex<BTreeMap<String, Weak<Mutex<Meetings>>>>>);

/// Where the two meet, and for how long they wait there.
#[derive(Debug)]
pub(crate) struct Merge {
    window: Duration,
    meetings: Arc<Mutex<Meetings>>,
}

#[derive(Debug, Default)]
struct Meetings {
    /// Who waits, by the key of the message.
    held: HashMap<String, Held>,
    /// How many have waited.
    waited: u64,
    /// Mentions that were stored with their message, by dedupe key: Slack may send them again.
    joined: HashMap<String, (EventId, Timestamp)>,
}

/// One of the two, waiting for the other.
#[derive(Debug)]
struct Held {
    number: u64,
    part: Part,
    sent: Sent,
    tell: oneshot::Sender<Result<Accepted, StoreError>>,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Message,
    Mention,
}

/// A delivery with the event that it makes by itself.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) payload: Arc<Payload>,
    pub(crate) receipt: Receipt,
    pub(crate) draft: Draft,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) accepted: Accepted,
    /// How long it waited for its other half, which is no slowness of ours.
    pub(crate) waited: Duration,
}

/// What there is to do for a delivery.
enum Met {
    /// Its other half was stored with it before.
    Known(EventId),
    /// Nothing but to store it.
    Alone,
    /// Its other half is here.
    Other(Box<Held>),
    /// It is the first.
    First(Place, oneshot::Receiver<Result<Accepted, StoreError>>),
}

/// The place of who waits. It is free again when this goes, however that comes.
struct Place {
    merge: Arc<Merge>,
    message: String,
    number: u64,
}

/// Stores the event of a delivery, with its other half where the channel joins them.
pub(crate) async fn store(
    channel: &SlackChannel,
    sink: &dyn Sink,
    sent: Sent,
    key: &PromptKey,
) -> Result<Stored, StoreError> {
    let at_once = |accepted| Stored { accepted, waited: Duration::ZERO };
    let Some((merge, (part, message))) = channel.merge.as_ref().zip(meeting(&sent.payload)) else {
        return accept(sink, sent.draft).await.map(at_once);
    };
    match merge.meet(part, &message, &sent) {
        Met::Known(id) => Ok(at_once(Accepted::Duplicate(id))),
        Met::Alone => accept(sink, sent.draft).await.map(at_once),
        Met::First(place, told) => merge.wait(place, told, sink, sent.draft).await,
        Met::Other(held) => {
            let (text, mention) = match part {
                Part::Message => (&sent, &held.sent),
                Part::Mention => (&held.sent, &sent),
            };
            let both = merge.join(channel, sink, text, mention, key).await;
            let (of_text, of_mention) = (both.clone().map(|(id, _)| id), both.map(|(_, id)| id));
            let (own, other) = match part {
                Part::Message => (of_text, of_mention),
                Part::Mention => (of_mention, of_text),
            };
            // Who waited may have left; what it sent is stored all the same.
            drop(held.tell.send(other));
            own.map(at_once)
        }
    }
}

async fn accept(sink: &dyn Sink, draft: Draft) -> Result<Accepted, StoreError> {
    let accepted = sink.accept(vec![draft]).await?;
    let [accepted] = accepted.as_slice() else {
        let reason = format!("expected one id from the store, found {}", accepted.len());
        return Err(StoreError::Unavailable { reason, retry_after: STORE_RETRY_AFTER });
    };
    Ok(*accepted)
}

impl Merges {
    /// The place of a channel.
    pub(crate) fn of(&self, channel: &str, window: Duration) -> Merge {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, place| place.strong_count() > 0);
        let known = places.get(channel).and_then(Weak::upgrade);
        let meetings = known.unwrap_or_default();
        places.insert(channel.to_owned(), Arc::downgrade(&meetings));
        Merge { window, meetings }
    }
}

impl Merge {
    fn meetings(&self) -> MutexGuard<'_, Meetings> {
        self.meetings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet(self: &Arc<Self>, part: Part, message: &str, sent: &Sent) -> Met {
        let mut meetings = self.meetings();
        let dedupe = sent.draft.dedupe.as_ref();
        if let Some((id, _)) = dedupe.and_then(|dedupe| meetings.joined.get(&dedupe.key)) {
            return Met::Known(*id);
        }
        match meetings.held.get(message) {
            Some(held) if held.part == part => Met::Alone,
            Some(_) => {
                let held = meetings.held.remove(message).map(Box::new);
                held.map_or(Met::Alone, Met::Other)
            }
            None if meetings.held.len() >= SLACK_HELD_MAX => Met::Alone,
            None => {
                let (tell, told) = oneshot::channel();
                meetings.waited += 1;
                let (number, message) = (meetings.waited, message.to_owned());
                let held = Held { number, part, sent: sent.clone(), tell };
                meetings.held.insert(message.clone(), held);
                Met::First(Place { merge: Arc::clone(self), message, number }, told)
            }
        }
    }

    /// Waits for the other half, and stores the event alone when none comes.
    async fn wait(
        &self,
        place: Place,
        mut told: oneshot::Receiver<Result<Accepted, StoreError>>,
        sink: &dyn Sink,
        draft: Draft,
    ) -> Result<Stored, StoreError> {
        let begun = Instant::now();
        let met = timeout(self.window, &mut told).await;
        let waited = begun.elapsed();
        let stored = |accepted| Stored { accepted, waited };
        if let Ok(Ok(accepted)) = met {
            return accepted.map(stored);
        }
        // Who is not there any more has been met: the other half is storing both.
        if !place.leave()
            && let Ok(accepted) = told.await
        {
            return accepted.map(stored);
        }
        accept(sink, draft).await.map(stored)
    }

    /// Stores one event of both, and answers for the message and for the mention.
    async fn join(
        &self,
        channel: &SlackChannel,
        sink: &dyn Sink,
        text: &Sent,
        mention: &Sent,
        key: &PromptKey,
    ) -> Result<(Accepted, Accepted), StoreError> {
        let mut draft = joined(channel, &text.payload, &text.receipt, &mention.payload, key);
        // What a release wrote onto either of them.
        draft.metadata.extend(mention.draft.metadata.clone());
        draft.metadata.extend(text.draft.metadata.clone());
        let stored = accept(sink, draft).await?;
        let Accepted::New(id) = stored else {
            // The message was stored before, without its mention.
            return Ok((stored, accept(sink, mention.draft.clone()).await?));
        };
        measures::joined(&channel.channel.id);
        if let Some(dedupe) = &mention.draft.dedupe {
            self.note_joined(&dedupe.key, id, mention.receipt.received_at);
        }
        Ok((stored, stored))
    }

    fn note_joined(&self, key: &str, id: EventId, now: Timestamp) {
        let mut meetings = self.meetings();
        if meetings.joined.len() >= SLACK_JOINED_MAX {
            meetings.joined.retain(|_, (_, at)| now.since(*at) < SLACK_JOINED_KNOWN_FOR);
        }
        if meetings.joined.len() < SLACK_JOINED_MAX {
            meetings.joined.insert(key.to_owned(), (id, now));
        }
    }
}

impl Place {
    /// Frees the place; `false` when it was not taken any more.
    fn leave(&self) -> bool {
        let mut meetings = self.merge.meetings();
        let own = meetings.held.get(&self.message).is_some_and(|held| held.number == self.number);
        own && meetings.held.remove(&self.message).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Which of the two a payload is, and the message it is about. A message that mentions nobody has
/// no other half, and neither has a change to one.
fn meeting(payload: &Payload) -> Option<(Part, String)> {
    let event = payload.event()?;
    let field = |field| mapping::of_event(event, field).map(|text| text.into_owned());
    let part = match payload.event_type() {
        "app_mention" => Part::Mention,
        "message" if field(Field::Text).is_some_and(|text| text.contains("<@")) => Part::Message,
        _ => return None,
    };
    let subtype = event.get("subtype").and_then(headgate_event::json::Node::as_str);
    if matches!(subtype, Some("message_changed" | "message_deleted")) {
        return None;
    }
    let (conversation, ts) = (field(Field::Channel), field(Field::Message));
    let identity = Identity::of(payload);
    let message = identity.message_key(event, conversation.as_deref(), ts.as_deref())?;
    let team = identity.installation_team_id.unwrap_or_default();
    Some((part, format!("{team}/{message}")))
}
