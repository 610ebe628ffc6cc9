"""Parts of a reading that are fetched only where they may have changed.

Each part has a mark that comes with every reading: the head of a chain, a count, a text that no other write has. Equal
marks are the same content, whatever happened to the store: no mark is given twice, not in another lineage either. What
was written by hand, or by a release that gives no marks, is fetched again all the same, after a while.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from time import monotonic
from typing import Any, Final

from console.store.reading.flag_cache import Command

AGAIN_S: Final = 5.0
"""After so long a part is fetched again though its mark is the same."""
AGAIN_MOST_S: Final = 60.0
"""The same for a part that is large."""
BYTES_A_S: Final = 2_560
"""How much of a large part may be fetched again a second for nothing: 512 bytes a turn."""
_EAGER: Final = 2
"""A part whose mark moved in so many turns on end is fetched with the marks the next time: one round trip less."""


class Section:
    """One part, as it was fetched last.

    Args:
        commands: that fetch it, as of now; none where there is nothing to fetch.
    """

    def __init__(self, commands: Callable[[], Sequence[Command]]) -> None:
        self.commands = commands
        self.replies: tuple[Any, ...] = ()
        self.serial = 0
        """Rises with each fetch that brought something else than the one before."""
        self._mark: Hashable = None
        self._again_at = 0.0
        self._moves = 0

    @property
    def eager(self) -> bool:
        """Whether it is fetched with the marks: it changes all the time."""
        return self._moves >= _EAGER

    def due(self, mark: Hashable) -> bool:
        """Whether it has to be fetched.

        Args:
            mark: as of now; None where nothing marks its writes.
        """
        moved = mark is None or mark != self._mark
        self._moves = self._moves + 1 if moved else 0
        return moved or has_come(self._again_at)

    def take(self, mark: Hashable, replies: Sequence[Any]) -> None:
        """What was fetched, after the mark was read: it is as new as that, or newer."""
        self._mark = mark
        replies = tuple(replies)
        if not _same(replies, self.replies):
            self.replies = replies
            self.serial += 1
        self._again_at = again_at(replies)


class Sections:
    """Several parts that are fetched together.

    Args:
        parts: all of them.
    """

    def __init__(self, parts: Sequence[Section]) -> None:
        self._parts = parts
        self._asked: list[tuple[Section, list[Command]]] = []

    def early(self) -> list[Command]:
        """The commands for what is fetched with the marks; they come after those that read the marks."""
        return self._ask([part for part in self._parts if part.eager])

    def late(self, marks: Mapping[Section, Hashable], early: Sequence[Any]) -> list[Command]:
        """The commands for what has to be fetched now that the marks are known.

        Args:
            marks: of every part.
            early: the replies to `early`.
        """
        fetched = {part for part, commands in self._asked if commands == list(part.commands())}
        due = [part for part in self._parts if part.due(marks[part])]
        self.take(marks, early)
        return self._ask([part for part in due if part not in fetched])

    def take(self, marks: Mapping[Section, Hashable], replies: Sequence[Any]) -> None:
        """The replies to what was asked for last."""
        start = 0
        for part, commands in self._asked:
            part.take(marks[part], replies[start : start + len(commands)])
            start += len(commands)
        self._asked = []

    def _ask(self, parts: Sequence[Section]) -> list[Command]:
        self._asked = [(part, list(part.commands())) for part in parts]
        return [command for _, commands in self._asked for command in commands]


def again_at(replies: object) -> float:
    """When what was fetched is fetched again though nothing says that it moved, on this process's steady clock."""
    return monotonic() + min(AGAIN_MOST_S, max(AGAIN_S, size_of(replies) / BYTES_A_S))


def has_come(at: float) -> bool:
    """Whether that moment has come."""
    return monotonic() >= at


def count_of(reply: object) -> Hashable:
    """A length as part of a mark; of a key of another type its refusal, in words."""
    return reply if isinstance(reply, int) else str(reply)


def size_of(reply: object) -> int:
    """About how many bytes a reply had."""
    if isinstance(reply, bytes | str):
        return len(reply) + 6
    if isinstance(reply, Mapping):
        return sum(size_of(name) + size_of(value) for name, value in reply.items())
    if isinstance(reply, list | tuple):
        return sum(map(size_of, reply))
    return 8


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether replies say the same; refusals of the same words do."""
    return len(one) == len(other) and all(
        a == b or (isinstance(a, Exception) and isinstance(b, Exception) and str(a) == str(b))
        for a, b in zip(one, other, strict=True)
    )
