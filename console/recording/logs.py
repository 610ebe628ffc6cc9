"""Decision logs alone as a timeline: what the logs held at any moment, and no store.

Each file is gone through once, to know which stretch holds which time. At a moment, the stretches before it are read,
at most so many bytes back; going on reads only what comes next.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from console.domain.errors import ConsoleError
from console.domain.seen.observation import Link, LinkState, LogFile, LogReading, Observation
from console.domain.seen.timeline import Mark
from console.domain.text import Safe, clean
from console.logs.files.whole import pulls
from console.logs.lines.parse import Parser
from console.logs.lines.rewrite import Missed
from console.logs.newest.recent import Block, Recent, Stream
from console.logs.options import LogOptions
from console.logs.statistics.reach import Reach
from console.logs.statistics.windows import Windows
from console.recording.errors import Damaged
from console.regular import open_regular

BACK_BYTES: Final = 32 * 1024 * 1024
"""Of each file that are read before a moment; what lies further back is not in the figures, and said to be left out."""
AGENT: Final = Safe("logs")
URL: Final = Safe("no store: decision logs alone")


class _Stretch(NamedTuple):
    """Lines of a file.

    Args:
        start, end: where they begin and end, in bytes.
        last_s: the latest time until their end.
    """

    start: int
    end: int
    last_s: float


class _File:
    """One log, gone through once."""

    def __init__(self, path: Path, options: LogOptions) -> None:
        self.path, self.name = path, clean(path.name, 80)
        self.stretches: list[_Stretch] = []
        self.first_s = float("inf")
        last_s, parser = 0.0, Parser(options)
        for pull in pulls(path, options.max_line_bytes):
            times = parser.parse(pull.block).times if pull.block is not None else []
            self.first_s = min(self.first_s, *times, float("inf"))
            last_s = max(last_s, *times, 0.0)
            if pull.block is not None:
                self.stretches.append(_Stretch(pull.start, pull.start + len(pull.block) + 1, last_s))
        self.last_s = last_s
        self._file: BinaryIO = open_regular(path)

    def read(self, stretch: _Stretch, start: int) -> bytes:
        """The lines of a stretch from a place on, without the last newline."""
        self._file.seek(start)
        return self._file.read(stretch.end - start).removesuffix(b"\n")

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


class _Reading:
    """What the logs held at a moment, as it goes on."""

    def __init__(self, files: Sequence[_File], options: LogOptions, moment_s: float) -> None:
        self._files, self._options = files, options
        self._parser = Parser(options)
        self._windows, self._recent = Windows(options), Recent(options, self._parser)
        self._rejected: Counter[str] = Counter()
        self._missed = Missed()
        self._total = self._sequence = 0
        self._streams = [(file, Stream(file.name), Reach()) for file in files]
        self._places = [_begin(file, moment_s) for file in files]
        self._skipped = sum(self._places)
        self.at_s = 0.0

    def far_from(self, moment_s: float) -> bool:
        """Whether more lies between than is read for a moment."""
        return any(_begin(file, moment_s) > at for file, at in zip(self._files, self._places, strict=True))

    def forward(self, moment_s: float) -> None:
        """Read on, up to a moment."""
        self.at_s = moment_s
        for number, (file, stream, reach) in enumerate(self._streams):
            for stretch in file.stretches:
                if stretch.end > self._places[number] and self._take(number, file, stream, reach, stretch):
                    break
        self._recent.settle()
        self._windows.tick(moment_s)

    def _take(self, number: int, file: _File, stream: Stream, reach: Reach, stretch: _Stretch) -> bool:
        """Read on in one stretch; whether the moment was reached in it."""
        start = max(stretch.start, self._places[number])
        block, whole = file.read(stretch, start), stretch.last_s <= self.at_s
        if not whole:
            block = self._until(block)
        self._places[number] = stretch.end if whole else start + len(block) + bool(block)
        if not block:
            return not whole
        parsed = self._parser.parse(block)
        self._rejected.update(str(reason) for reason in parsed.rejected.elements())
        if parsed.missed is not None:
            self._missed.add(parsed.missed)
        if rows := len(parsed):
            if self._skipped and not reach.begun:
                reach.begins(parsed.times)
            self._windows.add(parsed, self.at_s, reach, live=True)
            self._recent.add(stream, Block(block, rows, max(parsed.times), start, self._sequence + 1, self.at_s))
            self._sequence += rows
            self._total += rows
        return not whole

    def _until(self, block: bytes) -> bytes:
        """The lines before the first one that is later than the moment."""
        lines = block.split(b"\n")
        for place, line in enumerate(lines):
            times = self._parser.parse(line).times
            if times and times[0] > self.at_s:
                return b"\n".join(lines[:place])
        return block

    def reading(self, moment: datetime) -> LogReading:
        """As the screens show it."""
        return LogReading(
            at=moment,
            files=tuple(
                LogFile(clean(file.path), 0, place, file.stretches[-1].end if file.stretches else 0)
                for file, place in zip(self._files, self._places, strict=True)
            ),
            total=self._total,
            rejected=dict(self._rejected),
            skipped_bytes=self._skipped,
            by_version=self._windows.by_version(),
            by_slot=self._windows.by_slot(),
            versions_more=self._windows.versions_more,
            recent=self._recent.reading(),
            unplaced=self._windows.unplaced(),
            never=self._missed.never(self._options.mapping) if self._options.mapping is not None else {},
        )


def _begin(file: _File, moment_s: float) -> int:
    """From where on a file is read for a moment: a stretch's begin, at most so many bytes before it."""
    end = next((one.start for one in file.stretches if one.last_s > moment_s), None)
    reached = end if end is not None else (file.stretches[-1].end if file.stretches else 0)
    return next((one.start for one in file.stretches if one.start >= reached - BACK_BYTES), reached)


