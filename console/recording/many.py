"""Plans of what holds other values: perhaps one, so many, a set, a mapping. Rows are in `rows`, records in `codec`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from console.recording.errors import Damaged
from console.recording.plans import Plan


class Perhaps(Plan):
    """A value, or None."""

    def __init__(self, inner: Plan) -> None:
        self._inner = inner

    def pack(self, value: Any) -> Any:
        """None is nil."""
        return None if value is None else self._inner.pack(value)

    def unpack(self, packed: Any) -> Any:
        """The value."""
        return None if packed is None else self._inner.unpack(packed)

    def same(self, before: Any, after: Any) -> bool:
        """Whether both are None, or the same."""
        if before is None or after is None:
            return before is after
        return self._inner.same(before, after)

    def diff(self, before: Any, after: Any) -> Any:
        """As of the value itself, where there is one before and after."""
        if before is None or after is None:
            return None if before is after else [self.pack(after)]
        return self._inner.diff(before, after)

    def patch_parts(self, before: Any, delta: Any) -> Any:
        """As of the value itself."""
        if before is None:
            raise Damaged("A change of parts is told of what was not there.")
        return self._inner.patch_parts(before, delta)


class Together(Plan):
    """A tuple of so many values, each of its own type."""

    def __init__(self, inner: tuple[Plan, ...]) -> None:
        self._inner = inner

    def pack(self, value: Any) -> Any:
        """A list."""
        return [plan.pack(one) for plan, one in zip(self._inner, value, strict=True)]

    def unpack(self, packed: Any) -> tuple[Any, ...]:
        """The tuple."""
        if not isinstance(packed, list) or len(packed) != len(self._inner):
            raise Damaged(f"{len(self._inner)} values are due.")
        return tuple(plan.unpack(one) for plan, one in zip(self._inner, packed, strict=True))

    def same(self, before: Any, after: Any) -> bool:
        """Whether each is the same."""
        return before is after or all(map(_same, self._inner, before, after))


class Several(Plan):
    """A set."""

    def __init__(self, inner: Plan) -> None:
        self._inner = inner

    def pack(self, value: Any) -> Any:
        """A list, sorted so that the same set is written alike."""
        return sorted((self._inner.pack(one) for one in value), key=repr)

    def unpack(self, packed: Any) -> frozenset[Any]:
        """The set."""
        if not isinstance(packed, list):
            raise Damaged("What should be a set is none.")
        return frozenset(map(self._inner.unpack, packed))


class ByName(Plan):
    """A mapping; a change names the keys that differ."""

    def __init__(self, key: Plan, inner: Plan) -> None:
        self._key, self._inner = key, inner

    def pack(self, value: Any) -> Any:
        """Pairs, in their order."""
        return [[self._key.pack(key), self._inner.pack(one)] for key, one in value.items()]

    def unpack(self, packed: Any) -> Mapping[Any, Any]:
        """The mapping."""
        return MappingProxyType({self._key.unpack(key): self._inner.unpack(one) for key, one in _pairs(packed)})

    def same(self, before: Any, after: Any) -> bool:
        """Whether the same keys have the same values, in the same order."""
        return before is after or (
            list(before) == list(after) and all(self._inner.same(before[key], after[key]) for key in after)
        )

    def diff(self, before: Any, after: Any) -> Any:
        """The keys that differ, where they stand in the same order; else all of it."""
        if list(before) != list(after):
            return [self.pack(after)]
        changes = [
            [self._key.pack(key), delta]
            for key, one in after.items()
            if (delta := self._inner.diff(before[key], one)) is not None
        ]
        return {"keys": changes} if changes else None

    def patch_parts(self, before: Any, delta: Any) -> Any:
        """The mapping with those changed."""
        if not isinstance(delta, dict):
            raise Damaged("A change of a mapping is told otherwise than by its keys.")
        after = dict(before)
        for packed, change in _pairs(delta.get("keys")):
            key = self._key.unpack(packed)
            if key not in after:
                raise Damaged("A change is told of a key that was not there.")
            after[key] = self._inner.patch(after[key], change)
        return MappingProxyType(after)


def _pairs(packed: object) -> list[Any]:
    if not isinstance(packed, list) or not all(isinstance(one, list) and len(one) == 2 for one in packed):
        raise Damaged("What should be pairs are none.")
    return packed


def _same(plan: Plan, before: Any, after: Any) -> bool:
    return plan.same(before, after)
