"""What differs between two states, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from console.domain.state import values
from console.domain.state.document import to_document
from console.domain.state.state import PLAIN_FIELDS, State, derived

_NAMES: Final = ("id", "key", "name", "currency")
"""Fields by which an item of a list is known, so that one that moved is not another one."""


class Difference(NamedTuple):
    """A value that is not the same.

    Args:
        field: its dotted name; an item of a list is named by its id, else by its number.
        before: as JSON; None where it is missing.
        after: as JSON; None where it is missing.
    """

    field: str
    before: str | None
    after: str | None


def differences(before: State, after: State) -> tuple[Difference, ...]:
    """What changed from one state to another, in the order of the fields. What records say is not said twice."""
    first, second = to_document(before), to_document(after)
    for name in PLAIN_FIELDS:
        if derived(before, name) is not None and derived(after, name) is not None:
            first.pop(name, None)
            second.pop(name, None)
    return tuple(_between(first, second, ""))


def _between(before: Any, after: Any, at: str) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _each(before, after, lambda name: f"{at}.{name}" if at else name)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _each(_named(before), _named(after), lambda name: f"{at}[{name}]")
    elif _text(before) != _text(after):
        yield Difference(at, _text(before), _text(after))


_GONE: Final = object()


def _each(before: Mapping[str, Any], after: Mapping[str, Any], place: Any) -> Iterator[Difference]:
    for name in {**before, **after}:
        first, second = before.get(name, _GONE), after.get(name, _GONE)
        if first is _GONE or second is _GONE:
            yield Difference(place(name), *(None if one is _GONE else _text(one) for one in (first, second)))
        else:
            yield from _between(first, second, place(name))


def _named(items: list[Any]) -> dict[str, Any]:
    for name in _NAMES:
        named = {str(one[name]): one for one in items if isinstance(one, Mapping) and name in one}
        if items and len(named) == len(items):
            return named
    return {str(index): one for index, one in enumerate(items)}


def _text(value: Any) -> str | None:
    return None if value is None else values.dump(value).decode()
