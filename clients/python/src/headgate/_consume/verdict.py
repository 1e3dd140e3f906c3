"""What becomes of a delivery, and how it is written on the wire."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

RETRY_AFTER_MS_MAX = 7 * 24 * 3600 * 1000
REASON_BYTES_MAX = 1000


@dataclass(frozen=True)
class Verdict:
    """What a handler made of its event."""

    verb: Literal["ack", "retry", "bury"]
    after_ms: int | None = None
    reason: str | None = None


ACK = Verdict("ack")


def retry(after: float | timedelta | None = None, reason: str | None = None) -> Verdict:
    """Give it again, after so many seconds or as the policy says."""
    return Verdict("retry", milliseconds(after), _short(reason))


def bury(reason: str) -> Verdict:
    """Never give it again."""
    return Verdict("bury", None, _short(reason))


@dataclass
class Batch:
    """What is said of deliveries in one go."""

    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    lease_ms: int = 0

    def __bool__(self) -> bool:
        return bool(self.verdicts or self.extensions)

    def body(self) -> dict[str, Any]:
        """The body of a settle call."""
        said: dict[str, Any] = {}
        for id_, verdict in self.verdicts:
            entry = id_ if verdict.verb == "ack" else {"id": id_, **_terms(verdict)}
            said.setdefault(verdict.verb, []).append(entry)
        if self.extensions:
            said["extend"] = [{"id": id_, "lease_ms": self.lease_ms} for id_ in self.extensions]
        return said

    def frames(self) -> list[dict[str, Any]]:
        """The frames of a stream."""
        said = [{"type": v.verb, "id": id_, **_terms(v)} for id_, v in self.verdicts]
        lease = {"lease_ms": self.lease_ms}
        return said + [{"type": "extend", "id": id_, **lease} for id_ in self.extensions]


def _terms(verdict: Verdict) -> dict[str, Any]:
    terms = {"after_ms": verdict.after_ms, "reason": verdict.reason}
    return {name: value for name, value in terms.items() if value is not None}


def milliseconds(after: float | timedelta | None) -> int | None:
    """A wait as it is sent; a `ValueError` when it is none."""
    if after is None:
        return None
    seconds = after.total_seconds() if isinstance(after, timedelta) else after
    if not isinstance(seconds, (int, float)) or math.isnan(seconds) or seconds < 0:
        raise ValueError(f"expected a wait of 0 seconds or more, found `{after}`")
    return min(round(min(seconds, 1e9) * 1000), RETRY_AFTER_MS_MAX)


def _short(reason: object) -> str | None:
    if reason is None:
        return None
    # Half a surrogate pair (a file name that is no UTF-8) is a string in Python and no text in
    # JSON: the gateway would refuse all that is said with it.
    text = str(reason)[:REASON_BYTES_MAX].encode("utf-8", "replace")
    return text[:REASON_BYTES_MAX].decode("utf-8", "ignore")
