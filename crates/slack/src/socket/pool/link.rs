//! One connection of the pool: its state, and what is due of it when.

use headgate_event::limits::{
    SOCKET_CLOSE_TIMEOUT, SOCKET_HELLO_TIMEOUT, SOCKET_LEAVING_MAX, SOCKET_LIFE_PERCENT,
    SOCKET_OPEN_TIMEOUT, SOCKET_PING_EVERY, SOCKET_PONG_TIMEOUT, SOCKET_SETTLED_AFTER,
};
use std::time::Duration;

/// The states of a connection.
///
/// ```text
/// Opening -> Greeting -> Live -> Leaving -> Closing -> (gone)
///               |         |                    ^
///               +---------+--------------------+
/// ```
///
/// From each of them a connection may be gone at once. Live and Leaving ones listen: what comes is
/// stored and acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It asks for a URL and shakes hands.
    Opening,
    /// It is open and has not said `hello`.
    Greeting,
    /// It listens.
    Live,
    /// It listens, and another one is wanted in its place.
    Leaving,
    /// It is being closed, and read until the other side closes it.
    Closing,
}

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Link {
    state: LinkState,
    /// Since when it is in this state.
    since: Duration,
    /// When it said `hello`.
    greeted_at: Option<Duration>,
    /// When it is to be replaced, and by when it should be gone.
    replace_at: Duration,
    leave_by: Duration,
    ping_at: Duration,
    /// Since when a ping is without an answer.
    unanswered: Option<Duration>,
    /// How many of its envelopes are being stored.
    pub(super) storing: usize,
    /// Whether Slack said that nothing comes over it any more.
    is_disabled: bool,
}

/// What is due of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It took too long to open or to say `hello`.
    GiveUp,
    /// It answers no pings.
    HalfOpen,
    /// The other side does not close.
    DropClosing,
    /// It is to be replaced.
    Replace,
    Ping,
}

impl LinkState {
    /// Whether a connection may go from this state to that.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use LinkState::{Closing, Greeting, Leaving, Live, Opening};
        matches!(
            (self, next),
            (Opening, Greeting)
                | (Greeting, Live | Closing)
                | (Live, Leaving | Closing)
                | (Leaving, Closing)
        )
    }

    /// Whether what comes is stored and acknowledged.
    #[must_use]
    pub fn listens(self) -> bool {
        matches!(self, Self::Live | Self::Leaving)
    }
}

impl Link {
    pub(super) fn opening(now: Duration) -> Self {
        Self {
            state: LinkState::Opening,
            since: now,
            greeted_at: None,
            replace_at: Duration::MAX,
            leave_by: Duration::MAX,
            ping_at: Duration::MAX,
            unanswered: None,
            storing: 0,
            is_disabled: false,
        }
    }

    pub(super) fn state(&self) -> LinkState {
        self.state
    }

    pub(super) fn since(&self) -> Duration {
        self.since
    }

    /// Whether its replacement may close it.
    pub(super) fn may_be_closed(&self, now: Duration) -> bool {
        self.state == LinkState::Leaving && now >= self.leave_by
    }

    /// Whether anything is still to be expected of it: it listens, and neither is it switched off nor
    /// past the time by which Slack should have closed it.
    pub(super) fn hears(&self, now: Duration) -> bool {
        self.state.listens() && !self.is_disabled && now < self.leave_by
    }

    /// Slack switched Socket Mode off: nothing comes over it any more.
    pub(super) fn disabled(&mut self) {
        self.is_disabled = true;
    }

    pub(super) fn replace_at(&self) -> Duration {
        self.replace_at
    }

    /// Moves to a state. `false` when that is no legal move: nothing changes then.
    pub(super) fn moves_to(&mut self, state: LinkState, now: Duration) -> bool {
        let legal = self.state.may_become(state);
        if legal {
            (self.state, self.since) = (state, now);
        }
        legal
    }

    /// It said `hello`, and is replaced after `percent` of its life.
    pub(super) fn greet(&mut self, now: Duration, life: Duration, percent: u32) -> bool {
        let greeted = self.moves_to(LinkState::Live, now);
        if greeted {
            self.greeted_at = Some(now);
            self.replace_at = now + life * percent / 100;
            self.leave_by = now + life + SOCKET_LEAVING_MAX;
            self.ping_at = now + SOCKET_PING_EVERY;
        }
        greeted
    }

    /// It is to be replaced because Slack says so, which will close it soon.
    pub(super) fn told_to_leave(&mut self, now: Duration) -> bool {
        let leaves = self.moves_to(LinkState::Leaving, now);
        if leaves {
            self.leave_by = self.leave_by.min(now + SOCKET_LEAVING_MAX);
        }
        leaves
    }

    pub(super) fn pinged(&mut self, now: Duration) {
        self.ping_at = now + SOCKET_PING_EVERY;
        self.unanswered.get_or_insert(now);
    }

    pub(super) fn ponged(&mut self) {
        self.unanswered = None;
    }

    /// Whether it listened for so long that it did not only come and go.
    pub(super) fn is_settled(&self, now: Duration) -> bool {
        self.greeted_at.is_some_and(|greeted| now >= greeted + SOCKET_SETTLED_AFTER)
    }

    /// What is due, the gravest first.
    pub(super) fn due(&self, now: Duration) -> Option<Due> {
        self.times().into_iter().flatten().find(|(at, _)| now >= *at).map(|(_, due)| due)
    }

    /// When something is due next. That it may be closed is no reason to look again once it is
    /// past: then it waits for another connection.
    pub(super) fn wake_at(&self, now: Duration) -> Option<Duration> {
        let leaving = self.state == LinkState::Leaving && self.leave_by > now;
        let leave = leaving.then_some(self.leave_by);
        self.times().into_iter().flatten().map(|(at, _)| at).chain(leave).min()
    }

    fn times(&self) -> [Option<(Duration, Due)>; 3] {
        let end = match self.state {
            LinkState::Opening => Some((self.since + SOCKET_OPEN_TIMEOUT, Due::GiveUp)),
            LinkState::Greeting => Some((self.since + SOCKET_HELLO_TIMEOUT, Due::GiveUp)),
            LinkState::Closing => Some((self.since + SOCKET_CLOSE_TIMEOUT, Due::DropClosing)),
            LinkState::Live | LinkState::Leaving => {
                self.unanswered.map(|since| (since + SOCKET_PONG_TIMEOUT, Due::HalfOpen))
            }
        };
        let replace = (self.state == LinkState::Live).then_some((self.replace_at, Due::Replace));
        let ping = self.state.listens().then_some((self.ping_at, Due::Ping));
        [end, replace, ping]
    }
}

/// After which part of its life a connection is replaced, in percent: so that it has not the age of
/// another one, which would be replaced within a fifth of a life of it.
pub(super) fn percent_of_life(now: Duration, life: Duration, others: &[Duration]) -> u32 {
    let end = now + life * SOCKET_LIFE_PERCENT / 100;
    let near = others.iter().any(|other| other.abs_diff(end) < life / 5);
    if near { SOCKET_LIFE_PERCENT / 2 } else { SOCKET_LIFE_PERCENT }
}
