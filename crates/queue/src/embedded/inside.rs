//! Lists of events that have to be looked into: so many at a time, because what fits may be rare.

use super::read::{Located, Reading, tell_damage};
use crate::{Damaged, ListQuery, Page, QueueError, weight};
use headgate_event::limits::{FILTER_LOOKS_MAX, READ_BYTES_MAX};

/// How many entries of the index are taken at once.
const STEP: usize = 512;

/// A page on its way.
struct Filling {
    page: Page,
    /// How many bytes its events have.
    bytes: usize,
    looks: usize,
}

/// Whether a page takes more.
#[derive(PartialEq, Eq)]
enum More {
    Yes,
    No,
}

impl Reading {
    /// A page of events that fit inside. It ends after so many looks, perhaps without an event, and
    /// then says where the next one begins.
    pub(super) fn list_inside(&self, query: &ListQuery, limit: usize) -> Result<Page, QueueError> {
        let page = Page { events: Vec::new(), damaged: Vec::new(), next: None };
        let mut filling = Filling { page, bytes: 0, looks: 0 };
        let mut query = query.clone();
        loop {
            let found = self.newest(&query, STEP)?;
            if found.is_empty() {
                filling.page.next = None;
                return Ok(filling.page);
            }
            for located in found {
                let full = filling.page.events.len() + filling.page.damaged.len() == limit;
                if full || filling.looks == FILTER_LOOKS_MAX {
                    filling.page.next = query.before;
                    return Ok(filling.page);
                }
                if self.look_into(located, &query, &mut filling)? == More::No {
                    filling.page.next = query.before;
                    return Ok(filling.page);
                }
                query.before = Some(located.seq);
            }
        }
    }

    fn look_into(
        &self,
        located: Located,
        query: &ListQuery,
        filling: &mut Filling,
    ) -> Result<More, QueueError> {
        filling.looks += 1;
        match self.stored(located) {
            Ok(stored) if query.selection.wants(&stored.event) => {
                let bytes = weight(&stored.event);
                if filling.bytes + bytes > READ_BYTES_MAX && !filling.page.events.is_empty() {
                    return Ok(More::No);
                }
                filling.bytes += bytes;
                filling.page.events.push(stored.event);
            }
            // It does not fit, or was taken away in between.
            Ok(_) | Err(QueueError::Erased { .. }) => {}
            Err(QueueError::Damaged { seq, .. }) if !self.keeps(seq) => {}
            Err(QueueError::Damaged { seq, reason }) => {
                tell_damage(seq, &reason);
                filling.page.damaged.push(Damaged { id: located.id, seq, reason });
            }
            Err(error) => return Err(error),
        }
        Ok(More::Yes)
    }
}
