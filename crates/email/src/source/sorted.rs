//! The channels of a message, by what their terms make of it.

use crate::{
    Matched, Taken,
    smtp::{Match, Recipient},
};
use headgate_event::data::Auth;
use std::collections::{BTreeMap, BTreeSet};

/// What the metadata of an event calls what its channel asks for and did not get.
const UNMET: &str = "require_unmet";

/// The channels of a message, each once.
pub(super) struct Sorted<'a> {
    /// Those that take it.
    pub(super) taken: Vec<Matched>,
    /// Those that do not.
    pub(super) refused: Vec<&'a Match>,
    /// Those that may when it comes again.
    pub(super) not_yet: Vec<&'a Match>,
}

impl<'a> Sorted<'a> {
    /// Sorts the channels of these recipients. A channel that two of them lead to is matched by the
    /// first.
    pub(super) fn of(recipients: &'a [Recipient], auth: Option<&Auth>) -> Self {
        let mut sorted = Self { taken: Vec::new(), refused: Vec::new(), not_yet: Vec::new() };
        let mut seen = BTreeSet::new();
        for matched in recipients.iter().flat_map(|recipient| &recipient.matches) {
            if !seen.insert(matched.channel.id.as_str()) {
                continue;
            }
            let taken = matched.terms.judge(auth);
            match taken {
                Taken::Proven | Taken::Flagged => sorted.taken.push(of_channel(matched, taken)),
                Taken::Refused => sorted.refused.push(matched),
                Taken::NotYet => sorted.not_yet.push(matched),
            }
        }
        sorted
    }
}

fn of_channel(matched: &Match, taken: Taken) -> Matched {
    let mut metadata = BTreeMap::new();
    if taken == Taken::Flagged {
        metadata.insert(UNMET.to_owned(), matched.terms.require.name().into());
    }
    Matched {
        channel: matched.channel.clone(),
        address: Some(matched.matched_address.clone()),
        tag: matched.tag.clone(),
        dedupe: matched.terms.dedupe,
        metadata,
    }
}
