"""For the tests of your handlers: events of every type, and a gateway without a socket.

async def test_a_complaint_is_answered() -> None:
    gateway = FakeGateway()
    gateway.put(make_event("email.received", subject="Printer on fire"))
    await gateway.run(client)
    assert gateway.acked == 1
"""

from ._gateway import FakeGateway
from ._make import load_event, make_event

__all__ = ["FakeGateway", "load_event", "make_event"]
