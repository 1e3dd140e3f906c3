//! Giving stored events to a subscription again.

use crate::{client::Client, error::ClientError, http::Call};
use serde::Serialize;
use serde_json::{Map, Value};

/// Which events are given again, to whom.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Replay {
    /// The subscription that gets them.
    pub subscription: String,
    /// These events; those of the filter when it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// What else the gateway's call takes: a filter, a rate, `dry_run`.
    #[serde(flatten)]
    pub terms: Map<String, Value>,
}

impl Client {
    /// Asks for a replay; answers what the gateway says of it.
    pub async fn replay(&self, replay: &Replay) -> Result<Value, ClientError> {
        self.http.call(&Call::post("/v1/replays", replay)).await
    }
}
