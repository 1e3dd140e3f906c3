//! Refused requests that are looked at again, and channels that are replaced.

use crate::{
    gate::{Gate, NOW, spec},
    senders::forms,
};
use headgate_email::inbound::{AgeRule, NotReleased};
use headgate_event::{Accepted, Timestamp};

#[tokio::test]
async fn what_was_refused_for_a_wrong_secret_becomes_an_event_once_it_is_right() {
    for form in forms() {
        let gate = Gate::of(spec(form.provider, &form.wrong_secret));
        assert_eq!(gate.send(&(form.post)(&form.secret, NOW)).await.status, 401);
        let request = gate.refused.all().remove(0).request;
        let again = gate.source.try_release("support", request.clone(), AgeRule::Channel).await;
        assert!(matches!(again, Err(NotReleased::Refused(_))), "{}", form.provider);
        gate.source.replace(vec![spec(form.provider, &form.secret)]).expect("right");
        let dry = gate.source.try_release("support", request.clone(), AgeRule::Channel).await;
        assert!(dry.is_ok() && gate.sink.len() == 0, "{}", form.provider);
        let released = gate.source.release("support", request, AgeRule::Channel, "r1").await;
        assert!(matches!(released, Ok(Accepted::New(_))), "{} {released:?}", form.provider);
        assert!(gate.sink.last().metadata().get().contains(r#""released_from":"r1""#));
    }
}

#[tokio::test]
async fn an_old_request_is_released_where_an_admin_takes_any_age() {
    let form = forms().remove(0);
    let gate = Gate::of(spec(form.provider, &form.secret));
    let old = Timestamp::from_unix_s(NOW.unix_s() - 3600);
    assert_eq!(gate.send(&(form.post)(&form.secret, old)).await.status, 401);
    let request = gate.refused.all().remove(0).request;
    let strict = gate.source.try_release("support", request.clone(), AgeRule::Channel).await;
    assert!(matches!(strict, Err(NotReleased::Refused(_))));
    gate.source.release("support", request, AgeRule::Any, "r1").await.expect("released");
    assert!(gate.sink.last().metadata().get().contains("was not judged"), "the event says it");
}

#[tokio::test]
async fn what_has_no_channel_any_more_is_not_released() {
    let form = forms().remove(0);
    let gate = Gate::of(spec(form.provider, &form.wrong_secret));
    gate.send(&(form.post)(&form.secret, NOW)).await;
    let request = gate.refused.all().remove(0).request;
    gate.source.replace(Vec::new()).expect("right");
    let released = gate.source.release("support", request, AgeRule::Channel, "r1").await;
    assert!(matches!(released, Err(NotReleased::UnknownChannel)));
}
