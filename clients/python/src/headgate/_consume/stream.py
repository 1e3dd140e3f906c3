"""The line over a WebSocket: events as they are, settled by frames."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlencode

import websockets
from websockets.asyncio.client import ClientConnection, connect

from .._address import Address, Key
from .._errors import GatewayUnreachable, IncompatibleServer
from .._http import of_answer
from .line import Heard, NoStream, Refusal
from .verdict import Batch

OPEN_TIMEOUT = 10.0
# One event, with a body of characters that JSON writes with six at worst.
FRAME_BYTES_MAX = 512 << 20
PING_EVERY = 30.0
SILENCE_MAX = 60.0
# How long the last frames of a stream may take to be taken by the gateway.
PARTING_MAX = 3.0
BEFORE_HELLO = "before its hello"

# The library logs headers when it debugs, and the key is one. Nobody can turn this logger on.
_quiet = logging.Logger("headgate.stream", level=logging.CRITICAL)


class _Connect(connect):
    """Follows no redirect: the key would go with it."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Stream:
    """An open stream of a subscription."""

    name = "websocket"
    gives_back = True

    def __init__(self, socket: ClientConnection, hello: dict[str, Any]) -> None:
        self._socket = socket
        self.server = str(hello.get("server", "unknown"))
        takes = hello.get("takes")
        self.may_release = isinstance(takes, list) and {"drain", "release"} <= set(takes)
        self.is_leasing = False

    @classmethod
    async def open(
        cls, address: Address, key: Key, subscription: str, concurrency: int, lease_ms: int
    ) -> Stream:
        """Connects and hears the hello."""
        terms = {"max_in_flight": concurrency, "lease_ms": lease_ms}
        query = urlencode({"subscription": subscription, **terms})
        try:
            socket = await _Connect(
                address.web_socket(f"/v1/stream?{query}"),
                # Where sending settles, an event would be lost when its handler fails: such a
                # stream is refused.
                additional_headers={**key.headers(), "Headgate-Ack": "explicit"},
                compression=None,
                logger=_quiet,
                max_size=FRAME_BYTES_MAX,
                open_timeout=OPEN_TIMEOUT,
                ping_interval=PING_EVERY,
                ping_timeout=SILENCE_MAX,
                close_timeout=PARTING_MAX,
            )
        except websockets.InvalidStatus as refused:
            raise _refusal(refused) from None
        except websockets.InvalidMessage:
            # Whoever answered went away meanwhile: a gateway that stops does, too.
            raise GatewayUnreachable(f"`{address.base}` closed {BEFORE_HELLO}") from None
        except websockets.InvalidHandshake as error:
            raise NoStream(str(error)) from None
        except (OSError, asyncio.TimeoutError, EOFError, websockets.WebSocketException) as error:
            reason = str(error) or "no answer in time"
            raise GatewayUnreachable(f"cannot reach `{address.base}`: {reason}") from None
        try:
            return cls(socket, await _hello(socket))
        except BaseException:
            await socket.close()
            raise

    async def receive(self) -> Heard:
        """The next frame that means something."""
        while True:
            try:
                text = await self._socket.recv()
            except websockets.ConnectionClosed as closed:
                raise GatewayUnreachable(f"the stream ended: {_said(closed)}") from None
            frame = _json(text)
            if not isinstance(frame, dict):
                raise IncompatibleServer("expected a JSON object in a frame, found another value")
            if "schema" in frame:
                return Heard(events=(frame,))
            if frame.get("type") == "error":
                delivery = frame.get("id")
                code, message = str(frame.get("code", "")), str(frame.get("message", ""))
                return Heard(refusals=(Refusal(delivery, code, message),))
            if frame.get("type") == "drained":
                self.is_leasing = False
                return Heard(is_last=True)

    async def say(self, batch: Batch) -> list[Refusal] | None:
        """Sends a frame for each."""
        await self._send(batch.frames(), SILENCE_MAX)
        return None

    async def drain(self) -> None:
        """Asks for no more deliveries, where the gateway knows how to be asked."""
        if self.may_release:
            self.is_leasing = True
            await self._send([{"type": "drain"}], PARTING_MAX)

    async def release(self, deliveries: list[str]) -> None:
        """Lets go of deliveries that were never begun: it costs no attempt."""
        frames = [{"type": "release", "id": id_} for id_ in deliveries]
        await self._send(frames, PARTING_MAX)

    async def _send(self, frames: list[dict[str, Any]], within: float) -> None:
        """Ends the stream when the gateway does not take them: it waits for pings as little."""
        try:
            await asyncio.wait_for(self._send_all(frames), within)
        except websockets.ConnectionClosed as closed:
            raise GatewayUnreachable(f"the stream ended: {_said(closed)}") from None
        except asyncio.TimeoutError:
            self._socket.transport.abort()
            raise GatewayUnreachable(f"the gateway took nothing for {within:g} s") from None

    async def _send_all(self, frames: list[dict[str, Any]]) -> None:
        for frame in frames:
            await self._socket.send(json.dumps(frame, ensure_ascii=False))

    async def close(self) -> None:
        """Takes leave; the gateway gives back what was not settled."""
        try:
            await asyncio.wait_for(self._socket.close(), 2 * PARTING_MAX)
        except asyncio.TimeoutError:
            self._socket.transport.abort()


async def _hello(socket: ClientConnection) -> dict[str, Any]:
    try:
        text = await asyncio.wait_for(socket.recv(), OPEN_TIMEOUT)
    except websockets.ConnectionClosed as closed:
        raise GatewayUnreachable(f"the stream ended {BEFORE_HELLO}: {_said(closed)}") from None
    except asyncio.TimeoutError:
        raise GatewayUnreachable("the stream did not begin: no hello in time") from None
    hello = _json(text)
    if not isinstance(hello, dict) or hello.get("type") != "hello":
        raise IncompatibleServer(
            "expected the frame `hello` first, found another: what answers is no gateway, or one "
            "of another version"
        )
    return hello


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise IncompatibleServer("expected JSON in a frame, found something else") from None


def _refusal(refused: websockets.InvalidStatus) -> Exception:
    answer = refused.response
    error = of_answer(answer.status_code, answer.headers, bytes(answer.body or b""))
    if error.code == "upgrade_required":
        return NoStream("the upgrade does not arrive")
    is_ours = error.code or error.status in (401, 403) or error.try_again
    return error if is_ours else NoStream(f"the upgrade was answered {error.status}")


def _said(closed: websockets.ConnectionClosed) -> str:
    frame = closed.rcvd
    return f"{frame.code} {frame.reason}".strip() if frame else "the connection was lost"
