"""What was earned in the last 24 hours and since the last switch, exact, counted on an index of whole logs.

    counting = Counting(patterns, options, folder)
    counting.poll(now)          # a bounded amount of work
    counting.reading(now)       # the sums, or how far they are counted

It is polled on a thread (`console.live.beside`): building an index takes a share of one core, never all of it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.domain.errors import ConsoleError
from console.domain.seen.asking import Ask
from console.domain.seen.earned import Counted, EarnedTotal
from console.domain.text import clean
from console.logs.lines.money import EXACT
from console.logs.options import LogOptions
from console.logs.statistics.windows import CURRENCY_LIMIT

if TYPE_CHECKING:
    from console.logs.index.logs import Earned, LogIndex, Total

DAY: Final = timedelta(hours=24)
STEP_S: Final = 0.01
"""How long one poll builds."""
LOOK_EVERY_S: Final = 10.0
"""How often it is seen whether there is another log."""
SUM_EVERY_S: Final = 1.0
LEAST_SHARE: Final = 50
"""Sums are not made again before so many times the time that the last ones took."""
OLDEST_SUM_S: Final = 30.0
"""Sums over the last 24 hours are made again after so long, though no line came: the 24 hours go on."""


class Counting:
    """Counts what logs hold of two times; polled, and closed, by one thread.

    Args:
        patterns: paths and patterns of the logs.
        options: how they are read.
        folder: of their indexes; None to keep none.
    """

    touching: Final = ""
    """Who follows the same logs tells which of them hangs."""

    def __init__(self, patterns: Sequence[str | Path], options: LogOptions, folder: Path | None) -> None:
        self._patterns = [str(pattern) for pattern in patterns]
        self._options = options
        self._folder = folder
        self._index: LogIndex | None = None
        self._counted = Counted()
        self._looked_s = self._summed_s = float("-inf")
        self._took_s = 0.0
        self._summed_to = -1
        self.switched_at: datetime | None = None
        """When who acts was changed last, as whoever reads the store says; set from any thread."""
        self.behind = True
        """Whether more is to be counted."""

    def reading(self, now: datetime) -> Counted:
        """The sums as of the last poll; the same object while nothing differs."""
        return self._counted

    def poll(self, now: datetime) -> bool:
        """Read on for a little, and sum up where that is due; whether anything differs that is worth telling."""
        before = self._counted
        try:
            self._counted = self._polled(now)
        except ConsoleError as error:
            self._fail(error.message)
        except OSError as error:
            self._fail(error.strerror or "a log can't be read")
        return self._counted != before

    def _fail(self, why: str) -> None:
        self._counted, self.behind = Counted(problem=clean(why)), False
        if self._index is not None:
            self._index.close()
            self._index = None

    def _polled(self, now: datetime) -> Counted:
        second = time.monotonic()
        if second - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = second
            if self._index is None:
                from console.logs.index.logs import LogIndex  # on the counting thread: no console starts later for it

                self._index = LogIndex(self._patterns, self._options, self._folder)
            else:
                self._index.look_again()
        if self._index is None:
            return self._counted
        self.behind = not self._index.step(STEP_S)
        read, size = self._index.read_bytes
        if self._index.left:
            left = self._index.left[0]
            return Counted(read_bytes=read, of_bytes=size, problem=clean(f"{left.path.name}: {left.why}"))
        counted = self._counted
        if self.behind:
            now_read = Counted(read_bytes=read, of_bytes=size)
            same = counted.exact or (counted.of_bytes and int(now_read.share * 100) == int(counted.share * 100))
            return counted if same else now_read
        if counted.exact and not self._due(second, read):
            return counted
        counted = self._sums(self._index, now)._replace(read_bytes=read, of_bytes=size)
        self._summed_s, self._took_s, self._summed_to = second, time.monotonic() - second, read
        return counted

    def _due(self, second: float, read: int) -> bool:
        since = second - self._summed_s
        news = read != self._summed_to or self.switched_at != self._counted.switched_at
        return since >= max(SUM_EVERY_S if news else OLDEST_SUM_S, LEAST_SHARE * self._took_s)

    def _sums(self, index: LogIndex, now: datetime) -> Counted:
        switched_at = self.switched_at
        day = self._by_slot(index.earned(Ask(since=now - DAY)))
        since = self._by_slot(index.earned(Ask(since=switched_at))) if switched_at is not None else ()
        return Counted(exact=True, day=day, switched_at=switched_at, since_switch=since)

    @staticmethod
    def _by_slot(earned: dict[Earned, Total]) -> tuple[EarnedTotal, ...]:
        sums: dict[tuple[str, str, bool], tuple[int, Decimal]] = {}
        with localcontext(EXACT):
            for one, total in earned.items():
                key = one.slot, clean(one.currency, CURRENCY_LIMIT), one.dry
                rounds, amount = sums.get(key, (0, Decimal(0)))
                sums[key] = rounds + total.rounds, amount + total.amount
        return tuple(
            EarnedTotal(slot, clean(currency, CURRENCY_LIMIT), dry, rounds, amount)
            for (slot, currency, dry), (rounds, amount) in sorted(sums.items())
        )

    def close(self) -> None:
        """Give every descriptor back."""
        if self._index is not None:
            self._index.close()
            self._index = None
