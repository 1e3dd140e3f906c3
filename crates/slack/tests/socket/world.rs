//! A pool and a Slack in one process, with a clock that jumps from one thing to the next.

use bytes::Bytes;
use headgate_slack::socket::pool::{Action, Alarm, Counted, Input, LinkId, Pool, Refusal};
use headgate_testkit::slack::{ConnectionId, Sent, Workspace, WorkspaceOptions};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

const OPENING: Duration = Duration::from_millis(150);
const ONE_WAY: Duration = Duration::from_millis(20);
const STORING: Duration = Duration::from_millis(5);

pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) pool: Pool,
    pub(crate) slack: Workspace,
    /// The event ids of what was stored, in order and with repeats.
    pub(crate) stored: Vec<String>,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) counted: Vec<Counted>,
    /// How long no connection could take an event, after the first one did.
    pub(crate) gap: Duration,
    /// The most connections that the pool had at one time.
    pub(crate) links_seen: usize,
    pub(crate) opened: usize,
    /// How the next attempts to open go; without any, well.
    pub(crate) refusals: VecDeque<Refusal>,
    /// How many of the next envelopes the store refuses.
    pub(crate) store_faults: usize,
    /// Connections that are half open.
    pub(crate) silenced: BTreeSet<ConnectionId>,
    links: BTreeMap<LinkId, ConnectionId>,
    happenings: BTreeMap<(Duration, u64), Happening>,
    happened: u64,
    heard_once: bool,
    draws: u32,
}

enum Happening {
    Input(Input),
    /// The handshake of a link is done.
    Connect(LinkId),
    Receive(ConnectionId, String),
    Gone(ConnectionId),
}

impl World {
    pub(crate) fn new(options: WorkspaceOptions) -> Self {
        let mut world = Self {
            now: Duration::ZERO,
            pool: Pool::default(),
            slack: Workspace::new(options),
            stored: Vec::new(),
            alarms: Vec::new(),
            counted: Vec::new(),
            gap: Duration::ZERO,
            links_seen: 0,
            opened: 0,
            refusals: VecDeque::new(),
            store_faults: 0,
            silenced: BTreeSet::new(),
            links: BTreeMap::new(),
            happenings: BTreeMap::new(),
            happened: 0,
            heard_once: false,
            draws: 1,
        };
        world.step(Input::Tick);
        world
    }

    /// A world in which both connections listen.
    pub(crate) fn ready(options: WorkspaceOptions) -> Self {
        let mut world = Self::new(options);
        world.run(Duration::from_secs(2));
        assert_eq!(world.pool.status(world.now).listening, 2);
        world
    }

