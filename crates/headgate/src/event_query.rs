//! Which stored events a command means, as the body of a call says it.

use crate::{cli::EventArguments, clock::SystemClock, failure::Failure};
use headgate_event::{Clock, Span, Timestamp};
use serde_json::{Map, Value, json};

impl EventArguments {
    /// Whether anything is asked of the events themselves, their times aside.
    pub fn filters(&self) -> bool {
        let keys = self.keys.parameters();
        let lists = [&self.channel, &self.types, &self.provider];
        self.filter.is_some()
            || lists.iter().any(|list| !list.is_empty())
            || keys.iter().any(|(_, values)| !values.is_empty())
    }

    /// The object of a body.
    pub fn object(&self) -> Result<Map<String, Value>, Failure> {
        let mut object = self.times()?;
        let lists =
            [("channels", &self.channel), ("types", &self.types), ("providers", &self.provider)];
        let lists = lists.into_iter().map(|(name, values)| (name, values.as_slice()));
        for (name, values) in lists.chain(self.keys.parameters()) {
            if !values.is_empty() {
                object.insert(name.to_owned(), json!(values));
            }
        }
        if let Some(filter) = &self.filter {
            object.insert("filter".to_owned(), json!(filter));
        }
        Ok(object)
    }

    /// The times alone.
    pub fn times(&self) -> Result<Map<String, Value>, Failure> {
        let mut object = Map::new();
        for (name, text) in [("since", &self.since), ("until", &self.until)] {
            if let Some(text) = text {
                object.insert(name.to_owned(), json!(moment(name, text, SystemClock.now())?));
            }
        }
        Ok(object)
    }
}

/// A moment that is written as such, or as how long ago it was.
fn moment(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Ok(Span(ago)) = text.parse() {
        return Ok(now.minus(ago));
    }
    text.parse().map_err(|error| {
        Failure::usage(format!("`--{name}`: {error}, and no duration such as `7d` either"))
    })
}
