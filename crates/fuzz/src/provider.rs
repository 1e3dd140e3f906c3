//! Provider files, and the prompts that they make of any request.

use crate::{Parts, prompt::check};
use bytes::Bytes;
use headgate::captured;
use headgate_event::{
    Channel, ChannelType, Timestamp, Verification,
    limits::PROMPT_BYTES_MAX,
    prompt::{About, PromptKey},
};
use headgate_webhook::{Provider, Providers};
use http::HeaderMap;
use std::sync::LazyLock;

static PROVIDERS: LazyLock<Providers> = LazyLock::new(Providers::embedded);

/// A provider file is taken, or everything that is wrong with it is said; one that is taken makes
/// prompts that keep to the rules.
pub(crate) fn file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Provider::parse("acme.toml", text) {
        Ok(provider) => {
            let body =
                Bytes::from_static(br#"{"type": "a.b", "action": "c", "items": [1, {"d": "e"}]}"#);
            prompted(&provider, &HeaderMap::new(), &body);
            assert!(!provider.proof().is_empty());
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            errors.iter().for_each(|error| assert!(!error.to_string().is_empty()));
        }
    }
}

/// Any request of any provider makes a prompt that keeps to the rules.
pub(crate) fn prompt(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let choice = usize::from(parts.byte());
    let now = Timestamp::from_unix_s(1_795_219_200);
    let Ok(request) = captured::request(parts.rest().to_vec(), now) else { return };
    let provider = PROVIDERS.iter().nth(choice % PROVIDERS.iter().count()).expect("a provider");
    prompted(provider, &request.headers, &request.body);
}

fn prompted(provider: &Provider, headers: &HeaderMap, body: &Bytes) {
    let channel = Channel::new("demo", "Demo", ChannelType::Webhook).expect("fits");
    let verification = Verification::none();
    let created_at = Timestamp::from_unix_s(1_795_219_200);
    let about = About { channel: &channel, verification: &verification, created_at };
    let key = PromptKey::new([7; 32]);
    let text = provider.prompt(&about, headers, body, &key).text;
    check(&text, PROMPT_BYTES_MAX);
    assert_eq!(text, provider.prompt(&about, headers, body, &key).text, "the same bytes");
}
