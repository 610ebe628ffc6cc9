"""Pages of whole logs: rows beside each other in all logs together, read backwards or forwards from any place.

They are read straight from the logs, so that the first page is there before any index is; the index only tells how many
lines follow. Within a log the order of its lines is kept; between logs, the time decides.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.seen.asking import Ask
from console.domain.seen.browsing import Page, Spot
from console.domain.text import clean
from console.logs.files.whole import starts
from console.logs.index.block import Block
from console.logs.index.build import FileIndex
from console.logs.index.search import Hit, Search
from console.logs.options import LogOptions

STRETCH_BYTES: Final = 128 * 1024
SMALL_BYTES: Final = 16 * 1024
"""Read of each log where there are many."""
MANY: Final = 8
ROWS: Final = 500
"""Of one step back or forth."""
MOST_ROWS: Final = 1500
"""Of a page; beyond that the other end is let go."""

Stop = Callable[[], bool]


def _never() -> bool:
    return False


def stretch(start: int, end: int) -> Block:
    """Bytes of which nothing is known yet, as a block that can be read: complete lines."""
    return Block(start, end, 1, 0, 0, float("-inf"), float("inf"), None, None, None)


class Ends:
    """Where the lines of one log begin and end, near any place in it.

    Args:
        index: of the log.
        start: where in it what was not read elsewhere begins.
        longest: bytes of a line that is read; a longer one is passed over.
    """

    def __init__(self, index: FileIndex, start: int, longest: int) -> None:
        self.index = index
        self.start = start
        self._longest = longest
        size = index.size
        last = self._bytes(size - 1, size) if size else b"\n"
        self.end = size if last == b"\n" else size + 1
        """Behind the last line, as if it had ended."""

    def _bytes(self, start: int, end: int) -> bytes:
        return self.index.read(stretch(start, end + 1))

    def before(self, end: int, length: int) -> Block | None:
        """The lines that end there, about `length` bytes of them; None where none are left.

        Raises:
            OSError: the log can't be read.
        """
        if end <= self.start:
            return None
        begin = max(self.start, end - length)
        while begin > self.start:
            newline = self._bytes(begin, end - 1).find(b"\n")
            if newline >= 0:
                return stretch(begin + newline + 1, end)
            if end - begin > self._longest:
                return self._too_long(begin, end)
            begin = max(self.start, begin - (end - begin))
        return stretch(begin, end)

    def _too_long(self, begin: int, end: int) -> Block:
        """Of a line that nobody reads: nothing, from where it begins."""
        while begin > self.start:
            before = max(self.start, begin - STRETCH_BYTES)
            newline = self._bytes(before, begin).rfind(b"\n")
            begin = before if newline < 0 else before + newline + 1
            if newline >= 0:
                break
        return _empty(begin, end)

    def after(self, begin: int, length: int) -> Block | None:
        """The lines that begin there, about `length` bytes of them; None where none are left.

        Raises:
            OSError: the log can't be read.
        """
        if begin >= self.end:
            return None
        end = begin + length
        while end < self.end:
            newline = self._bytes(begin, end).rfind(b"\n")
            if newline >= 0:
                return stretch(begin, begin + newline + 1)
            if end - begin > self._longest:
                return self._over(begin, end)
            end += end - begin
        return stretch(begin, self.end)

    def _over(self, begin: int, end: int) -> Block:
        while end < self.end:
            newline = self._bytes(end, min(self.end, end + STRETCH_BYTES)).find(b"\n")
            if newline >= 0:
                return _empty(begin, end + newline + 1)
            end += STRETCH_BYTES
        return _empty(begin, self.end)

    def line_start(self, near: int) -> int:
        """Where the first line begins at or after a place.

        Raises:
            OSError: the log can't be read.
        """
        at = near
        while self.start < at < self.end:
            data = self._bytes(at - 1, min(self.end, at + STRETCH_BYTES))
            newline = data.find(b"\n")
            if newline >= 0:
                return at + newline
            at += STRETCH_BYTES
        return min(max(at, self.start), self.end)

    def line_of(self, place: int) -> int:
        """Where the line begins in which a place lies.

        Raises:
            OSError: the log can't be read.
        """
        at = min(place, self.end)
        while at > self.start:
            before = max(self.start, at - SMALL_BYTES)
            newline = self._bytes(before, at).rfind(b"\n")
            if newline >= 0:
                return before + newline + 1
            at = before
        return self.start


def _empty(begin: int, end: int) -> Block:
    return Block(begin, end, 0, 1, 0, 0.0, 0.0, (), (), ())


class _Placed(NamedTuple):
    """A row in a window.

    Args:
        number: of its log.
        spot: the row.
        begin, end: of its line, which may hold more rows: they come and go together.
    """

    number: int
    spot: Spot
    begin: int
    end: int


class Pages:
    """A window on all logs together, moved back and forth.

    Args:
        files: the logs.
        options: how they are read.
        now_s: the time now, epoch seconds.

    Raises:
        OSError: a log can't be read.
        UsageError: the same, said.
    """

    def __init__(self, files: Sequence[FileIndex], options: LogOptions, now_s: float) -> None:
        self._options = options
        self._now_s = now_s
        begins = starts([index.data for index in files])
        self._logs = [Ends(index, at, options.max_line_bytes) for index, at in zip(files, begins, strict=True)]
        self._search = Search(Ask(), options)
        self._length = STRETCH_BYTES if len(self._logs) <= MANY else SMALL_BYTES
        self._low = [log.end for log in self._logs]
        self._high = list(self._low)
        self._rows: list[_Placed] = []

    # moving

    def to_end(self) -> None:
        """An empty window behind the newest row."""
        self._set([log.end for log in self._logs])

    def to_start(self) -> None:
        """An empty window before the oldest row."""
        self._set([log.start for log in self._logs])

    def to(self, key: str, time_s: float) -> bool:
        """An empty window before a row, by its key and time; whether its log is there."""
        path, _, offset = key.rpartition(":")
        places = [
            log.line_of(int(offset)) if str(log.index.path) == path else self._seek(log, time_s) for log in self._logs
        ]
        self._set(places)
        return any(str(log.index.path) == path for log in self._logs)

    def _set(self, places: list[int]) -> None:
        self._low, self._high, self._rows = list(places), list(places), []

    def _seek(self, log: Ends, time_s: float) -> int:
        """Where the first row of a time or later begins, in a log whose times rise."""
        low, high = log.start, log.end
        while high - low > self._length:
            middle = log.line_start((low + high) // 2)
            block = log.after(middle, SMALL_BYTES) if middle < high else None
            first = next(self._search.hits(log.index, block), None) if block is not None and block.rows else None
            if first is None or first.row.time_s >= time_s:
                high = (low + high) // 2
            else:
                low = middle
        low = log.line_start(low)
        while (block := log.after(low, self._length)) is not None:
            for hit in self._hits(log, block):
                if hit.row.time_s >= time_s:
                    return hit.begin
            low = block.end
            if low > high + 2 * self._length:
                break
        return min(low, log.end)

    # reading

    def older(self, most: int = ROWS, stop: Stop = _never) -> int:
        """Take in rows before the window; how many there were.

        Raises:
            OSError: a log can't be read.
        """
        fresh: list[_Placed] = []
        for number, hits in self._merged(self._back, newest_first=True, stop=stop):
            fresh += [self._row(number, hit) for hit in hits]
            self._low[number] = hits[0].begin
            if len(fresh) >= most:
                break
        else:
            if not stop():
                self._low = [log.start for log in self._logs]
        self._rows[:0] = reversed(fresh)
        most = self._end_of_line(MOST_ROWS)
        for row in reversed(self._rows[most:]):
            self._high[row.number] = row.begin
        del self._rows[most:]
        return len(fresh)

    def newer(self, most: int = ROWS, stop: Stop = _never) -> int:
        """Take in rows after the window; how many there were.

        Raises:
            OSError: a log can't be read.
        """
        fresh: list[_Placed] = []
        for number, hits in self._merged(self._forth, newest_first=False, stop=stop):
            fresh += [self._row(number, hit) for hit in hits]
            self._high[number] = hits[0].end
            if len(fresh) >= most:
                break
        else:
            if not stop():
                self._high = [log.end for log in self._logs]
        self._rows += fresh
        surplus = max(0, len(self._rows) - MOST_ROWS)
        while surplus and self._end_of_line(surplus) != surplus:
            surplus -= 1
        for row in self._rows[:surplus]:
            self._low[row.number] = row.end
        del self._rows[:surplus]
        return len(fresh)

    def _row(self, number: int, hit: Hit) -> _Placed:
        decision = hit.decision(self._options, self._now_s)
        return _Placed(number, Spot(str(hit.path), decision), hit.begin, hit.end)

    def _end_of_line(self, count: int) -> int:
        """How many rows there are up to there, with all of the last one's line."""
        rows = self._rows
        while 0 < count < len(rows) and _line_of(rows[count - 1]) == _line_of(rows[count]):
            count += 1
        return count

    def _merged(
        self, read: Callable[[int, Stop], Iterator[Hit]], *, newest_first: bool, stop: Stop
    ) -> Iterator[tuple[int, list[Hit]]]:
        """Line by line: the number of its log, and what is in it."""
        sign = -1 if newest_first else 1
        readers = [
            (list(hits) for _begin, hits in groupby(read(number, stop), _begin_of)) for number in range(len(self._logs))
        ]
        heads = [
            (sign * hits[0].row.time_s, sign * number, hits)
            for number, reader in enumerate(readers)
            if (hits := next(reader, None)) is not None
        ]
        heapify(heads)
        while heads:
            _time, signed, hits = heappop(heads)
            number = abs(signed)
            yield number, hits
            following = next(readers[number], None)
            if following is not None:
                heappush(heads, (sign * following[0].row.time_s, signed, following))

    def _back(self, number: int, stop: Stop) -> Iterator[Hit]:
        log, at = self._logs[number], self._low[number]
        while not stop() and (block := log.before(at, self._length)) is not None:
            yield from reversed(list(self._hits(log, block)))
            at = block.start

    def _forth(self, number: int, stop: Stop) -> Iterator[Hit]:
        log, at = self._logs[number], self._high[number]
        while not stop() and (block := log.after(at, self._length)) is not None:
            yield from self._hits(log, block)
            at = block.end

    def _hits(self, log: Ends, block: Block) -> Iterator[Hit]:
        return self._search.hits(log.index, block, log.start) if block.rows else iter(())

    # telling

    def page(self, at: str = "") -> Page:
        """The window as it is.

        Raises:
            OSError: a log can't be read.
        """
        newer, exact = 0, True
        for log, high in zip(self._logs, self._high, strict=True):
            lines, counted = lines_after(log, high)
            newer += lines
            exact = exact and counted and self._options.mapping is None  # a line may hold many rows, then
        return Page(
            rows=tuple(row.spot for row in self._rows),
            newer=newer,
            exact=exact,
            first=all(low <= log.start for log, low in zip(self._logs, self._low, strict=True)),
            last=all(high >= log.end for log, high in zip(self._logs, self._high, strict=True)),
            at=at,
        )

    def key_of(self, source: str, offset: int) -> str:
        """The key of a row in the window by the name of its log; empty where it is not in it."""
        for _number, spot, _begin, _end in self._rows:
            if spot.decision.offset == offset and spot.decision.source == source:
                return spot.key
        return ""

    @property
    def oldest_s(self) -> float:
        """The time of the window's oldest row; infinite where it has none."""
        return self._rows[0].spot.decision.at.timestamp() if self._rows else float("inf")


