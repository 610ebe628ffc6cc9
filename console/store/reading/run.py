"""The upgrade run, read with everything else: its length at every reading, itself only where that may differ."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.text import clean
from console.store.keys import Keys
from console.store.reading.flag_cache import Command

if TYPE_CHECKING:
    from console.domain.upgrade.reading import UpgradeReading

CURRENT: Final = "current"
EVERY_S: Final = 1.0
"""How often a run that goes on is fetched though its length is the same: two revisions may be equally long."""
OVER_EVERY_S: Final = 5.0
"""The same for one that is over."""
_MOST: Final = 300_000
"""Bytes; what is longer is no run."""


class CurrentRun:
    """Reads it again and again, and remembers what it was decoded from.

    Args:
        keys: whose.
    """

    def __init__(self, keys: Keys) -> None:
        self._upgrades, self._lease = keys.upgrades, keys.beside("lease:upgrade")
        self._length: object = 0
        self._fetched_at = 0.0
        self._raw: object = None
        self._now: UpgradeReading | None = None

    def length(self) -> Command:
        """The command that asks how long it is: 0 where there is none."""
        return ("HSTRLEN", self._upgrades, CURRENT)

    def unread(self, length: object) -> list[Command]:
        """The commands that fetch it and who walks it, where that may differ from what is known.

        Args:
            length: the reply to `length`.
        """
        run = self._now.run if self._now is not None else None
        over = run is not None and not run.state.live
        old = time.monotonic() - self._fetched_at >= (OVER_EVERY_S if over else EVERY_S)
        same, self._length = length == self._length and type(length) is type(self._length), length
        if not isinstance(length, int) or not 0 < length <= _MOST or (same and not old):
            return []
        self._fetched_at = time.monotonic()
        return [("HGET", self._upgrades, CURRENT), ("HMGET", self._lease, "holder", "until")]

    def take(self, replies: list[Any], server_at: datetime) -> UpgradeReading | None:
        """The run; None where there is none.

        Args:
            replies: to `unread`.
            server_at: the server's clock.
        """
        if replies:
            raw, lease = replies
            if raw != self._raw:
                self._raw, self._now = raw, _decoded(raw)
            walker = _holder(lease, round(server_at.timestamp() * 1000))
            if self._now is not None and self._now.walker != walker:
                self._now = self._now._replace(walker=clean(walker, 64))
        if self._length == 0:
            self._raw = self._now = None
            return None
        if not isinstance(self._length, int) or self._length > _MOST:
            from console.domain.upgrade.reading import UpgradeReading

            long = isinstance(self._length, int)
            what = "is longer than a run can be" if long else "is of another Redis type"
            return UpgradeReading(None, problem=clean(f"the key of upgrades {what}"))
        return self._now


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
