"""Reading JSON into dataclasses by their annotations.

Fields that a class does not know are left out; a value that does not fit its annotation is a
`Misfit`, which the accessors of an event turn into None.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")
_Reader = Callable[[Any], Any]

# Six digits of a second are all that Python 3.10 reads, and fractions of three or six alone.
_FRACTION = re.compile(r"\.(\d+)")


class Misfit(ValueError):
    """A value is not what its field says."""


def read(cls: type[T], value: Any) -> T:
    """The dataclass made of a JSON object, or `Misfit`."""
    if not isinstance(value, Mapping):
        raise Misfit(f"expected an object for {cls.__name__}, found {type(value).__name__}")
    found: dict[str, Any] = {}
    for name, key, reader, required in _fields(cast("Hashable", cls)):
        if key in value:
            try:
                found[name] = reader(value[key])
            except Misfit as misfit:
                raise Misfit(f"`{key}`: {misfit}") from None
        elif required:
            raise Misfit(f"expected `{key}`, which is missing")
    return cls(**found)


def read_or_none(cls: type[T], value: Any) -> T | None:
    """The dataclass made of a JSON object; None when it does not fit."""
    try:
        return read(cls, value)
    except Misfit:
        return None


def moment(value: Any) -> datetime:
    """An ISO 8601 time as an aware one in UTC."""
    if not isinstance(value, str):
        raise Misfit(f"expected a time, found {type(value).__name__}")
    text = _FRACTION.sub(lambda found: "." + found[1][:6].ljust(6, "0"), value)
    try:
        read_time = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        raise Misfit(f"expected an ISO 8601 time, found `{value[:40]}`") from None
    if read_time.tzinfo is None:
        raise Misfit(f"expected a time with its offset, found `{value[:40]}`")
    try:
        return read_time.astimezone(timezone.utc)
    except OverflowError:
        raise Misfit(f"expected a time of our era, found `{value[:40]}`") from None


@cache
def _fields(cls: Hashable) -> tuple[tuple[str, str, _Reader, bool], ...]:
    """Name, key in JSON, reader, and whether it must be there, of each field that is read."""
    hints = typing.get_type_hints(cls)
    known = []
    for field in dataclasses.fields(cast("Any", cls)):
        if not field.init or field.name.startswith("_"):
            continue
        missing = dataclasses.MISSING
        required = field.default is missing and field.default_factory is missing
        key = field.metadata.get("key", field.name)
        hint = Any if field.metadata.get("as_it_is") else hints[field.name]
        known.append((field.name, key, _reader(hint), required))
    return tuple(known)


def _reader(hint: Any) -> _Reader:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value: value
    if origin in (typing.Union, types.UnionType):
        return _optional(_reader(next(one for one in inner if one is not type(None))))
    if origin is tuple:
        return _items(_reader(inner[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_reader(inner[1]))
    if hint is datetime:
        return moment
    if dataclasses.is_dataclass(hint):
        return lambda value: read(cast("type[Any]", hint), value)
    return _plain(hint)


def _plain(kind: type) -> _Reader:
    def reader(value: Any) -> Any:
        # `True` is an int in Python and none in JSON.
        if type(value) is kind or (kind is float and type(value) is int):
            return value
        raise Misfit(f"expected {kind.__name__}, found {type(value).__name__}")

    return reader


def _optional(inner: _Reader) -> _Reader:
    return lambda value: None if value is None else inner(value)


def _items(inner: _Reader) -> _Reader:
    def reader(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise Misfit(f"expected a list, found {type(value).__name__}")
        return tuple(inner(one) for one in value)

    return reader


def _mapping(inner: _Reader) -> _Reader:
    def reader(value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise Misfit(f"expected an object, found {type(value).__name__}")
        for one in value.values():
            inner(one)
        return value

    return reader
