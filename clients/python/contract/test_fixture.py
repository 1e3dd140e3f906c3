"""Events that came, as test cases: `headgate fixture` writes them and `load_event` reads them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from headgate import Event, Headgate
from headgate.testing import FakeGateway, load_event

from .gateway import KEY, Caller, Gateway, binary


def fixture(event_id: str, folder: Path, url: str) -> None:
    """Runs the command."""
    environment = {**os.environ, "HEADGATE_KEY": KEY, "HEADGATE_URL": url}
    command = [str(binary()), "fixture", event_id, "--to", str(folder)]
    subprocess.run(command, check=True, env=environment, capture_output=True)


async def test_events_that_came_are_loaded_as_they_are(
    gateway: Gateway, caller: Caller, tmp_path: Path
) -> None:
    sent = await caller.send({"price": 10, "items": [1, None, "ü"]})
    async with Headgate(url=gateway.url, key=KEY) as client:
        emitted = await client.emit("proposal.received", {"price": 12.5}, flow_id="f")
        for event_id in (sent, emitted.id):
            folder = tmp_path / event_id
            fixture(event_id, folder, gateway.url)
            assert load_event(folder) == await client.get_event(event_id)
    assert (tmp_path / sent / "event.http").is_file()


async def test_an_event_that_came_is_put_before_a_handler(
    gateway: Gateway, caller: Caller, tmp_path: Path
) -> None:
    sent = await caller.send({"price": 10})
    fixture(sent, tmp_path / "case", gateway.url)
    client, fake, seen = Headgate(), FakeGateway(), []

    @client.on_event(types="webhook.received", channels="in")
    async def note(event: Event) -> None:
        assert event.webhook is not None
        seen.append(event.webhook.body)

    fake.put(load_event(tmp_path / "case"))
    await fake.run(client)
    assert seen == [{"price": 10}]