class LogsTimeline:
    """Decision logs as a `console.domain.seen.timeline.Timeline`. It blocks; any thread may call it.

    Args:
        paths: of the logs.
        options: where in a record the values lie.

    Raises:
        Damaged: one can't be read, or no line of them has a time.
    """

    def __init__(self, paths: Sequence[Path], options: LogOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._files: list[_File] = []
        try:
            self._files += (_File(path, options) for path in paths)
        except (ConsoleError, OSError) as error:
            self.close()
            raise Damaged(f"A log can't be read: {clean(error)}") from error
        first_s = min((file.first_s for file in self._files), default=float("inf"))
        last_s = max((file.last_s for file in self._files), default=0.0)
        if first_s > last_s:
            self.close()
            raise Damaged("No line of these files is a decision with a time.", "Is it a recording, or a decision log?")
        self._bounds = datetime.fromtimestamp(first_s, UTC), datetime.fromtimestamp(last_s, UTC)
        self._reading: _Reading | None = None

    def close(self) -> None:
        """Let the files go."""
        for file in self._files:
            file.close()

    @property
    def missing(self) -> tuple[Safe, ...]:
        """A log alone says nothing of the store."""
        return (Safe("decision logs alone: who acted, flags and alerts are not known"),)

    def bounds(self) -> tuple[datetime, datetime]:
        """The times of the first decision and the last."""
        return self._bounds

    def marks(self) -> Sequence[Mark]:
        """A log alone tells of no events."""
        return ()

    def at(self, moment: datetime) -> Observation:
        """What the logs held then.

        Raises:
            Damaged: a log can't be read any more.
        """
        moment_s = moment.timestamp()
        with self._lock:
            reading = self._reading
            if reading is None or reading.at_s > moment_s or reading.far_from(moment_s):
                reading = _Reading(self._files, self._options, moment_s)
            try:
                reading.forward(moment_s)
            except OSError as error:
                raise Damaged(f"A log can't be read any more: {error.strerror or error}.") from error
            self._reading = reading
            logs = reading.reading(moment)
        return Observation(AGENT, moment, Link(LinkState.OFFLINE, URL), logs=logs, read_only=True)
