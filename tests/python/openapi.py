"""Judges `/openapi.json` of a running gateway with packages that nobody here wrote.

usage: openapi.py URL MAIL_ADDRESS

The gateway has no keys, one webhook channel `demo` without verification, one `billing` of Stripe with the secret
`whsec_judge`, one of mail for `support@in.example.com`, one `timers` for schedules, a folder for backups, and no subscription. The
document has to be valid, its examples have to fit their schemas, and every call in it is made: well,
and in as many wrong ways as the document lets us make up. Each answer has to be one that the document
tells of, in status, media type and shape. Prints the calls that were made as one JSON object.
"""

import email.message
import email.policy
import hashlib
import hmac
import json
import smtplib
import sys
import time
import urllib.error
import urllib.request

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

base = sys.argv[1]
made: dict[str, list[int]] = {}
faults: list[str] = []


def fetch(method: str, target: str, body: bytes | None = None, headers: dict | None = None):
    request = urllib.request.Request(base + target, data=body, method=method.upper(), headers=headers or {})
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers.get("content-type"), answer.read()


document = json.loads(fetch("get", "/openapi.json")[2])
validate(document)


def validator(schema: dict) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]}, format_checker=FormatChecker())


def fits(what: str, schema: dict, value) -> None:
    for fault in validator(schema).iter_errors(value):
        faults.append(f"{what}: {fault.json_path}: {fault.message}")


def examples(what: str, content: dict) -> None:
    for media_type, said in content.items():
        if "example" in said and "schema" in said:
            fits(f"example of {what} {media_type}", said["schema"], said["example"])


def call(method: str, path: str, target: str, body=None, headers=None):
    """Makes a call and holds its answer against the document."""
    operation = document["paths"][path][method]
    name = operation["operationId"]
    sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    status, media_type, content = fetch(method, target, sent, headers)
    what = f"{method.upper()} {target} ({name}) answered {status}"
    made.setdefault(name, []).append(status)
    said = operation["responses"].get(str(status))
    if said is None:
        faults.append(f"{what}, which is not in the document: {content[:200]!r}")
        return None
    if "content" not in said:
        if content:
            faults.append(f"{what} with a body, of which the document says nothing")
        return None
    kinds = {kind.split(";")[0]: kind for kind in said["content"]}
    kind = kinds.get((media_type or "").split(";")[0])
    if kind is None:
        faults.append(f"{what} as {media_type}, the document says {list(kinds)}")
        return None
    if kind not in ["application/json", "application/cloudevents+json"]:
        return content
    value = json.loads(content)
    fits(what, said["content"][kind]["schema"], value)
    if status >= 400 and "error" in value and value["error"]["code"] not in said["description"]:
        faults.append(f"{what} with code {value['error']['code']}, which is not in the document")
    return value


def refused(n: int) -> str:
    """Sends what is refused because it is too old, and gives the id of the rejection."""
    body = json.dumps({"id": f"evt_{n}", "type": "invoice.paid"}).encode()
    stamp = str(int(time.time()) - 3600)
    proof = hmac.new(b"whsec_judge", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    call("post", "/v1/webhook/{channel}", "/v1/webhook/billing", body, {"stripe-signature": f"t={stamp},v1={proof}"})
    for _ in range(100):
        listed = call("get", "/v1/rejections", "/v1/rejections?channel=billing&limit=1")["rejections"]
        if listed:
            return listed[0]["id"]
        time.sleep(0.05)
    sys.exit("a refused request is not in the quarantine")


def quarantine() -> None:
    one = "/v1/rejections/{id}"
    id = refused(1)
    call("get", one, f"/v1/rejections/{id}")
    call("get", f"{one}/raw", f"/v1/rejections/{id}/raw")
    call("post", f"{one}/verify", f"/v1/rejections/{id}/verify", b"")
    call("post", f"{one}/release", f"/v1/rejections/{id}/release", {"ignore_age": False})
    call("post", f"{one}/release", f"/v1/rejections/{id}/release", {"ignore_age": True})
    id = refused(2)
    release = "/v1/rejections/release"
    call("post", release, release, {"channel": "billing", "limit": 10, "dry_run": True})
    call("post", release, release, {"channel": ["billing"], "code": "timestamp_too_old"})
    call("delete", one, f"/v1/rejections/{id}")
    call("delete", "/v1/rejections", "/v1/rejections?channel=billing")


def schedules() -> None:
    all, one = "/v1/schedules", "/v1/schedules/{id}"
    ask = {"channel": "timers", "name": "weekly", "cron": "0 14 * * THU", "timezone": "America/New_York"}
    made = call("post", all, all, ask)
    call("post", all, all, ask)
    at = f"{all}/{made['id']}"
    call("put", one, at, {**ask, "cron": "0 15 * * THU", "payload": {"n": 1.5}})
    call("get", one, f"{at}?runs=3")
    call("post", all, all, {**ask, "name": "another"})
    page = call("get", all, f"{all}?limit=1&channel=timers")
    call("get", all, f"{all}?limit=1&cursor={page['next_cursor']}")
    call("post", f"{one}/pause", f"{at}/pause", b"")
    call("post", f"{one}/resume", f"{at}/resume", {"catch_up": True})
    call("post", f"{one}/run", f"{at}/run", {"idempotency_key": "a"})
    call("post", f"{one}/run", f"{at}/run", b"", {"idempotency-key": "a"})
    day = 24 * 3600
    span = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago * day)) for ago in [15, 1]]
    call("post", f"{one}/backfill", f"{at}/backfill", {"from": span[0], "to": span[1]})
    call("delete", one, at)
    call("delete", one, at)


