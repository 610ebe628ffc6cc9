"""What `rehearse` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from console.domain.document import KEY, Report
from console.domain.rehearsal.answer import Fault, Problem
from console.domain.rehearsal.compared import FieldDifference, FirstDifference, Priced
from console.domain.text import Safe

FIELDS_SHOWN: Final = 40
LINES_OF_FIELDS: Final = 10


@dataclass(frozen=True, slots=True)
class FirstFault:
    """The first answer that failed.

    Args:
        fault: its class.
        round: which round it was about, from 1; 0 for none.
        run: which run, from 1.
        words: what was seen.
    """

    fault: Fault
    round: int
    run: int
    words: str

    @classmethod
    def of(cls, problem: Problem) -> FirstFault:
        """The first failure."""
        return cls(problem.fault, problem.round, problem.run, problem.words)


@dataclass(frozen=True, slots=True)
class RehearsalReport(Report):
    """What a rehearsal found.

    Args:
        agent: whose recorded decisions.
        version: that was rehearsed; empty where that is not known and nothing is kept.
        passed: whether it decided the same, within noise and limits.
        why: why not; empty where it did.
        figures: in one line.
        command: that was run, without what looks like a secret.
        logs: files that were read.
        first, last: when the first and the last round were recorded; null without a round.
        inputs_sha256: of every line that it was given.
        asked: rounds that it was given.
        rounds: of them, those to which every run answered well; they were compared.
        runs: how often it ran over the same inputs.
        differing: rounds that differ by more than noise.
        unsteady: rounds in which the runs differ from each other.
        share: of the compared rounds that differ; null where nothing was compared.
        faults: class → how often an answer failed so.
        first_fault: the first of them; null for none.
        first_difference: the first round that differs by more than noise; null for none.
        fields: what differs, those that count first; the first 40.
        priced: currency → what the differing rounds earned, over those for which both sides state it.
        unpriced: differing rounds without a price on both sides.
        earned: currency → what the differing rounds earned as recorded.
        skipped: why → how many lines of the logs were left out.
        capped: whether there were more rounds than were asked for.
        allowances: tolerances, what was ignored, limits.
        environment: names of the variables that it got.
        stderr: the last lines that it wrote there, made safe.
        elapsed_s: how long it took.
        kept: whether it is kept as evidence for the version.
    """

    agent: str
    version: str
    passed: bool
    why: str
    figures: str
    command: Safe
    logs: tuple[str, ...]
    first: datetime | None = field(metadata={KEY: "from"})
    last: datetime | None = field(metadata={KEY: "to"})
    inputs_sha256: str
    asked: int
    rounds: int
    runs: int
    differing: int
    unsteady: int
    share: float | None
    faults: Mapping[Fault, int]
    first_fault: FirstFault | None
    first_difference: FirstDifference | None
    fields: tuple[FieldDifference, ...]
    priced: Mapping[str, Priced]
    unpriced: int
    earned: Mapping[str, Decimal]
    skipped: Mapping[str, int]
    capped: bool
    allowances: str
    environment: tuple[str, ...]
    stderr: tuple[Safe, ...]
    elapsed_s: float
    kept: bool

    @property
    def well(self) -> bool:
        return self.passed

    def lines(self) -> Iterator[str]:
        span = f"{self.first:%Y-%m-%d %H:%M:%S}Z to {self.last:%Y-%m-%d %H:%M:%S}Z" if self.first and self.last else "-"
        yield f"{'same' if self.passed else 'DIFFERS'}: {self.figures}" + (f" ({self.why})" if self.why else "")
        more = "; there were more: --max-rounds" if self.capped else ""
        yield f"  {self.asked:,} rounds recorded {span}, {self.runs} runs, {self.elapsed_s:.1f} s{more}"
        if self.skipped:
            yield "  left out: " + ", ".join(f"{count:,} {why}" for why, count in self.skipped.items())
        if self.allowances:
            yield f"  allowed: {self.allowances}"
        if self.fields:
            yield f"  {'field':<32}{'how':<14}{'rounds':>8}{'noise':>8}"
        for one in self.fields[:LINES_OF_FIELDS]:
            noise = "-" if one.noise is None else f"{one.noise:,}"
            mark = "money" if one.money else "" if one.counts else "noise"
            yield f"  {one.path:<32}{one.kind.value:<14}{one.rounds:>8,}{noise:>8}  {mark}".rstrip()
        if self.differing:
            yield from self._money()
        first = self.first_difference
        if first is not None:
            when = f"{first.at:%Y-%m-%d %H:%M:%S}Z"
            yield f"  first: round {first.round:,}, {when}, {first.decision_type} by {first.version}"
            yield f"    recorded:  {first.recorded}"
            yield f"    rehearsed: {first.rehearsed}"
            yield from (f"    {words}" for words in first.fields)
        if self.first_fault is not None:
            fault = self.first_fault
            yield f"  first failure: {fault.fault.value}, round {fault.round:,}, run {fault.run}: {fault.words}"
            yield from (f"    stderr: {line}" for line in self.stderr)
        yield f"  inputs {self.inputs_sha256[:16]}" + (
            f", kept as evidence for {self.version}" if self.kept else ", not kept"
        )

    def _money(self) -> Iterator[str]:
        """What the differing rounds cost, by currency; what has no price is said to have none."""
        for currency, one in self.priced.items():
            yield (
                f"  priced: {one.difference:+,f} {currency}: {one.rehearsed:+,f} rehearsed, {one.recorded:+,f} recorded"
            )
        if self.unpriced:
            told = ", ".join(f"{amount:+,f} {currency}".rstrip() for currency, amount in self.earned.items())
            yield f"  not priced: {self.unpriced:,} rounds" + (
                f"; all that differ earned {told} as recorded" if told else ""
            )
