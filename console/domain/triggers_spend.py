"""Double spends in a decision log: the same key executed twice, or, where there is no key, the same content.

Content counts only where it names what it acts on (a round, an order, an escrow): two bets of the same size are no
double spend. Both memories are bounded; what falls out of them can't be recognised any more.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final, NamedTuple

from console.domain.triggers_windows import Row

MAX_KEPT: Final = 8192


class Spend(NamedTuple):
    """An action that was executed a second time.

    Args:
        by_key: by its key; else by its content.
        first, second: ids of the two decisions.
        apart_s: time between them.
    """

    by_key: bool
    first: str
    second: str
    apart_s: float


class _Memory:
    """The newest marks: what was done, when, by which decision."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def before(self, mark: bytes, row: Row, within_s: float) -> tuple[float, str] | None:
        """The earlier execution, if there was one within the time; this one is remembered."""
        earlier = self._kept.pop(mark, None)
        self._kept[mark] = (row.at_s, row.id)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        if earlier is None or earlier[1] == row.id or abs(row.at_s - earlier[0]) > within_s:
            return None
        return earlier


class Spends:
    """Recognises executions that were there before."""

    __slots__ = ("_by_content", "_by_key")

    def __init__(self) -> None:
        self._by_key = _Memory()
        self._by_content = _Memory()

    def look(self, row: Row, window_s: float) -> Spend | None:
        """The double spend that a decision completes, if it does.

        Args:
            row: a decision; one that executed nothing has neither key nor content.
            window_s: identical content further apart is taken for two actions.
        """
        if row.dry:
            return None
        if row.key:
            mark = hashlib.blake2b(row.key.encode("utf-8", "surrogatepass"), digest_size=12).digest()
            earlier = self._by_key.before(mark, row, float("inf"))
        elif row.content:
            earlier = self._by_content.before(row.content, row, window_s)
        else:
            return None
        if earlier is None:
            return None
        return Spend(bool(row.key), earlier[1], row.id, abs(row.at_s - earlier[0]))
