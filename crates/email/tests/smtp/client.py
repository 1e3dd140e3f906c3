"""Delivers to a receiver on loopback by Python's own smtplib, and prints what it was told.

Usage: client.py plain|starttls|immediate|injection PORT CERTIFICATE
"""

import smtplib
import socket
import ssl
import sys

how, port, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3]
MESSAGE = "Subject: hello\n\n.\n..dots\nend\n"
RECIPIENTS = ["support+tag@example.com", "nobody@example.com"]


def context():
    return ssl.create_default_context(cafile=certificate)


def deliver(client):
    code, text = client.ehlo("client.example")
    print(code, ", ".join(sorted(client.esmtp_features)))
    print("refused", client.sendmail("ann@example.org", RECIPIENTS, MESSAGE))
    print("verify", client.verify("support")[0])
    print("noop", client.noop()[0], "rset", client.rset()[0])
    print("quit", client.quit()[0])


def inject():
    """Commands in the packet of STARTTLS must not be answered inside of TLS."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    raw.recv(1000)
    raw.sendall(b"EHLO c\r\n")
    raw.recv(1000)
    raw.sendall(b"STARTTLS\r\nRSET\r\nVRFY evil\r\n")
    print("before", raw.recv(1000))
    with context().wrap_socket(raw, server_hostname="localhost") as secure:
        secure.sendall(b"NOOP\r\nQUIT\r\n")
        said = b""
        while part := secure.recv(1000):
            said += part
        print("after", said)


if how == "plain":
    deliver(smtplib.SMTP("127.0.0.1", port, timeout=20))
elif how == "immediate":
    deliver(smtplib.SMTP_SSL("localhost", port, timeout=20, context=context()))
elif how == "starttls":
    client = smtplib.SMTP("localhost", port, timeout=20)
    print(client.docmd("EHLO", "c")[0], client.docmd("MAIL", "FROM:<ann@example.org>")[0])
    print("starttls", client.starttls(context=context())[0])
    deliver(client)
elif how == "injection":
    inject()
else:
    sys.exit(f"unknown: {how}")
