//! What holds whatever happens.

use bytes::Bytes;
use headgate_event::limits::{SOCKET_CONNECTIONS, SOCKET_CONNECTIONS_MAX, SOCKET_RATE_LIMIT_MAX};
use headgate_slack::socket::pool::{Action, Input, LinkId, LinkState, Pool, Refusal, StoringId};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

const HELLO: &str = r#"{"type":"hello","debug_info":{"approximate_connection_time":100}}"#;

/// A move, with numbers that choose among the connections and envelopes that there are or were.
#[derive(Clone, Debug)]
enum Move {
    Connected(u8),
    Refused(u8, u8),
    Hello(u8),
    Disconnect(u8, u8),
    Envelope(u8),
    Garbage(u8, Vec<u8>),
    Pong(u8),
    Closed(u8),
    Stored(u8),
    Unstored(u8),
    Wait(u16),
    Resume,
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => any::<u8>().prop_map(Move::Connected),
        1 => any::<(u8, u8)>().prop_map(|(link, why)| Move::Refused(link, why)),
        6 => any::<u8>().prop_map(Move::Hello),
        2 => any::<(u8, u8)>().prop_map(|(link, why)| Move::Disconnect(link, why)),
        3 => any::<u8>().prop_map(Move::Envelope),
        1 => (any::<u8>(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(link, bytes)| Move::Garbage(link, bytes)),
        4 => any::<u8>().prop_map(Move::Pong),
        1 => any::<u8>().prop_map(Move::Closed),
        3 => any::<u8>().prop_map(Move::Stored),
        1 => any::<u8>().prop_map(Move::Unstored),
        4 => any::<u16>().prop_map(Move::Wait),
        1 => Just(Move::Resume),
    ]
}

/// A pool, and what is known of it from what it said.
#[derive(Default)]
struct Model {
    pool: Pool,
    now: Duration,
    begun: Vec<LinkId>,
    storing: Vec<(StoringId, LinkId)>,
    envelope_of: BTreeMap<StoringId, (LinkId, Option<String>)>,
    envelopes: usize,
}

impl Model {
    fn link(&self, number: u8) -> Option<LinkId> {
        // The youngest are the ones that are there.
        let back = usize::from(number) % self.begun.len().clamp(1, 6);
        self.begun.iter().rev().nth(back).copied()
    }

