//! The protocol of Socket Mode as a state machine: which connections there are, what is due of
//! them, and what came in over them and is not acknowledged yet.
//!
//! It has no socket, no clock and no randomness: [`Pool::step`] takes the time, a random number
//! and one [`Input`], and says what to do. Not for what envelopes mean.
//!
//! What it keeps to, and the tests with any inputs whatever:
//!
//! - nothing is acknowledged that is not stored, and nothing on another connection than the one
//!   that brought it (Slack takes no other);
//! - a connection is replaced before it stops: it is read until the other side closes it, and the
//!   pool closes it only when enough others listen, or when there is no room for a successor;
//! - there are never more than [`SOCKET_CONNECTIONS_MAX`] connections, whatever their state;
//! - there is always a time at which it tries again.

mod link;
mod pause;
mod storing;
mod vocabulary;

pub use link::LinkState;
pub use vocabulary::{Action, Alarm, Counted, Ending, Input, LinkId, Refusal, StoringId};

use super::message::{DisconnectReason, Hello, Message};
use bytes::Bytes;
use headgate_event::limits::{
    SOCKET_CONNECTIONS, SOCKET_CONNECTIONS_MAX, SOCKET_DEAF_GRACE, SOCKET_STOP_TIMEOUT,
};
use link::{Due, Link, percent_of_life};
use pause::Pause;
use serde_json::value::RawValue;
use std::{collections::BTreeMap, time::Duration};
use storing::Storing;

/// The connections of one app, and what they brought. Times are spans since it began.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    links: BTreeMap<LinkId, Link>,
    links_begun: u64,
    storing: Storing,
    pause: Pause,
    alarm: Option<Alarm>,
    /// Why the last connection did not come about, since the last `hello`.
    unreachable: Option<String>,
    /// How many connections the app has, by the last `hello`.
    connections: Option<u32>,
    hearing: Hearing,
    /// By when the last connection is closed whatever is being stored.
    stop_by: Option<Duration>,
    /// What the step has to say so far.
    actions: Vec<Action>,
}

/// Whether any connection listens.
#[derive(Clone, Copy, Debug, Default)]
enum Hearing {
    /// None did so far.
    #[default]
    NotYet,
    Listens,
    DeafSince(Duration),
}

/// The pool at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Whether events can come in: a connection listens, or did a moment ago.
    pub ready: bool,
    /// Connections that listen.
    pub listening: usize,
    /// Connections in whatever state.
    pub connections: usize,
    /// How many the app has, whoever opened them, by the last `hello`.
    pub connections_of_app: Option<u32>,
    /// What a person has to know.
    pub alarm: Option<Alarm>,
    /// Why no further connection comes about, where that may pass by itself; in words that tell no
    /// secret.
    pub unreachable: Option<String>,
}

impl Pool {
    /// Takes one input at `now` and says what to do, in that order. `draw` is any number, a
    /// different one each time: pauses differ by it.
    pub fn step(&mut self, now: Duration, draw: u32, input: Input) -> Vec<Action> {
        match input {
            Input::Connected(id) => self.connected(now, id),
            Input::Refused(id, refusal) => self.refused(now, draw, id, refusal),
            Input::Message(id, bytes) => self.message(now, draw, id, &bytes),
            Input::Pong(id) => {
                if let Some(link) = self.links.get_mut(&id) {
                    link.ponged();
                }
            }
            Input::Closed(id) => self.closed(now, draw, id),
            Input::Stored(id, answer) => self.stored(id, answer.as_deref()),
            Input::Unstored(id) => self.unstored(id),
            Input::Tick => {}
            Input::Resume => self.pause.end(),
            Input::Stop => {
                self.stop_by.get_or_insert(now + SOCKET_STOP_TIMEOUT);
            }
        }
        self.settle(now, draw);
        std::mem::take(&mut self.actions)
    }

    /// When [`Input::Tick`] is due; nothing when there is nothing left to do.
    #[must_use]
    pub fn wake_at(&self, now: Duration) -> Option<Duration> {
        let links = self.links.values().filter_map(|link| link.wake_at(now));
        let open = self.wants_another().then_some(self.pause.until());
        let later =
            [open, self.deaf_at(), self.stop_by].into_iter().flatten().filter(|at| *at > now);
        links.chain(later).min().filter(|_| !self.is_done())
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self, now: Duration) -> PoolStatus {
        let listening = self.count(LinkState::listens);
        let lately = self.deaf_at().is_some_and(|at| now < at);
        PoolStatus {
            ready: self.hears(now) || lately,
            listening,
            connections: self.links.len(),
            connections_of_app: self.connections,
            alarm: self.alarm.clone(),
            unreachable: self.unreachable.clone(),
        }
    }

