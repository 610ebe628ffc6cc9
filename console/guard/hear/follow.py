"""The decision logs as rows: the follower that the console uses, with the triggers at its end instead of windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from console.domain.seen.decision import Rejection
from console.domain.text import Safe
from console.domain.triggers.windows import Row
from console.guard.hear.rows import RowReader
from console.logs.files.expand import expand
from console.logs.files.following import Following
from console.logs.files.openfile import Pull
from console.logs.files.places import Source
from console.logs.lines.rewrite import Missed

MOST_LOOKED_AT: Final = 1_000
"""Folders and matches passed when only whether there is any file is asked."""


def leads_somewhere(patterns: Sequence[str]) -> bool:
    """Whether any pattern leads to something that is there now."""
    return any(
        path is not None and Path(path).exists()
        for pattern in patterns
        for path in islice(expand(pattern), MOST_LOOKED_AT)
    )


class RowLog(Following):
    """Follows decision logs and hands every decision on; everything about files is as in `Following`.

    Args:
        patterns: paths and patterns.
        reader: makes rows of lines; may be shared by many logs.
        sink: gets each row, in the order of its file, and since when it can have been written, by our clock (epoch
            seconds); 0 where that is not known.
    """

    def __init__(
        self, patterns: Sequence[str | Path], *, reader: RowReader, sink: Callable[[Row, float], None]
    ) -> None:
        super().__init__(patterns, options=reader.options)
        self._rows = reader
        self._sink = sink
        self.rejected: Counter[Rejection] = Counter()
        """Lines that were not understood, by reason."""
        self._missed = Missed()

    def problem(self) -> Safe:
        """Why nothing can be read; empty while at least one file can be."""
        if any(not file.problem for file in self.files):
            return Safe("")
        return self.files[0].problem if self.files else Safe("no file matches")

    def never(self) -> dict[str, int]:
        """What a mapping looked for and never found, with how many records lacked it."""
        mapping = self._rows.options.mapping
        return self._missed.never(mapping) if mapping is not None else {}

    @property
    def unseen(self) -> bool:
        """Whether no file was ever opened."""
        return not self._places.opened

    @property
    def barred(self) -> bool:
        """Whether no file was ever opened, though something stands there."""
        return self.unseen and self._places.barred

    def _take(self, source: Source, pull: Pull, now_s: float) -> None:
        self._changed = True
        if pull.too_long:
            self.rejected[Rejection.TOO_LONG] += pull.too_long
        if pull.block is None:
            return
        parsed = self._rows.parse(pull.block)
        self.rejected.update(parsed.rejected)
        if parsed.missed is not None:
            self._missed.add(parsed.missed)
        for row in self._rows.rows(parsed, source.stream.name, pull.start) if len(parsed) else ():
            self._sink(row, source.read_up_at_s)
