"""The same rules over recorded logs: when each trigger would have fired, and what was won or lost after that.

A log does not say who was active; who executed does. A side is taken to have become active when so many executed rounds
in a row were its own; a canary's few rounds between the others' change nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Final

from console.domain.text import clean
from console.domain.triggers.facts import SLOTS, Facts, Source, Tenure
from console.domain.triggers.finding import Arming, Finding, Response, Trigger
from console.domain.triggers.look import Memory
from console.domain.triggers.rules import assess
from console.domain.triggers.settings import TriggerSettings
from console.domain.triggers.windows import Row, time_of
from console.guard.hear.rows import RowReader
from console.guard.setup.signals import Signals
from console.logs.files.whole import pulls, starts
from console.logs.options import LogOptions

TAKEOVER: Final = 5
"""Executed rounds in a row after which a side is taken to be active."""
WEEK_S: Final = 7 * 86_400.0
QUIET_S: Final = 10.0
"""In a longer pause than this the clock is moved on, so that silence is noticed where it began."""


@dataclass(slots=True)
class Firing:
    """A roll back that would have happened.

    Args:
        finding: what asked for it.
        version, slot: who would have been replaced.
        before, after: PnL of that tenure by currency, until then and from then to its end.
    """

    finding: Finding
    version: str
    slot: str
    before: dict[str, Decimal]
    after: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What a replay found.

    Args:
        settings: which were tried.
    """

    settings: TriggerSettings
    decisions: int = 0
    rejected: int = 0
    unplaced: int = 0
    first: datetime | None = None
    last: datetime | None = None
    tenures: int = 0
    firings: list[Firing] = field(default_factory=list)
    freezes: Counter[Trigger] = field(default_factory=Counter)
    alerts: Counter[Trigger] = field(default_factory=Counter)

    @property
    def weeks(self) -> float:
        """How much time the logs cover."""
        return weeks_between(self.first, self.last)


def weeks_between(first: datetime | None, last: datetime | None) -> float:
    """The time between two decisions; 0 without any."""
    return (last - first).total_seconds() / WEEK_S if first and last else 0.0


