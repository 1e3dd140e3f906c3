"""Gateways of other ages, and what is none: each is told apart, and final."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

import pytest
from websockets.asyncio.server import ServerConnection, serve

from headgate import Event, GatewayUnreachable, Headgate, IncompatibleServer, NotFound
from headgate._consume import stream
from headgate._consume.verdict import ACK, Batch
from headgate.testing import make_event

HELLO = {"type": "hello", "connection_id": "c1", "server": "headgate/9.9.9", "mood": "good"}
DELIVERY = {
    "id": "agent.1.1.1",
    "subscription": "agent",
    "attempt": 1,
    "lease_expires_at": "2999-01-01T00:00:00Z",
}


@asynccontextmanager
async def gateway_that_says(*frames: Any) -> AsyncIterator[tuple[str, list[Any]]]:
    """A server that says this and listens; answers its URL and what it heard."""
    heard: list[Any] = []

    async def speak(socket: ServerConnection) -> None:
        for frame in frames:
            await socket.send(frame if isinstance(frame, str) else json.dumps(frame))
        async for text in socket:
            heard.append(json.loads(text))

    async with serve(speak, "127.0.0.1", 0) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]
        yield f"http://{host}:{port}", heard


def client_of(url: str, then: Callable[[Headgate, Event], None]) -> Headgate:
    client = Headgate(url=url, subscription="agent", transport="websocket", drain_timeout=0)

    @client.on_event()
    async def note(event: Event) -> None:
        then(client, event)

    return client


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([{"type": "welcome"}], "expected the frame `hello` first, found another"),
        (["hello"], "expected JSON in a frame"),
        ([HELLO, []], "expected a JSON object in a frame"),
        (
            [HELLO, {"schema": "headgate.event.v2"}],
            "found `headgate.event.v2`: the gateway is newer",
        ),
        ([HELLO, {"schema": "headgate.event.v1"}], "what came is no event"),
    ],
)
async def test_what_this_package_cannot_speak_with_is_final(frames: list[Any], said: str) -> None:
    async with gateway_that_says(*frames) as (url, _):
        client = client_of(url, lambda client, _: client.stop())
        with pytest.raises(Exception, match=said) as raised:
            await client.run()
        assert not getattr(raised.value, "try_again", True)
        await client.close()


async def test_frames_and_fields_of_a_later_gateway_are_passed_over() -> None:
    made = make_event("webhook.received", body_encoding="cbor").raw
    words = {
        "origin": "rehearsal",
        "channel": {"id": "in", "type": "fax"},
        "verification": {"verdict": "attested", "method": "stamp", "covers": "page"},
    }
    event = {**made, **words, "delivery": {**DELIVERY, "zone": "eu"}, "new": 1, "server": {}}
    later = [{"type": "weather", "sun": True}, {"type": "lagged", "missed": None}, event]
    async with gateway_that_says(HELLO, *later) as (url, _):
        seen: list[Event] = []

        def note(client: Headgate, event: Event) -> None:
            seen.append(event)
            client.stop()

        client = client_of(url, note)
        await client.run()
        await client.close()
    (found,) = seen
    assert found.raw["new"] == 1
    assert found.delivery is not None
    assert found.delivery.attempt == 1
    assert (found.origin, found.channel.type) == ("rehearsal", "fax")
    assert (found.verification.verdict, found.verification.covers) == ("attested", "page")
    assert found.webhook is not None
    assert found.webhook.body_encoding == "cbor"


@pytest.mark.parametrize("transport", ["auto", "poll"])
async def test_what_answers_and_is_no_gateway_is_told_apart_and_final(
    transport: Literal["auto", "poll"],
) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\n<html>")
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    client = Headgate(url=f"http://{host}:{port}", subscription="agent", transport=transport)

    @client.on_event()
    async def never(event: Event) -> None:
        raise AssertionError(event)

    with pytest.raises(NotFound, match=r"none of a gateway; is the URL right\?"):
        await client.run()
    await client.close()
    server.close()


def test_an_incompatible_server_is_not_worth_another_try() -> None:
    assert not IncompatibleServer("x").try_again


class Stuck:
    """A socket whose other side reads nothing any more."""

    def __init__(self) -> None:
        self.transport = self
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True

    async def send(self, _: str) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("last", "given"),
    [("drain", []), ("release", [["d1"]]), ("say", [Batch(verdicts=[("d1", ACK)])]), ("close", [])],
)
async def test_a_gateway_that_takes_nothing_holds_up_no_stop(
    last: str, given: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Symptom: `run` never returned from a stop while the gateway stood still. Cause: what was sent
    # last waited for room in the socket without end. Fix: it waits for seconds, and ends the line.
    monkeypatch.setattr(stream, "PARTING_MAX", 0.01)
    monkeypatch.setattr(stream, "SILENCE_MAX", 0.01)
    stuck = Stuck()
    line = stream.Stream(cast(Any, stuck), {**HELLO, "takes": ["drain", "release"]})
    ends = asyncio.wait_for(getattr(line, last)(*given), 10)
    if last == "close":
        await ends
    else:
        with pytest.raises(GatewayUnreachable, match="the gateway took nothing for"):
            await ends
    assert stuck.is_aborted
