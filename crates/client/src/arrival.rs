//! What comes over a line, looked at once for what it is and read once for what it says.

use headgate_event::{Event, SCHEMA};
use serde::Deserialize;
use std::borrow::Cow;

/// What tells one frame from another.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame<'a> {
    #[serde(borrow, default)]
    pub(crate) schema: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delivery: Option<FrameDelivery<'a>>,
}

#[derive(Debug, Deserialize)]
struct FrameDelivery<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// A delivery.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// What it is settled by.
    pub(crate) delivery: String,
    /// What was delivered, or why it cannot be read.
    pub(crate) event: Result<Event, String>,
}

impl Arrival {
    /// The delivery in a JSON text; its error says what was expected instead of a delivery of
    /// this version.
    pub(crate) fn read(json: &str) -> Result<Self, String> {
        Frame::read(json)?.arrival(json)
    }
}

impl<'a> Frame<'a> {
    pub(crate) fn read(json: &'a str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// The delivery in the text of which this is the frame.
    pub(crate) fn arrival(self, json: &str) -> Result<Arrival, String> {
        if let Some(schema) = self.schema.filter(|schema| schema != SCHEMA) {
            let schema: String = schema.chars().take(60).collect();
            return Err(format!(
                "expected events of schema `{SCHEMA}`, found `{schema}`: the gateway is newer \
                 than this crate; update the crate"
            ));
        }
        let Some(delivery) = self.delivery else {
            return Err("expected `delivery` in a delivered event, found none".to_owned());
        };
        let event = serde_json::from_str(json).map_err(|error| error.to_string());
        Ok(Arrival { delivery: delivery.id.into_owned(), event })
    }
}
