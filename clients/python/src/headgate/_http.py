"""Calls of the API: one request, its answer as JSON, its refusal as an error."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import httpx

from ._address import Address, Key
from ._backoff import Backoff
from ._errors import (
    ConfigurationError,
    GatewayUnreachable,
    IncompatibleServer,
    Refused,
    refusal,
)

TIMEOUT = 30.0
TRIES = 4

# Whether the request that is under way is one of ours.
_is_ours: ContextVar[bool] = ContextVar("headgate_request", default=False)


class _WithoutQueries(logging.Filter):
    """The library logs each URL, and the query of a signed one opens what it names."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_ours.get() and isinstance(record.args, tuple):
            bare = (a.copy_with(query=None) if isinstance(a, httpx.URL) else a for a in record.args)
            record.args = tuple(bare)
        return True


logging.getLogger("httpx").addFilter(_WithoutQueries())


class Http:
    """The calls to one gateway. Connections are kept; nothing follows a redirect."""

    def __init__(
        self, address: Address, key: Key, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._address = address
        self._key = key
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        wait: float = 0.0,
    ) -> Any:
        """The JSON of a 2xx; everything else is an error. `wait` is what the call asks to wait."""
        content = None if body is None else _content(body)
        headers = self._key.headers()
        if content is not None:
            headers["Content-Type"] = "application/json"
        url = self._address.base + path
        answer = await self._send(
            method, url, headers, content=content, query=query, timeout=TIMEOUT + wait
        )
        if not answer.is_success:
            raise of_answer(answer.status_code, answer.headers, answer.content)
        if not answer.content:
            return None
        try:
            return json.loads(answer.content)
        except ValueError:
            raise IncompatibleServer(
                f"expected JSON of `{url}`, found `{answer.headers.get('content-type', '')}`"
            ) from None

    async def call_again(self, method: str, path: str, **arguments: Any) -> Any:
        """The same for calls that may be made twice: what may pass is tried a few times."""
        backoff = Backoff()
        for _ in range(TRIES - 1):
            try:
                return await self.call(method, path, **arguments)
            except (GatewayUnreachable, Refused) as error:
                if not error.try_again:
                    raise
                await asyncio.sleep(backoff.next(getattr(error, "retry_after", None)))
        return await self.call(method, path, **arguments)

    async def bytes_of(self, url: str) -> bytes:
        """The bytes at a signed URL. The key goes to the gateway alone."""
        absolute, is_ours = self._address.resolve(url)
        headers = self._key.headers() if is_ours else {}
        answer = await self._send("GET", absolute, headers)
        if not answer.is_success:
            raise of_answer(answer.status_code, answer.headers, answer.content)
        return answer.content

    async def close(self) -> None:
        """Closes the connections."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        *,
        content: bytes | None = None,
        query: Mapping[str, Any] | None = None,
        timeout: float = TIMEOUT,
    ) -> httpx.Response:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            # The connections of another loop, as of an `asyncio.run` before, are of no use here.
            self._client = httpx.AsyncClient(transport=self._transport)
            self._loop = loop
        limits = httpx.Timeout(timeout, connect=10.0)
        token = _is_ours.set(True)
        try:
            return await self._client.request(
                method, url, headers=headers, content=content, params=query, timeout=limits
            )
        except httpx.TimeoutException:
            where = self._address.base
            raise GatewayUnreachable(f"no answer of `{where}` within {timeout:.0f} s") from None
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise GatewayUnreachable(f"cannot reach `{self._address.base}`: {reason}") from None
        finally:
            _is_ours.reset(token)


def _content(body: Any) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ConfigurationError(
            "expected text that UTF-8 can write, found half a surrogate pair"
        ) from None


def of_answer(status: int, headers: Mapping[str, str], content: bytes) -> Refused:
    """The error that an answer tells of; its code is empty when no gateway wrote it."""
    try:
        error = json.loads(content)["error"]
        code, message = str(error["code"]), str(error["message"])
        request_id = error.get("request_id")
    except (ValueError, KeyError, TypeError, AttributeError):
        code, request_id = "", None
        message = "the answer is none of a gateway; is the URL right?"
    return refusal(status, code, message, request_id, _seconds(headers.get("retry-after")))


def _seconds(text: str | None) -> float | None:
    # The other form, a date, is left to our own waits.
    return float(text) if text is not None and text.strip().isdecimal() else None
