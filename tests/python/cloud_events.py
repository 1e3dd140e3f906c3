"""The `cloudevents` package judges our CloudEvents: it writes what we take, and reads what we give.

usage: cloud_events.py URL

The gateway has no keys. Sends events in each mode, reads them again, and compares. Prints how many
were compared.
"""

import json
import sys
import urllib.request
from datetime import datetime, timezone

from cloudevents.core.bindings.http import HTTPMessage, from_structured_event, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

base = sys.argv[1]
STRUCTURED = "application/cloudevents+json"


def call(method: str, path: str, headers: dict | None = None, body: bytes | None = None):
    request = urllib.request.Request(base + path, data=body, method=method, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def event(n: int, media_type: str, data) -> CloudEvent:
    attributes = {
        "id": f"from-python-{n}", "source": "/orders/é", "type": "com.example.ordered", "subject": "a b",
        "time": datetime(2026, 1, 2, 3, 4, 5, 678000, timezone.utc), "datacontenttype": media_type,
        "note": "Euro € 100%",
    }
    return CloudEvent(attributes=attributes, data=data)


def compare(sent: CloudEvent, got: CloudEvent) -> None:
    for name, value in sent.get_attributes().items():
        assert got.get_attributes().get(name) == value, f"{name}: {got.get_attributes().get(name)!r}, sent {value!r}"
    assert got.get_data() == sent.get_data(), f"data: {got.get_data()!r}, sent {sent.get_data()!r}"


compared = 0
contents = [
    ("application/json", {"n": 1.5, "text": "ü"}), ("text/plain", "some text"),
    ("application/octet-stream", b"\x00\xff"),
]
for media_type, data in contents:
    for convert in [to_structured_event, to_binary_event]:
        sent = event(compared, media_type, data)
        message = convert(sent)
        _, answer = call("POST", "/v1/events", message.headers, message.body)
        headers, body = call("GET", f"/v1/events/{json.loads(answer)['id']}?format=cloudevents")
        assert headers["content-type"] == STRUCTURED, headers
        compare(sent, from_structured_event(HTTPMessage(headers=headers, body=body)))
        compared += 1
batch = [event(100 + n, "application/json", {"n": n}) for n in range(3)]
body = b"[" + b",".join(to_structured_event(one).body for one in batch) + b"]"
call("POST", "/v1/events", {"content-type": "application/cloudevents-batch+json"}, body)
_, page = call("GET", "/v1/events?format=cloudevents&limit=3")
for sent, got in zip(reversed(batch), json.loads(page)["events"]):
    message = HTTPMessage(headers={"content-type": STRUCTURED}, body=json.dumps(got).encode())
    compare(sent, from_structured_event(message))
    compared += 1
print(compared)