def again(ids: list[str], event: str) -> None:
    """Gives events again: dead letters and replays, and tries filters out."""
    letters, redrive = "/v1/dead-letters", "/v1/dead-letters/redrive"
    call("post", redrive, redrive, {"subscription": "agent", "deliveries": [ids[3], ids[0]]})
    call("post", redrive, redrive, {"subscription": "agent", "events": {"filter": "data.body.n > 1"}})
    call("post", redrive, redrive, {"subscription": "agent", "edits": [{"delivery": ids[3], "body": {"n": 9}}]})
    call("delete", letters, f"{letters}?subscription=agent&delivery={ids[3]}")
    call("delete", letters, f"{letters}?subscription=agent&all=true")
    all, one = "/v1/replays", "/v1/replays/{id}"
    events = {"channels": ["demo"], "filter": "data.body.n >= 1 && exists(data.method)", "since": "2026-01-01T00:00:00Z"}
    call("post", all, all, {"subscription": "agent", "events": events, "dry_run": True})
    begun = call("post", all, all, {"subscription": "agent", "events": events, "rate": "100/s"})
    call("post", all, all, {"subscription": "agent", "ids": [event]})
    call("post", all, all, {"subscription": "agent", "ids": ["01KAJ3V3W2N9E6W0V8R3M5T7QZ"]})
    call("get", all, all)
    call("get", one, f"{all}/{begun['id']}")
    call("post", "/v1/subscriptions/{name}/lease", "/v1/subscriptions/agent/lease", {"max": 100})
    call("delete", one, f"{all}/{begun['id']}")
    call("delete", one, f"{all}/{begun['id']}")
    test = "/v1/subscriptions/{name}/test"
    call("post", test, "/v1/subscriptions/agent/test", {"events": {"filter": "data.body.n > 2"}})
    call("get", "/v1/events", "/v1/events?filter=data.body.n%20%3E%202")


def attachments() -> None:
    message = email.message.EmailMessage()
    message["From"], message["Subject"] = "ann@example.org", "a file"
    message.set_content("see the file")
    message.add_attachment(b"one,two", maintype="text", subtype="csv", filename="numbers.csv")
    with smtplib.SMTP(*sys.argv[2].split(":"), timeout=30) as server:
        server.sendmail("ann@example.org", ["support@in.example.com"], message.as_bytes(policy=email.policy.SMTP))
    event = call("get", "/v1/events", "/v1/events?type=email.received")["events"][0]
    path, raw = "/v1/events/{id}/attachments/{number}", "/v1/events/{id}/raw"
    signed = event["data"]["attachments"][0]["url"].removeprefix(base)
    assert call("get", path, signed) == b"one,two"
    call("get", raw, event["data"]["raw_url"].removeprefix(base))
    call("get", path, signed.split("?")[0])
    call("get", path, signed + "A")
    call("get", path, signed.replace("attachments/0", "attachments/7").split("?")[0])


