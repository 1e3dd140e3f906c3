"""Where the key goes, what is read of attachments, and what the library logs of it."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import warnings
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from headgate import ConfigurationError, Event, Headgate, HeadgateError, Refused
from headgate._address import Address
from headgate._consume.verdict import REASON_BYTES_MAX, bury
from headgate._http import _content
from headgate.testing import make_event

SECRET = "a-secret-0123456789"


@asynccontextmanager
async def server(answer: Callable[[], bytes]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers everything so; answers its URL and what it is asked."""
    asked: list[bytes] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer())
        writer.close()

    listening = await asyncio.start_server(meet, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()[:2]
    yield f"http://{host}:{port}", asked
    listening.close()


def ok(content: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    return head % len(content) + content


async def test_a_redirect_is_not_followed_and_takes_no_key_anywhere() -> None:
    async with server(lambda: ok(b"{}")) as (elsewhere, others):

        def redirect() -> bytes:
            location = f"location: {elsewhere}/v1/events\r\n".encode()
            lines = b"HTTP/1.1 307 Temporary Redirect\r\nconnection: close\r\n"
            return lines + location + b"content-length: 0\r\n\r\n"

        async with server(redirect) as (gateway, ours):
            client = Headgate(url=gateway, key=SECRET, subscription="agent")

            @client.on_event()
            async def never(event: Event) -> None:
                raise AssertionError(event)

            with pytest.raises(Refused) as refused:
                await client.get_event("01KAJ3V3W2N9E6W0V8R3M5T7QZ")
            assert refused.value.status == 307
            with pytest.raises(Refused):
                await asyncio.wait_for(client.run(), 10)
            await client.close()
            assert all(SECRET.encode() in one for one in ours)
            assert len(ours) >= 2
    assert others == []


async def test_an_attachment_is_read_of_the_gateway_with_the_key_and_of_others_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    ours_answer, theirs_answer = ok(b"ours"), ok(b"theirs")
    async with (
        server(lambda: theirs_answer) as (elsewhere, others),
        server(lambda: ours_answer) as (gateway, ours),
    ):
        client = Headgate(url=gateway, key=SECRET)
        read = client._http.bytes_of
        assert await read("/v1/a?signature=s1gned") == b"ours"
        assert await read(f"{gateway}/v1/a?signature=s1gned") == b"ours"
        assert await read(f"{elsewhere}/a?signature=s1gned") == b"theirs"
        authority = elsewhere.removeprefix("http://")
        with pytest.raises(ConfigurationError, match="a path that begins with `/`"):
            await read(f"@{authority}/a")
        assert await read(f"{gateway}@{authority}/a") == b"theirs"
        await client.close()
        assert sum(SECRET.encode() in one for one in ours) == 2
        assert not any(SECRET.encode() in one for one in others)
    # The library logs what it asks for, and whoever reads a signed URL there could read the file.
    assert f"GET {gateway}/v1/a" in caplog.text
    assert "s1gned" not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("url", "whole", "is_ours"),
    [
        ("/v1/a?s=1", "http://gw.example/v1/a?s=1", True),
        ("//evil.example/x", "http://gw.example//evil.example/x", True),
        ("http://GW.example/v1/a", "http://GW.example/v1/a", True),
        ("https://gw.example/v1/a", "https://gw.example/v1/a", False),
        ("http://gw.example:81/a", "http://gw.example:81/a", False),
        ("http://gw.example@evil/a", "http://gw.example@evil/a", False),
        ("http://gw.example.evil/a", "http://gw.example.evil/a", False),
    ],
)
def test_the_key_goes_to_the_gateway_alone(url: str, whole: str, is_ours: bool) -> None:
    assert Address("http://gw.example/base/").resolve(url) == (whole, is_ours)


@pytest.mark.parametrize(
    "url", ["@evil.example/x", "evil.example/x", ".evil.example/x", "", "ftp://gw.example/x"]
)
def test_what_is_neither_a_path_nor_a_url_is_asked_for_nowhere(url: str) -> None:
    with pytest.raises(ConfigurationError, match="a path that begins with `/`"):
        Address("http://gw.example").resolve(url)


def attached(url: str, content: bytes) -> Event:
    attachment = {
        "filename": "a.txt",
        "content_type": "text/plain",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "url": url,
    }
    return make_event("email.received", attachments=[attachment], event={"id": "0" * 26})


async def read_of(answers: dict[str, list[httpx.Response]]) -> tuple[bytes, list[str]]:
    """Reads the attachment of an event; answers what it holds and what was asked for it."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return answers[request.url.path].pop(0)

    client = Headgate(url="http://gateway")
    client._attach(httpx.MockTransport(answer))
    async with client:
        event = await client.get_event("0" * 26)
        assert event.email is not None
        return await event.email.attachments[0].read(), asked


def shown(event: Event) -> httpx.Response:
    return httpx.Response(200, json=dict(event.raw))


async def test_a_url_that_has_run_out_is_asked_for_anew() -> None:
    over = {"error": {"code": "link_expired", "message": "it has run out"}}
    path = f"/v1/events/{'0' * 26}"
    answers = {
        path: [shown(attached("/old", b"hello")), shown(attached("/new", b"hello"))],
        "/old": [httpx.Response(403, json=over)],
        "/new": [httpx.Response(200, text="hello")],
    }
    assert await read_of(answers) == (b"hello", [path, "/old", path, "/new"])


async def test_bytes_that_are_not_what_the_digest_says_are_no_attachment() -> None:
    path = f"/v1/events/{'0' * 26}"
    answers = {path: [shown(attached("/a", b"hello"))], "/a": [httpx.Response(200, text="hallo")]}
    with pytest.raises(HeadgateError, match=r"attachment `a.txt` is not what its digest says"):
        await read_of(answers)


def test_a_reason_is_cut_by_bytes_and_stays_text() -> None:
    reason = bury("\u00e4" * 2000).reason
    assert reason == "\u00e4" * (REASON_BYTES_MAX // 2)
    assert bury("x" + "\U0001f600" * 2000).reason == "x" + "\U0001f600" * 249
    # What JSON writes with one byte for a byte stays so.
    assert len(_content(reason)) == REASON_BYTES_MAX + 2


def test_text_that_is_none_is_told_before_it_is_sent() -> None:
    with pytest.raises(ConfigurationError, match="half a surrogate pair"):
        _content({"payload": "\udc80"})


class Emitting(BaseHTTPRequestHandler):
    """Takes events, and keeps its connections open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        answer = b'{"id": "1", "event_id": "p", "duplicate": false}'
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_client_may_be_used_by_one_loop_after_another() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Emitting) as listening, ThreadPoolExecutor() as pool:
        pool.submit(listening.serve_forever)
        client = Headgate(url=f"http://127.0.0.1:{listening.server_port}")
        emitted = [asyncio.run(client.emit("proposal.received")) for _ in range(2)]
        asyncio.run(client.close())
        listening.shutdown()
    with warnings.catch_warnings():
        # What the first loop left open is closed when it is collected, which tells of that.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    assert [one.id for one in emitted] == ["1", "1"]
