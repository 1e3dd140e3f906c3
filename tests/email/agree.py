"""Compares what Headgate makes of messages with what Python's `email` package makes of them, field by field.

    tests/email/agree.py            the messages in fixtures/email and the events beside them

Every difference is in DIFFERENCES with its reason, or it is a fault; so is an entry there that no message needs.
"""

import datetime
import email
import email.errors
import email.header
import email.utils
import hashlib
import json
import pathlib
import re
import sys

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "email"

SPACED = "`Fr om:` ends the header block for Python; verifiers of signatures pass over it, and so do we"

# (message, field): why Python's package says something else.
DIFFERENCES = {
    ("malformed/broken-words", "subject"): "Python ends an encoded word at the next `?=` although it has spaces (RFC 2047, 2)",
    ("malformed/odd-addresses", "from"): "two addresses without a comma are none; the first is shown, and flagged",
    ("malformed/odd-addresses", "to"): "`name:@domain` is a group's name and no address",
    **{
        ("malformed/spaced-name", field): SPACED
        for field in ("from", "to", "subject", "date", "message_id", "plain")
    },
}


def values(message, name):
    """The values of all fields of a name, unfolded; bytes beyond ASCII as UTF-8, or Windows-1252 where they are none."""
    for known, value in message.raw_items():
        if known.lower() == name:
            raw = re.sub(r"\r?\n(?=[ \t])", "", str(value)).encode("utf-8", "surrogateescape")
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError:
                yield raw.decode("cp1252", "replace")


def decoded(value):
    """A value with its encoded words decoded."""
    try:
        value = str(email.header.make_header(email.header.decode_header(value)))
    except (ValueError, LookupError, email.errors.HeaderParseError):
        pass
    return value.replace("\0", "").strip()


def addresses(message, name):
    """The addresses of all fields of a name; display names are decoded after the list is split (RFC 2047, 5)."""
    return [address for _, address in email.utils.getaddresses(list(values(message, name))) if "@" in address]


def identifiers(value):
    return ["<" + re.sub(r"\s", "", found) + ">" for found in re.findall(r"<([^<>]+)>", str(value or ""))]


def text_of(part):
    payload = part.get_payload(decode=True) or b""
    charset = part.get_content_charset() or "utf-8"
    try:
        text = payload.decode(charset)
    except (LookupError, UnicodeDecodeError):
        text = payload.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\0", "")


def flowed(text):
    """RFC 3676, in the shortest way: only what is needed to compare, without spaces."""
    return re.sub(r"[\s>]", "", text)


def is_body(part, parents):
    named = part.get_filename() or part.get_param("name")
    attached = part.get_content_disposition() == "attachment"
    for parent, position in parents:
        if parent.get_content_subtype() in ("related", "signed", "report") and position > 0:
            return False
        if parent.get_content_subtype() == "encrypted":
            return False
    return part.get_content_type() in ("text/plain", "text/html") and not attached and (not parents or not named)


def leaves(part, parents=()):
    """Parts without parts; a message inside is one, as Headgate has it."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for position, child in enumerate(part.get_payload()):
            yield from leaves(child, (*parents, (part, position)))
    else:
        yield part, parents


def bytes_of(part):
    if part.get_content_maintype() == "message" and part.is_multipart():
        inner = part.get_payload()
        return b"".join(one.as_bytes() for one in inner) if part.get_content_type() == "message/rfc822" else None
    return part.get_payload(decode=True)


def by_python(raw):
    message = email.message_from_bytes(raw)
    date = None
    try:
        date = email.utils.parsedate_to_datetime(next(values(message, "date"), ""))
        date = date.replace(tzinfo=date.tzinfo or datetime.timezone.utc).astimezone(datetime.timezone.utc)
        date = date.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    except (TypeError, ValueError):
        date = None
    plain, html, attached = [], [], []
    for part, parents in leaves(message):
        if part.get_content_maintype() == "multipart" or is_body(part, parents):
            (html if part.get_content_type() == "text/html" else plain).append(text_of(part))
        else:
            attached.append(part)
    return {
        "from": (addresses(message, "from") or [""])[0],
        "to": addresses(message, "to"),
        "cc": addresses(message, "cc"),
        "subject": decoded(next(values(message, "subject"), "")),
        "date": date,
        "message_id": (identifiers(next(values(message, "message-id"), "")) or [None])[0],
        "references": [one for value in values(message, "references") for one in identifiers(value)],
        "plain": "\n".join(plain),
        "html": "\n".join(html),
        "types": [part.get_content_type() for part in attached],
        "digests": [bytes_of(part) for part in attached],
    }


def by_headgate(event):
    data = event["data"]
    made = data["message_id"].endswith("@headgate.invalid>")
    return {
        **{name: data[name] for name in ("from", "to", "cc", "subject", "date", "references")},
        "message_id": None if made else data["message_id"],
        "plain": data["text"] or "" if data["text_source"] == "plain" else "",
        "html": data["html"] or "",
        "types": [one["content_type"] for one in data["attachments"]],
        "digests": [one["sha256"] for one in data["attachments"]],
    }


def differs(field, ours, theirs):
    if field in ("plain", "html"):
        return flowed(ours) != flowed(theirs)
    if field == "digests":
        # The generator of Python writes line feeds and a message its own way: only what it keeps is compared.
        pairs = zip(ours, theirs, strict=False)
        wrong = [one for one, other in pairs if other is not None and one not in digests(other)]
        return len(ours) != len(theirs) or bool(wrong)
    return ours != theirs


def digests(content):
    lines = content.replace(b"\r\n", b"\n")
    forms = [content, lines.replace(b"\n", b"\r\n"), lines, lines.rstrip(b"\n"), lines.replace(b"\n", b"\r\n").rstrip(b"\r\n")]
    return {hashlib.sha256(form).hexdigest() for form in forms}


def main():
    used, faults, fields = set(), [], 0
    messages = sorted(FIXTURES.rglob("*.eml"))
    if len(messages) < 40:
        sys.exit(f"only {len(messages)} messages in {FIXTURES}")
    for path in messages:
        name = str(path.relative_to(FIXTURES).with_suffix(""))
        ours = by_headgate(json.loads(path.with_suffix(".json").read_text()))
        theirs = by_python(path.read_bytes())
        for field, value in ours.items():
            fields += 1
            if not differs(field, value, theirs[field]):
                continue
            if (name, field) in DIFFERENCES:
                used.add((name, field))
            else:
                faults.append(f"{name}: {field}\n  headgate: {value!r}\n  python:   {theirs[field]!r}")
    faults += [f"no message needs {entry}" for entry in DIFFERENCES if entry not in used]
    print(*faults, sep="\n")
    print(f"{len(messages)} messages, {fields} fields: {len(used)} differences with a reason, {len(faults)} without")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
