//! The keys of a selection as they are written: each a list beside `types` and `channels`, by the
//! name of the event's field.

use super::KeyName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

type Keys = BTreeMap<KeyName, Vec<String>>;

/// One list a key, and not a map: what is flattened must not take the fields around it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Lists {
    provider_event: Vec<String>,
    thread_key: Vec<String>,
    flow_id: Vec<String>,
    flow_type: Vec<String>,
    proposal_id: Vec<String>,
    deal_id: Vec<String>,
    session_id: Vec<String>,
    event_id: Vec<String>,
}

pub(super) fn serialize<S: Serializer>(keys: &Keys, serializer: S) -> Result<S::Ok, S::Error> {
    let wanted: BTreeMap<_, _> = keys.iter().filter(|(_, values)| !values.is_empty()).collect();
    wanted.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Keys, D::Error> {
    let mut lists = Lists::deserialize(deserializer)?;
    let keys = KeyName::ALL.map(|name| (name, lists.take(name)));
    Ok(keys.into_iter().filter(|(_, values)| !values.is_empty()).collect())
}

impl Lists {
    fn take(&mut self, name: KeyName) -> Vec<String> {
        std::mem::take(match name {
            KeyName::ProviderEvent => &mut self.provider_event,
            KeyName::ThreadKey => &mut self.thread_key,
            KeyName::FlowId => &mut self.flow_id,
            KeyName::FlowType => &mut self.flow_type,
            KeyName::ProposalId => &mut self.proposal_id,
            KeyName::DealId => &mut self.deal_id,
            KeyName::SessionId => &mut self.session_id,
            KeyName::EventId => &mut self.event_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{KeyName, SubscriptionSpec};

    #[test]
    fn keys_stand_beside_the_other_filters_and_are_read_back() {
        let mut spec = SubscriptionSpec::new("agent");
        spec.selection.keys.insert(KeyName::ThreadKey, vec!["pr/1".into(), "pr/2".into()]);
        spec.selection.keys.insert(KeyName::FlowId, Vec::new());
        let text = serde_json::to_string(&spec).expect("plain data");
        assert!(text.contains(r#""thread_key":["pr/1","pr/2"]"#), "{text}");
        assert!(!text.contains("flow_id"), "{text}");
        spec.selection.keys.remove(&KeyName::FlowId);
        assert_eq!(serde_json::from_str::<SubscriptionSpec>(&text).expect("read"), spec);
    }
}

/// The fields that keys are, for a JSON Schema.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Form {
    /// Any of these names of the provider's for what happened.
    #[schemars(default, skip_serializing_if = "Vec::is_empty")]
    provider_event: Vec<String>,
    /// Any of these keys of what belongs together.
    #[schemars(default, skip_serializing_if = "Vec::is_empty")]
    thread_key: Vec<String>,
    /// Any of these runs of a flow.
    #[schemars(default, skip_serializing_if = "Vec::is_empty")]
    flow_id: Vec<String>,
    /// Any of these kinds of flow.
    #[schemars(default, skip_serializing_if = "Vec::is_empty")]
    flow_type: Vec<String>,
    /// Any of these proposals.
    #[schemars(default, skip_serializing_if = "Vec::is_empty")]
    proposal_id: Vec<String>,
    /// Any of these deals.
    #[schemars(default, skip_serializing_if = "Vec::is_empty")]
    deal_id: Vec<String>,
    /// Any of these sessions.
    #[schemars(default, skip_serializing_if = "Vec::is_empty")]
    session_id: Vec<String>,
    /// Any of these ids that applications gave their events.
    #[schemars(default, skip_serializing_if = "Vec::is_empty")]
    event_id: Vec<String>,
}
