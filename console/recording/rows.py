"""Tuples of rows, of which a few are new: what is told is which stay, which differ in parts, and which are new."""

from __future__ import annotations

from typing import Any, Final

from console.recording.errors import Damaged
from console.recording.plans import Plan

MOST_ROWS: Final = 200_000
"""In one tuple; a recording that tells of more is refused."""
SEARCHES: Final = 8
"""How many rows of one tuple are looked for by their values; beyond, only by being the very same object."""


class Rows(Plan):
    """A tuple of any length, of values of one type."""

    def __init__(self, inner: Plan) -> None:
        self._inner = inner

    def pack(self, value: Any) -> Any:
        """A list."""
        return [self._inner.pack(one) for one in value]

    def unpack(self, packed: Any) -> tuple[Any, ...]:
        """The tuple."""
        if not isinstance(packed, list) or len(packed) > MOST_ROWS:
            raise Damaged("What should be rows are none, or too many.")
        return tuple(map(self._inner.unpack, packed))

    def same(self, before: Any, after: Any) -> bool:
        """Whether every row is the same."""
        return before is after or (len(before) == len(after) and all(map(self._inner.same, before, after)))

    def diff(self, before: Any, after: Any) -> Any:
        """Segments: `[start, n]` rows that stay, `[start, 0, delta]` one that differs in parts, `[[…]]` new ones."""
        if before is after:
            return None
        segments = self._segments(before, after)
        if segments == [[0, len(before)]] or (not segments and not before):
            return None
        return {"rows": segments}

    def _segments(self, before: Any, after: Any) -> list[Any]:
        segments: list[Any] = []
        places = {id(one): place for place, one in enumerate(before)}
        searches, at = SEARCHES, 0
        for one in after:
            place = at if at < len(before) and self._inner.same(before[at], one) else places.get(id(one), -1)
            if place < 0 and searches:
                searches -= 1
                place = next((p for p in range(at, len(before)) if self._inner.same(before[p], one)), -1)
            if place >= 0:
                _stays(segments, place)
                at = place + 1
            elif at < len(before) and isinstance(delta := self._inner.diff(before[at], one), dict):
                segments.append([at, 0, delta])
                at += 1
            elif segments and len(segments[-1]) == 1:
                segments[-1][0].append(self._inner.pack(one))
            else:
                segments.append([[self._inner.pack(one)]])
        return segments

    def patch_parts(self, before: Any, delta: Any) -> tuple[Any, ...]:
        """The rows that the segments name."""
        segments = delta.get("rows") if isinstance(delta, dict) else None
        if not isinstance(segments, list):
            raise Damaged("A change of rows is told otherwise than by segments.")
        after: list[Any] = []
        for segment in segments:
            after += self._rows_of(before, segment)
            if len(after) > MOST_ROWS:
                raise Damaged("That are too many rows.")
        return tuple(after)

    def _rows_of(self, before: Any, segment: Any) -> Any:
        match segment:
            case [list() as packed]:
                return map(self._inner.unpack, packed)
            case [int() as start, int() as count] if start >= 0 and 0 < count <= len(before) - start:
                return before[start : start + count]
            case [int() as start, 0, delta] if 0 <= start < len(before):
                return (self._inner.patch(before[start], delta),)
            case _:
                raise Damaged("A change names rows that were not there.")


def _stays(segments: list[Any], place: int) -> None:
    """One more row that stays, with those before it where they follow each other."""
    if segments and len(segments[-1]) == 2 and sum(segments[-1]) == place:
        segments[-1][1] += 1
    else:
        segments.append([place, 1])
