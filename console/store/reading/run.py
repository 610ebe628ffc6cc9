"""The upgrade run, read with everything else: its mark and who walks it at every reading, itself where that moved."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.text import clean
from console.store.keys import Keys
from console.store.reading.flag_cache import Command
from console.store.reading.sections import Section, count_of

if TYPE_CHECKING:
    from console.domain.upgrade.reading import UpgradeReading

CURRENT: Final = "current"
_MOST: Final = 300_000
"""Bytes; what is longer is no run."""


class CurrentRun:
    """Reads it again and again, and remembers what it was decoded from.

    Args:
        keys: whose.
    """

    def __init__(self, keys: Keys) -> None:
        self._upgrades, self._lease = keys.upgrades, keys.beside("lease:upgrade")
        self.section = Section(self._fetch)
        self._length: object = 0
        self._raw: object = None
        self._now: UpgradeReading | None = None

    def commands(self) -> list[Command]:
        """The commands that ask how long it is, 0 where there is none, and, where there was one, who walks it."""
        return [("HSTRLEN", self._upgrades, CURRENT), *(self._walker() if self._length != 0 else [])]

    def _walker(self) -> list[Command]:
        return [("HMGET", self._lease, "holder", "until")]

    def mark(self, replies: Sequence[Any], head: Hashable) -> Hashable:
        """The mark of its section.

        Args:
            replies: to `commands`.
            head: of the chain of control events, under which it is written; None where there is none.
        """
        self._length = replies[0]
        if self._length == 0:
            return (0,)
        return None if head is None else (head, count_of(self._length))

    def _fetch(self) -> list[Command]:
        return [("HGET", self._upgrades, CURRENT), *self._walker()] if _readable(self._length) else []

    def take(self, replies: Sequence[Any], server_at: datetime) -> UpgradeReading | None:
        """The run, once its section was fetched; None where there is none.

        Args:
            replies: to `commands`.
            server_at: the server's clock.
        """
        if self.section.replies and _readable(self._length):
            raw, lease = self.section.replies
            if raw != self._raw:
                self._raw, self._now = raw, _decoded(raw)
            walker = _holder(replies[1] if len(replies) > 1 else lease, round(server_at.timestamp() * 1000))
            if self._now is not None and self._now.walker != walker:
                self._now = self._now._replace(walker=clean(walker, 64))
        if self._length == 0:
            self._raw = self._now = None
            return None
        if not _readable(self._length):
            from console.domain.upgrade.reading import UpgradeReading

            long = isinstance(self._length, int)
            what = "is longer than a run can be" if long else "is of another Redis type"
            return UpgradeReading(None, problem=clean(f"the key of upgrades {what}"))
        return self._now


def _readable(length: object) -> bool:
    return isinstance(length, int) and 0 < length <= _MOST


def _decoded(raw: Any) -> UpgradeReading | None:
    if raw is None:
        return None
    from console.domain.errors import Refused
    from console.domain.upgrade.reading import UpgradeReading
    from console.store.records.upgrades import stored_run

    try:
        stored = stored_run(bytes(raw))
    except Refused as error:
        return UpgradeReading(None, problem=clean(error.message, 200))
    return UpgradeReading(stored.run, stored.revision)


def _holder(lease: Any, server_ms: int) -> str:
    """Who holds the lease now; its name is followed by a number of this walk alone."""
    if not isinstance(lease, list) or len(lease) != 2 or not all(isinstance(one, bytes) for one in lease):
        return ""
    holder, until = (one.decode("utf-8", "replace") for one in lease)
    if not (until.isascii() and until.isdigit() and len(until) < 16 and int(until) > server_ms):
        return ""
    return str(clean(holder.rpartition(" ")[0] or holder, 64))
