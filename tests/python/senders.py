"""Signs one request with a provider's own Python package and sends it.

usage: senders.py stripe|standardwebhooks URL SECRET

Prints the status and the body of the answer as one line of JSON.
"""

import datetime
import json
import sys
import time
import urllib.error
import urllib.request


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
    package, url, secret = sys.argv[1:]
    if package == "stripe":
        body = json.dumps({"id": "evt_from_python", "object": "event", "type": "invoice.paid",
                           "data": {"object": {"id": "in_1", "customer": "cus_python"}}})
        headers = stripe_headers(secret, body)
    else:
        body = json.dumps({"type": "user.created", "data": {"id": 1, "name": "Zoë"}}, ensure_ascii=False)
        headers = standardwebhooks_headers(secret, body)
    headers["content-type"] = "application/json"
    request = urllib.request.Request(url, body.encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    print(json.dumps({"status": status, "body": json.loads(text)}))


main()
