//! The ids by which an application finds the events of one undertaking again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The correlation ids of an event; null where it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Correlation {
    /// The run of a flow.
    pub flow_id: Option<String>,
    /// The kind of flow.
    pub flow_type: Option<String>,
    /// The proposal.
    pub proposal_id: Option<String>,
    /// The deal.
    pub deal_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
}
