"""Where a gateway is, and the key that it takes: checked once, and never printed."""

from __future__ import annotations

import os
from urllib.parse import quote, urlsplit

from ._errors import ConfigurationError

URL_DEFAULT = "http://127.0.0.1:8080"


class Key:
    """An API key. Nothing prints it."""

    __slots__ = ("_text",)

    def __init__(self, text: str | None) -> None:
        if text is not None and not (text.isascii() and text.isprintable() and text.strip()):
            raise ConfigurationError(
                "`key`: expected visible ASCII characters, found others (a line break, or nothing "
                "at all?); the key itself is not shown"
            )
        self._text = text.strip() if text is not None else None

    def headers(self) -> dict[str, str]:
        """What a request carries."""
        return {} if self._text is None else {"Authorization": f"Bearer {self._text}"}

    def __repr__(self) -> str:
        return "Key(none)" if self._text is None else "Key(***)"


class Address:
    """The base URL of a gateway."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except (AttributeError, ValueError):
            raise _no_url(url) from None
        fits = parts.scheme in ("http", "https") and parts.hostname
        if not fits or parts.username is not None or parts.query or parts.fragment:
            raise _no_url(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self.origin = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
        self.base = self.origin + parts.path.rstrip("/")

    def web_socket(self, path: str) -> str:
        """The URL of a stream."""
        return "ws" + self.base.removeprefix("http") + path

    def resolve(self, url: str) -> tuple[str, bool]:
        """The URL of what an event names by its path or whole, and whether it is this gateway's."""
        whole = self.origin + url if url.startswith("/") else url
        try:
            parts, ours = urlsplit(whole), urlsplit(self.origin)
            place = (parts.scheme, parts.netloc.lower())
        except ValueError:
            place = ("", "")
        if place[0] not in ("http", "https") or not place[1]:
            raise ConfigurationError(
                "`attachment`: expected an `http://` or `https://` URL, or a path that begins with "
                f"`/`, found `{_shown(url)[:120]}`"
            )
        # A URL that names a user is another's: ours names none.
        return whole, place == (ours.scheme, ours.netloc.lower())

    def __repr__(self) -> str:
        return f"Address({self.base!r})"


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


def from_environment(name: str) -> str | None:
    """A variable of the environment; None when it is absent or empty."""
    return os.environ.get(name) or None


def _no_url(url: object) -> ConfigurationError:
    return ConfigurationError(
        f"`url`: expected an `http://` or `https://` URL of a gateway without user, password and "
        f"query, found `{_shown(str(url))[:120]}`"
    )


def _shown(url: str) -> str:
    """What may be shown of a URL: nothing that may be a password, and no query."""
    begins = min((at for at in (url.find("?"), url.find("#")) if at >= 0), default=len(url))
    at = url.rfind("@")
    # Which of the two a later `@` belongs to cannot be told.
    return ".." if at > begins else url[at + 1 : begins]
