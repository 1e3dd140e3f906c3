//! The states of a delivery, and the one place that says which moves are legal.
//!
//! ```text
//! ready -> leased -> settled
//!   ^        |-----> dead
//!   |        |-----> waiting
//!   |<-------'          |        a lease that ends: attempt + 1; one that is released: the same
//!   '-------------------'        the wait is over
//! ```
//!
//! An event that is taken away ends its delivery wherever that stands: retention leaves it dead,
//! erasing leaves it settled.

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It can be leased.
    Ready,
    /// A consumer has it.
    Leased,
    /// It was given back and waits for its next attempt.
    Waiting,
    /// Done.
    Settled,
    /// Buried, or out of attempts.
    Dead,
}

impl State {
    /// Whether a delivery may go from here to `next`. Nothing else is legal.
    pub(crate) fn may_become(self, next: Self) -> bool {
        match self {
            Self::Ready => matches!(next, Self::Leased | Self::Settled | Self::Dead),
            Self::Leased => next != Self::Leased,
            Self::Waiting => matches!(next, Self::Ready | Self::Settled | Self::Dead),
            Self::Settled | Self::Dead => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::State::{self, Dead, Leased, Ready, Settled, Waiting};

    const ALL: [State; 5] = [Ready, Leased, Waiting, Settled, Dead];

    #[test]
    fn these_moves_are_legal_and_no_others() {
        let legal = [
            (Ready, Leased),
            (Leased, Settled),
            (Leased, Waiting),
            (Leased, Dead),
            (Leased, Ready),
            (Waiting, Ready),
            // Its event is taken away.
            (Ready, Settled),
            (Ready, Dead),
            (Waiting, Settled),
            (Waiting, Dead),
        ];
        for from in ALL {
            for to in ALL {
                assert_eq!(from.may_become(to), legal.contains(&(from, to)), "{from:?} {to:?}");
            }
        }
    }
}
