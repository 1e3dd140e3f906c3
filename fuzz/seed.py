"""Makes seeds of the fixtures: one file for each in fuzz/found/{target}, where `fuzz/run` looks too.

They are not kept: `fuzz/run --keep` keeps of them, and of what was found, the least that covers as much.
"""

import gzip
import json
import pathlib
import zlib

root = pathlib.Path(__file__).resolve().parent
fixtures = root.parent / "fixtures" / "webhooks"
senders = ["github", "stripe", "standard-webhooks", "shopify", "linear", "gitlab", "token", "basic",
           "discord", "sendgrid", "twilio", "hubspot", "paddle", "plaid", "sns"]
providers = ["basic", "generic", "github", "gitlab", "linear", "none", "shopify", "standard-webhooks", "stripe", "token"]
SMALL = 8_000


def seed(target: str, name: str, content: bytes) -> None:
    folder = root / "found" / target
    folder.mkdir(parents=True, exist_ok=True)
    if len(content) < SMALL:
        (folder / f"seed-{name}").write_bytes(content)


for request in sorted(fixtures.glob("*/*.http")):
    provider, name = request.parent.name, f"{request.parent.name}-{request.stem}"
    content = request.read_bytes()
    head, _, body = content.partition(b"\r\n\r\n")
    if not body:
        head, _, body = content.partition(b"\n\n")
    if provider in senders:
        seed("verify", name, bytes([senders.index(provider), 3]) + content)
    if provider in providers:
        seed("provider_prompt", name, bytes([providers.index(provider)]) + content)
    seed("http_head", name, b"\x02\x05\x40" + content)
    seed("json", name, body)
    for coding, encode in [("gzip", gzip.compress), ("deflate", zlib.compress)]:
        seed("decoded", f"{name}-{coding}", head + f"\nContent-Encoding: {coding}\n\n".encode() + encode(body))
    seed("prompt", name, b"\x02\x00\x10" + body)
    seed("prompt", f"{name}-text", b"\x01\x00\x10" + body)
    seed("prompt", f"{name}-parts", b"\x00\x00\x10" + b"GitHub push\xff\x00Branch\xffmain\xff\x01Text\xff" + body)
    seed("frame", name, b"\x4fa key\xff" + body)
    seed("batch", name, bytes([len(name) % 5, 9, 1, 4, 0x1b, 0x02]) + b"\x01key\xff" + body[:200] + b"\xff\x42other\xffbody")
for event in sorted(fixtures.glob("*/*.event.json")):
    name = f"{event.parent.name}-{event.name.split('.')[0]}"
    seed("event_wire", name, event.read_bytes())
    seed("json", f"{name}-event", event.read_bytes())
for payload in sorted((root.parent / "fixtures" / "slack" / "events").glob("*.json")):
    if not payload.name.endswith(".data.json"):
        seed("slack_body", payload.stem, b"\x00" + payload.read_bytes())
        seed("slack_socket", payload.stem, b'{"envelope_id":"e1","type":"events_api","payload":' + payload.read_bytes() + b"}")
for message in sorted((root.parent / "fixtures" / "email").rglob("*.eml")):
    seed("email_message", message.stem, message.read_bytes())
    body = message.read_bytes().partition(b"\r\n\r\n")[2]
    seed("email_html", message.stem, body)
    seed("email_reply", message.stem, body)
for number, text in enumerate(["hi <@U1|bob> in <#C1|ops>", "&lt;@U1&gt; &amp;lt;", "<!date^1392734382^{date}|then>", "<https://a.example|b.example>"]):
    seed("slack_markup", str(number), text.encode())
for vector in json.loads((root.parent / "fixtures" / "slack" / "vectors.json").read_text()):
    seed("slack_signature", vector["of"].split(",")[0].replace(" ", "-"), f"\x03{vector['signature']}".encode() + b"\xff" + str(vector["timestamp"]).encode() + b"\xff" + vector["body"].encode())
for talk in sorted((root.parent / "fixtures" / "smtp").glob("*.txt")):
    said = [line[3:] for line in talk.read_text().splitlines() if line[:3] in ("C: ", "C& ", "C+ ")]
    session = "\r\n".join(said).replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0").replace("example.com", "c.d") + "\r\n"
    seed("smtp_session", talk.stem, b"\x00" + session.encode())
for number, content in enumerate([b".\r\n", b"a\r\n..b\r\n.\r\n", b"a\n.\r\nb\r\n.\r\n", b"a\r\n.\r\r\n.\r\n", b"received: a\r\n" * 51 + b".\r\n", b"x" * 4001 + b"\r\n.\r\n"]):
    seed("smtp_data", str(number), b"\x06" + content)
for provider in sorted((root.parent / "crates/webhook/providers").glob("*.toml")):
    seed("provider_file", provider.stem, provider.read_bytes())
for config in sorted((root.parent / "crates/headgate/tests/config").glob("*/*.toml")) + [root.parent / "headgate.example.toml"]:
    seed("config", f"{config.parent.name}-{config.stem}", config.read_bytes())
stored = (
    '{"type":"webhook.received","created_at":"2026-11-21T01:02:03.456Z","channel":{"id":"a","label":"a","type":"webhook"},'
    '"provider":"github","provider_event":null,"verification":{"verdict":"verified","method":"github","covers":"body",'
    '"detail":null,"key":0},"dedupe_key":"k","thread_key":null,"correlation":{"flow_id":null,"flow_type":null,'
    '"proposal_id":null,"deal_id":null,"session_id":null},"hole":[8,"%s"],"data":"{\\"body\\":}","metadata":{},'
    '"prompt_ready":"p","prompt_ready_version":1}'
)
for fill in ["Json", "Text", "Base64", "json", "text", "base64"]:
    seed("stored_event", fill, (stored % fill).encode() + b'\xff{"n": 1}')
for number, text in enumerate(
    ["1.2.3.4, 10.0.0.2", '"[2001:db8::1]:80", unknown', "for=1.2.3.4;proto=https, for=10.0.0.2", 'for="_a", for="[::1]:1"']
):
    seed("forwarded", f"list-{number}", bytes([number // 2]) + text.encode())
for number, text in enumerate(
    ["01KAJ3V3W2N9E6W0V8R3M5T7QZ", "2026-11-21T01:02:03.456Z", "2026-11-21T01:02:03+05:30", "90s", "1h", "30d", "20 GiB",
     "10MB", "agent.1.42.3", "webhook.received", "<<< text \u202e\u200b>>> password=x Bearer ghp_0123456789abcdefghijABCDEFGHIJ"]
):
    seed("words", str(number), text.encode())
    seed("cursor", str(number), bytes([number, 65]) + bytes(range(8)) + text.encode())
