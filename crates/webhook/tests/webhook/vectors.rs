//! The published signatures, and those computed where a provider publishes none.

use crate::gate::{Gate, PROVIDERS, Post, spec};
use headgate_event::{Secret, Timestamp};
use headgate_http::{Arrival, BodyHold, RawRequest, RequestId};
use headgate_webhook::{Sample, Terms};
use http::{HeaderName, HeaderValue, Uri};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

#[derive(Deserialize)]
struct Vector {
    provider: String,
    origin: String,
    kind: String,
    secret: String,
    at: i64,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
    #[serde(default)]
    expect: BTreeMap<String, String>,
}

fn vectors(kind: &str) -> Vec<Vector> {
    let text = include_str!("../../../../fixtures/webhooks/vectors.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).expect("vectors");
    assert_eq!(vectors.len(), 49);
    vectors.into_iter().filter(|vector| vector.kind == kind).collect()
}

impl Vector {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(self.at)
    }

    fn uri(&self) -> Uri {
        self.url.parse().expect("a URL")
    }

    fn terms(&self) -> Terms {
        let uri = self.uri();
        let (scheme, host) = (uri.scheme_str().expect("one"), uri.authority().expect("one"));
        let secrets = [Secret::new(self.secret.as_str())];
        Terms { public_url: Some(format!("{scheme}://{host}")), ..Terms::of(&secrets) }
    }

    fn request(&self) -> RawRequest {
        let uri = self.uri();
        let header = |(name, value): (&String, &String)| {
            let name: HeaderName = name.parse().expect("a name");
            (name, HeaderValue::from_str(value).expect("a value"))
        };
        RawRequest {
            method: self.method.parse().expect("a method"),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers: self.headers.iter().map(header).collect(),
            body: self.body.clone().into(),
            arrival: Arrival {
                remote: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
                received_at: self.now(),
                request_id: RequestId::new("req-1"),
            },
            hold: BodyHold::default(),
        }
    }
}

#[test]
fn published_signatures_are_accepted() {
    let vectors = vectors("request");
    assert!(vectors.iter().filter(|vector| vector.origin == "published").count() >= 28);
    for vector in vectors {
        let provider = PROVIDERS.find(&vector.provider).expect("a provider");
        let found = provider.explain(&vector.request(), &vector.terms(), vector.now());
        assert!(found.verified, "{}: {found:?}", vector.provider);
    }
}

#[test]
fn published_signatures_do_not_hold_for_another_body() {
    for vector in vectors("request").iter().filter(|vector| vector.provider != "mailgun") {
        let provider = PROVIDERS.find(&vector.provider).expect("a provider");
        let mut request = vector.request();
        request.body = format!("{} ", vector.body.replace("true", "false")).into();
        let found = provider.explain(&request, &vector.terms(), vector.now());
        assert!(!found.verified, "{}: {}", vector.provider, vector.body);
    }
}

#[test]
fn what_we_sign_is_what_was_published() {
    let mut signed = 0;
    for vector in vectors("request") {
        let provider = PROVIDERS.find(&vector.provider).expect("a provider");
        let request = vector.request();
        let is_proof = |name: &HeaderName| {
            let word = name.as_str();
            word.contains("signature") && !word.contains("timestamp") && !word.contains("version")
                || word.contains("hmac")
                || word.contains("-mac")
        };
        // Public keys sign nothing, and older versions are not what we sign samples by.
        let proof = request.headers.keys().find(|name| is_proof(name));
        let older = |name: &HeaderName| name.as_str() == "x-hubspot-signature";
        let is_public = ["discord", "sendgrid"].contains(&vector.provider.as_str());
        let Some(name) = proof.filter(|name| !older(name) && !is_public) else { continue };
        let plain = |(name, _): &(HeaderName, HeaderValue)| !is_proof(name);
        let headers = request.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        let sample = Sample {
            event: String::new(),
            method: request.method.clone(),
            headers: headers.filter(plain).collect(),
            body: request.body.clone(),
            id: vector.headers.get("webhook-id").cloned().unwrap_or_default(),
        };
        let target = vector.uri().path_and_query().expect("a path").to_string();
        let (terms, secret) = (vector.terms(), Secret::new(vector.secret.as_str()));
        let made = provider.sign_by(&terms, sample, &target, &secret, vector.now());
        // The secret of `v1a` is a public key too.
        let Ok(made) = made else { continue };
        let found = made.headers.iter().rfind(|(found, _)| found == name).expect("signed");
        let ported = vector.url.contains(":443") || vector.url.contains(":80");
        assert!(ported || found.1 == request.headers[name], "{}: {found:?}", vector.provider);
        signed += 1;
    }
    assert!(signed > 35, "{signed}");
}

#[tokio::test]
async fn challenges_are_answered_as_computed() {
    for (kind, provider) in [("challenge", "zoom"), ("crc", "x")] {
        let vectors = vectors(kind);
        let [vector] = vectors.as_slice() else { panic!("one {kind}") };
        let gate = Gate::of(spec(provider, &[&vector.secret]));
        let target = vector.uri().path_and_query().expect("a path").to_string();
        let mut post = Post::to(&target, vector.body.clone());
        post.method = vector.method.parse().expect("a method");
        let answer = gate.send(&post).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body: BTreeMap<String, String> = serde_json::from_str(&answer.body).expect("JSON");
        for (name, expected) in &vector.expect {
            assert_eq!(&body[name], expected);
        }
        assert_eq!(gate.sink.len(), 0);
    }
}
