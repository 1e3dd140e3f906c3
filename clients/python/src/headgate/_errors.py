"""Why something did not work, and whether it is worth trying again."""

from __future__ import annotations

from datetime import timedelta

from ._consume.verdict import milliseconds

_FAULTS_FROM = 500


class HeadgateError(Exception):
    """Whatever goes wrong here; `try_again` says whether the same may succeed after a while."""

    try_again: bool = False


class ConfigurationError(HeadgateError, ValueError):
    """A client was made of what cannot be: the message says what was expected and found."""


class GatewayUnreachable(HeadgateError):
    """Nobody answered, or the line broke."""

    try_again = True


class IncompatibleServer(HeadgateError):
    """What answers speaks another version of the protocol, or is no gateway."""


class MalformedEvent(HeadgateError):
    """What came as an event is none."""


class Refused(HeadgateError):
    """The gateway answered with a refusal: its status, its stable code and its sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}" if code else f"{status}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.retry_after = retry_after
        self.try_again = status in (408, 425, 429) or status >= _FAULTS_FROM


class Unauthorized(Refused):
    """The key is missing, wrong, or lacks the scope: asking again is of no use."""


class NotFound(Refused):
    """What was named does not exist."""


class Invalid(Refused):
    """What was sent is not what the gateway takes."""


class Conflict(Refused):
    """It contradicts what is stored."""


class Retry(Exception):
    """Raised by a handler: give the event again, after a while of your choice.

    `after` is seconds or a `timedelta`; without it the policy of the subscription decides. What
    is neither, or less than nothing, is a `ValueError`.
    """

    def __init__(self, after: float | timedelta | None = None, reason: str | None = None) -> None:
        super().__init__(reason or "the handler asked for another try")
        milliseconds(after)
        self.after = after
        self.reason = reason


class Bury(Exception):
    """Raised by a handler: never give the event again, and keep it as a dead letter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refusal(
    status: int, code: str, message: str, request_id: str | None, retry_after: float | None
) -> Refused:
    """The error that fits a status."""
    kinds: dict[int, type[Refused]] = {
        401: Unauthorized,
        403: Unauthorized,
        404: NotFound,
        409: Conflict,
        410: NotFound,
        400: Invalid,
        413: Invalid,
        422: Invalid,
    }
    kind = kinds.get(status, Refused)
    return kind(status, code, message, request_id=request_id, retry_after=retry_after)
