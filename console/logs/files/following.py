"""Following several files by polling: whatever happens to them, every complete line is handed on exactly once.

A file is known by its device and inode, not by its name: renamed, it is read to its end under the old name before the
new file at that name is begun; found by two patterns, it is followed once. A file that was cut or written anew is read
again from its first byte (see `openfile`), but for what repeats this or another file (see `reread`). What is wrong with
a path is shown in its `LogFile`, and tried again.

`poll` never blocks and does a bounded amount of work, so that an event loop stays responsive whatever arrives.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from console.domain.seen.observation import LogFile
from console.logs.files.openfile import BLOCK_BYTES, Pull
from console.logs.files.places import Places, Source
from console.logs.options import LogOptions

MAX_BYTES_A_POLL: Final = 4 * 1024 * 1024
MAX_SECONDS_A_POLL: Final = 0.02


class Following:
    """Follows every file that a list of paths and patterns leads to; what a block of lines means, a subclass says.

    Args:
        patterns: paths, or patterns with `*`, `?`, `[…]` and `**`; looked up again about once a second.
        options: what to read and where in a record the values lie.
    """

    def __init__(self, patterns: Sequence[str | Path], *, options: LogOptions) -> None:
        self.options = options
        self._places = Places([str(pattern) for pattern in patterns], options)
        self._turn = 0
        self._changed = False
        self._at: datetime | None = None
        self.files: tuple[LogFile, ...] = ()
        """Every path that is followed, and what is not, as of the last poll."""
        self.behind = True
        """Whether the last poll left work that is there already; False once caught up."""

    @property
    def touching(self) -> str:
        """The path that a poll under way has asked the disk about last; empty between two polls. Any thread may ask."""
        return self._places.touching

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
        self._places.touching = ""
        files = self._places.log_files()
        if files != self.files:
            self.files, self._changed = files, True
        changed, self._changed = self._changed, False
        if changed:
            self._differs()
        return changed or self.behind

    def stirred(self) -> bool:
        """Whether a poll could find anything that the last one did not: a look at each file's size and time, no more.

        A pattern may lead to another file by now without this noticing: poll every few seconds all the same.
        """
        return self.behind or self._places.stirred()

    def look_up_every(self, seconds: float) -> None:
        """How often patterns are looked up again."""
        self._places.look_every_s = seconds

    def close(self) -> None:
        """Close every file."""
        self._places.close()

    def _take(self, source: Source, pull: Pull, now_s: float) -> None:
        """What one read brought."""
        raise NotImplementedError

    def _polled(self, now_s: float) -> None:
        """A poll has read what it reads."""

    def _differs(self) -> None:
        """Something differs from the poll before."""

    def _read(self, now_s: float, deadline: float) -> bool:
        """Read from each file in turn until all are at their end, or the bounds are reached; whether more is there."""
        nameless, sources = self._places.nameless(), self._places.sources()
        turn = self._turn % len(sources) if sources else 0
        left = MAX_BYTES_A_POLL
        ordered = [*nameless, *sources[turn:], *sources[:turn]]
        ordered.sort(key=lambda source: source.file.copying)  # after what they are compared with
        for number, source in enumerate(ordered):
            self._places.touching = source.stream.name
            while True:
                pull = source.pull()
                if not (pull.advanced or pull.restarted):
                    source.read_up_at_s = now_s
                    break
                source.grew_at_s = now_s
                self._take(source, pull, now_s)
                if pull.restarted:
                    source.read_up_at_s = 0.0
                left -= pull.advanced or BLOCK_BYTES
                if left <= 0 or time.monotonic() >= deadline:
                    self._turn = turn + max(0, number + 1 - len(nameless))
                    return True
        return False