    /// Whether it was stopped and no connection is left.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stop_by.is_some() && self.links.is_empty()
    }

    /// The state of each connection.
    pub fn links(&self) -> impl Iterator<Item = (LinkId, LinkState)> {
        self.links.iter().map(|(id, link)| (*id, link.state()))
    }

    fn connected(&mut self, now: Duration, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.moves_to(LinkState::Greeting, now);
        }
    }

    fn refused(&mut self, now: Duration, draw: u32, id: LinkId, refusal: Refusal) {
        if self.links.remove(&id).is_none() {
            return;
        }
        self.pause.refused(now, draw, &refusal);
        match &refusal {
            Refusal::Fatal(code) => self.alarm(Alarm::Refused(code.clone())),
            Refusal::Passing(cause) => self.unreachable = Some(cause.clone()),
            Refusal::RateLimited(_) => self.unreachable = Some("Slack asks for a pause".to_owned()),
        }
        self.ended(Ending::Refused(refusal));
    }

    fn message(&mut self, now: Duration, draw: u32, id: LinkId, bytes: &Bytes) {
        let Some(link) = self.links.get(&id) else { return };
        if link.state() == LinkState::Opening {
            return;
        }
        match Message::read(bytes) {
            Message::Hello(hello) => self.hello(now, id, hello),
            Message::Disconnect(reason) => self.disconnect(now, draw, id, reason),
            Message::Envelope(envelope) => match self.storing.take(id, &envelope) {
                Some(storing) => {
                    self.bear(id, 1);
                    self.actions.push(Action::Store(storing, envelope));
                }
                None => self.count_one(Counted::Overflowed),
            },
        }
    }

    fn hello(&mut self, now: Duration, id: LinkId, hello: Hello) {
        let live = |link: &&Link| link.state() == LinkState::Live;
        let others: Vec<_> = self.links.values().filter(live).map(Link::replace_at).collect();
        let percent = percent_of_life(now, hello.life, &others);
        if self.links.get_mut(&id).is_some_and(|link| link.greet(now, hello.life, percent)) {
            self.connections = hello.connections;
            self.alarm = None;
            self.unreachable = None;
        }
    }

    fn disconnect(&mut self, now: Duration, draw: u32, id: LinkId, reason: DisconnectReason) {
        match reason {
            DisconnectReason::TooManyWebsockets => {
                self.pause.crowded(now, draw);
                self.alarm(Alarm::TooManyWebsockets(self.connections));
            }
            DisconnectReason::LinkDisabled => {
                self.pause.halted(now, draw);
                self.alarm(Alarm::LinkDisabled);
            }
            _ => {}
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        if reason == DisconnectReason::LinkDisabled {
            link.disabled();
        }
        let settled = link.is_settled(now);
        if link.told_to_leave(now) {
            self.ended(Ending::Told(reason));
        } else if link.state() == LinkState::Greeting {
            link.moves_to(LinkState::Closing, now);
            self.actions.push(Action::Close(id));
            self.ended(Ending::Told(reason));
        } else {
            return;
        }
        if !settled {
            self.pause.failed(now, draw);
        }
    }

    fn closed(&mut self, now: Duration, draw: u32, id: LinkId) {
        let Some(link) = self.links.remove(&id) else { return };
        let expected = matches!(link.state(), LinkState::Leaving | LinkState::Closing);
        if !expected {
            self.ended(Ending::Closed);
            if !link.is_settled(now) {
                self.pause.failed(now, draw);
            }
        }
    }

    fn stored(&mut self, id: StoringId, answer: Option<&RawValue>) {
        let Some(stored) = self.storing.finish(id) else { return };
        let link = self.bear(stored.link(), -1);
        // After its closing frame a connection can send nothing more (RFC 6455, 5.5.1).
        let sends = link.is_some_and(|state| state != LinkState::Closing);
        match stored.acknowledgement(answer) {
            None => self.count_one(Counted::WithoutId),
            Some(_) if !sends => self.count_one(Counted::Unacknowledged),
            Some((text, too_large)) => {
                self.actions.push(Action::Acknowledge(stored.link(), text));
                if too_large {
                    self.count_one(Counted::AnswerTooLarge);
                }
            }
        }
    }

    fn unstored(&mut self, id: StoringId) {
        if let Some(unstored) = self.storing.finish(id) {
            self.bear(unstored.link(), -1);
            self.count_one(Counted::Unstored);
        }
    }

    /// Does what is due, and opens what is missing.
    fn settle(&mut self, now: Duration, draw: u32) {
        let ids: Vec<_> = self.links.keys().copied().collect();
        for id in ids {
            self.settle_link(now, draw, id);
        }
        if self.links.values().any(|link| link.state() == LinkState::Live && link.is_settled(now)) {
            self.pause.forget_failures();
        }
        match self.stop_by {
            Some(stop_by) => self.close_down(now, stop_by),
            None => self.close_replaced(now),
        }
        if self.wants_another() && now >= self.pause.until() {
            self.open(now);
        }
        self.note_deafness(now);
    }

    fn settle_link(&mut self, now: Duration, draw: u32, id: LinkId) {
        while let Some(link) = self.links.get_mut(&id)
            && let Some(due) = link.due(now)
        {
            let state = link.state();
            match due {
                Due::Ping => {
                    link.pinged(now);
                    self.actions.push(Action::Ping(id));
                    continue;
                }
                Due::Replace => {
                    link.moves_to(LinkState::Leaving, now);
                    self.ended(Ending::Aged);
                    continue;
                }
                Due::GiveUp => {
                    self.pause.failed(now, draw);
                    self.ended(Ending::Silent);
                }
                Due::HalfOpen => {
                    if !link.is_settled(now) && state == LinkState::Live {
                        self.pause.failed(now, draw);
                    }
                    self.ended(Ending::HalfOpen);
                }
                Due::DropClosing => {}
            }
            self.drop_link(id);
        }
    }

    /// Closes what was replaced and the other side did not close in its time.
    fn close_replaced(&mut self, now: Duration) {
        if self.count(|state| state == LinkState::Live) < SOCKET_CONNECTIONS {
            return;
        }
        let over = self.links.iter().filter(|(_, link)| link.may_be_closed(now));
        for id in over.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.close(now, id);
        }
    }

    /// Closes each connection once nothing of it is being stored.
    fn close_down(&mut self, now: Duration, stop_by: Duration) {
        let links = self.links.iter().map(|(id, link)| (*id, link.state(), link.storing));
        for (id, state, storing) in links.collect::<Vec<_>>() {
            match state {
                LinkState::Opening | LinkState::Greeting => self.drop_link(id),
                LinkState::Live | LinkState::Leaving if storing == 0 || now >= stop_by => {
                    self.close(now, id);
                }
                LinkState::Live | LinkState::Leaving | LinkState::Closing => {}
            }
        }
    }

    /// Begins a connection, or makes room for one.
    fn open(&mut self, now: Duration) {
        if self.links.len() < SOCKET_CONNECTIONS_MAX {
            let id = LinkId(self.links_begun);
            self.links_begun += 1;
            self.links.insert(id, Link::opening(now));
            self.actions.push(Action::Open(id));
        } else if self.count(|state| state == LinkState::Closing) == 0 {
            let leaving = self.links.iter().filter(|(_, link)| link.state() == LinkState::Leaving);
            if let Some(oldest) = leaving.min_by_key(|(_, link)| link.since()).map(|(id, _)| *id) {
                self.close(now, oldest);
            }
        }
    }

    /// One is opened at a time: what fails for one fails for the next.
    fn wants_another(&self) -> bool {
        let opens = |state| matches!(state, LinkState::Opening | LinkState::Greeting);
        self.stop_by.is_none()
            && self.count(opens) == 0
            && self.count(|state| state == LinkState::Live) < SOCKET_CONNECTIONS
    }

    fn close(&mut self, now: Duration, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id)
            && link.moves_to(LinkState::Closing, now)
        {
            self.actions.push(Action::Close(id));
        }
    }

    fn drop_link(&mut self, id: LinkId) {
        self.links.remove(&id);
        self.actions.push(Action::Drop(id));
    }

    fn note_deafness(&mut self, now: Duration) {
        self.hearing = match self.hearing {
            _ if self.hears(now) => Hearing::Listens,
            Hearing::Listens => Hearing::DeafSince(now),
            deaf => deaf,
        };
    }

    /// When it is said to be deaf, where it hears by none any more.
    fn deaf_at(&self) -> Option<Duration> {
        match self.hearing {
            Hearing::DeafSince(since) => Some(since + SOCKET_DEAF_GRACE),
            Hearing::NotYet | Hearing::Listens => None,
        }
    }

    fn bear(&mut self, id: LinkId, change: isize) -> Option<LinkState> {
        let link = self.links.get_mut(&id)?;
        link.storing = link.storing.saturating_add_signed(change);
        Some(link.state())
    }

    /// Whether events can come in over any of them.
    fn hears(&self, now: Duration) -> bool {
        self.links.values().any(|link| link.hears(now))
    }

    fn count(&self, which: impl Fn(LinkState) -> bool) -> usize {
        self.links.values().filter(|link| which(link.state())).count()
    }

    fn alarm(&mut self, alarm: Alarm) {
        self.actions.push(Action::Alarm(alarm.clone()));
        self.alarm = Some(alarm);
    }

    fn ended(&mut self, ending: Ending) {
        self.count_one(Counted::Ended(ending));
    }

    fn count_one(&mut self, counted: Counted) {
        self.actions.push(Action::Count(counted));
    }
}
