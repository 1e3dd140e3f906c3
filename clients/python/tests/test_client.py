from __future__ import annotations

import asyncio
import functools
from collections import Counter
from typing import Any

import pytest

from headgate import Bury, ConfigurationError, Event, Headgate, HeadgateError, Retry
from headgate.testing import FakeGateway, make_event

SECRET = "a-secret-0123456789"


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"url": "ftp://host"}, "`url`: expected an `http://`"),
        ({"url": "http://user:pass@host"}, "`url`: expected .* found `host`$"),
        ({"url": "http://host/?key=hg_secret_123"}, "`url`: expected .* found `http://host/`$"),
        ({"url": "http://host#hg_secret_123"}, "`url`: expected .* found `http://host`$"),
        ({"url": "http://host/?key=hg_se@cret"}, "`url`: expected .* found `..`$"),
        ({"url": "http://host:99999"}, "`url`: expected"),
        ({"url": "host"}, "`url`: expected"),
        ({"key": "line\nbreak"}, "`key`: expected visible ASCII"),
        ({"key": " "}, "`key`: expected visible ASCII"),
        ({"concurrency": 0}, "`concurrency`: expected 1 to 1000, found `0`"),
        ({"concurrency": True}, "`concurrency`: expected 1 to 1000, found `True`"),
        ({"lease": 0}, "`lease`: expected seconds up to 43200"),
        ({"subscription": ""}, "`subscription`: expected its name"),
        ({"transport": "pigeon"}, "`transport`: expected `auto`, `websocket` or `poll`"),
        ({"unhandled": "drop"}, "`unhandled`: expected `bury`, `ack` or `retry`, found `drop`"),
    ],
)
def test_a_client_of_what_cannot_be_is_refused(terms: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Headgate(**terms)


def test_the_key_is_shown_nowhere() -> None:
    client = Headgate(url="https://gateway.example", key=SECRET, subscription="agent")
    shown = f"{client!r} {vars(client)!r} {client._key!r} {client._http._address!r}"
    assert SECRET not in shown
    assert "agent" in repr(client)


def test_url_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADGATE_URL", "https://gateway.example/base/")
    monkeypatch.setenv("HEADGATE_KEY", SECRET)
    client = Headgate()
    assert client._address.base == "https://gateway.example/base"
    assert client._key.headers() == {"Authorization": f"Bearer {SECRET}"}


def test_a_handler_is_an_async_function() -> None:
    client = Headgate()

    def plain(event: Event) -> None:
        raise AssertionError(event)

    async def good(event: Event, extra: int = 0) -> None:
        raise AssertionError(event, extra)

    with pytest.raises(TypeError, match="plain`: expected an `async def` function, found a plain"):
        client.on_event()(plain)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="found it without its parentheses"):
        client.on_event(types=good)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="`types`: expected one name or more"):
        client.on_event(types=[])(good)
    assert client.on_event()(functools.partial(good, extra=1))


async def test_a_run_needs_a_subscription_and_a_handler() -> None:
    with pytest.raises(ConfigurationError, match="`subscription`: expected its name, found none"):
        await Headgate().run()
    with pytest.raises(ConfigurationError, match="expected a handler, found none"):
        await Headgate(subscription="agent").run()


async def test_handlers_take_what_they_name_and_all_that_fit_are_called() -> None:
    client, called = Headgate(), []
    routes: dict[str, dict[str, Any]] = {
        "mail": {"types": "email.received"},
        "proposals": {"types": ["proposal.*", "deal.created"]},
        "shop": {"channels": "shop"},
        "all": {},
    }

    def register(name: str, terms: dict[str, Any]) -> None:
        @client.on_event(**terms)
        async def note(event: Event) -> None:
            called.append((name, event.type))

    for name, terms in routes.items():
        register(name, terms)
    gateway = FakeGateway()
    gateway.put("email.received")
    gateway.put(make_event("proposal.accepted", event={"channel": {"id": "shop", "type": "app"}}))
    gateway.put("deal.created")
    await gateway.run(client)
    assert called == [
        ("mail", "email.received"),
        ("all", "email.received"),
        ("proposals", "proposal.accepted"),
        ("shop", "proposal.accepted"),
        ("all", "proposal.accepted"),
        ("proposals", "deal.created"),
        ("all", "deal.created"),
    ]
    assert gateway.acked == 3


