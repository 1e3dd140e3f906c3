//! What a queue is fit for at a moment, as an operator needs to know it.

/// Every reason why the queue cannot do a part of its work; none when it can do all of it.
///
/// Receiving and consuming fail apart: a full disk takes no event and still gives those it has, and
/// a broken state takes events that nobody can settle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why events cannot be stored.
    pub receiving: Vec<String>,
    /// Why stored events cannot be found, leased or settled.
    pub consuming: Vec<String>,
}

impl Health {
    /// Whether all of its work can be done.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.receiving.is_empty() && self.consuming.is_empty()
    }

    /// A queue that can do nothing, for this reason.
    #[must_use]
    pub fn nothing(reason: &str) -> Self {
        Self { receiving: vec![reason.to_owned()], consuming: vec![reason.to_owned()] }
    }
}
