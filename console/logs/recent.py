"""The newest decisions over several files, in an order that never changes behind what was shown.

Within a file, the order of its lines is kept. Lines of several files that were read before the reader caught up are
merged by their timestamps; what comes after that follows behind, however old it claims to be, so that a row on a screen
never appears above one that was there before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from operator import attrgetter

from console.domain.decision import Decision
from console.domain.text import Safe
from console.logs.options import LogOptions
from console.logs.parse import Parsed
from console.logs.present import RAW_LIMIT, Sighting


class Stream:
    """One file's place in the common order.

    Args:
        name: the file's name, as shown with its decisions.
    """

    __slots__ = ("blocks", "clock_s", "name")

    def __init__(self, name: Safe) -> None:
        self.name = name
        self.clock_s = 0.0
        """The latest timestamp so far: lines never sort before an earlier line of their own file."""
        self.blocks: deque[Block] = deque()


class Block:
    """Lines just read, of which some may be among the newest.

    Args:
        start: where in the file the first line begins.
        sequence: of the first accepted line.
    """

    __slots__ = ("parsed", "sequence", "start")

    def __init__(self, parsed: Parsed, start: int, sequence: int) -> None:
        self.parsed = parsed
        self.start = start
        self.sequence = sequence

    def __len__(self) -> int:
        return len(self.parsed.records)


class Recent:
    """Keeps the newest `options.recent` decisions."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._limit = options.recent
        self._settled: deque[Sighting] = deque(maxlen=options.recent)
        self._merging: list[Sighting] = []
        self._floor_s = 0.0
        self._reading: tuple[Decision, ...] | None = ()

    def add(self, stream: Stream, parsed: Parsed, start: int, sequence: int) -> None:
        """Take in a block with at least one accepted line; `gather` must follow before much more is read."""
        if not self._limit:
            return
        blocks = stream.blocks
        blocks.append(Block(parsed, start, sequence))
        while sum(map(len, blocks)) - len(blocks[0]) >= self._limit:
            stream.clock_s = max(stream.clock_s, max(blocks.popleft().parsed.times))

    def gather(self, streams: Iterable[Stream], now_s: float, *, caught_up: bool) -> None:
        """Sort in what was added. Once the reader has caught up, the order so far is final."""
        for stream in streams:
            stream.clock_s = min(stream.clock_s, now_s)
            for block in stream.blocks:
                self._sight(stream, block, now_s)
            stream.blocks.clear()
        if not self._merging:
            return
        self._reading = None
        self._merging.sort(key=attrgetter("key"))
        del self._merging[: -self._limit]
        if caught_up:
            self._settled.extend(self._merging)
            self._floor_s = self._merging[-1].key
            self._merging = []

    def reading(self) -> tuple[Decision, ...]:
        """Oldest first; the same object while nothing changes."""
        if self._reading is None:
            newest = [*self._settled, *self._merging][-self._limit :]
            self._reading = tuple(sighting.decision(self._options) for sighting in newest)
        return self._reading

    def _sight(self, stream: Stream, block: Block, now_s: float) -> None:
        parsed = block.parsed
        wanted = range(max(0, len(block) - self._limit), len(block))
        if wanted.start:
            stream.clock_s = max(stream.clock_s, min(now_s, max(parsed.times[: wanted.start])))
        index = parsed.index if parsed.index is not None else range(len(block))
        number, offset = 0, block.start
        for place in wanted:
            while number < index[place]:
                offset += len(parsed.lines[number]) + 1
                number += 1
            stream.clock_s = max(stream.clock_s, min(now_s, parsed.times[place]))
            sighting = Sighting(
                max(stream.clock_s, self._floor_s),
                parsed.records[place],
                parsed.outputs[place],
                parsed.lines[number],
                stream.name,
                offset,
                block.sequence + place,
                now_s,
            )
            if len(sighting.line) > RAW_LIMIT:
                sighting.decision(self._options)
            self._merging.append(sighting)
