//! What a delivered event says about its delivery.

use crate::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an event comes for the first time or was asked for again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// As it came in.
    #[default]
    Live,
    /// Given again by a replay.
    Replay,
}

/// One event for one subscription, leased.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// What to settle it by.
    pub id: String,
    /// The subscription it is for.
    pub subscription: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When the lease ends and another consumer may get it.
    pub lease_expires_at: Timestamp,
    /// The replay that gave it, if one did.
    pub replay_id: Option<String>,
}