def applications() -> None:
    """Emits in every shape, and reads the bus."""
    path = "/v1/events"
    one = {"type": "proposal.received", "event_id": "evt-1", "payload": {"n": 1}, "flow_id": "flow 1"}
    call("post", path, path, one)
    call("post", path, path, one, {"idempotency-key": "a"})
    call("post", path, path, {**one, "payload": 2})
    call("post", path, path, [{**one, "event_id": f"evt-{n}", "session_id": "s"} for n in range(2, 5)])
    call("post", path, path, {"type": "webhook.received", "payload": 1})
    call("post", path, path, {"type": "No Type", "payload": 1})
    envelope = {"kind": "created", "payload": {"n": 1}}
    call("post", path, f"{path}?format=envelope", envelope)
    call("post", path, f"{path}?format=envelope", {**envelope, "payload": None})
    cloud = {"specversion": "1.0", "id": "1", "source": "/orders", "type": "com.example.made", "data": "x"}
    structured = {"content-type": "application/cloudevents+json"}
    call("post", path, path, cloud, structured)
    call("post", path, path, {**cloud, "specversion": "0.3"}, structured)
    call("post", path, path, [{**cloud, "id": "2"}], {"content-type": "application/cloudevents-batch+json"})
    binary = {f"ce-{name}": value for name, value in {**cloud, "id": "3"}.items() if name != "data"}
    call("post", path, path, b"some text", {**binary, "content-type": "text/plain"})
    bus = "/events"
    page = call("get", bus, f"{bus}?limit=2")
    call("get", bus, f"{bus}?limit=2&cursor={page['next_cursor']}")
    call("get", bus, f"{bus}?flow_id=flow%201&event_type=proposal.received&session_id=s")
    call("get", bus, f"{bus}?limit=501")
    call("get", f"{bus}/{{event_id}}", f"{bus}/evt-1")
    call("get", f"{bus}/{{event_id}}", f"{bus}/nobody")


