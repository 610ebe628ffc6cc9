"""Double spends in a decision log: the same key executed twice, or, where there is no key, the same content.

Content counts only where it names what it acts on (a round, an order, an escrow): two bets of the same size are no
double spend. Both memories are bounded; what falls out of them can't be recognised any more.
"""

from __future__ import annotations

import hashlib
from struct import Struct
from typing import Final, NamedTuple

from console.domain.triggers.windows import Row


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
    """The newest marks: what was done, when, by which decision.

    Two generations: when the young one is full it becomes the old one, and what was old is forgotten. So at least
    half of `kept` are always there, at a little more than half the memory of a list in order.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, kept: int) -> None:
        self._half = max(1, kept // 2)
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}

    def before(self, mark: bytes, row: Row, within_s: float) -> tuple[float, str] | None:
        """The earlier execution, if there was one within the time; this one is remembered."""
        known = self._young.get(mark) or self._old.get(mark)
        if len(self._young) >= self._half and mark not in self._young:
            self._old, self._young = self._young, {}
        self._young[mark] = _TIME.pack(row.at_s) + row.id.encode("utf-8", "surrogatepass")
        if known is None:
            return None
        at_s, name = _TIME.unpack_from(known)[0], known[_TIME.size :].decode("utf-8", "surrogatepass")
        if name == row.id or abs(row.at_s - at_s) > within_s or _copied(at_s, name, row):
            return None
        return at_s, name


_TIME: Final = Struct("d")


def _copied(at_s: float, name: str, row: Row) -> bool:
    """Whether two decisions are one, read from two files: of the same fraction of a second, which no two executions
    share. A copy with other line ends or a byte order mark is no copy by its bytes."""
    if at_s != row.at_s or at_s == int(at_s):
        return False
    one, other = name.rpartition("@")[0], row.id.rpartition("@")[0]
    return bool(one and other) and one != other


class Spends:
    """Recognises executions that were there before.

    Args:
        kept: the newest so many keys, and so many contents, can be recognised; at least half of it.
    """

    __slots__ = ("_by_content", "_by_key")

    def __init__(self, kept: int) -> None:
        self._by_key = _Memory(kept)
        self._by_content = _Memory(kept)

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
