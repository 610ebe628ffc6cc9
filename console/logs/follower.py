"""Several decision logs as the console shows them: windows of statistics over every line, and the newest decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from console.domain.seen.decision import Rejection
from console.domain.seen.observation import LogReading
from console.logs.files.following import Following
from console.logs.files.openfile import Pull
from console.logs.files.places import Source
from console.logs.lines.parse import Parser
from console.logs.newest.recent import Block, Recent
from console.logs.options import LogOptions
from console.logs.statistics.windows import Windows


class LogSet(Following):
    """Follows every file that a list of paths and patterns leads to; everything about files is as in `Following`.

    Args:
        patterns: paths, or patterns with `*`, `?`, `[…]` and `**`; looked up again about once a second.
        options: what to read and where in a record the values lie.
    """

    def __init__(self, patterns: Sequence[str | Path], *, options: LogOptions) -> None:
        super().__init__(patterns, options=options)
        self._parser = Parser(options)
        self._windows = Windows(options)
        self._recent = Recent(options, self._parser)
        self._total = 0
        self._rejected: Counter[Rejection] = Counter()
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
            )
        elif self._reading.at != at:
            self._reading = self._reading._replace(at=at)
        return self._reading

    def _polled(self, now_s: float) -> None:
        if not self.behind:
            self._recent.settle()
        if self._windows.tick(now_s):
            self._changed = True

    def _differs(self) -> None:
        self._reading = None

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