def well() -> None:
    """Every call as it is meant."""
    stored = call("post", "/v1/webhook/{channel}", "/v1/webhook/demo", {"n": 1}, {"content-type": "application/json"})
    for n in range(2, 6):
        call("post", "/v1/webhook/{channel}", "/v1/webhook/demo", {"n": n})
    event = f"/v1/events/{stored['id']}"
    call("get", "/v1/events/{id}", event)
    call("get", "/v1/events/{id}/raw", f"{event}/raw")
    for format in ["envelope", "cloudevents", "yaml"]:
        call("get", "/v1/events/{id}", f"{event}?format={format}")
        call("get", "/v1/events", f"/v1/events?limit=2&format={format}")
    call("get", "/v1/events/{id}/deliveries", f"{event}/deliveries")
    page = call("get", "/v1/events", "/v1/events?limit=2")
    call("get", "/v1/events", f"/v1/events?limit=2&cursor={page['next_cursor']}")
    one = "/v1/subscriptions/{name}"
    call("put", one, "/v1/subscriptions/agent", {"start": "earliest", "retry": {"attempts": 1}})
    call("put", one, "/v1/subscriptions/agent", {"channels": ["demo"], "lease": "30s", "start": "earliest"})
    call("get", one, "/v1/subscriptions/agent")
    call("get", "/v1/subscriptions", "/v1/subscriptions")
    for verb in ["pause", "resume"]:
        call("post", f"{one}/{verb}", f"/v1/subscriptions/agent/{verb}", b"")
    leased = call("post", f"{one}/lease", "/v1/subscriptions/agent/lease", {"max": 4})
    ids = [event["delivery"]["id"] for event in leased["deliveries"]]
    settle = {
        "ack": [ids[0], "nonsense"],
        "retry": [{"id": ids[1], "after_ms": 1000, "reason": "later"}],
        "extend": [{"id": ids[2], "lease_ms": 1000}],
        "bury": [{"id": ids[3], "reason": "never"}],
    }
    call("post", f"{one}/settle", "/v1/subscriptions/agent/settle", settle)
    call("get", "/v1/dead-letters", "/v1/dead-letters?subscription=agent")
    again(ids, stored["id"])
    for path in ["/v1/channels", "/v1/keys", "/metrics", "/openapi.json", "/healthz", "/readyz"]:
        call("get", path, path)
    upgrade = {
        "connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    # urllib sends `connection: close` whatever it is told, so this is refused.
    call("get", "/v1/stream", "/v1/stream", headers=upgrade)
    call("delete", one, "/v1/subscriptions/agent")
    push = {"url": "http://127.0.0.1:9/", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "headers": {"x-a": "b"}}
    call("put", one, "/v1/subscriptions/pushing", {"push": push, "order": "thread"})
    call("put", one, "/v1/subscriptions/pushing", {"push": {**push, "secrets": []}})
    call("get", one, "/v1/subscriptions/pushing")
    call("delete", one, "/v1/subscriptions/pushing")
    attachments()
    quarantine()
    schedules()
    applications()
    call("get", "/v1/export", "/v1/export?channel=demo")
    call("post", "/v1/backups", "/v1/backups", b"")
    call("delete", "/v1/events/{id}", event)
    call("get", "/v1/events/{id}", event)


def wrong_values(schema: dict) -> list[str]:
    """Values of a parameter that its schema leaves out."""
    if schema.get("type") == "integer":
        values = ["x", "1.5", "-1", "%2B1", ""]
        values += [str(schema[bound] + step) for bound, step in [("minimum", -1), ("maximum", 1)] if bound in schema]
        return values
    if schema.get("format") == "date-time":
        return ["yesterday", "2026-13-01T00:00:00Z", ""]
    return ["", "%00", "%F0%9F%98%80" * 400]


def wrong_bodies(schema: dict) -> list[bytes]:
    """Bodies that a schema leaves out, made by damaging one field after the other."""
    shape = schema
    while "$ref" in shape:
        shape = document["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    bodies = [b"[]", b"nonsense", b"7", b'{"a": 1}', b'{"unknown_field": 1}', b'"\xff"', b"{" * 300, b"{} {}"]
    for field in shape.get("properties", {}):
        for value in [{"x": 1}, [{}], 2**70, -1, "x" * 300, [["x"]], True]:
            bodies.append(json.dumps({field: value}).encode())
    return bodies


def wrongly() -> None:
    """Every call in ways that the document says are wrong; the answer may be any that it tells of."""
    for path, methods in document["paths"].items():
        target = path.replace("{id}", "01KAJ3V3W2N9E6W0V8R3M5T7QZ").replace("{name}", "agent2")
        target = target.replace("{channel}", "demo").replace("{number}", "0").replace("{event_id}", "evt-1")
        for method, operation in methods.items():
            parameters = [one for one in operation["parameters"] if one["in"] == "query"]
            unknown = call(method, path, f"{target}?no_such_parameter=1")
            if unknown and "is not known" in json.dumps(unknown):
                named = set(unknown["error"]["message"].replace("`", " ").replace(",", " ").split())
                for one in parameters if path != "/v1/stream" else []:
                    if one["name"] not in named:
                        faults.append(f"{method} {path}: parameter {one['name']} is not one that is taken")
            for one in parameters:
                for value in wrong_values(one["schema"]):
                    call(method, path, f"{target}?{one['name']}={value}")
                call(method, path, f"{target}?{one['name']}=a&{one['name']}=b")
            for part in ["nonsense", "%00", "..%2f", "x" * 3000, "%ff"]:
                if "{" in path:
                    wrong = path
                    for name in ["id", "name", "channel", "event_id", "number"]:
                        wrong = wrong.replace(f"{{{name}}}", part)
                    call(method, path, wrong)
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                for body in [b"", *wrong_bodies(schema)]:
                    call(method, path, target, body)
            call(method, path, target, headers={"origin": "https://example.com"})


for path, methods in document["paths"].items():
    for method, operation in methods.items():
        for status, said in operation["responses"].items():
            examples(f"{method} {path} {status}", said.get("content", {}))
        examples(f"{method} {path} body", operation.get("requestBody", {}).get("content", {}))
well()
answered = {name: statuses[:] for name, statuses in made.items()}
for methods in document["paths"].values():
    for operation in methods.values():
        name = operation["operationId"]
        if not any(status < 400 for status in answered.get(name, [])) and name != "openStream":
            faults.append(f"{name} was never answered with a 2xx: {answered.get(name)}")
wrongly()
if faults:
    sys.exit("\n".join(faults[:40]) + f"\n{len(faults)} faults")
print(json.dumps({name: sorted(set(statuses)) for name, statuses in made.items()}))
