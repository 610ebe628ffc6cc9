"""Several decision logs as the console shows them: windows of statistics over every line, and the newest decisions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from console.domain.seen.decision import Rejection
from console.domain.seen.observation import LogReading
from console.logs.files.following import MAX_SECONDS_A_POLL, Following
from console.logs.files.openfile import BLOCK_BYTES, Pull
from console.logs.files.places import Source
from console.logs.lines.parse import Parsed, Parser
from console.logs.lines.rewrite import Missed
from console.logs.newest.recent import Block, Recent
from console.logs.options import LogOptions
from console.logs.statistics.windows import Windows

DAY_S: Final = 86_400.0


class LogSet(Following):
    """Follows every file that a list of paths and patterns leads to; everything about files is as in `Following`.

    Args:
        patterns: paths, or patterns with `*`, `?`, `[…]` and `**`; looked up again about once a second.
        options: what to read and where in a record the values lie.
    """

    def __init__(self, patterns: Sequence[str | Path], *, options: LogOptions) -> None:
        super().__init__(patterns, options=options)
        self._parser = Parser(options)
        self._mapping = options.mapping
        self._windows = Windows(options)
        self._recent = Recent(options, self._parser)
        self._total = self._sequence = 0
        self._back_left = options.back_bytes
        self._rejected: Counter[Rejection] = Counter()
        self._missed = Missed()
        self._reading: LogReading | None = None

    def reading(self, now: datetime) -> LogReading:
        """What the logs hold as of the last poll; parts that did not change are the same objects as before.

        Args:
            now: aware UTC; the time of the reading where nothing was polled yet.
        """
        at = self._at or now
        if self._reading is None:
            self._reading = LogReading(
                at=at,
                files=self.files,
                total=self._total,
                rejected={str(reason): self._rejected[reason] for reason in Rejection if self._rejected[reason]},
                skipped_bytes=self._places.skipped_bytes,
                by_version=self._windows.by_version(),
                by_slot=self._windows.by_slot(),
                versions_more=self._windows.versions_more,
                recent=self._recent.reading(),
                unplaced=self._windows.unplaced(),
                never=self._missed.never(self._mapping) if self._mapping is not None else {},
            )
        elif self._reading.at != at:
            self._reading = self._reading._replace(at=at)
        return self._reading

    def _polled(self, now_s: float) -> None:
        if not self.behind:
            self._recent.settle()
            self.behind = self._read_back(now_s)
        if self._windows.tick(now_s):
            self._changed = True

    def _differs(self) -> None:
        self._reading = None

    def _read_back(self, now_s: float) -> bool:
        """Read a bounded amount of what was left out at the beginning of files, until 24 hours are covered; whether
        more is to be read."""
        deadline = time.monotonic() + MAX_SECONDS_A_POLL
        while self._back_left > 0 and (source := self._shortest()) is not None:
            if time.monotonic() >= deadline:
                return True
            self._take_back(source, now_s)
        return False

    def _shortest(self) -> Source | None:
        """Of the files with lines left out, the one that was read back the least."""
        sources = [*self._places.sources(), *self._places.nameless()]
        return max((one for one in sources if one.file.back and one.reach), key=_unread_s, default=None)

    def _take_back(self, source: Source, now_s: float) -> None:
        assert source.reach is not None
        self._places.touching = source.stream.name
        try:
            pull = source.file.pull_back()
        except OSError as error:
            source.problem, source.file.back = f"can't be read: {error.strerror}", 0
            return
        self._changed = True
        self._back_left -= pull.advanced or BLOCK_BYTES
        self._places.skipped_bytes -= pull.advanced
        if pull.block is None:
            return
        parsed = self._parser.parse(pull.block)
        self._count(parsed, source, now_s)
        if pull.start == 0:
            source.reach.unread_s = None
        elif parsed.times:
            source.reach.begins(parsed.times)
            past = [time_s for time_s in parsed.times if time_s <= now_s]
            if past and max(past) < now_s - DAY_S:  # a whole block: some lines out of order don't end it
                source.file.back = 0
        self._windows.reached()

    def _count(self, parsed: Parsed, source: Source, now_s: float) -> None:
        """Let the records of a block count."""
        self._rejected.update(parsed.rejected)
        if parsed.missed is not None:
            self._missed.add(parsed.missed)
        if rows := len(parsed):
            lost = self._windows.add(parsed, now_s, source.reach, live=source.read_up_at_s > 0)
            if lost:
                self._rejected[Rejection.BAD_PNL] += lost
            self._total += rows

    def _take(self, source: Source, pull: Pull, now_s: float) -> None:
        self._changed = True
        if pull.too_long:
            self._rejected[Rejection.TOO_LONG] += pull.too_long
        if pull.block is None:
            return
        parsed = self._parser.parse(pull.block)
        if source.reach is not None and source.file.left_out and parsed.times and not source.reach.begun:
            source.reach.begins(parsed.times)
        self._count(parsed, source, now_s)
        if rows := len(parsed):
            block = Block(pull.block, rows, max(parsed.times), pull.start, self._sequence + 1, now_s)
            self._recent.add(source.stream, block)
            self._sequence += rows


def _unread_s(source: Source) -> float:
    reach = source.reach
    return float("inf") if reach is None or reach.unread_s is None else reach.unread_s
