//! Who has the names that an application's event comes with.

use headgate_event::EventId;

/// What has a name that a draft comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder<T = EventId> {
    /// The same event, sent before.
    Same(T),
    /// Another one.
    Other(T),
}

impl<T: Copy + PartialEq> Holder<T> {
    /// What a draft is to who has its names, which come in the draft's order; none when nobody has
    /// any.
    ///
    /// The first name is the one that the application gave its event, so whoever has that decides.
    /// The others have to belong to the same event: a request that is sent again with another event
    /// in it is no repeat.
    pub(crate) fn of(holders: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        let mut holders = holders.into_iter();
        let first = holders.next().flatten();
        let is_first = |holder: &Self| first.is_some_and(|first| first.event() == holder.event());
        match holders.flatten().find(|holder| !is_first(holder)) {
            Some(other) => Some(Self::Other(other.event())),
            None => first,
        }
    }

    /// The same by what stands for the event elsewhere.
    pub(crate) fn map<U>(self, other: impl FnOnce(T) -> U) -> Holder<U> {
        match self {
            Self::Same(event) => Holder::Same(other(event)),
            Self::Other(event) => Holder::Other(other(event)),
        }
    }

    /// The event that has the name.
    pub(crate) fn event(self) -> T {
        match self {
            Self::Same(event) | Self::Other(event) => event,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Holder::{self, Other, Same};

    #[test]
    fn the_first_name_decides_and_the_others_have_to_agree() {
        let free: Option<Holder<u8>> = None;
        for (holders, expected) in [
            (vec![], None),
            (vec![free, free], None),
            (vec![Some(Same(1))], Some(Same(1))),
            (vec![Some(Same(1)), free], Some(Same(1))),
            (vec![Some(Same(1)), Some(Same(1))], Some(Same(1))),
            (vec![Some(Other(1)), free], Some(Other(1))),
            (vec![Some(Other(1)), Some(Other(1))], Some(Other(1))),
            // The request was made before, with another event in it.
            (vec![free, Some(Same(2))], Some(Other(2))),
            (vec![Some(Same(1)), Some(Same(2))], Some(Other(2))),
            (vec![Some(Other(1)), Some(Same(2))], Some(Other(2))),
        ] {
            assert_eq!(Holder::of(holders.clone()), expected, "{holders:?}");
        }
    }
}
