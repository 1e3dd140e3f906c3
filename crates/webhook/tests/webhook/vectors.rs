//! The published signatures, and those computed for Stripe and Linear, which publish none.

use crate::gate::{Gate, NOW, PROVIDERS, Post, spec};
use headgate_event::{Secret, Timestamp};
use headgate_webhook::Sample;
use http::Method;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vector {
    provider: String,
    secret: String,
    inputs: Inputs,
    expect: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Inputs {
    body: String,
    id: Option<String>,
    timestamp: Option<String>,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../fixtures/webhooks/vectors.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).expect("vectors");
    assert_eq!(vectors.len(), 7);
    vectors
}

impl Vector {
    fn time(&self) -> Timestamp {
        let seconds = self.inputs.timestamp.as_ref().map(|text| text.parse().expect("a number"));
        seconds.map_or(NOW, Timestamp::from_unix_s)
    }

    /// The request, under the path of its channel.
    fn post(&self) -> Post {
        let mut post = Post::to("/v1/webhook/fixture", self.inputs.body.clone());
        for (name, value) in &self.expect {
            post = post.header(name, value);
        }
        if let (Some(id), Some(time)) = (&self.inputs.id, &self.inputs.timestamp) {
            post = post.header("webhook-id", id).header("webhook-timestamp", time);
        }
        post
    }
}

#[tokio::test]
async fn published_signatures_are_accepted() {
    for vector in vectors() {
        let gate = Gate::of(spec(&vector.provider, &[&vector.secret]));
        gate.clock.set(vector.time());
        let answer = gate.send(&vector.post()).await;
        assert_eq!(answer.status, 200, "{}: {}", vector.provider, answer.body);
    }
}

#[test]
fn what_we_sign_is_what_was_published() {
    for vector in vectors() {
        let provider = PROVIDERS.find(&vector.provider).expect("a provider");
        let sample = Sample {
            event: String::new(),
            method: Method::POST,
            headers: Vec::new(),
            body: vector.inputs.body.clone().into(),
            id: vector.inputs.id.clone().unwrap_or_default(),
        };
        let secret = Secret::new(vector.secret.as_str());
        let signed = provider.sign(sample, "/", &secret, vector.time()).expect("a right secret");
        for (name, expected) in &vector.expect {
            let name = name.to_ascii_lowercase();
            let found = signed.headers.iter().find(|(found, _)| found.as_str() == name);
            assert_eq!(found.expect("signed").1, expected.as_str());
        }
    }
}
