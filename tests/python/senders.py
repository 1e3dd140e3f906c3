"""Signs one request with a provider's own Python package and sends it.

usage: senders.py stripe|standardwebhooks URL SECRET [CODING,..]

With codings (gzip, deflate, bare-deflate, br) the body is compressed first, and what is signed is
what goes over the wire. The packages sign text alone, so that only that of Stripe, which asks its
payload for the bytes, can be brought to it.

Prints the status and the body of the answer as one line of JSON.
"""

import datetime
import gzip
import json
import sys
import time
import urllib.error
import urllib.request
import zlib


class Wire:
    """A payload that is bytes already, as the package of Stripe asks for them."""

    def __init__(self, payload: bytes):
        self.payload = payload

    def encode(self, _encoding: str) -> bytes:
        return self.payload


def compressed(body: bytes, codings: list[str]) -> bytes:
    for coding in codings:
        if coding == "gzip":
            body = gzip.compress(body)
        elif coding == "deflate":
            body = zlib.compress(body)
        elif coding == "bare-deflate":
            compressor = zlib.compressobj(wbits=-15)
            body = compressor.compress(body) + compressor.flush()
        else:
            import brotli

            body = brotli.compress(body)
    return body


def stripe_headers_of_wire(secret: str, body: bytes) -> dict[str, str]:
    import stripe

    at = int(time.time())
    payload = Wire(f"{at}.".encode() + body)
    signature = stripe.WebhookSignature._compute_signature(payload, secret)
    return {"stripe-signature": f"t={at},v1={signature}"}


def stripe_headers(secret: str, body: str) -> dict[str, str]:
    import stripe

    at = int(time.time())
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", secret)
    header = f"t={at},v1={signature}"
    # The package itself accepts what is sent.
    stripe.Webhook.construct_event(body, header, secret)
    return {"stripe-signature": header}


def standardwebhooks_headers(secret: str, body: str) -> dict[str, str]:
    import standardwebhooks

    webhook = standardwebhooks.Webhook(secret)
    at = datetime.datetime.now(tz=datetime.timezone.utc)
    headers = {
        "webhook-id": "msg_from_python",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": webhook.sign("msg_from_python", at, body),
    }
    webhook.verify(body, headers)
    return headers


def main() -> None:
    package, url, secret, *codings = sys.argv[1:]
    if package == "stripe":
        body = json.dumps({"id": "evt_from_python", "object": "event", "type": "invoice.paid",
                           "data": {"object": {"id": "in_1", "customer": "cus_python"}}})
        if codings:
            codings = codings[0].split(",")
            body = compressed(body.encode(), codings)
            headers = stripe_headers_of_wire(secret, body)
            headers["content-encoding"] = ", ".join(codings).replace("bare-", "")
        else:
            headers = stripe_headers(secret, body)
    else:
        body = json.dumps({"type": "user.created", "data": {"id": 1, "name": "Zoë"}}, ensure_ascii=False)
        headers = standardwebhooks_headers(secret, body)
    headers["content-type"] = "application/json"
    body = body if isinstance(body, bytes) else body.encode()
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    print(json.dumps({"status": status, "body": json.loads(text)}))


main()
