"""The examples, run against the real program with samples that it signs itself."""

from __future__ import annotations

import asyncio
import importlib
import os
import smtplib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from headgate import Event, Headgate
from headgate.testing import FakeGateway, make_event

from .gateway import KEY, Gateway, binary

EXAMPLES = Path(__file__).parents[3] / "examples"
SECRET = "a-secret-of-the-examples"

CHANNELS = f"""
[[channel]]
id = "billing"
type = "webhook"
provider = "stripe"
secrets = [{{ insecure_inline = "{SECRET}" }}]

[[channel]]
id = "team"
type = "slack"
signing_secrets = [{{ insecure_inline = "{SECRET}" }}]

[email]
listen = "127.0.0.1:0"
hostname = "in.example.com"

[[channel]]
id = "support"
type = "email"
addresses = ["support@in.example.com"]
require = "none"

[[subscription]]
name = "mail"
channels = ["support"]
start = "earliest"

[[channel]]
id = "timers"
type = "cron"

[[channel.schedule]]
name = "nightly"
cron = "0 3 * * *"

[[subscription]]
name = "billing"
channels = ["billing"]
start = "earliest"

[[subscription]]
name = "team"
channels = ["team"]
start = "earliest"

[[subscription]]
name = "reports"
channels = ["timers"]
start = "earliest"
"""


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports an example by its name."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield importlib.import_module
    for path in EXAMPLES.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    started = Gateway(tmp_path, CHANNELS)
    started.start()
    yield started
    started.kill()


def headgate(*arguments: str, url: str = "") -> None:
    """Runs a command of the program."""
    environment = {**os.environ, "SECRET": SECRET, "HEADGATE_KEY": KEY, "HEADGATE_URL": url}
    subprocess.run([binary(), *arguments], check=True, env=environment, capture_output=True)


async def run_until(client: Headgate, done: asyncio.Event) -> None:
    running = asyncio.create_task(client.run())
    await asyncio.wait_for(done.wait(), 60)
    client.stop()
    await running
    await client.close()


async def test_mentions_are_answered_in_their_thread(examples: Any, gateway: Gateway) -> None:
    to = f"{gateway.url}/v1/slack/team"
    headgate("send", "slack", "message", "--to", to, "--secret-env", "SECRET")
    headgate("send", "slack", "app_mention", "--to", to, "--secret-env", "SECRET")
    model, posted, done = examples("model").MadeUp("Of course."), [], asyncio.Event()

    class Poster:
        async def post(self, channel: str, thread: str, text: str) -> None:
            posted.append((channel, thread, text))
            done.set()

    client = Headgate(url=gateway.url, key=KEY, subscription="team", concurrency=1)
    examples("slack_thread").answer_mentions(client, model, Poster())
    await run_until(client, done)
    ((channel, thread, text),) = posted
    assert channel.startswith("C")
    assert float(thread) > 0
    assert text == "Of course."
    assert "app_mention" in model.prompts[0] or "mention" in model.prompts[0]


async def test_customers_are_kept_in_step_whatever_the_order(
    examples: Any, gateway: Gateway
) -> None:
    to = f"{gateway.url}/v1/webhook/billing"
    headgate("send", "stripe", "customer.created", "--to", to, "--secret-env", "SECRET")
    database, done = sqlite3.connect(":memory:"), asyncio.Event()
    client = Headgate(url=gateway.url, key=KEY, subscription="billing")
    examples("stripe_customers").sync_customers(client, database)

    @client.on_event()
    async def after(_: Any) -> None:
        done.set()

    await run_until(client, done)
    ((customer, email),) = database.execute("select id, email from customer").fetchall()
    assert customer.startswith("cus_")

    # An older event comes last, as Stripe's may.
    fake, again = FakeGateway(), Headgate()
    examples("stripe_customers").sync_customers(again, database)
    old = {"id": customer, "email": "old@example.com"}
    body = {"created": 1, "data": {"object": old}}
    named = {"provider_event": "customer.updated"}
    fake.put(make_event("webhook.received", body=body, event=named))
    new = {"created": 4_000_000_000, "data": {"object": {"id": customer, "email": None}}}
    gone = {"provider_event": "customer.deleted"}
    fake.put(make_event("webhook.received", body=new, event=gone))
    fake.put(make_event("webhook.received", body=body, event=named))
    await fake.run(again)
    rows = database.execute("select id, email, is_deleted from customer").fetchall()
    database.close()
    assert rows == [(customer, None, 1)]
    assert email != "old@example.com"


async def test_mail_of_people_is_answered_and_of_programs_not(
    examples: Any, gateway: Gateway
) -> None:
    for subject, headers in (("Out of office", {"Auto-Submitted": "auto-replied"}), ("Fire", {})):
        message = EmailMessage()
        message["From"], message["To"] = "alice@example.com", "support@in.example.com"
        message["Subject"], message["Message-ID"] = subject, f"<{subject[:4]}@example.com>"
        for name, value in headers.items():
            message[name] = value
        message.set_content("The printer burns.")
        picture = bytes(range(256)) * 5
        message.add_attachment(picture, maintype="image", subtype="png", filename="fire.png")
        host, port = gateway.mail_address.split(":")
        with smtplib.SMTP(host, int(port)) as server:
            server.send_message(message)
    model, sent, read, done = examples("model").MadeUp("We are on it."), [], [], asyncio.Event()

    class Outbox:
        async def send(self, message: EmailMessage) -> None:
            sent.append(message)

    client = Headgate(url=gateway.url, key=KEY, subscription="mail", concurrency=1)
    examples("answer_email").answer_mail(client, model, Outbox())

    @client.on_event()
    async def look(event: Event) -> None:
        assert event.email is not None
        read.append(await event.email.attachments[0].read())
        if len(read) == 2:
            done.set()

    await run_until(client, done)
    (reply,) = sent
    assert reply["From"] == "support@in.example.com"
    assert reply["To"] == "alice@example.com"
    assert reply["Subject"] == "Re: Fire"
    assert reply["In-Reply-To"] == "<Fire@example.com>"
    assert reply.get_content() == "We are on it.\n"
    assert "The printer burns." in model.prompts[0]
    assert read == [picture, picture]


async def test_a_night_is_reported_once(examples: Any, gateway: Gateway) -> None:
    to = f"{gateway.url}/v1/webhook/billing"
    headgate("send", "stripe", "invoice.paid", "--to", to, "--secret-env", "SECRET")
    headgate("schedules", "run", "timers/nightly", url=gateway.url)
    model, done = examples("model").MadeUp("A quiet day."), asyncio.Event()
    client = Headgate(url=gateway.url, key=KEY, subscription="reports")
    examples("nightly_report").report_nightly(client, model)

    @client.on_event()
    async def after(_: Any) -> None:
        done.set()

    await run_until(client, done)
    assert len(model.prompts) == 1
    async with Headgate(url=gateway.url, key=KEY) as reader:
        (report,) = [event async for event in reader.list_events(type="report.written")]
    assert report.app is not None
    assert report.app.event_id.startswith("report-")
    assert report.app.payload["text"] == "A quiet day."
