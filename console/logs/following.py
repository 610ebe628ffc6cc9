"""Files behind paths and patterns, followed by polling: what every reader of them has in common.

A file is known by its device and inode, not by its name: renamed, it is read to its end under the old name before the
new file at that name is begun; found by two patterns, it is followed once. A file that was cut or written anew is read
again from its first byte (see `openfile`). What is wrong with a path is shown in its `LogFile`, and tried again.

`poll` never blocks and does a bounded amount of work, so that an event loop stays responsive whatever arrives.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from console.domain.observation import LogFile
from console.logs.openfile import BLOCK_BYTES, Pull
from console.logs.options import LogOptions
from console.logs.places import Places, Source

MAX_BYTES_A_POLL: Final = 4 * 1024 * 1024
MAX_SECONDS_A_POLL: Final = 0.02


class Following(ABC):
    """Follows every file that a list of paths and patterns leads to; a subclass says what the lines are.

    Args:
        patterns: paths, or patterns with `*`, `?`, `[…]` and `**`; looked up again about once a second.
        options: how much to read.
    """

    def __init__(self, patterns: Sequence[str | Path], options: LogOptions) -> None:
        self._places = Places([str(pattern) for pattern in patterns], options)
        self._files: tuple[LogFile, ...] = ()
        self._turn = 0
        self._changed = False
        self._at: datetime | None = None
        self.behind = True
        """Whether the last poll left work that is there already; False once caught up."""

    def poll(self, now: datetime) -> bool:
        """Look at the files and read a bounded amount; never blocks.

        Args:
            now: aware UTC.

        Returns:
            Whether anything differs from before, or more is waiting to be read.
        """
        self._at = now
        now_s = now.timestamp()
        deadline = time.monotonic() + MAX_SECONDS_A_POLL
        self._places.look(now_s, deadline)
        more = self._read(now_s, deadline)
        self._places.retire(now_s, lambda source, pull: self._take(source, pull, now_s))
        self.behind = more or self._places.looking
        self._polled(now_s)
        files = self._places.log_files()
        if files != self._files:
            self._files, self._changed = files, True
        changed, self._changed = self._changed, False
        if changed:
            self._forget_reading()
        return changed or self.behind

    def close(self) -> None:
        """Close every file; the last reading stays."""
        self._places.close()

    def _read(self, now_s: float, deadline: float) -> bool:
        """Read from each file in turn until all are at their end, or the bounds are reached; whether more is there."""
        nameless, sources = self._places.nameless(), self._places.sources()
        turn = self._turn % len(sources) if sources else 0
        left = MAX_BYTES_A_POLL
        for number, source in enumerate([*nameless, *sources[turn:], *sources[:turn]]):
            while True:
                pull = source.pull()
                if not (pull.advanced or pull.restarted):
                    break
                source.grew_at_s = now_s
                self._take(source, pull, now_s)
                left -= pull.advanced or BLOCK_BYTES
                if left <= 0 or time.monotonic() >= deadline:
                    self._turn = turn + max(0, number + 1 - len(nameless))
                    return True
        return False

    @abstractmethod
    def _take(self, source: Source, pull: Pull, now_s: float) -> None:
        """Lines have come, or were found to be too long."""

    @abstractmethod
    def _polled(self, now_s: float) -> None:
        """A poll is over; sets `_changed` where anything differs by the clock alone."""

    @abstractmethod
    def _forget_reading(self) -> None:
        """What the files hold differs from the last reading."""
