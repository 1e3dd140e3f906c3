//! Listing dead letters.

use super::{Embedded, state};
use crate::{DeadLetterPage, DeadLetterQuery, QueueError};
use headgate_event::limits::LIST_EVENTS_MAX;

impl Embedded {
    pub(super) async fn dead_letters_of(
        &self,
        name: String,
        query: DeadLetterQuery,
    ) -> Result<DeadLetterPage, QueueError> {
        let known = self.known(&name)?;
        let limit = query.limit.min(LIST_EVENTS_MAX);
        let path = self.folder.join("headgate.db");
        self.reading(move |reading| {
            if limit == 0 {
                return Ok(DeadLetterPage { dead_letters: Vec::new(), next: None });
            }
            let query = DeadLetterQuery { limit: limit + 1, ..query };
            let failed =
                |error| QueueError::unavailable(format!("the state cannot be read: {error}"));
            let mut letters = state::dead_letters(&path, &known, query).map_err(failed)?;
            for letter in letters.iter_mut().filter(|letter| letter.event_id.is_none()) {
                letter.event_id = reading.locate(letter.delivery.seq)?.map(|located| located.id);
            }
            Ok(DeadLetterPage::of(letters, limit))
        })
        .await
    }
}
