"""Paths into JSON: names joined by dots, places in lists, attributes by their key.

    path   = name { "." name | "[" number "]" | "{" key "}" }
    name   = characters other than . [ ] { } " and space, or a JSON string
    key    = characters other than } and ", or a JSON string

`a."b.c"[0]` leads through objects and lists. `attributes{gen_ai.operation.name}` looks a key up in a list of objects
that each have a `key` and a `value`, as OpenTelemetry writes them, or in an object that has it as its member; a value
that says its own type (`{"intValue": "3"}`) is taken for what it says. `[*]`, every one of a list, is for the way to
the records alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.text import clean

MOST_CHARACTERS: Final = 512
MOST_DEPTH: Final = 32
"""Of values in values that say their own type; deeper ones stay as they are written."""
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_STEP: Final = re.compile(
    rf'(?P<dot>\.?)(?:(?P<bare>[^.\[\]{{}}"\s]+)|(?P<quoted>{_QUOTED}))'
    rf'|\[(?P<place>[0-9]{{1,6}}|\*)\]|\{{(?:(?P<key>[^}}"]+)|(?P<quoted_key>{_QUOTED}))\}}'
)
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_HINT: Final = 'Such as output.pnl, a."b.c"[0] or attributes{key}.'


class Missing(Enum):
    """The one value that stands for none."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


class Every(NamedTuple):
    """A step to every one of a list."""


class Key(NamedTuple):
    """A step to an attribute.

    Args:
        name: its key.
    """

    name: str


Step = str | int | Key | Every


class Scope:
    """A record, and the objects around it: a path's first name is looked up in the record, then from inside out.

    Args:
        record: of which a value is wanted.
        around: the objects in which it stands, the nearest first.
        known: attributes by their list, for all records of one line.
    """

    __slots__ = ("around", "known", "record")

    def __init__(self, record: dict[str, Any], around: tuple[dict[str, Any], ...], known: Known) -> None:
        self.record = record
        self.around = around
        self.known = known

    def first(self, name: str) -> Any:
        """The member of that name."""
        if name in self.record:
            return self.record[name]
        return next((one[name] for one in self.around if name in one), MISSING)


class Known:
    """Attributes by key, gathered once a list, however many paths and records ask for them; for one line alone."""

    __slots__ = ("_lists",)

    def __init__(self) -> None:
        self._lists: dict[int, tuple[list[Any], dict[str, Any]]] = {}
        """By the list's identity, which nothing else has while it is held here."""

    def attribute(self, of: Any, key: str) -> Any:
        """The value of a key; of several the last, as of members that an object has twice."""
        if isinstance(of, list):
            _held, members = self._lists.get(id(of)) or self._lists.setdefault(id(of), (of, attributes(of)))
            return unwrapped(members[key]) if key in members else MISSING
        return unwrapped(of[key]) if isinstance(of, dict) and key in of else MISSING


def attributes(pairs: list[Any]) -> dict[str, Any]:
    """A list of keys with their values as an object; what is no such pair is passed over."""
    return {one["key"]: one.get("value") for one in pairs if isinstance(one, dict) and isinstance(one.get("key"), str)}


def unwrapped(value: Any, depth: int = 0) -> Any:
    """What a value that says its own type says; any other value, and one that says it wrongly, as it is."""
    if not isinstance(value, dict) or len(value) > 1 or depth > MOST_DEPTH:
        return value
    if not value:
        return None
    ((kind, inner),) = value.items()
    match kind, inner:
        case ("stringValue" | "bytesValue", str()) | ("boolValue", bool()):
            return inner
        case ("intValue", str()) if _WHOLE.fullmatch(inner):
            return int(inner)
        case ("intValue", int()) if not isinstance(inner, bool):
            return inner
        case ("doubleValue", int() | float() | Decimal()) if not isinstance(inner, bool):
            return inner
        case ("doubleValue", "NaN" | "Infinity" | "-Infinity"):
            return Decimal(inner)
        case ("arrayValue", {"values": list(values)}):
            return [unwrapped(one, depth + 1) for one in values]
        case ("kvlistValue", {"values": list(values)}):
            return {name: unwrapped(one, depth + 1) for name, one in attributes(values).items()}
    return value


class Path:
    """A way to a value.

    Args:
        text: as it is written.
        every: whether it may lead through every one of a list.

    Raises:
        UsageError: it is no path.
    """

    def __init__(self, text: str, *, every: bool = False) -> None:
        self.text = text
        self.steps: tuple[Step, ...] = tuple(_steps(text))
        if not every and any(isinstance(step, Every) for step in self.steps):
            raise UsageError(f"{clean(text, 80)!r} leads to many values.", "[*] is for `each` alone.")

    def find(self, scope: Scope) -> Any:
        """The value; `MISSING` where the path leads nowhere."""
        first, *rest = self.steps
        value = scope.first(str(first))
        for step in rest:
            if value is MISSING:
                return MISSING
            if isinstance(step, str):
                value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
            elif isinstance(step, int):
                value = value[step] if isinstance(value, list) and step < len(value) else MISSING
            elif isinstance(step, Key):
                value = scope.known.attribute(value, step.name)
        return value

    def records(self, value: Any, around: tuple[dict[str, Any], ...] = (), at: int = 0) -> Iterator[tuple[Any, ...]]:
        """Every value that the path leads to, each followed by the objects around it, the nearest first."""
        if at == len(self.steps):
            yield value, *around
            return
        step = self.steps[at]
        if isinstance(step, Every):
            for one in value if isinstance(value, list) else ():
                yield from self.records(one, around, at + 1)
        elif isinstance(step, str) and isinstance(value, dict) and step in value:
            yield from self.records(value[step], (value, *around), at + 1)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            yield from self.records(value[step], around, at + 1)


def _steps(text: str) -> Iterator[Step]:
    at = 0
    while at < len(text) or not at:
        step = _STEP.match(text, at)
        named = step is not None and (step["bare"] is not None or step["quoted"] is not None)
        if step is None or len(text) > MOST_CHARACTERS or (named is not True and not at):
            raise UsageError(f"{clean(text, 80)!r} is no path into a record.", _HINT)
        if named and bool(step["dot"]) is not bool(at):
            raise UsageError(f"{clean(text, 80)!r} is no path into a record.", _HINT)
        if named:
            yield step["bare"] if step["bare"] is not None else _unquoted(step["quoted"], text)
        elif step["place"] is not None:
            yield Every() if step["place"] == "*" else int(step["place"])
        else:
            yield Key(step["key"] if step["key"] is not None else _unquoted(step["quoted_key"], text))
        at = step.end()


def _unquoted(quoted: str, text: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError as error:
        raise UsageError(f"{clean(text, 80)!r} is no path into a record.", _HINT) from error