    /// Lets so much time go by.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.pass(at.max(self.now));
            self.once();
        }
        self.pass(end);
    }

    /// Gives the pool an input.
    pub(crate) fn step(&mut self, input: Input) {
        self.draws = self.draws.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let actions = self.pool.step(self.now, self.draws, input);
        self.links_seen = self.links_seen.max(self.pool.links().count());
        for action in actions {
            self.act(action);
        }
    }

    /// The connection is gone at once, without a word.
    pub(crate) fn cut(&mut self, connection: ConnectionId) {
        self.slack.gone(connection);
        if let Some(link) = self.link_of(connection) {
            self.links.remove(&link);
            self.step(Input::Closed(link));
        }
    }

    pub(crate) fn count(&self, reason: &str) -> usize {
        let is =
            |counted: &&Counted| matches!(counted, Counted::Ended(end) if end.as_str() == reason);
        self.counted.iter().filter(is).count()
    }

    /// Connections that can take an event.
    pub(crate) fn hearing(&self) -> usize {
        let open = self.slack.connections();
        open.iter().filter(|connection| !self.silenced.contains(connection)).count()
    }

    fn next_at(&self) -> Option<Duration> {
        let queued = self.happenings.keys().next().map(|(at, _)| *at);
        let slack = self.slack.wake_at().map(|at| at.max(self.now));
        [queued, self.pool.wake_at(self.now), slack].into_iter().flatten().min()
    }

    fn pass(&mut self, until: Duration) {
        let listens = self.hearing() > 0;
        if self.heard_once && !listens {
            self.gap += until - self.now;
        }
        self.heard_once |= listens;
        self.now = until;
    }

    /// Does one thing that is due.
    fn once(&mut self) {
        let queued = self.happenings.first_entry().filter(|entry| entry.key().0 <= self.now);
        if let Some(happening) = queued.map(|entry| entry.remove()) {
            self.happen(happening);
        } else if self.slack.wake_at().is_some_and(|at| at <= self.now) {
            self.slack.tick(self.now);
        } else {
            self.step(Input::Tick);
        }
        self.carry();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input(input) => self.step(input),
            Happening::Connect(link) => self.connect(link),
            Happening::Receive(connection, text) => self.slack.received(connection, &text),
            Happening::Gone(connection) => self.slack.gone(connection),
        }
    }

    fn connect(&mut self, link: LinkId) {
        if !self.pool.links().any(|(known, _)| known == link) {
            return;
        }
        if let Some(refusal) = self.refusals.pop_front() {
            return self.step(Input::Refused(link, refusal));
        }
        let ticket = self.slack.ticket();
        let connection = self.slack.connect(self.now, &ticket).expect("a good ticket");
        self.opened += 1;
        self.links.insert(link, connection);
        self.step(Input::Connected(link));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open(link) => self.later(OPENING, Happening::Connect(link)),
            Action::Store(id, envelope) => {
                let input = if self.store_faults > 0 {
                    self.store_faults -= 1;
                    Input::Unstored(id)
                } else {
                    let payload: Value = serde_json::from_slice(&envelope.payload).expect("JSON");
                    let event = payload["event_id"].as_str().expect("an event id");
                    self.stored.push(event.to_owned());
                    Input::Stored(id, None)
                };
                self.later(STORING, Happening::Input(input));
            }
            Action::Acknowledge(link, text) => {
                if let Some(connection) = self.reached(link) {
                    self.later(ONE_WAY, Happening::Receive(connection, text));
                }
            }
            Action::Ping(link) => {
                if self.reached(link).is_some() {
                    self.later(2 * ONE_WAY, Happening::Input(Input::Pong(link)));
                }
            }
            Action::Close(link) => {
                if let Some(connection) = self.reached(link) {
                    self.later(ONE_WAY, Happening::Gone(connection));
                    self.later(2 * ONE_WAY, Happening::Input(Input::Closed(link)));
                }
            }
            Action::Drop(link) => {
                // A half-open connection stays open on the other side.
                if let Some(connection) = self.reached(link) {
                    self.later(ONE_WAY, Happening::Gone(connection));
                }
                self.links.remove(&link);
            }
            Action::Alarm(alarm) => self.alarms.push(alarm),
            Action::Count(counted) => self.counted.push(counted),
        }
    }

    /// Carries what Slack sends to the links.
    pub(crate) fn carry(&mut self) {
        for (connection, sent) in self.slack.take_sent() {
            let Some(link) = self.link_of(connection) else { continue };
            if self.silenced.contains(&connection) {
                continue;
            }
            let input = match sent {
                Sent::Text(text) => Input::Message(link, Bytes::from(text)),
                Sent::Close => Input::Closed(link),
            };
            self.later(ONE_WAY, Happening::Input(input));
        }
    }

    fn reached(&self, link: LinkId) -> Option<ConnectionId> {
        let connection = self.links.get(&link).copied();
        connection.filter(|connection| !self.silenced.contains(connection))
    }

    fn link_of(&self, connection: ConnectionId) -> Option<LinkId> {
        let found = self.links.iter().find(|(_, known)| **known == connection);
        found.map(|(link, _)| *link)
    }

    fn later(&mut self, span: Duration, happening: Happening) {
        self.happened += 1;
        self.happenings.insert((self.now + span, self.happened), happening);
    }
}
