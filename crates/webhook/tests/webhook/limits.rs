//! Who may send how much from where.

use crate::gate::{Gate, NOW, Post, spec};
use headgate_event::Timestamp;
use headgate_webhook::{ChannelSpec, Providers};

fn allowing(networks: &[&str]) -> Gate {
    let allow_ips = networks.iter().map(|text| text.parse().expect("a network")).collect();
    Gate::of(ChannelSpec { allow_ips, ..spec("none", &[]) })
}

fn through(forwarded_for: &str) -> Post {
    Post::to("/v1/webhook/fixture", "{}").header("x-forwarded-for", forwarded_for)
}

#[tokio::test]
async fn an_event_shows_the_address_that_a_trusted_proxy_tells() {
    let gate = allowing(&[]);
    for (said, expected) in [
        ("203.0.113.9, 192.0.2.8", "203.0.113.9"),
        ("1.1.1.1, 2001:db8::1", "2001:db8::1"),
        ("1.1.1.1, nonsense", "192.0.2.7"),
    ] {
        let event = gate.event(&through(said)).await;
        let shown = event.webhook().expect("data").remote_ip.clone();
        assert_eq!(shown.as_deref(), Some(expected), "{said}");
    }
}

#[tokio::test]
async fn only_allowed_addresses_come_in_and_no_proxy_stands_for_them() {
    let gate = allowing(&["203.0.113.9/32", "192.0.2.0/24"]);
    assert_eq!(gate.send(&through("203.0.113.9")).await.status, 200);
    for said in ["203.0.113.10", "203.0.113.9, 198.51.100.1", "nonsense", "unknown"] {
        let answer = gate.send(&through(said)).await;
        let found = (answer.status.as_u16(), answer.code());
        assert_eq!(found, (403, "address_not_allowed".to_owned()), "{said}");
    }
    assert_eq!(gate.sink.len(), 1);
}

#[tokio::test]
async fn requests_beyond_the_rate_come_again_later() {
    let rate = "2/s".parse().ok();
    let gate = Gate::of(ChannelSpec { rate, ..spec("github", &["a"]) });
    let one = |number: u32| Post::signed(format!("[{number}]"));
    assert_eq!(gate.send(&one(1)).await.status, 200);
    assert_eq!(gate.send(&one(2)).await.status, 200);
    let answer = gate.send(&one(3)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "rate_limited"));
    assert_eq!(answer.headers["retry-after"], "1");
    gate.clock.set(Timestamp::from_unix_ms(NOW.unix_ms() + 500));
    assert_eq!(gate.send(&one(3)).await.status, 200);
}

#[tokio::test]
async fn other_channels_in_its_place_give_a_used_up_rate_back_only_when_it_is_another() {
    let of = |rate: &str| ChannelSpec { rate: rate.parse().ok(), ..spec("none", &[]) };
    let gate = Gate::of(of("1/h"));
    let send = async || gate.send(&Post::to("/v1/webhook/fixture", "{}")).await.status.as_u16();
    assert_eq!((send().await, send().await), (200, 429));
    let replace = |rate| gate.source.replace(vec![of(rate)], &Providers::embedded());
    replace("1/h").expect("right");
    assert_eq!(send().await, 429, "a reload is no way around the rate");
    replace("2/h").expect("right");
    assert_eq!((send().await, send().await, send().await), (200, 200, 429));
}

#[tokio::test]
async fn what_is_not_proved_takes_nothing_of_the_rate() {
    let rate = "1/h".parse().ok();
    let gate = Gate::of(ChannelSpec { rate, ..spec("github", &["a"]) });
    for _ in 0..50 {
        assert_eq!(gate.send(&Post::to("/v1/webhook/fixture", "{}")).await.status, 401);
    }
    assert_eq!(gate.send(&Post::signed("{}")).await.status, 200);
}

#[tokio::test]
async fn what_came_too_often_is_not_kept_as_refused() {
    let rate = "1/h".parse().ok();
    let gate = Gate::of(ChannelSpec { rate, ..spec("github", &["a"]) });
    assert_eq!(gate.send(&Post::signed("[1]")).await.status, 200);
    assert_eq!(gate.send(&Post::signed("[2]")).await.status, 429);
    assert!(gate.refused.all().is_empty(), "its sender comes again");
}
