//! The live tokens that payloads carry: who has one can act as the app. They stay in `raw` and are
//! in no prompt, whatever text repeats them.

use crate::payload::Payload;
use headgate_event::{
    json::{Kind, Node},
    limits::SLACK_BLOCKS_DEPTH_MAX,
    prompt::redact::REDACTED,
};

/// The keys whose values are live tokens.
const NAMES: [&str; 7] = [
    "token",
    "bot_access_token",
    "workflow_token",
    "response_url",
    "trigger_id",
    "interactivity_pointer",
    "trigger_exchange_token",
];
/// A shorter value would be found in words.
const BYTES_MIN: usize = 6;
const COUNT_MAX: usize = 32;
/// So much of a token is enough to know it where the rest is cut off.
const TELLING_BYTES: usize = 48;

/// The live tokens of one payload.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of(payload: &Payload) -> Self {
        let mut secrets = Self::default();
        if let Some(root) = payload.root() {
            secrets.collect(root, 0);
        }
        secrets
    }

    fn collect(&mut self, node: Node<'_>, depth: usize) {
        if depth > SLACK_BLOCKS_DEPTH_MAX || self.0.len() >= COUNT_MAX {
            return;
        }
        for (key, value) in node.entries() {
            match value.as_str() {
                Some(text) if NAMES.contains(&key) && text.len() >= BYTES_MIN => {
                    self.0.push(text.to_owned());
                }
                Some(_) => {}
                None => self.collect(value, depth + 1),
            }
        }
        if node.kind() == Kind::Array {
            node.items().for_each(|item| self.collect(item, depth + 1));
        }
    }

    /// Takes them out of a text, also where it shows only the beginning of one.
    pub(super) fn redact(&self, text: &mut String) {
        for secret in &self.0 {
            let telling = secret.floor_char_boundary(TELLING_BYTES);
            let begin = secret.get(..telling).unwrap_or(secret);
            let (mut out, mut rest) = (String::new(), text.as_str());
            while let Some((before, after)) = rest.split_once(begin) {
                let left = secret.get(begin.len()..).unwrap_or_default();
                let same = after.bytes().zip(left.bytes()).take_while(|(a, b)| a == b).count();
                out.push_str(before);
                out.push_str(REDACTED);
                rest = after.get(after.floor_char_boundary(same)..).unwrap_or_default();
            }
            if !out.is_empty() {
                out.push_str(rest);
                *text = out;
            }
        }
    }
}

/// Whether the value under a path is a live token by its name.
pub(super) fn is_live(path: &str) -> bool {
    path.rsplit('.').any(|step| NAMES.contains(&step))
}
