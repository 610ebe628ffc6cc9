"""Several decision logs, followed by polling: whatever happens to the files, every complete line is counted exactly
once.

A file is known by its device and inode, not by its name: renamed, it is read to its end under the old name before the
new file at that name is begun; found by two patterns, it is followed once. A file that was cut or written anew is read
again from its first byte (see `openfile`). What is wrong with a path is shown in its `LogFile`, and tried again.

`poll` never blocks and does a bounded amount of work, so that an event loop stays responsive whatever arrives.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from console.domain.decision import Rejection
from console.domain.observation import LogFile, LogReading
from console.logs.openfile import BLOCK_BYTES, Pull
from console.logs.options import LogOptions
from console.logs.parse import Parser
from console.logs.places import Places, Source
from console.logs.recent import Block, Recent
from console.logs.windows import Windows

MAX_BYTES_A_POLL: Final = 4 * 1024 * 1024
MAX_SECONDS_A_POLL: Final = 0.02


class LogSet:
    """Follows every file that a list of paths and patterns leads to.

    Args:
        patterns: paths, or patterns with `*`, `?`, `[…]` and `**`; looked up again about once a second.
        options: what to read and where in a record the values lie.
    """

    def __init__(self, patterns: Sequence[str | Path], *, options: LogOptions) -> None:
        self.options = options
        self._parser = Parser(options)
        self._windows = Windows(options)
        self._recent = Recent(options, self._parser)
        self._places = Places([str(pattern) for pattern in patterns], options)
        self._total = 0
        self._rejected: Counter[Rejection] = Counter()
        self._files: tuple[LogFile, ...] = ()
        self._turn = 0
        self._changed = False
        self._at: datetime | None = None
        self._reading: LogReading | None = None
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
        if not self.behind:
            self._recent.settle()
        if self._windows.tick(now_s):
            self._changed = True
        files = self._places.log_files()
        if files != self._files:
            self._files, self._changed = files, True
        changed, self._changed = self._changed, False
        if changed:
            self._reading = None
        return changed or self.behind

    def reading(self, now: datetime) -> LogReading:
        """What the logs hold as of the last poll; parts that did not change are the same objects as before.

        Args:
            now: aware UTC; the time of the reading where nothing was polled yet.
        """
        at = self._at or now
        if self._reading is None:
            self._reading = LogReading(
                at=at,
                files=self._files,
                total=self._total,
                rejected={str(reason): self._rejected[reason] for reason in Rejection if self._rejected[reason]},
                skipped_bytes=self._places.skipped_bytes,
                by_version=self._windows.by_version(),
                by_slot=self._windows.by_slot(),
                versions_more=self._windows.versions_more,
                recent=self._recent.reading(),
            )
        elif self._reading.at != at:
            self._reading = self._reading._replace(at=at)
        return self._reading

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

    def _take(self, source: Source, pull: Pull, now_s: float) -> None:
        self._changed = True
        if pull.too_long:
            self._rejected[Rejection.TOO_LONG] += pull.too_long
        if pull.block is None:
            return
        parsed = self._parser.parse(pull.block)
        self._rejected.update(parsed.rejected)
        if rows := len(parsed):
            lost = self._windows.add(parsed, now_s)
            if lost:
                self._rejected[Rejection.BAD_PNL] += lost
            block = Block(pull.block, rows, max(parsed.times), pull.start, self._total + 1, now_s)
            self._recent.add(source.stream, block)
            self._total += rows
