"""The decision logs as rows: the follower that the console uses, with the triggers at its end instead of windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from console.domain.decision import Rejection
from console.domain.text import Safe
from console.domain.triggers_windows import Row
from console.guard.rows import RowReader
from console.guard.signals import Signals
from console.logs.follower import LogSet
from console.logs.openfile import Pull
from console.logs.options import LogOptions
from console.logs.places import Source


class RowLog(LogSet):
    """Follows decision logs and hands every decision on; everything about files is as in `LogSet`.

    Args:
        patterns: paths and patterns.
        options: what to read; nothing recent is kept.
        signals: what the triggers look for.
        sink: gets each row, in the order of its file.
    """

    def __init__(
        self, patterns: Sequence[str | Path], *, options: LogOptions, signals: Signals, sink: Callable[[Row], None]
    ) -> None:
        super().__init__(patterns, options=options)
        self._rows = RowReader(options, signals)
        self._sink = sink

    def problem(self, now: datetime) -> Safe:
        """Why nothing can be read; empty while at least one file can be."""
        files = self.reading(now).files
        if any(not file.problem for file in files):
            return Safe("")
        return files[0].problem if files else Safe("no file matches")

    def _take(self, source: Source, pull: Pull, now_s: float) -> None:
        self._changed = True
        if pull.too_long:
            self._rejected[Rejection.TOO_LONG] += pull.too_long
        if pull.block is None:
            return
        parsed = self._rows.parse(pull.block)
        self._rejected.update(parsed.rejected)
        for row in self._rows.rows(parsed, source.stream.name, pull.start) if len(parsed) else ():
            self._sink(row)
        self._total += len(parsed)
