"""Comparing what the live version decided with what its shadow would have: field by field, kind by kind.

An ignored field never counts as matched, and no rule, tolerance or noise allowance is accepted for what moves money:
amount, side, asset, recipient. What was too large to compare is said to be so and never counts as equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from console.domain.errors import UsageError
from console.domain.text import Safe, clean

MONEY_FIELDS: Final = frozenset({"amount", "side", "asset", "recipient"})
"""The last part of a path, in any case, by which a field is known to move money; an author may add to these."""

MAX_FIELDS: Final = 2000
MAX_DEPTH: Final = 32
SHOWN: Final = 200


class Kind(StrEnum):
    """How two decisions differ in a field."""

    VALUE = "value"
    TYPE = "type"
    MISSING = "missing"
    """Live has it, the shadow has not."""
    EXTRA = "extra"
    """The shadow has it, live has not."""
    ORDER = "order"
    """The same items in another order."""
    RAISED = "raise vs value"
    """One raised and the other decided, or they raised different errors."""
    TOO_LARGE = "too large"
    """Beyond the bounds on depth and number of fields: not compared."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A version that raised instead of deciding: the error's type and words."""

    error: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What may differ.

    Args:
        ignore: patterns of paths that are not compared ("reasoning", "trace.*", "orders.*.id"); `*` spans dots too.
        absolute, relative: by pattern, how far two numbers may lie apart; within it they are equal.
        unordered: patterns of lists whose order means nothing.
        money: further names of fields that move money, beside `MONEY_FIELDS`.

    Raises:
        UsageError: a rule could touch a field that moves money, or a tolerance is not a positive number.
    """

    ignore: tuple[str, ...] = ()
    absolute: Mapping[str, float] = field(default_factory=dict)
    relative: Mapping[str, float] = field(default_factory=dict)
    unordered: tuple[str, ...] = ()
    money: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse rules that name money; those that reach it by a wildcard are overruled when comparing."""
        for pattern in (*self.ignore, *self.absolute, *self.relative):
            if self.moves_money(pattern):
                raise UsageError(f"No allowance can be made for {pattern}: it moves money.")
        for tolerance in (*self.absolute.values(), *self.relative.values()):
            if not (math.isfinite(tolerance) and tolerance >= 0):
                raise UsageError(f"{tolerance} is no tolerance.", "Use a number of 0 or more.")

    def moves_money(self, path: str) -> bool:
        """Whether the path, or anything it lies in, is named as a field that moves money."""
        parts = {part.casefold() for part in path.split(".")}
        return bool(parts & MONEY_FIELDS) or bool(parts & {name.casefold() for name in self.money})


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference; the values are made safe and cut for showing.

    Args:
        path: of the field, parts joined by dots; empty for the decision as a whole.
        kind: how they differ.
        live, shadow: what either had; empty where it had nothing.
        money: whether the field moves money.
    """

    path: Safe
    kind: Kind
    live: Safe
    shadow: Safe
    money: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing two decisions found.

    Args:
        matched: fields that are equal.
        tolerated: fields that differ within a tolerance, or lists in another order where order means nothing.
        ignored: fields not compared; never part of `matched`.
        mismatches: everything else.
    """

    matched: int
    tolerated: int
    ignored: int
    mismatches: tuple[Mismatch, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing that was compared differs, and something was compared."""
        return not self.mismatches and self.matched + self.tolerated > 0


class _Walk:
    """One comparison under way: the rules, the counts, and a bound on the work."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.matched = 0
        self.tolerated = 0
        self.ignored = 0
        self.mismatches: list[Mismatch] = []
        self._left = MAX_FIELDS

    @property
    def exhausted(self) -> bool:
        """Whether there were more fields than are compared."""
        return self._left < 0

    def differ(self, path: str, kind: Kind, live: object, shadow: object) -> None:
        self.mismatches.append(
            Mismatch(clean(path), kind, clean(live, SHOWN), clean(shadow, SHOWN), self.rules.moves_money(path))
        )

    def ignores(self, path: str, value: object) -> bool:
        """Whether the path is ignored and holds nothing that moves money; what does is compared all the same."""
        rules = self.rules
        if not any(fnmatchcase(path, pattern) for pattern in rules.ignore) or rules.moves_money(path):
            return False
        return not any(rules.moves_money(name) for name in _names_in(value))

    def compare(self, path: str, live: object, shadow: object, depth: int = 0) -> None:
        self._left -= 1
        if self._left < 0:
            return
        if depth > MAX_DEPTH:
            self.differ(path, Kind.TOO_LARGE, "", "")
            return
        if path and self.ignores(path, live) and self.ignores(path, shadow):
            self.ignored += 1
        elif isinstance(live, Raised) or isinstance(shadow, Raised):
            self._raised(path, live, shadow)
        elif isinstance(live, Mapping) and isinstance(shadow, Mapping):
            self._mapping(path, live, shadow, depth)
        elif _is_list(live) and _is_list(shadow):
            assert isinstance(live, Sequence) and isinstance(shadow, Sequence)
            self._list(path, live, shadow, depth)
        else:
            self._leaf(path, live, shadow)

    def _raised(self, path: str, live: object, shadow: object) -> None:
        if isinstance(live, Raised) and isinstance(shadow, Raised) and live.error == shadow.error:
            self.matched += 1
        else:
            self.differ(path, Kind.RAISED, live, shadow)

    def _mapping(self, path: str, live: Mapping[object, object], shadow: Mapping[object, object], depth: int) -> None:
        if not live and not shadow:
            self.matched += 1
        for name in [*live, *(name for name in shadow if name not in live)]:
            below = f"{path}.{name}" if path else str(name)
            if name not in shadow:
                self._one_sided(below, Kind.MISSING, live[name])
            elif name not in live:
                self._one_sided(below, Kind.EXTRA, shadow[name])
            else:
                self.compare(below, live[name], shadow[name], depth + 1)
            if self._left < 0:
                return

    def _one_sided(self, path: str, kind: Kind, value: object) -> None:
        self._left -= 1
        if self.ignores(path, value):
            self.ignored += 1
        elif kind is Kind.MISSING:
            self.differ(path, kind, value, "")
        else:
            self.differ(path, kind, "", value)

    def _list(self, path: str, live: Sequence[object], shadow: Sequence[object], depth: int) -> None:
        if len(live) == len(shadow) and 1 < len(live) <= self._left and _reordered(live, shadow):
            self._left -= len(live)
            if any(fnmatchcase(path, pattern) for pattern in self.rules.unordered):
                self.tolerated += 1
            else:
                self.differ(path, Kind.ORDER, live, shadow)
            return
        if not live and not shadow:
            self.matched += 1
        for at in range(max(len(live), len(shadow))):
            below = f"{path}.{at}" if path else str(at)
            if at >= len(shadow):
                self._one_sided(below, Kind.MISSING, live[at])
            elif at >= len(live):
                self._one_sided(below, Kind.EXTRA, shadow[at])
            else:
                self.compare(below, live[at], shadow[at], depth + 1)
            if self._left < 0:
                return

    def _leaf(self, path: str, live: object, shadow: object) -> None:
        if _class_of(live) != _class_of(shadow):
            self.differ(path, Kind.TYPE, live, shadow)
        elif _same(live, shadow):
            self.matched += 1
        elif self._within(path, live, shadow):
            self.tolerated += 1
        else:
            self.differ(path, Kind.VALUE, live, shadow)

    def _within(self, path: str, live: object, shadow: object) -> bool:
        if _class_of(live) != "number" or self.rules.moves_money(path):
            return False
        left, right = _number(live), _number(shadow)
        if left is None or right is None or not (left.is_finite() and right.is_finite()):
            return False
        gap, size = abs(left - right), max(abs(left), abs(right))
        return any(
            fnmatchcase(path, pattern) and gap <= Decimal(str(limit)) for pattern, limit in self.rules.absolute.items()
        ) or any(
            fnmatchcase(path, pattern) and gap <= size * Decimal(str(limit))
            for pattern, limit in self.rules.relative.items()
        )


def compare(live: object, shadow: object, rules: Rules | None = None) -> Comparison:
    """What differs between two decisions: mappings, lists and plain values, nested at will, or `Raised`."""
    walk = _Walk(rules or Rules())
    walk.compare("", live, shadow)
    if walk.exhausted:
        walk.differ("", Kind.TOO_LARGE, f"more than {MAX_FIELDS} fields", "")
    return Comparison(walk.matched, walk.tolerated, walk.ignored, tuple(walk.mismatches))


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _class_of(value: object) -> str:
    """What counts as a type: whole, fractional and exact numbers are one, and true is not a number."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float | Decimal):
        return "number"
    if _is_list(value):
        return "list"
    return "mapping" if isinstance(value, Mapping) else type(value).__name__


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)  # type: ignore[arg-type]
    except (InvalidOperation, TypeError, ValueError):
        return None


def _same(live: object, shadow: object) -> bool:
    """Equality as an operator means it: 1 is 1.0, 0.1 is Decimal("0.1"), and not-a-number is itself."""
    if _class_of(live) != "number":
        return live == shadow
    left, right = _number(live), _number(shadow)
    if left is None or right is None:
        return False
    return left == right or (left.is_nan() and right.is_nan())


def _reordered(live: Sequence[object], shadow: Sequence[object]) -> bool:
    """Whether two lists of one length hold equal items in another order."""
    if all(_equal(left, right) for left, right in zip(live, shadow, strict=True)):
        return False
    left, right = sorted(map(repr, live)), sorted(map(repr, shadow))
    return left == right


def _equal(left: object, right: object) -> bool:
    return _class_of(left) == _class_of(right) and repr(left) == repr(right)


def _names_in(value: object, depth: int = 0) -> Iterator[str]:
    """Every name inside a value, to the bound on depth."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield str(name)
            yield from _names_in(below, depth + 1)
    elif _is_list(value):
        assert isinstance(value, Sequence)
        for below in value[:MAX_FIELDS]:
            yield from _names_in(below, depth + 1)
