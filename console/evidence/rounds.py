"""The decisions of a time, raw: every line as its log has it, and where in the log it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from tempfile import TemporaryFile
from typing import Final, NamedTuple

from console.domain.seen.asking import Ask
from console.domain.text import clean
from console.evidence.bundle import Bundle
from console.evidence.names import sound
from console.logs.files.whole import starts
from console.logs.index.block import Block
from console.logs.index.build import FileIndex
from console.logs.index.logs import LogIndex
from console.logs.index.search import Search
from console.logs.options import LogOptions

PLACES: Final = ".places"
"""Ends the name of the member that says where a log's lines stand in it: a line a stretch, `OFFSET BYTES LINES`."""


class LogPart(NamedTuple):
    """What the file holds of one log.

    Args:
        path: of the log.
        member: with its lines.
        lines, size: how many lines and bytes.
        problem: why it is not all of that time; empty where it is.
    """

    path: str
    member: str
    lines: int
    size: int
    problem: str = ""


class _Stretches:
    """Where what was written stands in its log: neighbours are one stretch."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._start = -1
        self.end = 0
        self._here = 0
        self.lines = self.size = 0

    def add(self, offset: int, size: int, lines: int) -> None:
        if offset != self.end or not self._here:
            self.close()
            self._start = offset
        self.end = offset + size
        self._here += lines
        self.lines += lines
        self.size += size

    def close(self) -> None:
        if self._here:
            self._write(b"%d %d %d\n" % (self._start, self.end - self._start, self._here))
        self._here = 0


def write_rounds(
    bundle: Bundle,
    index: LogIndex,
    options: LogOptions,
    span: tuple[datetime, datetime],
    told: Callable[[str], None] = lambda text: None,
) -> list[LogPart]:
    """Write the lines of every log that belong to a time, log by log, and never more than a stretch in memory.

    A line that is no decision carries no time: it belongs where the one before it does.

    Args:
        bundle: into which.
        index: read to the end.
        options: how the logs are read.
        span: from when, and before when.
        told: says how far it is.
    """
    begins = starts([one.path for one in index.files])
    number = count(1)
    parts = []
    for log, start in zip(list(index.files), begins, strict=True):
        member = f"decisions/{next(number):04}-{sound(log.path.name.removesuffix('.jsonl'))}"
        parts.append(_write_log(bundle, log, options, span, start, member, told))
    return parts


def _write_log(
    bundle: Bundle,
    log: FileIndex,
    options: LogOptions,
    span: tuple[datetime, datetime],
    start: int,
    member: str,
    told: Callable[[str], None],
) -> LogPart:
    with TemporaryFile() as places:
        stretches = _Stretches(places.write)
        problem = _write_lines(bundle, log, options, span, start, f"{member}.jsonl", stretches, told)
        places.seek(0)
        with bundle.member(member + PLACES) as write:
            for place in places:
                write(place)
    return LogPart(str(log.path), f"{member}.jsonl", stretches.lines, stretches.size, problem)


def _write_lines(
    bundle: Bundle,
    log: FileIndex,
    options: LogOptions,
    span: tuple[datetime, datetime],
    start: int,
    member: str,
    stretches: _Stretches,
    told: Callable[[str], None],
) -> str:
    """Write a log's lines; why it was not all of them, or nothing."""
    problem = ""
    with bundle.member(member) as write:
        try:
            for offset, data, lines in _pieces(log, options, span, start):
                write(data)
                stretches.add(offset, len(data), lines)
                told(f"decisions: {stretches.lines:,} lines of {clean(log.path.name, 40)}")
        except OSError as error:
            problem = f"could be read no further than byte {stretches.end}: {error.strerror or 'it failed'}"
        stretches.close()
    return problem


def _pieces(
    log: FileIndex, options: LogOptions, span: tuple[datetime, datetime], start: int
) -> Iterator[tuple[int, bytes, int]]:
    """Offset, bytes and number of lines of what belongs to the time."""
    since, until = (moment.timestamp() for moment in span)
    search = Search(Ask(), options)
    inside = False
    for block in log.all_blocks():
        if block.end <= start:
            continue
        if block.rows and (block.last_s < since or block.first_s >= until):
            inside = False
        elif block.start >= start and (inside if not block.rows else block.first_s >= since and block.last_s < until):
            data = log.read(block) + b"\n"
            yield block.start, data, data.count(b"\n")
            inside = True
        elif block.rows:
            for offset, line, belongs in _lines(log, block, search, start, (since, until), inside):
                inside = belongs
                if belongs:
                    yield offset, line, 1


def _lines(
    log: FileIndex, block: Block, search: Search, start: int, span: tuple[float, float], inside: bool
) -> Iterator[tuple[int, bytes, bool]]:
    belongs: dict[int, bool] = {}
    for hit in search.hits(log, block, start):  # a line of several rounds belongs where one of them does
        belongs[hit.begin] = belongs.get(hit.begin, False) or span[0] <= hit.row.time_s < span[1]
    offset = block.start
    for line in log.read(block).split(b"\n"):
        inside = belongs.get(offset, inside)
        if offset >= start:
            yield offset, line + b"\n", inside
        offset += len(line) + 1


def read_places(data: bytes) -> list[tuple[int, int, int]]:
    """The stretches of a log: offset, bytes, lines.

    Raises:
        ValueError: it is no list of stretches.
    """
    places = [tuple(int(word) for word in line.split()) for line in data.splitlines()]
    if any(len(place) != 3 or min(place) < 0 for place in places):
        raise ValueError("it is no list of stretches")
    return places  # type: ignore[return-value]
