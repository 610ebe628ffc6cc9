"""The newest decisions over several files, in an order that never changes behind what was shown.

Within a file, the order of its lines is kept. Lines of several files that were read before the reader caught up are
merged by their timestamps; what comes after that follows behind, however old it claims to be, so that a row on a screen
never appears above one that was there before.

Most lines never reach a screen. So blocks are held as bytes, and only those that are left when somebody looks are
parsed once more and become decisions.
"""

from __future__ import annotations

from collections import deque
from itertools import accumulate, chain, repeat
from operator import attrgetter
from typing import Final

from console.domain.seen.decision import Decision
from console.domain.text import Safe
from console.logs.lines.parse import Parser
from console.logs.newest.present import RAW_LIMIT, Sighting
from console.logs.options import LogOptions

MAX_HELD_BYTES: Final = 8 * 1024 * 1024
"""Of blocks held as they are, over all files; above that they are cut down to their newest lines at once."""


class Block:
    """Lines just read, of which some may be among the newest.

    Args:
        data: the lines as they were read; most blocks are never looked at again.
        rows: how many of them were accepted, at least one.
        latest_s: the latest of their timestamps.
        start: where in the file the first line begins.
        sequence: of the first accepted line.
        read_at_s: the reader's clock, epoch seconds.
    """

    __slots__ = ("batch", "data", "latest_s", "read_at_s", "rows", "sequence", "start")

    def __init__(self, data: bytes, rows: int, latest_s: float, start: int, sequence: int, read_at_s: float) -> None:
        self.data = data
        self.rows = rows
        self.latest_s = latest_s
        self.start = start
        self.sequence = sequence
        self.read_at_s = read_at_s
        self.batch = 0


class Stream:
    """One file's lines on their way into the common order.

    Args:
        name: the file's name, as shown with its decisions.
    """

    __slots__ = ("blocks", "clock_s", "name", "rows")

    def __init__(self, name: Safe) -> None:
        self.name = name
        self.clock_s = 0.0
        """The latest timestamp so far, the future left out: no line sorts before an earlier one of its own file."""
        self.blocks: deque[Block] = deque()
        self.rows = 0
        """Over all blocks."""

    def drop_first(self) -> Block:
        """Let go of the oldest block, but for what it says of the time."""
        block = self.blocks.popleft()
        self.rows -= block.rows
        self.clock_s = max(self.clock_s, min(block.read_at_s, block.latest_s))
        return block


class Recent:
    """Keeps the newest `options.recent` decisions.

    Args:
        parser: the one the blocks were parsed with.
    """

    def __init__(self, options: LogOptions, parser: Parser) -> None:
        self._options = options
        self._parser = parser
        self._limit = options.recent
        self._waiting: dict[Stream, None] = {}
        self._held = 0
        self._batch = self._merging_batch = 0
        """Blocks read before the reader caught up make a batch; batches follow each other, whatever they hold."""
        self._merging: list[Sighting] = []
        self._settled: deque[Sighting] = deque(maxlen=options.recent)
        self._reading: tuple[Decision, ...] | None = ()

    def add(self, stream: Stream, block: Block) -> None:
        """Take in a block."""
        if not self._limit:
            return
        self._reading = None
        self._waiting.setdefault(stream)
        block.batch = self._batch
        stream.blocks.append(block)
        stream.rows += block.rows
        self._held += len(block.data)
        while stream.rows - stream.blocks[0].rows >= self._wanted:
            self._held -= len(stream.drop_first().data)
        if self._held > MAX_HELD_BYTES:
            self._merge()

    @property
    def _wanted(self) -> int:
        """How many rows of a file are worth holding until the next reading, which builds no more than it may."""
        built = self._options.built
        return self._limit if built is None or not self._settled else min(self._limit, built)

    def settle(self) -> None:
        """The reader has caught up: the order so far is final."""
        if self._waiting or self._merging:
            self._batch += 1

    def reading(self) -> tuple[Decision, ...]:
        """Oldest first; the same object while nothing changes. Fewer than there are where `options.built` says so."""
        if self._reading is None:
            self._merge()
            newest = self._affordable([*self._settled, *self._merging][-self._limit :])
            self._reading = tuple(sighting.decision(self._options) for sighting in newest)
        return self._reading

    def _affordable(self, newest: list[Sighting]) -> list[Sighting]:
        """Of these, the last ones with no more than `options.built` among them that have yet to be built."""
        left = self._options.built
        if left is None or left >= len(newest):
            return newest
        for place in range(len(newest) - 1, -1, -1):
            if newest[place].shown is None:
                left -= 1
                if left < 0:
                    return newest[place + 1 :]
        return newest

    def _merge(self) -> None:
        blocks = [(block, stream) for stream in self._waiting for block in stream.blocks]
        for block, stream in sorted(blocks, key=lambda item: item[0].batch):
            if block.batch != self._merging_batch:
                self._finish_batch()
                self._merging_batch = block.batch
            self._merging += self._sightings(stream, block)
            stream.drop_first()
            if len(self._merging) > 2 * self._limit:
                self._cut()
        self._waiting.clear()
        self._held = 0
        self._cut()
        if self._merging_batch != self._batch:
            self._finish_batch()

    def _cut(self) -> None:
        self._merging.sort(key=attrgetter("key"))
        del self._merging[: -self._limit]

    def _finish_batch(self) -> None:
        if self._merging:
            self._cut()
            self._settled.extend(self._merging)
            self._merging = []

    def _sightings(self, stream: Stream, block: Block) -> list[Sighting]:
        parsed, now_s = self._parser.parse(block.data), block.read_at_s
        clock = accumulate(chain((stream.clock_s,), parsed.times), max)
        next(clock)
        keys = [min(now_s, time) for time in clock]
        numbers = range(block.sequence, block.sequence + block.rows)
        lines, places = parsed.accepted(), parsed.places(block.start)
        columns = (keys, parsed.rows(), lines, repeat(stream.name), places, numbers, repeat(now_s))
        sightings = list(map(Sighting, *columns))[-self._limit :]
        for sighting in sightings:
            if len(sighting.line) > RAW_LIMIT:
                sighting.decision(self._options)
        return sightings
