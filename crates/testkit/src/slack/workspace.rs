//! Slack's side of Socket Mode, without a socket: tickets, connections, envelopes and their
//! retries. Times are spans since it began.

mod outgoing;

use super::Ledger;
use outgoing::Outgoing;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// An acknowledgement of so many bytes is dropped without a word.
const ACK_BYTES_DROPPED: usize = 20_000;

/// How Slack behaves.
#[derive(Clone, Debug)]
pub struct WorkspaceOptions {
    /// How long a connection lives; its `hello` says so.
    pub life: Duration,
    /// How long before its end a connection is warned.
    pub notice: Duration,
    /// How long an acknowledgement may take.
    pub ack_timeout: Duration,
    /// How often an envelope is sent before it is given up.
    pub attempts_max: u32,
    /// The most connections of the app.
    pub connections_max: usize,
    /// What the random choices begin with.
    pub seed: u64,
}

/// A connection, as this side calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What a connection is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A text message.
    Text(String),
    /// The end, with a closing frame.
    Close,
}

/// One app in one workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    options: WorkspaceOptions,
    random: u64,
    begun: u64,
    tickets: BTreeSet<String>,
    connections: BTreeMap<ConnectionId, Connection>,
    outgoing: BTreeMap<String, Outgoing>,
    ledger: Ledger,
    /// The most connections that there ever were at one time.
    connections_seen: usize,
    acks_dropped: usize,
    answers: Vec<(String, Value)>,
    sent: Vec<(ConnectionId, Sent)>,
}

#[derive(Clone, Debug)]
struct Connection {
    warn_at: Option<Duration>,
    close_at: Duration,
}

impl Default for WorkspaceOptions {
    fn default() -> Self {
        Self {
            life: Duration::from_secs(18_060),
            notice: Duration::from_secs(10),
            ack_timeout: Duration::from_secs(3),
            attempts_max: 4,
            connections_max: 10,
            seed: 1,
        }
    }
}

