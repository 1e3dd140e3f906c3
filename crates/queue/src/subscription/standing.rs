//! How one event stands with a subscription.

use super::{Deliveries, Subscriber, state::State};
use crate::{Attempt, EventDelivery, Seq, Standing};
use headgate_event::Timestamp;

/// What memory knows of a delivery: where it stands, its attempt, and when its lease ends or its
/// wait is over.
pub(crate) type Known = (Standing, Option<u32>, Option<Timestamp>);

/// How an event that the subscription wants stands with it; nothing when it came before its start.
/// `ended` is how one stands that has ended: `Dead` when it has left a letter.
pub(crate) fn standing(
    subscriber: &Subscriber,
    seq: Seq,
    ended: Standing,
    attempts: Vec<Attempt>,
) -> Option<EventDelivery> {
    let known = subscriber.held().deliveries.standing(seq)?;
    let (standing, attempt, due) = match known {
        (Standing::Settled, ..) => (ended, None, None),
        known => known,
    };
    let subscription = subscriber.name().to_owned();
    Some(EventDelivery { subscription, standing, attempt, due, attempts })
}

impl Deliveries {
    /// Where an event stands; nothing when it came before the start.
    fn standing(&self, seq: Seq) -> Option<Known> {
        if let Some((state, attempt, at)) = self.open_at(seq) {
            let (standing, due) = match state {
                State::Leased => (Standing::Leased, Some(at)),
                State::Waiting => (Standing::Waiting, Some(at)),
                _ => (Standing::Waiting, None),
            };
            return Some((standing, Some(attempt), due));
        }
        let standing = match () {
            () if self.is_held_back(seq) => Standing::HeldBack,
            () if self.awaits(seq) => Standing::Pending,
            () if self.is_before_start(seq) => return None,
            () => Standing::Settled,
        };
        Some((standing, None, None))
    }
}
