//! Which stored events a command means, as the body of a call says it.

use crate::cli::EventArguments;
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
    pub fn object(&self) -> Map<String, Value> {
        let mut object = self.times();
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
        object
    }

    /// The times alone.
    pub fn times(&self) -> Map<String, Value> {
        let times = [("since", self.since), ("until", self.until)];
        let told = times.into_iter().filter_map(|(name, at)| Some((name.to_owned(), json!(at?))));
        told.collect()
    }
}