def lines_after(log: Ends, at: int) -> tuple[int, bool]:
    """How many lines of a log follow a place, and whether they were counted.

    Raises:
        OSError: the log can't be read.
    """
    rest = log.end - at
    if rest <= 0:
        return 0, True
    if rest <= STRETCH_BYTES:
        return log.index.read(stretch(at, log.end)).count(b"\n") + 1, True
    blocks = log.index.blocks
    place = bisect_left(blocks, at, key=lambda block: block.end)
    lines, upto = 0, at
    if place < len(blocks):
        own = blocks[place]
        if own.end > at:
            lines += log.index.read(stretch(at, own.end)).count(b"\n") + 1
            place += 1
        lines += sum(block.rows + block.refused for block in blocks[place:])
        upto = blocks[-1].end
    rest = log.end - upto
    if rest <= STRETCH_BYTES:
        return lines + (log.index.read(stretch(upto, log.end)).count(b"\n") + 1 if rest > 0 else 0), True
    sample = log.index.read(stretch(log.end - STRETCH_BYTES, log.end)).count(b"\n") + 1
    return lines + rest * sample // STRETCH_BYTES, False


def one_line(files: Sequence[FileIndex], name: str, offset: int, options: LogOptions) -> Hit | None:
    """The round that stands there, read without any index; None where none does.

    Args:
        files: the logs.
        name: of the log, or its whole path.
        offset: in bytes.
        options: how logs are read.

    Raises:
        OSError: the log can't be read.
        UsageError: no log, or more than one, is called that.
    """
    named = [index for index in files if name in (str(index.path), index.path.name)]
    if len(named) != 1:
        many = "No log is" if not named else f"{len(named)} logs are"
        raise UsageError(f"{many} called {clean(name, 80)!r}.", "`decisions list` names them.")
    log = Ends(named[0], 0, options.max_line_bytes)
    if offset >= log.end:
        return None
    begin = log.line_of(offset)
    if begin != offset and options.mapping is None:
        return None
    end = begin + SMALL_BYTES
    while end < log.end:
        newline = log.index.read(stretch(begin, end + 1)).find(b"\n")
        if newline >= 0:
            end = begin + newline + 1
            break
        if end - begin > options.max_line_bytes:
            return None
        end += end - begin
    hits = Search(Ask(), options).hits(named[0], stretch(begin, min(end, log.end)))
    return next((hit for hit in hits if hit.offset == offset), None)


_begin_of: Final = attrgetter("begin")
_line_of: Final = attrgetter("number", "begin")