async def test_what_fails_comes_again_until_it_is_a_dead_letter() -> None:
    client, gateway = Headgate(), FakeGateway(attempts=3)
    event = gateway.put("webhook.received")

    @client.on_event()
    async def fail(event: Event) -> None:
        raise ValueError(f"no use of {event.type}")

    await gateway.run(client)
    reason = "ValueError: no use of webhook.received"
    assert gateway.retries == [(event, reason)] * 3
    assert gateway.dead == [(event, reason)]


@pytest.mark.parametrize("after", [-1, float("nan"), "soon"])
async def test_a_wait_that_is_none_is_told_and_the_event_comes_again(after: Any) -> None:
    client, gateway = Headgate(), FakeGateway()
    gateway.put("webhook.received")
    tries = 0

    @client.on_event()
    async def fail(_: Event) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Retry(after=after)

    await gateway.run(client)
    ((_, reason),) = gateway.retries
    assert reason == f"ValueError: expected a wait of 0 seconds or more, found `{after}`"
    assert gateway.acked == 1


async def test_a_handler_that_cancels_is_tried_again_and_others_go_on() -> None:
    client, gateway, calls = Headgate(), FakeGateway(), Counter[str]()
    first, second = gateway.put("webhook.received"), gateway.put("email.received")

    @client.on_event()
    async def cancel(event: Event) -> None:
        calls[event.type] += 1
        if calls[event.type] > 1:
            return
        if event == first:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    await gateway.run(client)
    assert calls == {first.type: 2, second.type: 2}
    assert [reason for _, reason in gateway.retries] == ["the handler was cancelled"] * 2
    assert gateway.acked == 2


async def test_a_reason_is_a_text_whatever_it_was() -> None:
    client, gateway = Headgate(), FakeGateway()
    gateway.put("webhook.received")
    gateway.put("email.received")

    @client.on_event()
    async def fail(event: Event) -> None:
        if event.webhook is not None:
            raise Bury(ValueError("no use"))  # type: ignore[arg-type]
        raise Bury("a file called \udc80")

    await gateway.run(client)
    assert sorted(str(reason) for _, reason in gateway.dead) == ["a file called ?", "no use"]


@pytest.mark.parametrize(
    ("unhandled", "acked", "dead", "retries"),
    [("bury", 0, 1, 0), ("ack", 1, 0, 0), ("retry", 0, 1, 2)],
)
async def test_what_no_handler_takes_is_not_lost(
    unhandled: Any, acked: int, dead: int, retries: int
) -> None:
    client, gateway = Headgate(unhandled=unhandled), FakeGateway(attempts=2)
    gateway.put("webhook.received")

    @client.on_event(types="email.received")
    async def never(event: Event) -> None:
        raise AssertionError(event)

    await gateway.run(client)
    assert (gateway.acked, len(gateway.dead), len(gateway.retries)) == (acked, dead, retries)


async def test_settling_by_hand_retries_and_buries_and_does_so_from_any_thread(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, gateway = Headgate(), FakeGateway()
    sent = gateway.put("webhook.received")

    @client.on_event(settle="manual")
    async def settle(event: Event) -> None:
        assert event.delivery is not None
        match event.delivery.attempt:
            case 1:
                await event.retry(after=0.01, reason="busy")
            case 2:
                await asyncio.to_thread(event.retry, reason="elsewhere")
            case _:
                await asyncio.to_thread(event.bury, "no use")
                event.ack()

    await gateway.run(client)
    assert gateway.retries == [(sent, "busy"), (sent, "elsewhere")]
    assert gateway.dead == [(sent, "no use")]
    assert gateway.acked == 0
    assert "is already settled (bury): `ack` changes nothing" in caplog.text


async def test_an_event_that_cannot_be_read_comes_again_and_others_are_handled() -> None:
    client, gateway, seen = Headgate(), FakeGateway(attempts=2), []
    bad = make_event("webhook.received")
    object.__setattr__(bad, "raw", {**bad.raw, "created_at": "yesterday"})
    gateway.put(bad)
    good = gateway.put("webhook.received")

    @client.on_event()
    async def note(event: Event) -> None:
        seen.append(event.id)

    await gateway.run(client)
    assert seen == [good.id]
    ((_, reason),) = gateway.dead
    assert reason is not None
    assert "`created_at`: expected an ISO 8601 time, found `yesterday`" in reason


async def test_an_attachment_without_a_client_says_so() -> None:
    attachment = {"filename": "a.txt", "content_type": "text/plain", "size_bytes": 1}
    email = make_event("email.received", attachments=[attachment]).email
    assert email is not None
    with pytest.raises(HeadgateError, match=r"attachment `a.txt` came with no client"):
        await email.attachments[0].read()
