"""What comes while a client stops, stops from elsewhere, and streams that are refused."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from headgate import Conflict, Event, Headgate
from headgate._consume.line import Heard
from headgate._consume.lines import Lines
from headgate.testing import FakeGateway, make_event

HELLO = {"type": "hello", "server": "headgate/9.9.9"}
TAKES = ["ack", "retry", "extend", "bury", "release", "drain"]


def delivered(number: int) -> dict[str, Any]:
    delivery = {
        "id": f"agent.1.{number}.1",
        "subscription": "agent",
        "attempt": 1,
        "lease_expires_at": "2999-01-01T00:00:00Z",
    }
    return {**make_event("webhook.received").raw, "delivery": delivery}


class Gateway:
    """Delivers one event, and another one late; notes what it hears on streams and by calls."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self._hello = hello
        self.heard: list[dict[str, Any]] = []
        self.late = asyncio.Event()
        self.upgrades: list[Request] = []
        self.url = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Gateway]:
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        async with serve(self._speak, "127.0.0.1", 0) as streams:
            self._streams = next(iter(streams.sockets)).getsockname()[:2]
            host, port = server.sockets[0].getsockname()[:2]
            self.url = f"http://{host}:{port}"
            yield self
        server.close()

    async def until(self, said: dict[str, Any]) -> None:
        for _ in range(500):
            if any(said.items() <= heard.items() for heard in self.heard):
                return
            await asyncio.sleep(0.01)
        raise TimeoutError(f"{said} was not said: {self.heard}")

    async def _speak(self, socket: ServerConnection) -> None:
        await socket.send(json.dumps(self._hello))
        await socket.send(json.dumps(delivered(1)))
        late = asyncio.create_task(self._give_late(socket))
        async for text in socket:
            said = json.loads(text)
            self.heard.append(said)
            if said["type"] == "drain":
                # It was on its way.
                self.late.set()
                await late
                await socket.send(json.dumps({"type": "drained"}))
        late.cancel()

    async def _give_late(self, socket: ServerConnection) -> None:
        await self.late.wait()
        await socket.send(json.dumps(delivered(2)))

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers calls that settle, and passes streams on."""
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            back, away = await asyncio.open_connection(*self._streams)
            away.write(head)
            await asyncio.gather(pump(reader, away), pump(back, writer))
            return
        while True:
            fields = (line.split(b":", 1) for line in head.lower().split(b"\r\n") if b":" in line)
            length = int(dict(fields).get(b"content-length", 0))
            body = json.loads(await reader.readexactly(length))
            self.heard.extend({"type": "ack", "id": id_} for id_ in body.get("ack", ()))
            for verb in ("retry", "bury", "extend"):
                self.heard.extend({"type": verb, **terms} for terms in body.get(verb, ()))
            answer = b'{"settled": 1, "errors": []}'
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                return


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
    except ConnectionError:
        pass
    writer.close()


def stopping_client(
    url: str, begun: asyncio.Event, end: asyncio.Event, **terms: Any
) -> tuple[Headgate, list[str]]:
    """A client that its first event stops, and whose handler ends when it is told to."""
    client = Headgate(url=url, subscription="agent", transport="websocket", **terms)
    seen: list[str] = []

    @client.on_event()
    async def work(event: Event) -> None:
        assert event.delivery is not None
        seen.append(event.delivery.id)
        client.stop()
        begun.set()
        await end.wait()

    return client, seen


async def test_a_client_that_stops_asks_for_no_more_and_releases_what_it_did_not_begin() -> None:
    async with Gateway({**HELLO, "takes": TAKES}).listening() as gateway:
        begun, end = asyncio.Event(), asyncio.Event()
        client, seen = stopping_client(gateway.url, begun, end)
        running = asyncio.create_task(client.run())
        await gateway.until({"type": "drain"})
        await gateway.until({"type": "release", "id": "agent.1.2.1"})
        end.set()
        await asyncio.wait_for(running, 10)
        await client.close()
        assert seen == ["agent.1.1.1"]
        await gateway.until({"type": "ack", "id": "agent.1.1.1"})
        assert not [said for said in gateway.heard if said["type"] == "retry"]


async def test_what_a_gateway_that_cannot_be_asked_gives_late_is_kept_and_not_begun() -> None:
    async with Gateway(HELLO).listening() as gateway:
        begun, end = asyncio.Event(), asyncio.Event()
        client, seen = stopping_client(gateway.url, begun, end, lease=0.3)
        running = asyncio.create_task(client.run())
        await begun.wait()
        gateway.late.set()
        # Given back it would come again to the same stream, and use up its attempts.
        await gateway.until({"type": "extend", "id": "agent.1.2.1"})
        end.set()
        await asyncio.wait_for(running, 10)
        await client.close()
        assert seen == ["agent.1.1.1"]
        assert not [said for said in gateway.heard if said["type"] in ("drain", "retry")]


async def test_a_stream_that_is_settled_by_sending_is_refused_for_good() -> None:
    asked: list[Request] = []

    def refuse(socket: ServerConnection, request: Request) -> Response:
        asked.append(request)
        answer = socket.respond(HTTPStatus.CONFLICT, "")
        code = {"code": "settled_by_sending", "message": "it is on_send"}
        answer.body = json.dumps({"error": code}).encode()
        del answer.headers["content-length"]
        answer.headers["content-length"] = str(len(answer.body))
        return answer

    async def never(socket: ServerConnection) -> None:
        raise AssertionError(socket)

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]
        client = Headgate(url=f"http://{host}:{port}", subscription="agent")

        @client.on_event()
        async def note(event: Event) -> None:
            raise AssertionError(event)

        with pytest.raises(Conflict, match="settled_by_sending"):
            await asyncio.wait_for(client.run(), 10)
        await client.close()
    assert asked[0].headers["Headgate-Ack"] == "explicit"


async def test_a_stop_from_another_thread_wakes_the_client() -> None:
    client, gateway = Headgate(), FakeGateway()
    gateway.attach(client)
    begun = asyncio.Event()
    gateway.put("webhook.received")

    @client.on_event()
    async def note(_: Event) -> None:
        begun.set()

    # Then it complains of what would not wake it.
    asyncio.get_running_loop().set_debug(True)
    running = asyncio.create_task(client.run())
    await begun.wait()
    await asyncio.to_thread(client.stop)
    await asyncio.wait_for(running, 5)
    # There is nothing to stop any more.
    client.stop()
    await client.close()


async def test_a_stream_that_opens_as_its_client_is_cancelled_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Headgate(subscription="agent")
    closed: list[str] = []

    class Line:
        name = "line"
        gives_back = True
        is_leasing = False
        may_release = False

        async def receive(self) -> Heard:
            raise AssertionError

        async def close(self) -> None:
            closed.append("closed")

    async def open_(*_: object) -> Line:
        # The run is cancelled in the very turn in which this is through.
        running.cancel()
        return Line()

    monkeypatch.setattr(Lines, "open", open_)

    @client.on_event()
    async def never(event: Event) -> None:
        raise AssertionError(event)

    running = asyncio.create_task(client.run())
    with pytest.raises(asyncio.CancelledError):
        await running
    await client.close()
    assert closed == ["closed"]


async def test_a_frame_that_cannot_be_read_at_a_stop_leaves_the_others_given_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    client, gateway = Headgate(concurrency=8), FakeGateway()
    gateway.attach(client)
    first = gateway.put("webhook.received")
    seen: list[str] = []

    @client.on_event()
    async def work(event: Event) -> None:
        seen.append(event.id)
        client.stop()
        # The lease call that is under way answers only now.
        bad = make_event("webhook.received")
        object.__setattr__(bad, "raw", {**bad.raw, "schema": "headgate.event.v2"})
        gateway.put(bad)
        gateway.put("email.received")

    await asyncio.wait_for(client.run(), 10)
    await client.close()
    assert seen == [first.id]
    assert [event.type for event, _ in gateway.retries] == ["email.received"]