impl Workspace {
    /// A workspace in which nothing happened.
    #[must_use]
    pub fn new(options: WorkspaceOptions) -> Self {
        Self {
            random: options.seed.max(1),
            options,
            begun: 0,
            tickets: BTreeSet::new(),
            connections: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            ledger: Ledger::default(),
            connections_seen: 0,
            acks_dropped: 0,
            answers: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// A ticket for one connection.
    pub fn ticket(&mut self) -> String {
        let ticket = format!("ticket-{}-{:016x}", self.number(), self.draw());
        self.tickets.insert(ticket.clone());
        ticket
    }

    /// Opens a connection; none for a ticket that is not known or was used.
    pub fn connect(&mut self, now: Duration, ticket: &str) -> Option<ConnectionId> {
        if !self.tickets.remove(ticket) {
            return None;
        }
        let id = ConnectionId(self.number());
        if self.connections.len() >= self.options.connections_max {
            self.say(id, &disconnect("too_many_websockets"));
            self.sent.push((id, Sent::Close));
            return Some(id);
        }
        let close_at = now + self.options.life;
        let warn_at = Some(close_at.saturating_sub(self.options.notice));
        self.connections.insert(id, Connection { warn_at, close_at });
        self.connections_seen = self.connections_seen.max(self.connections.len());
        let hello = json!({
            "type": "hello",
            "num_connections": self.connections.len(),
            "connection_info": {"app_id": "A0FAKE"},
            "debug_info": {
                "host": "applink-fake",
                "build_number": 1,
                "approximate_connection_time": self.options.life.as_secs(),
            },
        });
        self.say(id, &hello);
        self.send_due(now);
        Some(id)
    }

    /// Sends a message event, and gives the id by which the ledger knows it.
    pub fn emit(&mut self, now: Duration) -> String {
        let id = format!("Ev{:08}", self.number());
        let seconds = 1_776_590_000 + now.as_secs();
        let ts = format!("{seconds}.{:06}", self.begun % 1_000_000);
        let payload = json!({
            "token": "fake", "team_id": "T0FAKE", "api_app_id": "A0FAKE", "type": "event_callback",
            "event_id": id, "event_time": seconds,
            "authorizations": [{"team_id": "T0FAKE", "user_id": "U0BOT", "is_bot": true}],
            "event": {
                "type": "app_mention", "user": "U0HUMAN", "channel": "C0FAKE",
                "text": format!("<@U0BOT> {id}"), "ts": ts, "event_ts": ts,
            },
        });
        self.emit_envelope(now, "events_api", &id, &payload);
        id
    }

    /// Sends an envelope of this type and payload, which the ledger calls `event_id`.
    pub fn emit_envelope(&mut self, now: Duration, kind: &str, event_id: &str, payload: &Value) {
        let takes_answer = kind != "events_api";
        let envelope_id = format!("{:016x}-{}", self.draw(), self.number());
        self.ledger.add(event_id);
        let outgoing = Outgoing::new(now, kind, event_id, payload, takes_answer);
        self.outgoing.insert(envelope_id, outgoing);
        self.send_due(now);
    }

    /// Takes a text message of a connection: an acknowledgement, or nothing that is known.
    pub fn received(&mut self, id: ConnectionId, text: &str) {
        if text.len() >= ACK_BYTES_DROPPED || !self.connections.contains_key(&id) {
            self.acks_dropped += 1;
            return;
        }
        let ack: Value = serde_json::from_str(text).unwrap_or_default();
        let envelope_id = ack.get("envelope_id").and_then(Value::as_str).unwrap_or_default();
        // Another connection than the one that it came over acknowledges nothing.
        let here = |outgoing: &&Outgoing| outgoing.sent_on.contains(&id);
        match self.outgoing.get(envelope_id).filter(here) {
            Some(outgoing) => {
                self.ledger.acknowledged(&outgoing.event_id);
                let answer = ack.get("payload").filter(|_| outgoing.takes_answer);
                let answer = answer.map(|answer| (outgoing.event_id.clone(), answer.clone()));
                self.answers.extend(answer);
                self.outgoing.remove(envelope_id);
            }
            None => self.acks_dropped += 1,
        }
    }

    /// A connection is gone.
    pub fn gone(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// Tells a connection that it will be closed, and closes it after the notice.
    pub fn tell(&mut self, now: Duration, id: ConnectionId, reason: &str) {
        let notice = self.options.notice;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.warn_at = None;
        connection.close_at = connection.close_at.min(now + notice);
        self.say(id, &disconnect(reason));
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Duration) {
        let due = |(id, connection): (&ConnectionId, &Connection)| {
            let warn = connection.warn_at.is_some_and(|at| now >= at);
            (warn || now >= connection.close_at).then_some((*id, now >= connection.close_at))
        };
        for (id, over) in self.connections.iter().filter_map(due).collect::<Vec<_>>() {
            if over {
                self.sent.push((id, Sent::Close));
                self.connections.remove(&id);
            } else {
                self.tell(now, id, "warning");
            }
        }
        self.send_due(now);
    }

    /// When something is due next.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        let ends = self.connections.values();
        let ends = ends.map(|connection| connection.warn_at.unwrap_or(connection.close_at));
        let retries = self.outgoing.values().map(|outgoing| outgoing.due);
        let retries = retries.filter(|_| !self.connections.is_empty());
        ends.chain(retries).min()
    }

    /// What was sent since the last call, in order.
    pub fn take_sent(&mut self) -> Vec<(ConnectionId, Sent)> {
        std::mem::take(&mut self.sent)
    }

    /// The connections that are open, in the order in which they were opened.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionId> {
        self.connections.keys().copied().collect()
    }

    /// The most connections that there ever were at one time.
    #[must_use]
    pub fn connections_seen(&self) -> usize {
        self.connections_seen
    }

    /// Acknowledgements that acknowledged nothing: too large, repeated, or over another connection.
    #[must_use]
    pub fn acks_dropped(&self) -> usize {
        self.acks_dropped
    }

    /// The answers that acknowledgements carried, with the events they answer.
    #[must_use]
    pub fn answers(&self) -> &[(String, Value)] {
        &self.answers
    }

    /// What was sent and what became of it.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Sends what is due to any connection. While there is none it waits, and is a retry then.
    fn send_due(&mut self, now: Duration) {
        let due = |(id, outgoing): (&String, &Outgoing)| (outgoing.due <= now).then(|| id.clone());
        for id in self.outgoing.iter().filter_map(due).collect::<Vec<_>>() {
            let connection = self.any_connection();
            let Some(outgoing) = self.outgoing.get_mut(&id) else { continue };
            if outgoing.attempt >= self.options.attempts_max {
                self.ledger.given_up(&outgoing.event_id);
                self.outgoing.remove(&id);
                continue;
            }
            let Some(connection) = connection else {
                outgoing.attempt = outgoing.attempt.max(1);
                continue;
            };
            self.ledger.sent(&outgoing.event_id);
            let text = outgoing.send(&id, connection, now + self.options.ack_timeout);
            self.sent.push((connection, Sent::Text(text)));
        }
    }

    fn any_connection(&mut self) -> Option<ConnectionId> {
        let count = u64::try_from(self.connections.len()).ok().filter(|count| *count > 0)?;
        let drawn = usize::try_from(self.draw() % count).ok()?;
        self.connections.keys().nth(drawn).copied()
    }

    fn say(&mut self, id: ConnectionId, json: &Value) {
        self.sent.push((id, Sent::Text(json.to_string())));
    }

    fn number(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// xorshift64: enough to choose among connections, the same each time.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

fn disconnect(reason: &str) -> Value {
    json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}})
}
