"""Verifies pushes with the library of Standard Webhooks.

usage: push.py SECRET < pushes

Each line of the input is one push as JSON: its headers and its body as text. Prints how many were verified. A push that
is not genuine, or whose body is none that this secret signed, ends it.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook(sys.argv[1])
verified = 0
for line in sys.stdin:
    push = json.loads(line)
    webhook.verify(push["body"], push["headers"])
    try:
        webhook.verify(push["body"] + " ", push["headers"])
        sys.exit("a changed body was verified")
    except WebhookVerificationError:
        verified += 1
print(verified)
