//! What is refused: what is handed on to be kept, and what becomes of it when it is looked at
//! again.

use crate::gate::{Gate, NOW, PROVIDERS, Post, spec};
use headgate_event::{Accepted, Secret, StoreError};
use headgate_http::RawRequest;
use headgate_webhook::{AgeRule, NotReleased};
use http::Method;
use std::time::Duration;

const PATH: &str = "/v1/webhook/fixture";
const SECRET: &str = "whsec_the_one_of_the_sender";
const OTHER: &str = "whsec_another_one";

/// A request that its sender signed right, so many seconds before it comes.
fn signed(seconds: u64) -> Post {
    let stripe = PROVIDERS.find("stripe").expect("known");
    let sample = stripe.sample(None, 7).expect("a sample");
    let at = NOW.minus(Duration::from_secs(seconds));
    let sample = stripe.sign(sample, PATH, &Secret::new(SECRET), at).expect("signs");
    sample.headers.iter().fold(Post::to(PATH, sample.body.clone()), |post, (name, value)| {
        post.header(name.as_str(), value.as_bytes())
    })
}

/// The one request that was refused and handed on.
fn refused(gate: &Gate) -> RawRequest {
    let mut all = gate.refused.all();
    assert_eq!(all.len(), 1);
    all.remove(0).request
}

fn mend(gate: &Gate) {
    gate.source.replace(vec![spec("stripe", &[SECRET])], &PROVIDERS).expect("replaced");
}

#[tokio::test]
async fn what_did_not_prove_itself_is_handed_on_as_it_came() {
    let gate = Gate::with("stripe", &[OTHER]);
    let mut post = signed(1).header("x-odd", b"\xff\x80").header("x-odd", b"2");
    post.target = format!("{PATH}/s3cr3t?token=s3cr3t&a=%20");
    let answer = gate.send(&post).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "signature_mismatch"));
    let all = gate.refused.all();
    let [rejection] = all.as_slice() else { panic!("{} rejections", all.len()) };
    assert_eq!(rejection.channel.id, "fixture");
    assert_eq!(rejection.shown_path, "/v1/webhook/fixture/[redacted]");
    assert_eq!(rejection.reject.code(), "signature_mismatch");
    let request = &rejection.request;
    assert_eq!((&request.body, &request.headers), (&post.body, &post.headers));
    assert_eq!(format!("{}?{}", request.path, request.query), post.target);
    assert_eq!((request.arrival.received_at, &request.method), (NOW, &Method::POST));
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn what_cannot_be_mended_is_not_handed_on() {
    let gate = Gate::with("stripe", &[SECRET]);
    let elsewhere = Post { target: "/v1/webhook/other".to_owned(), ..signed(1) };
    let other_method = Post { method: Method::GET, ..signed(1) };
    let large = Post { body: vec![b' '; 11 << 20].into(), ..signed(1) };
    for (post, status) in [(elsewhere, 404), (other_method, 405), (large, 413)] {
        assert_eq!(gate.send(&post).await.status, status);
    }
    let (reason, retry_after) = ("disk".to_owned(), Duration::from_secs(1));
    gate.sink.fail(Some(StoreError::Unavailable { reason, retry_after }));
    assert_eq!(gate.send(&signed(1)).await.status, 503);
    gate.sink.fail(None);
    assert_eq!(gate.send(&signed(1)).await.status, 200);
    assert!(gate.refused.all().is_empty());
}

#[tokio::test]
async fn a_mended_secret_releases_it_as_the_event_it_would_have_been() {
    let gate = Gate::with("stripe", &[OTHER]);
    gate.send(&signed(1)).await;
    let request = refused(&gate);
    let id = "01KAJ3V3W20000000000000001";
    let still = gate.source.release("fixture", request.clone(), AgeRule::Channel, id).await;
    let Err(NotReleased::Refused(reject)) = still else { panic!("{still:?}") };
    assert_eq!(reject.code(), "signature_mismatch");

    mend(&gate);
    // The time that counts is when it came: the clock has long gone on.
    gate.clock.advance(Duration::from_secs(86_400));
    let tried = gate.source.try_release("fixture", request.clone(), AgeRule::Channel).await;
    assert!(tried.is_ok() && gate.sink.len() == 0, "{tried:?}");
    let released = gate.source.release("fixture", request.clone(), AgeRule::Channel, id).await;
    assert!(matches!(released, Ok(Accepted::New(_))), "{released:?}");
    let event = gate.sink.last();
    assert_eq!(event.created_at(), NOW);
    assert!(event.metadata().get().contains(&format!(r#""released_from":"{id}""#)));
    assert_eq!(event.verification().detail, None);
    assert_eq!(gate.sink.last_draft().raw, request.body);

    // Its sender's own retry is known by then, and so would be a second release.
    gate.clock.set(NOW);
    assert_eq!(gate.send(&signed(1)).await.headers["headgate-duplicate"], "true");
    let again = gate.source.release("fixture", request, AgeRule::Channel, id).await;
    assert!(matches!(again, Ok(Accepted::Duplicate(_))), "{again:?}");
    assert_eq!(gate.sink.len(), 1);
}

#[tokio::test]
async fn what_was_too_old_when_it_came_is_released_only_by_saying_so() {
    let gate = Gate::with("stripe", &[SECRET]);
    assert_eq!(gate.send(&signed(3600)).await.code(), "timestamp_too_old");
    let request = refused(&gate);
    let still = gate.source.release("fixture", request.clone(), AgeRule::Channel, "r").await;
    assert!(matches!(still, Err(NotReleased::Refused(_))), "{still:?}");
    let released = gate.source.release("fixture", request, AgeRule::Any, "r").await;
    assert!(matches!(released, Ok(Accepted::New(_))), "{released:?}");
    let detail = gate.sink.last().verification().detail.clone();
    assert_eq!(
        detail.as_deref(),
        Some("released by an admin: the age of the signed time was not judged")
    );
}

#[tokio::test]
async fn any_age_is_not_any_signature() {
    let gate = Gate::with("stripe", &[OTHER]);
    gate.send(&signed(3600)).await;
    let still = gate.source.release("fixture", refused(&gate), AgeRule::Any, "r").await;
    let Err(NotReleased::Refused(reject)) = still else { panic!("{still:?}") };
    assert_eq!(reject.code(), "signature_mismatch");
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn a_store_that_is_down_leaves_it_refused() {
    let gate = Gate::with("stripe", &[OTHER]);
    gate.send(&signed(1)).await;
    mend(&gate);
    let (reason, retry_after) = ("disk".to_owned(), Duration::from_secs(1));
    gate.sink.fail(Some(StoreError::Unavailable { reason, retry_after }));
    let failed = gate.source.release("fixture", refused(&gate), AgeRule::Channel, "r").await;
    assert!(matches!(failed, Err(NotReleased::NotStored(_))), "{failed:?}");
    let gone = gate.source.release("gone", refused(&gate), AgeRule::Channel, "r").await;
    assert!(matches!(gone, Err(NotReleased::UnknownChannel)), "{gone:?}");
}

#[tokio::test]
async fn basic_says_what_it_asks_for() {
    let gate = Gate::with("basic", &["user:password"]);
    for post in [Post::to(PATH, "{}"), Post::to(PATH, "{}").header("authorization", "Basic eDp5")] {
        let answer = gate.send(&post).await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.headers["www-authenticate"],
            r#"Basic realm="headgate", charset="UTF-8""#
        );
    }
    let answer = Gate::with("stripe", &[SECRET]).send(&Post::to(PATH, "{}")).await;
    assert!(!answer.headers.contains_key("www-authenticate"));
}
