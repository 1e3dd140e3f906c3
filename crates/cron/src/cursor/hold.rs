//! What does not fire on purpose: while a schedule is paused, or switched off where it is
//! configured.

use super::Cursor;
use headgate_event::Timestamp;

/// Since when a schedule does not fire on purpose, or what it left out while something from before
/// is still to fire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// Since when it does not fire; none when it does.
    pub since: Option<Timestamp>,
    /// What was due after the first of these and up to the second did not fire on purpose, and is
    /// told. What was due before it is still to fire.
    pub gap: Option<(Timestamp, Timestamp)>,
}

impl Cursor {
    /// Since when it does not fire on purpose, and what it left out.
    pub(crate) fn hold(&self) -> Hold {
        self.hold.as_deref().copied().unwrap_or_default()
    }

    fn set_hold(&mut self, hold: Hold) {
        self.hold = (hold != Hold::default()).then(|| Box::new(hold));
    }

    /// Nothing that is due up to `now` fires.
    pub(crate) fn begin_at(&mut self, now: Timestamp) {
        (self.until, self.last_nominal, self.hold) = (now, None, None);
    }

    /// Notes since when it does not fire, when it is paused or switched off; or that it does.
    pub(crate) fn note_hold(&mut self, now: Timestamp) {
        let mut hold = self.hold();
        match self.paused || self.disabled {
            true => drop(hold.since.get_or_insert(now)),
            false => hold.since = None,
        }
        self.set_hold(hold);
    }

    /// Lets it go on at `now` without what was due since it does not fire: that is answered, as
    /// after one moment and up to another. What was due before is still to fire, when `was_due`
    /// finds any of it after one moment and up to another.
    pub(crate) fn leave_out(
        &mut self,
        now: Timestamp,
        was_due: impl Fn(Timestamp, Timestamp) -> bool,
    ) -> Option<(Timestamp, Timestamp)> {
        let Hold { since, mut gap } = self.hold();
        if let Some((from, to)) = gap
            && !was_due(self.until, from)
        {
            // What was to fire before it has fired: it is dealt with like all before it.
            (self.until, self.last_nominal, gap) = (self.until.max(to), None, None);
        }
        // Earlier versions did not note it.
        let since = since.unwrap_or(self.until).max(self.until);
        self.set_hold(Hold { since: None, gap });
        if since >= now {
            return None;
        }
        let (kept_until, told_until) = gap.unwrap_or((since, since));
        if was_due(self.until, kept_until) {
            self.set_hold(Hold { since: None, gap: Some((kept_until, now)) });
        } else {
            self.begin_at(now);
        }
        Some((told_until, now))
    }

    /// What was due up to `end` and has neither fired nor been told, each after one moment and up
    /// to another.
    pub(crate) fn open_until(&self, end: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        match self.hold().gap {
            Some((from, to)) => vec![(self.until, from.min(end)), (to, end)],
            None => vec![(self.until, end)],
        }
    }
}