    fn play(&mut self, chosen: &Move) {
        let said = |text: String| Bytes::from(text);
        let input = match chosen {
            Move::Connected(n) => self.link(*n).map(Input::Connected),
            Move::Refused(n, why) => self.link(*n).map(|link| Input::Refused(link, refusal(*why))),
            Move::Hello(n) => self.link(*n).map(|link| Input::Message(link, HELLO.into())),
            Move::Disconnect(n, why) => self.link(*n).map(|link| {
                let reason = reason(*why);
                let text = format!(r#"{{"type":"disconnect","reason":"{reason}"}}"#);
                Input::Message(link, said(text))
            }),
            Move::Envelope(n) => self.link(*n).map(|link| {
                self.envelopes += 1;
                let text = format!(r#"{{"envelope_id":"e{}","payload":{{}}}}"#, self.envelopes);
                Input::Message(link, said(text))
            }),
            Move::Garbage(n, bytes) => {
                self.link(*n).map(|link| Input::Message(link, bytes.clone().into()))
            }
            Move::Pong(n) => self.link(*n).map(Input::Pong),
            Move::Closed(n) => self.link(*n).map(Input::Closed),
            Move::Stored(n) => self.take(*n).map(|id| Input::Stored(id, None)),
            Move::Unstored(n) => self.take(*n).map(Input::Unstored),
            Move::Wait(ms) => {
                self.now += Duration::from_millis(u64::from(*ms));
                Some(Input::Tick)
            }
            Move::Resume => Some(Input::Resume),
        };
        self.step(input.unwrap_or(Input::Tick), u32::from(self.envelopes as u16) * 65_537);
    }

    fn take(&mut self, number: u8) -> Option<StoringId> {
        let count = self.storing.len();
        (count > 0).then(|| self.storing.remove(usize::from(number) % count).0)
    }

    fn step(&mut self, input: Input, draw: u32) -> Vec<Action> {
        let stored = match &input {
            Input::Stored(id, _) => Some(*id),
            _ => None,
        };
        let from = match &input {
            Input::Message(link, _) => Some(*link),
            _ => None,
        };
        let before: BTreeMap<_, _> = self.pool.links().collect();
        let actions = self.pool.step(self.now, draw, input);
        for action in &actions {
            self.check(action, stored, from, &before);
        }
        assert!(self.pool.links().count() <= SOCKET_CONNECTIONS_MAX);
        let wake = self.pool.wake_at(self.now).expect("always a time to try again");
        assert!(wake > self.now, "it would not sleep");
        assert!(wake <= self.now + SOCKET_RATE_LIMIT_MAX * 2);
        actions
    }

    fn check(
        &mut self,
        action: &Action,
        stored: Option<StoringId>,
        from: Option<LinkId>,
        before: &BTreeMap<LinkId, LinkState>,
    ) {
        match action {
            Action::Open(link) => {
                assert!(!self.begun.contains(link), "none is used twice");
                self.begun.push(*link);
            }
            Action::Store(id, envelope) => {
                let link = from.expect("stored because of a message");
                self.storing.push((*id, link));
                self.envelope_of.insert(*id, (link, envelope.id.clone()));
            }
            Action::Acknowledge(link, text) => {
                let (brought, id) = &self.envelope_of[&stored.expect("only what was stored")];
                assert_eq!(link, brought, "on the connection that brought it");
                let id = id.as_deref().expect("an id");
                assert_eq!(*text, format!("{{\"envelope_id\":\"{id}\"}}"));
            }
            Action::Close(link) if before.get(link).is_some_and(|state| state.listens()) => {
                let live = self.pool.links().filter(|(_, state)| *state == LinkState::Live).count();
                let full = before.len() == SOCKET_CONNECTIONS_MAX;
                assert!(live >= SOCKET_CONNECTIONS || full, "made before broken");
            }
            _ => {}
        }
    }

    /// From here on Slack works: whatever is opened says `hello`, pings are answered.
    fn recover(&mut self) {
        let end = self.now + 3 * SOCKET_RATE_LIMIT_MAX;
        let mut todo = self.step(Input::Tick, 7);
        // What is under way opens too.
        let links: Vec<_> = self.pool.links().map(|(link, _)| link).collect();
        todo.extend(links.into_iter().map(Action::Open).collect::<Vec<_>>());
        let mut todo = VecDeque::from(todo);
        while self.now < end {
            let Some(action) = todo.pop_front() else {
                if self.pool.status(self.now).listening >= SOCKET_CONNECTIONS {
                    return;
                }
                self.now = self.pool.wake_at(self.now).expect("a time");
                todo.extend(self.step(Input::Tick, 7));
                continue;
            };
            match action {
                Action::Open(link) => {
                    todo.extend(self.step(Input::Connected(link), 7));
                    todo.extend(self.step(Input::Message(link, HELLO.into()), 7));
                }
                Action::Ping(link) => todo.extend(self.step(Input::Pong(link), 7)),
                Action::Close(link) => todo.extend(self.step(Input::Closed(link), 7)),
                _ => {}
            }
        }
        panic!("no way back: {:?}", self.pool.links().collect::<Vec<_>>());
    }
}

fn refusal(why: u8) -> Refusal {
    match why % 4 {
        0 => Refusal::RateLimited(None),
        1 => Refusal::RateLimited(Some(Duration::from_secs(u64::from(why) << 56))),
        2 => Refusal::Fatal("invalid_auth".into()),
        _ => Refusal::Passing("answered 500".into()),
    }
}

fn reason(why: u8) -> &'static str {
    let reasons =
        ["warning", "refresh_requested", "too_many_websockets", "link_disabled", "from_2031"];
    reasons[usize::from(why) % reasons.len()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_unstored_is_acknowledged_and_four_connections_are_the_most_and_there_is_a_way_back(
        moves in prop::collection::vec(any_move(), 0..300),
    ) {
        let mut model = Model::default();
        model.step(Input::Tick, 0);
        for chosen in &moves {
            model.play(chosen);
        }
        model.recover();
    }

    #[test]
    fn a_stop_ends_whatever_there_is_within_ten_seconds(
        moves in prop::collection::vec(any_move(), 0..100),
    ) {
        let mut model = Model::default();
        model.step(Input::Tick, 0);
        for chosen in &moves {
            model.play(chosen);
        }
        let (mut pool, mut now) = (model.pool, model.now);
        let end = now + Duration::from_secs(10);
        pool.step(now, 0, Input::Stop);
        while let Some(wake) = pool.wake_at(now) {
            prop_assert!(wake > now && wake <= end);
            now = wake;
            for action in pool.step(now, 0, Input::Tick) {
                prop_assert!(!matches!(action, Action::Open(_)));
            }
        }
        prop_assert!(pool.is_done());
    }
}
