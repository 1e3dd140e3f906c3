//! What the log must hold, told from what it was given and what it answered.

use super::super::*;
use headgate_event::StoredEvent;
use std::collections::BTreeSet;

/// A draft as it must come back.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) draft: Draft,
    event: Vec<u8>,
}

/// A call, and its answer if it had one.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) drafts: Vec<Given>,
    pub(super) answer: Option<Vec<Accepted>>,
}

/// An event that must be there.
#[derive(Clone, Debug)]
struct Stored {
    id: EventId,
    given: Given,
}

/// What the log must hold.
#[derive(Default)]
pub(super) struct Model {
    stored: Vec<Stored>,
    /// Calls since the log was opened that were not answered with a yes, or not looked at: all or
    /// none of each may be there when it is opened again.
    open: Vec<Offered>,
}

impl Given {
    pub(super) fn new(draft: Draft) -> Self {
        let event = StoredEvent::encode(&draft);
        Self { draft, event }
    }

    fn key(&self) -> Option<&str> {
        self.draft.dedupe.as_ref().map(|dedupe| dedupe.key.as_str())
    }

    fn is(&self, read: &Read) -> bool {
        read.event == self.event
            && read.raw == self.draft.raw
            && read.created_at == self.draft.created_at
    }
}

impl Model {
    pub(super) fn len(&self) -> u64 {
        self.stored.len() as u64
    }

    /// The event up to `upto` that a draft repeats.
    pub(super) fn repeated(&self, given: &Given, upto: u64) -> Option<EventId> {
        let key = given.key()?;
        let upto = usize::try_from(upto).expect("a place");
        let known = self.stored[..upto].iter().rev().find(|one| one.given.key() == Some(key))?;
        let since = given.draft.created_at.since(known.given.draft.created_at);
        (since < WEEK).then_some(known.id)
    }

    /// Takes calls whose events could not be looked at yet.
    pub(super) fn expect(&mut self, calls: Vec<Offered>) {
        self.open.extend(calls);
    }

    /// Compares what a log shows after what was known with the calls that it answered.
    pub(super) fn follow(&mut self, reads: &[Read], calls: Vec<Offered>) {
        let mut rest = reads;
        for call in calls {
            match &call.answer {
                Some(answers) => rest = self.take_answered(rest, &call.drafts, answers),
                None => self.open.push(call),
            }
        }
        assert!(rest.is_empty(), "{} events are shown that were not answered", rest.len());
    }

    /// Compares with what a log holds that was opened again; what it shows is stored.
    pub(super) fn reopened(&mut self, reads: &[Read]) {
        assert!(reads.len() >= self.stored.len(), "an answered event is missing");
        let (kept, mut rest) = reads.split_at(self.stored.len());
        for (at, (read, stored)) in kept.iter().zip(&self.stored).enumerate() {
            assert_eq!((read.seq, read.id), (at as u64 + 1, stored.id), "order and id stay");
            assert!(stored.given.is(read), "event {} has changed", read.seq);
        }
        for call in std::mem::take(&mut self.open) {
            if let Some(answers) = &call.answer {
                rest = self.take_answered(rest, &call.drafts, answers);
                continue;
            }
            let expected = self.without_repeats(&call);
            let there = rest.len() >= expected.len()
                && expected.iter().zip(rest).all(|(given, read)| given.is(read));
            if there {
                let (found, more) = rest.split_at(expected.len());
                found.iter().zip(&expected).for_each(|(read, given)| self.take(read, given));
                rest = more;
            }
        }
        assert!(rest.is_empty(), "a part of a call is there, or what was never given");
    }

    /// Takes what a call was answered, which is what comes next; gives what comes after it.
    fn take_answered<'a>(
        &mut self,
        mut rest: &'a [Read],
        drafts: &[Given],
        answers: &[Accepted],
    ) -> &'a [Read] {
        for (given, answer) in drafts.iter().zip(answers) {
            match answer {
                Accepted::Duplicate(id) => assert!(self.repeats(given, *id), "{id} is no repeat"),
                Accepted::New(id) => {
                    let first = self.repeated(given, self.len());
                    assert_eq!(first, None, "a repeat is stored twice");
                    let (read, more) = rest.split_first().expect("what was answered is there");
                    rest = more;
                    assert_eq!(read.id, *id, "the id is as it was answered");
                    self.take(read, given);
                }
            }
        }
        rest
    }

    /// Whether a draft is a repeat of the event of this id.
    fn repeats(&self, given: &Given, id: EventId) -> bool {
        let known = self.stored.iter().find(|one| one.id == id);
        known.is_some_and(|one| {
            let since = given.draft.created_at.since(one.given.draft.created_at);
            one.given.key() == given.key() && since < WEEK
        })
    }

    /// What the log may have stored of a call that it did not answer.
    fn without_repeats(&self, call: &Offered) -> Vec<Given> {
        let (mut taken, mut keys) = (Vec::new(), BTreeSet::new());
        for given in &call.drafts {
            let again = given.key().is_some_and(|key| !keys.insert(key.to_owned()));
            if !again && self.repeated(given, self.len()).is_none() {
                taken.push(given.clone());
            }
        }
        taken
    }

    fn take(&mut self, read: &Read, given: &Given) {
        assert!(given.is(read), "event {} is not as it was given", read.seq);
        assert_eq!(read.seq, self.len() + 1, "places have no gaps");
        assert!(self.stored.last().is_none_or(|last| last.id < read.id), "ids rise");
        self.stored.push(Stored { id: read.id, given: given.clone() });
    }
}
