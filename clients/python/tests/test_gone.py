"""A gateway that is gone for an hour, on a clock that this turns."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from typing import Any

import pytest

from headgate import Event, Headgate
from headgate.testing import make_event

HOUR = 3600.0
STEP = 1.0
# So many turns of the loop are enough for what goes to and fro within a step.
TURNS = 20
# What proves that an upgrade was understood (RFC 6455, section 1.3).
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HELLO = {"type": "hello", "server": "headgate/9.9.9"}
ERROR = {"type": "error", "code": "unavailable", "message": "no", "id": None}
DELIVERY = {
    "id": "agent.1.1.1",
    "subscription": "agent",
    "attempt": 1,
    "lease_expires_at": "2999-01-01T00:00:00Z",
}


class Gateway:
    """Gone at first: it cuts whoever connects, or says hello, perhaps complains, and ends.

    Then it is back.
    """

    def __init__(self, how: str) -> None:
        self.tries = 0
        self.is_back = False
        self._how = how
        self._event = {**make_event("webhook.received").raw, "delivery": DELIVERY}

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.is_back or self._how != "cuts":
                while head := await reader.readuntil(b"\r\n\r\n"):
                    await self._answer(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.tries += not self.is_back
            writer.close()

    async def _answer(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        lines = (line.split(b": ", 1) for line in head.split(b"\r\n") if b": " in line)
        fields = {name.lower(): value for name, value in lines}
        if b"upgrade" in fields:
            await self._stream(fields[b"sec-websocket-key"], reader, writer)
            raise ConnectionResetError
        await reader.readexactly(int(fields.get(b"content-length", 0)))
        leased = [self._event] if b"/lease" in head else []
        body = json.dumps({"deliveries": leased, "settled": 1, "errors": []}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async def _stream(
        self, key: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        proof = base64.b64encode(hashlib.sha1(key + GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-accept: " + proof + b"\r\n\r\n" + frame(HELLO)
        )
        if self.is_back:
            writer.write(frame(self._event))
            await reader.read()
        elif self._how == "complains":
            writer.write(frame(ERROR))
            # So that it is heard of before the end.
            await asyncio.sleep(STEP)


def frame(said: Any) -> bytes:
    """A frame of text (RFC 6455, section 5.2)."""
    text = json.dumps(said).encode()
    is_short = len(text) < 126
    length = bytes([len(text)]) if is_short else b"\x7e" + len(text).to_bytes(2, "big")
    return b"\x81" + length + text


@pytest.mark.parametrize(
    ("transport", "how"),
    [("websocket", "cuts"), ("websocket", "ends"), ("websocket", "complains"), ("poll", "cuts")],
)
async def test_a_gateway_that_was_gone_for_an_hour_is_found_again(
    transport: Any, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, turned = asyncio.get_running_loop(), 0.0
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: clock() + turned)
    gateway = Gateway(how)
    server = await asyncio.start_server(gateway.meet, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    client = Headgate(url=f"http://{host}:{port}", subscription="agent", transport=transport)
    seen = []

    @client.on_event()
    async def note(event: Event) -> None:
        seen.append(event.id)
        client.stop()

    running = asyncio.create_task(client.run())
    while not running.done() and turned < 2 * HOUR:
        turned += STEP
        gateway.is_back = turned >= HOUR
        for _ in range(TURNS):
            await asyncio.sleep(0)
    await running
    await client.close()
    server.close()
    assert len(seen) == 1
    # Waits of 15 to 30 s, when they have grown: 120 to 240 in an hour, and the first ones.
    assert 60 < gateway.tries < 260