class Replay:
    """Feeds rows, in the order of time, to the rules.

    Args:
        settings: to try. A version that belongs to no slot gets one in the order in which versions are met.
    """

    def __init__(self, settings: TriggerSettings) -> None:
        self.outcome = Outcome(settings)
        self._settings = settings
        self._facts = Facts(settings)
        self._memory = Memory()
        self._source: Source | None = None
        self._met: dict[str, str] = {}
        self._coming: list[Row] = []
        self._fired: dict[Trigger, Firing] = {}
        self._responses: dict[Trigger, Response] = {}
        self._at_s = 0.0

    def add(self, row: Row) -> None:
        """Take in the next decision."""
        if row.slot not in SLOTS:
            row = row._replace(slot=self._met.setdefault(row.version, SLOTS[len(self._met) % 2]))
        outcome = self.outcome
        at_s = max(self._at_s, row.at_s)
        if self._source is None:
            outcome.first = time_of(row.at_s)
            self._source = Source(configured=True, watched_since=outcome.first)
        elif at_s - self._at_s > QUIET_S:
            self._wait(at_s)
        self._at_s = at_s
        outcome.decisions += 1
        if self._takes_over(row):
            return
        self._take(row)

    def end(self) -> Outcome:
        """The last row was the last."""
        self._let_go()
        if self._source is not None:
            self.outcome.last = time_of(self._at_s)
        self._close()
        self.outcome.unplaced = self._facts.unplaced
        return self.outcome

    def _takes_over(self, row: Row) -> bool:
        """Whether the row waits until it is known whether its side becomes active."""
        tenure = self._facts.tenure
        executes = row.amount is not None and not row.dry
        if self._coming and self._coming[0].slot != row.slot:
            if not executes:
                return False
            self._let_go()
        if (tenure is not None and row.slot == tenure.slot) or not (executes or self._coming):
            return False
        self._coming.append(row)
        if sum(held.amount is not None and not held.dry for held in self._coming) >= TAKEOVER:
            rows, self._coming = self._coming, []
            self._close()
            self._facts.begin(Tenure(row.slot, 0, time_of(min(held.at_s for held in rows))))
            self._facts.freeze()
            self._memory, self._responses = Memory(), {}
            self.outcome.tenures += 1
            for held in rows:
                self._take(held)
        return True

    def _let_go(self) -> None:
        held, self._coming = self._coming, []
        for row in held:
            self._take(row)

    def _take(self, row: Row) -> None:
        self._facts.add(row)
        tenure = self._facts.tenure
        if tenure is None or row.slot != tenure.slot:
            return
        if row.amount is not None and row.amount.is_finite() and not row.dry:
            for firing in self._fired.values():
                firing.after[row.currency] = firing.after.get(row.currency, Decimal(0)) + row.amount
        self._look(self._at_s)

    def _wait(self, until_s: float) -> None:
        """Nothing came for a while: look when silence becomes too long, and once more when it ends."""
        baseline = self._facts.baseline
        patience_s = max(self._settings.stale_s, 20 * baseline.gap_s if baseline else 0.0)
        for at_s in (
            self._at_s + self._settings.escrow_gap_s + 0.5,
            self._at_s + patience_s + 0.5,
            self._at_s + patience_s + self._settings.deadline_s + 1.0,
            until_s - 0.001,
        ):
            if self._at_s < at_s < until_s:
                self._look(at_s)

    def _look(self, at_s: float) -> None:
        if self._facts.tenure is None or self._source is None:
            return
        assessment = assess(self._facts, self._source, self._memory, self._settings, time_of(at_s))
        self._memory = assessment.memory
        for finding in assessment.findings:
            self._note(finding)

    def _note(self, finding: Finding) -> None:
        trigger, response = finding.trigger, finding.response
        before = self._responses.get(trigger, Response.CONTINUE)
        self._responses[trigger] = response
        if response.rank <= before.rank or finding.arming is Arming.OFF:
            return
        if response is Response.ALERT:
            self.outcome.alerts[trigger] += 1
        elif response is Response.FREEZE:
            self.outcome.freezes[trigger] += 1
        elif trigger not in self._fired:
            facts = self._facts
            slot = facts.tenure.slot if facts.tenure else ""
            money = {currency: window.total for currency, window in facts.now.pnl.items()}
            firing = Firing(finding, str(clean(facts.now.version, 64)), slot, money)
            self._fired[trigger] = firing
            self.outcome.firings.append(firing)

    def _close(self) -> None:
        self._fired = {}


class _Reading:
    """Reads a file's rows and counts what could not be read."""

    def __init__(self, options: LogOptions, signals: Signals) -> None:
        self._reader = RowReader(options, signals)
        self.rejected = 0

    def rows(self, path: Path, start: int) -> Iterator[Row]:
        for pull in pulls(path, self._reader.options.max_line_bytes, start=start):
            self.rejected += pull.too_long
            if pull.block is None:
                continue
            parsed = self._reader.parse(pull.block)
            self.rejected += sum(parsed.rejected.values())
            if len(parsed):
                yield from self._reader.rows(parsed, path.name, pull.start)


def replay(
    paths: Sequence[Path], settings: TriggerSettings, *, options: LogOptions, signals: Signals | None = None
) -> Outcome:
    """Replay logs; several are merged by their timestamps, and what one repeats of another counts once.

    Raises:
        UsageError: one can't be read.
    """
    reading = _Reading(options, signals or Signals())
    run = Replay(settings)
    streams: list[Iterable[Row]] = [reading.rows(path, start) for path, start in zip(paths, starts(paths), strict=True)]
    rows = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=attrgetter("at_s"))
    for row in rows:
        run.add(row)
    outcome = run.end()
    outcome.rejected = reading.rejected
    return outcome
