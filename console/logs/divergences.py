"""Divergences that plain agents write: JSON lines `{state, live, shadow, timestamp}`, compared as they come.

Every complete line is counted exactly once, as a record or under the reason why it is none; the newest records are kept
whole. Comparing two decisions takes longer than reading them, so lines wait here, and each poll compares as many as its
time allows.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from console.domain.seen.decision import Rejection
from console.domain.seen.observation import DivergenceLog
from console.domain.shadow.compare import Rules
from console.domain.shadow.rates import FieldRate, Tally, parse_divergence
from console.domain.shadow.report import TOO_DEEP, DivergenceReading, compared
from console.logs.files.following import Following
from console.logs.files.openfile import Pull
from console.logs.files.places import Source
from console.logs.lines.careful import load
from console.logs.lines.times import seconds_of
from console.logs.options import LogOptions

KEPT: Final = 200
"""Records kept whole."""
MAX_KEPT_BYTES: Final = 2 * 1024 * 1024
"""Of their lines together: a record takes many times its line in memory."""
MAX_LINE_BYTES: Final = 64 * 1024
MAX_SECONDS_A_POLL: Final = 0.01


class _Line:
    """A line that waits to be compared."""

    __slots__ = ("data", "source")

    def __init__(self, data: bytes, source: str) -> None:
        self.data = data
        self.source = source


class DivergenceSet(Following):
    """Follows every file of divergences that a list of paths and patterns leads to.

    Args:
        patterns: see `Following`.
        last_lines: complete lines read from the end of a file that is there at the start; None reads it whole.
        rules: what may differ between two decisions.
    """

    def __init__(
        self, patterns: Sequence[str | Path], *, last_lines: int | None = 1000, rules: Rules | None = None
    ) -> None:
        super().__init__(patterns, options=LogOptions(last_lines=last_lines, max_line_bytes=MAX_LINE_BYTES))
        self._rules = rules or Rules()
        self._waiting: deque[_Line] = deque()
        self._tally = Tally()
        self._rejected: Counter[str] = Counter()
        self._recent: deque[tuple[DivergenceReading, int]] = deque()
        self._kept_bytes = 0
        self._fields: tuple[FieldRate, ...] | None = ()
        self._reading: DivergenceLog | None = None

    def reading(self, now: datetime) -> DivergenceLog:
        """What the files hold as of the last poll; parts that did not change are the same objects as before.

        Args:
            now: aware UTC; the time of the reading where nothing was polled yet.
        """
        at = self._at or now
        if self._fields is None:
            self._fields = self._tally.fields()
        if self._reading is None:
            self._reading = DivergenceLog(
                at=at,
                files=self.files,
                total=self._tally.rounds,
                rejected=dict(sorted(self._rejected.items())),
                diverged=self._tally.diverged,
                skipped_bytes=self._places.skipped_bytes,
                fields=self._fields,
                recent=tuple(reading for reading, _size in self._recent),
            )
        elif self._reading.at != at:
            self._reading = self._reading._replace(at=at)
        return self._reading

    def _read(self, now_s: float, deadline: float) -> bool:
        """First what waits; more is read only once nothing does."""
        enough = time.monotonic() + MAX_SECONDS_A_POLL
        self._compare(enough)
        more = bool(self._waiting) or super()._read(now_s, min(deadline, enough))
        self._compare(enough)
        return more or bool(self._waiting)

    def _take(self, source: Source, pull: Pull, now_s: float) -> None:
        self._changed = True
        if pull.too_long:
            self._rejected[Rejection.TOO_LONG.value] += pull.too_long
        for line in pull.block.split(b"\n") if pull.block is not None else ():
            if len(line) > MAX_LINE_BYTES:
                self._rejected[Rejection.TOO_LONG.value] += 1
            elif line.strip():
                self._waiting.append(_Line(line, source.stream.name))

    def _polled(self, now_s: float) -> None:
        """Nothing here depends on the clock."""

    def _differs(self) -> None:
        self._reading = None

    def _compare(self, enough: float) -> None:
        """Compare what waits, at least one line, as long as the time allows."""
        while self._waiting:
            line = self._waiting.popleft()
            self._changed, self._fields = True, None
            try:
                self._keep(line)
            except ValueError as refused:
                self._rejected[str(refused)] += 1
            if time.monotonic() >= enough:
                return

    def _keep(self, line: _Line) -> None:
        """Count a line as a record.

        Raises:
            ValueError: it is none; the text is the reason.
        """
        record = _record(line.data)
        key = str(self._tally.rounds + 1)
        try:
            reading, comparison = compared(key, parse_divergence(record), line.source, self._rules)
        except ValueError as error:
            reason = TOO_DEEP if str(error) == TOO_DEEP else Rejection.BAD_TIMESTAMP.value
            raise ValueError(reason) from error
        self._tally.add(comparison)
        self._recent.append((reading, len(line.data)))
        self._kept_bytes += len(line.data)
        while len(self._recent) > KEPT or (self._kept_bytes > MAX_KEPT_BYTES and len(self._recent) > 1):
            self._kept_bytes -= self._recent.popleft()[1]


def _record(line: bytes) -> Mapping[str, object]:
    """The line as an object with all four fields, its time as a number that `parse_divergence` takes.

    Raises:
        ValueError: it is none; the text is the reason.
    """
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(Rejection.NOT_UTF8.value) from error
    try:
        value = load(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(Rejection.NOT_JSON.value) from error
    if not isinstance(value, dict):
        raise ValueError(Rejection.NOT_AN_OBJECT.value)  # noqa: TRY004 - what is wrong is the line, not the call
    if not value.keys() >= _FIELDS:
        raise ValueError(Rejection.MISSING_FIELD.value)
    value["timestamp"] = seconds_of(value["timestamp"])
    return value


_FIELDS: Final = frozenset({"state", "live", "shadow", "timestamp"})
