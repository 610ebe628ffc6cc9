"""What a replay found, with the money summed: for `backtest`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.document import KEY, Report
from console.domain.triggers.finding import Arming, Trigger
from console.guard.replay.replay import Firing, Outcome, weeks_between


@dataclass(frozen=True, slots=True)
class TriggerReport:
    """What one trigger would have done.

    Args:
        arming: what it may do.
        rolled_back: how often it would have rolled back.
        per_week: the same a week; None where the logs cover no time.
        froze, alerted: how often it would have frozen new risk, or only alerted.
        saved: losses after each roll back, gains counting against them, by currency.
    """

    arming: Arming
    rolled_back: int
    per_week: float | None
    froze: int
    alerted: int
    saved: Mapping[str, Decimal]

    def line(self, name: str) -> str:
        """The trigger's row of the table."""
        saved = ", ".join(f"{amount:f} {currency}".strip() for currency, amount in self.saved.items()) or "-"
        week = "-" if self.per_week is None else f"{self.per_week:.2f}"
        arming = self.arming.value
        return f"{name:<14}{arming:<8}{self.rolled_back:>10}{week:>9}{self.froze:>9}{self.alerted:>8}  {saved}"


@dataclass(frozen=True, slots=True)
class FiringReport:
    """A roll back that would have happened.

    Args:
        trigger, at: which, and when.
        version, slot: who would have been replaced.
        reason, value, threshold, n, samples: the evidence.
        pnl_before, pnl_after: of that tenure by currency, until then and from then to its end.
    """

    trigger: Trigger
    at: datetime
    version: str
    slot: str
    reason: str
    value: float | None
    threshold: float | None
    n: int
    samples: tuple[str, ...]
    pnl_before: Mapping[str, Decimal]
    pnl_after: Mapping[str, Decimal]

    @classmethod
    def of(cls, firing: Firing) -> FiringReport:
        """The report of a firing."""
        finding = firing.finding
        return cls(
            trigger=finding.trigger,
            at=finding.at,
            version=firing.version,
            slot=firing.slot,
            reason=finding.reason,
            value=finding.value,
            threshold=finding.threshold,
            n=finding.n,
            samples=finding.samples,
            pnl_before=firing.before,
            pnl_after=firing.after,
        )


@dataclass(frozen=True, slots=True)
class BacktestReport(Report):
    """What a replay found.

    Args:
        settings: those of a sweep that were tried, as text by name.
        decisions: replayed.
        rejected: lines that could not be read.
        unplaced: decisions that belong to no side.
        first, last: when the logs begin and end; None without a decision.
        weeks: between the two.
        tenures: times that a side became active.
        triggers: what each would have done.
        firings: every roll back, in order.
    """

    settings: Mapping[str, str]
    decisions: int
    rejected: int
    unplaced: int
    first: datetime | None = field(metadata={KEY: "from"})
    last: datetime | None = field(metadata={KEY: "to"})
    weeks: float
    tenures: int
    triggers: Mapping[Trigger, TriggerReport]
    firings: tuple[FiringReport, ...]

    @classmethod
    def of(cls, outcome: Outcome, settings: Mapping[str, str]) -> BacktestReport:
        """The report of an outcome.

        Args:
            outcome: of the replay.
            settings: those of a sweep.
        """
        return cls(
            settings=settings,
            decisions=outcome.decisions,
            rejected=outcome.rejected,
            unplaced=outcome.unplaced,
            first=outcome.first,
            last=outcome.last,
            weeks=round(outcome.weeks, 4),
            tenures=outcome.tenures,
            triggers={trigger: _trigger(outcome, trigger) for trigger in Trigger},
            firings=tuple(FiringReport.of(firing) for firing in outcome.firings),
        )

    def lines(self) -> Iterator[str]:
        if self.settings:
            yield "  ".join(f"{name}={value}" for name, value in self.settings.items())
        span = f"{self.first.isoformat()} to {self.last.isoformat()}" if self.first and self.last else "no time"
        yield (
            f"{self.decisions:,} decisions over {weeks_between(self.first, self.last):.2f} weeks ({span}), "
            f"{self.tenures} tenures, {self.rejected:,} lines refused"
        )
        yield f"{'trigger':<14}{'arming':<8}{'roll backs':>10}{'a week':>9}{'freezes':>9}{'alerts':>8}  saved by then"
        yield from (report.line(trigger.value) for trigger, report in self.triggers.items())
        for firing in self.firings:
            yield f"  {firing.at.isoformat()}  {firing.trigger.value}: {firing.version}: {firing.reason}"


def _trigger(outcome: Outcome, trigger: Trigger) -> TriggerReport:
    fired = [firing for firing in outcome.firings if firing.finding.trigger is trigger]
    return TriggerReport(
        arming=outcome.settings.of(trigger),
        rolled_back=len(fired),
        per_week=round(len(fired) / outcome.weeks, 4) if outcome.weeks else None,
        froze=outcome.freezes[trigger],
        alerted=outcome.alerts[trigger],
        saved=_saved(firing.after for firing in fired),
    )


def _saved(parts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """What would have been saved: the losses after each firing, gains counting against it."""
    saved: dict[str, Decimal] = {}
    for part in parts:
        for currency, amount in part.items():
            saved[currency] = saved.get(currency, Decimal(0)) - amount
    return saved
