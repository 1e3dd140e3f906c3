"""Handle the events of a Headgate gateway: write one async handler, and nothing else.

    client = Headgate(url="http://127.0.0.1:8080", key="..", subscription="agent")

    @client.on_event(types="email.received")
    async def answer(event: Event) -> None:
        print(event.prompt_ready)

    client.run_sync()

The event is acknowledged when the handler returns and comes again when it raises.
"""

from ._api import Emitted
from ._client import Headgate
from ._consume.settler import Settled
from ._data import (
    AppData,
    Attachment,
    Auth,
    AuthResult,
    AutoFlags,
    Calendar,
    Contained,
    CronData,
    EmailData,
    Envelope,
    MailHeader,
    SlackData,
    WebhookData,
)
from ._errors import (
    Bury,
    ConfigurationError,
    Conflict,
    GatewayUnreachable,
    HeadgateError,
    IncompatibleServer,
    Invalid,
    MalformedEvent,
    NotFound,
    Refused,
    Retry,
    Unauthorized,
)
from ._event import Channel, Correlation, Delivery, Event, Verification

__version__ = "0.1.0"

__all__ = [
    "AppData",
    "Attachment",
    "Auth",
    "AuthResult",
    "AutoFlags",
    "Bury",
    "Calendar",
    "Channel",
    "ConfigurationError",
    "Conflict",
    "Contained",
    "Correlation",
    "CronData",
    "Delivery",
    "EmailData",
    "Emitted",
    "Envelope",
    "Event",
    "GatewayUnreachable",
    "Headgate",
    "HeadgateError",
    "IncompatibleServer",
    "Invalid",
    "MailHeader",
    "MalformedEvent",
    "NotFound",
    "Refused",
    "Retry",
    "Settled",
    "SlackData",
    "Unauthorized",
    "Verification",
    "WebhookData",
]
