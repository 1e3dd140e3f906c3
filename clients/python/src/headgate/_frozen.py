"""JSON that nobody can change: the same event may be in many hands at once."""

from __future__ import annotations

from typing import Any, NoReturn


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("an event is immutable: make a copy with `dict(..)` or `list(..)` to change it")


class FrozenDict(dict[str, Any]):
    """A `dict` that refuses to be changed; it prints, compares and serializes like one."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """A `list` that refuses to be changed; it prints, compares and serializes like one."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenList, (list(self),)


def frozen(value: Any) -> Any:
    """The same JSON value, unchangeable throughout."""
    kind = type(value)
    if kind is dict:
        return FrozenDict({name: frozen(inner) for name, inner in value.items()})
    if kind is list or kind is tuple:
        return FrozenList([frozen(inner) for inner in value])
    return value
