//! Refused requests that are looked at again, and channels that are replaced.

use crate::gate::{Gate, NOW, Post, SECRET, secret, spec};
use headgate_event::{Accepted, Timestamp};
use headgate_slack::{AgeRule, ClientCertificate, NotReleased};

const BODY: &str = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}"#;

#[tokio::test]
async fn what_was_refused_for_a_wrong_secret_becomes_an_event_once_it_is_right() {
    let mut wrong = spec();
    wrong.signing_secrets = vec![secret("wrong")];
    let gate = Gate::of(wrong);
    assert_eq!(gate.send(&Post::json(BODY)).await.status, 401);
    let request = gate.refused.all().remove(0).request;
    let again = gate.source.try_release("team", request.clone(), AgeRule::Channel);
    assert!(matches!(again, Err(NotReleased::Refused(_))));
    gate.source.replace(vec![spec()]).expect("right");
    let released = gate.source.release("team", request, AgeRule::Channel, "r1").await;
    assert!(matches!(released, Ok(Accepted::New(_))), "{released:?}");
    assert!(gate.sink.last().metadata().get().contains(r#""released_from":"r1""#));
}

#[tokio::test]
async fn an_old_request_is_released_where_an_admin_takes_any_age() {
    let gate = Gate::new();
    let old = Timestamp::from_unix_s(NOW.unix_s() - 3600);
    assert_eq!(gate.send(&Post::signed_at(old, SECRET, BODY)).await.status, 401);
    let request = gate.refused.all().remove(0).request;
    let strict = gate.source.try_release("team", request.clone(), AgeRule::Channel);
    assert!(matches!(strict, Err(NotReleased::Refused(_))));
    gate.source.release("team", request, AgeRule::Any, "r1").await.expect("released");
    let detail = gate.sink.last().verification().detail.clone();
    assert!(detail.expect("said").contains("age"), "the event says it");
}

#[tokio::test]
async fn what_was_refused_for_its_certificate_says_so_when_it_is_released() {
    let mut spec = spec();
    spec.client_certificate = Some(ClientCertificate {
        header: "x-client-san".parse().expect("a name"),
        name: "platform-tls-client.slack.com".to_owned(),
    });
    let gate = Gate::of(spec);
    assert_eq!(gate.send(&Post::json(BODY)).await.code(), "client_certificate");
    let request = gate.refused.all().remove(0).request;
    gate.source.release("team", request, AgeRule::Channel, "r1").await.expect("released");
    let detail = gate.sink.last().verification().detail.clone();
    let expected = "released by an admin: the client's certificate was not judged";
    assert_eq!(detail.as_deref(), Some(expected));
}

#[tokio::test]
async fn what_is_no_event_is_not_released() {
    let gate = Gate::new();
    let question = r#"{"type":"url_verification","challenge":"c"}"#;
    let request = Post::json(question).request();
    let (parts, _) = request.into_parts();
    let request = headgate_http::RawRequest {
        method: parts.method,
        path: "/v1/slack/team".to_owned(),
        query: String::new(),
        headers: parts.headers,
        body: question.into(),
        arrival: parts.extensions.get().cloned().expect("an arrival"),
        hold: headgate_http::BodyHold::default(),
    };
    let released = gate.source.release("team", request, AgeRule::Channel, "r1").await;
    assert!(matches!(released, Err(NotReleased::NoEvent)), "{released:?}");
}

#[tokio::test]
async fn nothing_else_is_released() {
    let gate = Gate::new();
    assert_eq!(gate.send(&Post::unsigned(BODY)).await.status, 401);
    let request = gate.refused.all().remove(0).request;
    for age in [AgeRule::Channel, AgeRule::Any] {
        let again = gate.source.try_release("team", request.clone(), age);
        assert!(matches!(again, Err(NotReleased::Refused(_))));
    }
    let gone = gate.source.try_release("other", request, AgeRule::Any);
    assert!(matches!(gone, Err(NotReleased::UnknownChannel)));
}

#[tokio::test]
async fn channels_that_are_wrong_replace_nothing() {
    let gate = Gate::new();
    let mut without = spec();
    without.signing_secrets = vec![secret("")];
    let errors = gate.source.replace(vec![spec(), spec(), without]).expect_err("wrong");
    let texts: Vec<_> = errors.iter().map(|error| format!("{error}: {}", error.kind)).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert_eq!(gate.send(&Post::json(BODY)).await.status, 200);
    let mut without = spec();
    without.signing_secrets = vec![secret("")];
    let errors = gate.source.replace(vec![without]).expect_err("wrong");
    assert_eq!(errors[0].kind.to_string(), "signing secret 1 is empty");
}
