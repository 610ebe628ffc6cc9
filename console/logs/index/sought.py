"""What a question asks for, looked for a little at a time: the newest stretches first, hits as they are read.

What is indexed is left unread where it can't hold a hit; what is not yet is read from its end, so that nobody waits for
an index.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from console.domain.seen.asking import Ask
from console.domain.seen.browsing import Hits, Spot
from console.logs.files.whole import starts
from console.logs.index.block import Block
from console.logs.index.build import FileIndex
from console.logs.index.pages import STRETCH_BYTES, Ends
from console.logs.index.search import Search
from console.logs.options import LogOptions

MOST_HITS: Final = 5000
"""Kept of one question; older ones are looked for by asking for an earlier time."""

REST_EVERY: Final = 128
"""Blocks that are passed over from one look at the clock to the next."""


class Sought:
    """One question over all logs together, of everything that is in them now.

    Args:
        text: the question as it was typed.
        ask: as it was understood.
        files: the logs.
        options: how they are read.
        now_s: the time now, epoch seconds.

    Raises:
        OSError: a log can't be read.
    """

    def __init__(self, text: str, ask: Ask, files: Sequence[FileIndex], options: LogOptions, now_s: float) -> None:
        self._text = text
        self._options = options
        self._now_s = now_s
        self._search = Search(ask, options)
        begins = starts([index.data for index in files])
        self._logs = [Ends(index, at, options.max_line_bytes) for index, at in zip(files, begins, strict=True)]
        self._of = sum(log.end - log.start for log in self._logs)
        self._looked = 0
        self._spots: list[Spot] = []
        self._full = False
        self.done = False
        self.stopped = False
        self._found = self._walk()

    def step(self, budget_s: float) -> bool:
        """Look on for a while, or until something was found; whether there is more to be looked at.

        Raises:
            OSError: a log can't be read.
        """
        until = time.monotonic() + budget_s
        for fresh in self._found:
            self._spots += fresh
            if len(self._spots) >= MOST_HITS:
                self._full = self.done = True
                return False
            if time.monotonic() > until:
                return True
        self.done = True
        return False

    def stop(self) -> None:
        """Look no further."""
        if not self.done:
            self.done = self.stopped = True

    @property
    def found(self) -> int:
        """How many hits there are so far."""
        return len(self._spots)

    def hits(self) -> Hits:
        """What was found so far."""
        rows = sorted(self._spots, key=lambda spot: (spot.decision.at, spot.decision.offset))[-MOST_HITS:]
        looked = self._of if self.done and not (self.stopped or self._full) else min(self._looked, self._of)
        return Hits(self._text, tuple(rows), looked, self._of, self.done, self._full or self.stopped, self.stopped)

    def _walk(self) -> Iterator[list[Spot]]:
        """What each stretch holds, newest stretches first."""
        walks = [self._of_log(log) for log in self._logs]
        heads = [(float("-inf"), number) for number in range(len(walks))]
        heapify(heads)
        while heads:
            _newest, number = heappop(heads)
            step = next(walks[number], None)
            if step is not None:
                heappush(heads, (-step[0], number))
                yield step[1]

    def _of_log(self, log: Ends) -> Iterator[tuple[float, list[Spot]]]:
        """The stretches of a log from its end, each with the time up to which it was seen now."""
        blocks = list(log.index.blocks)
        at, newest = log.end, float("inf")
        upto = blocks[-1].end if blocks else log.start
        while at > upto:
            block = log.before(at, min(STRETCH_BYTES, at - upto))
            if block is None:
                break
            self._looked += at - block.start
            at = block.start
            found = self._spots_in(log, block) if block.rows else []
            if found:
                newest = found[0].decision.at.timestamp()
            yield newest, found
        for number, block, could in self._search.backwards(log.index, blocks):
            if block.end <= log.start:
                return
            self._looked += block.end - block.start
            newest = block.first_s or newest
            if could:
                yield newest, self._spots_in(log, block)
            elif not number % REST_EVERY:
                yield newest, []

    def _spots_in(self, log: Ends, block: Block) -> list[Spot]:
        hits = self._search.hits(log.index, block, log.start)
        return [Spot(str(hit.path), hit.decision(self._options, self._now_s)) for hit in hits]
