"""What a client is told about consuming, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from ._consume.lines import Transport
from ._errors import ConfigurationError

CONCURRENCY_MAX = 1000
LEASE_SECONDS_MAX = 12 * 3600.0


@dataclass(frozen=True)
class Settings:
    """How a subscription is consumed."""

    subscription: str | None
    concurrency: int
    lease_ms: int
    handler_timeout: float | None
    drain_timeout: float
    transport: Transport

    @classmethod
    def of(
        cls,
        *,
        subscription: str | None,
        concurrency: int,
        lease: float | timedelta,
        handler_timeout: float | timedelta | None,
        drain_timeout: float | timedelta,
        transport: Transport,
    ) -> Settings:
        """The settings, or a `ConfigurationError` that says which is wrong."""
        if subscription is not None and not (isinstance(subscription, str) and subscription):
            raise _wrong("subscription", "its name", subscription)
        is_number = isinstance(concurrency, int) and not isinstance(concurrency, bool)
        if not is_number or not 1 <= concurrency <= CONCURRENCY_MAX:
            raise _wrong("concurrency", f"1 to {CONCURRENCY_MAX}", concurrency)
        if transport not in get_args(Transport):
            raise _wrong("transport", "`auto`, `websocket` or `poll`", transport)
        lease_s = _seconds("lease", lease, LEASE_SECONDS_MAX)
        timeout = None
        if handler_timeout is not None:
            timeout = _seconds("handler_timeout", handler_timeout, 1e9)
        drain = _seconds("drain_timeout", drain_timeout, 1e9)
        lease_ms = max(round(lease_s * 1000), 1)
        return cls(subscription, concurrency, lease_ms, timeout, drain, transport)


def _seconds(name: str, value: float | timedelta, most: float) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    least_is_open = name != "drain_timeout"
    if not is_number or not 0 <= seconds <= most or (least_is_open and seconds == 0):
        raise _wrong(name, f"seconds up to {most:g}, or a `timedelta`", value)
    return float(seconds)


def _wrong(name: str, expected: str, found: object) -> ConfigurationError:
    return ConfigurationError(f"`{name}`: expected {expected}, found `{str(found)[:80]}`")
