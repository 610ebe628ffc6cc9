"""Records as bytes, exactly: whole, or as what differs from the one before.

Records are written as lists of their fields, in an order that the recording's header names; so a release that has more
fields, fewer, or in another order reads what it knows, and takes the default of what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from console.domain.errors import ConsoleError
from console.domain.text import Safe, clean
from console.recording.errors import Damaged
from console.recording.many import ByName, Perhaps, Several, Together
from console.recording.plans import Amount, Choice, Exactly, Foreign, Moment, Plan, Real, Standing, Text, Whole
from console.recording.rows import Rows
from console.recording.shape import REQUIRED, fields_of, is_record, made_of, record_name

Names = Mapping[str, Sequence[str]]
"""Record → the names of its fields, in the order in which they are written."""

_SIMPLE: Final[dict[Any, type[Plan]]] = {
    str: Text,
    Safe: Text,
    int: Whole,
    float: Real,
    datetime: Moment,
    Decimal: Amount,
    object: Foreign,
}


class Record(Plan):
    """A record.

    Args:
        kind: its type.
        names: the names of its fields, in the order in which they are written; None where the recording knows no such
            record.
        plans: what makes a plan of a type.
    """

    def __init__(self, kind: type, names: Sequence[str] | None, plans: Plans) -> None:
        own = fields_of(kind)
        self._kind: Any = made_of(kind)
        self._title = kind.__name__
        self._known = names is not None
        self._plans = tuple((one.name, plans.of(one.hint)) for one in own)
        order = list(names or ())
        self._places = tuple(order.index(one.name) if one.name in order else -1 for one in own)
        self._width = len(order)
        self._at = {place: own_place for own_place, place in enumerate(self._places) if place >= 0}
        self._defaults = tuple(one.default for one in own)
        self._lacks = [one.name for one, place in zip(own, self._places, strict=True) if _lacks(one.default, place)]

    def pack(self, value: Any) -> Any:
        """A list of its fields."""
        return [plan.pack(getattr(value, name)) for name, plan in self._plans]

    def unpack(self, packed: Any) -> Any:
        """The record."""
        if not self._known or self._lacks:
            lacks = ", ".join(self._lacks) or "every field"
            raise Damaged(f"The recording's {self._title} lacks {lacks}.", "It was made by another release.")
        if not isinstance(packed, list) or len(packed) != self._width:
            raise Damaged(f"What should be a {self._title} is none.")
        return self._made(
            plan.unpack(packed[place]) if place >= 0 else default
            for (_name, plan), place, default in zip(self._plans, self._places, self._defaults, strict=True)
        )

    def _made(self, values: Any) -> Any:
        try:
            return self._kind(*values)
        except (ConsoleError, ValueError, TypeError, ArithmeticError) as error:
            raise Damaged(f"The recording's {self._title} can't be: {clean(error, 120)}") from error

    def same(self, before: Any, after: Any) -> bool:
        """Whether every field is the same."""
        return before is after or all(
            plan.same(getattr(before, name), getattr(after, name)) for name, plan in self._plans
        )

    def diff(self, before: Any, after: Any) -> Any:
        """The fields that differ; all of it where most do."""
        if before is after:
            return None
        changes: dict[int, Any] = {}
        for place, (name, plan) in enumerate(self._plans):
            old, new = getattr(before, name), getattr(after, name)
            if old is not new and (delta := plan.diff(old, new)) is not None:
                changes[place] = delta
        if len(changes) * 2 > len(self._plans) and all(isinstance(delta, list) for delta in changes.values()):
            return [self.pack(after)]
        return changes or None

    def patch_parts(self, before: Any, delta: Any) -> Any:
        """The record with those fields changed."""
        if not isinstance(delta, dict):
            raise Damaged(f"A change of a {self._title} is told otherwise than by its fields.")
        values = [getattr(before, name) for name, _plan in self._plans]
        for place, change in delta.items():
            if (own := self._at.get(place)) is not None:
                values[own] = self._plans[own][1].patch(values[own], change)
            elif type(place) is not int or not 0 <= place < self._width:
                raise Damaged(f"A change is told of a field that no {self._title} has.")
        return self._made(values)


def _lacks(default: object, place: int) -> bool:
    return place < 0 and default is REQUIRED


class Plans:
    """Makes plans, each once.

    Args:
        names: as in the recording; None to write one.
    """

    def __init__(self, names: Names | None) -> None:
        self._given = names
        self.names: dict[str, tuple[str, ...]] = {}
        self._records: dict[type, Plan] = {}

    def of(self, hint: Any) -> Plan:
        """The plan of a type.

        Raises:
            TypeError: there is none for it.
        """
        if (simple := _SIMPLE.get(hint)) is not None:
            return simple()
        if hint in (bool, bytes):
            return Exactly(hint)
        if is_record(hint):
            return self._record(hint)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return Choice(hint)
        return self._of_many(hint)

    def _of_many(self, hint: Any) -> Plan:
        origin, inner = get_origin(hint), get_args(hint)
        if origin in (Union, UnionType) and len(inner) == 2 and NoneType in inner:
            return Perhaps(self.of(inner[inner[0] is NoneType]))
        if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
            return Rows(self.of(inner[0]))
        if origin is tuple:
            return Together(tuple(map(self.of, inner)))
        if origin is Callable:
            return Standing()
        if origin is frozenset:
            return Several(self.of(inner[0]))
        if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
            return ByName(self.of(inner[0]), self.of(inner[1]))
        raise TypeError(f"{hint!r} can't be recorded: no plan in console.recording says how.")

    def _record(self, kind: type) -> Plan:
        if kind not in self._records:
            name = record_name(kind)
            own = tuple(one.name for one in fields_of(kind))
            self.names[name] = own
            self._records[kind] = Record(kind, own if self._given is None else self._given.get(name), self)
        return self._records[kind]


def decoded(data: bytes) -> Any:
    """What a frame's bytes hold.

    Raises:
        Damaged: it can't be read.
    """
    try:
        return msgspec.msgpack.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError) as error:
        raise Damaged("A frame can't be read.") from error
