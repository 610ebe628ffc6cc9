"""Rounds of decision logs as verbs show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from console.domain.document import FORM, Report
from console.domain.seen.decision import Decision
from console.domain.text import clean
from console.views.format import count_text, decimal_text, exact_time, money_text, plural
from console.views.moment import MomentReport


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)


@dataclass(frozen=True, slots=True)
class DecisionReport(Report):
    """One round.

    Args:
        at: when the agent decided.
        slot: "blue", "green", or empty for neither.
        version: `agent_version`.
        type: `decision_type`.
        outcome: `output`, on one line.
        why: its reasoning.
        pnl: profit or loss; null where none is stated.
        currency: of it; empty where none is stated.
        dry: whether no real money moved.
        latency_ms: how long the decision took; null where it doesn't say.
        place: FILE:OFFSET of its line, for `decisions show`.
    """

    at: datetime = field(metadata={FORM: exact_time})
    slot: str
    version: str
    type: str
    outcome: str
    why: str
    pnl: Decimal | None = field(metadata={FORM: _decimal})
    currency: str
    dry: bool
    latency_ms: float | None
    place: str

    @classmethod
    def of(cls, decision: Decision, path: str) -> DecisionReport:
        """The report of a decision of that log."""
        money = decision.pnl
        return cls(
            at=decision.at,
            slot=decision.slot,
            version=decision.version,
            type=decision.kind,
            outcome=decision.outcome,
            why=decision.reasoning,
            pnl=money.amount if money is not None else None,
            currency=money.currency if money is not None else "",
            dry=money is not None and money.dry,
            latency_ms=decision.latency_ms,
            place=f"{clean(path, 4096)}:{decision.offset}",
        )

    def lines(self) -> Iterator[str]:
        earned = (
            "" if self.pnl is None else f"{money_text(self.pnl)} {self.currency}{' dry' if self.dry else ''}".strip()
        )
        when = f"{self.at:%Y-%m-%d %H:%M:%S}"
        yield (
            f"{when}  {self.slot or '–':<5} {clean(self.version, 12):<12} {clean(self.type, 16):<16} {earned:>16}  "
            f"{clean(self.outcome, 60)}  {clean(self.why, 80)}"
        ).rstrip()


@dataclass(frozen=True, slots=True)
class RecordReport(Report):
    """One round in full.

    Args:
        decision: what can be told of it.
        record: the whole record, as its log has it.
        then: what stood around it.
    """

    decision: DecisionReport
    record: Any
    then: MomentReport = field(default_factory=MomentReport)

    def lines(self) -> Iterator[str]:
        import json

        one = self.decision
        earned = "no PnL stated" if one.pnl is None else f"{decimal_text(one.pnl)} {one.currency or '(no currency)'}"
        for name, value in (
            ("time", exact_time(one.at)),
            ("slot", one.slot or "neither"),
            ("version", one.version),
            ("type", one.type),
            ("PnL", f"{earned}{', dry' if one.dry else ''}"),
            ("latency", "not stated" if one.latency_ms is None else f"{one.latency_ms:g} ms"),
            ("place", one.place),
            *self.then.facts(),
        ):
            yield f"{name:<11}{value}"
        yield ""
        yield from json.dumps(self.record, indent=2, ensure_ascii=True, default=str).split("\n")


@dataclass(frozen=True, slots=True)
class EarnedReport(Report):
    """What one version earned in one slot and currency.

    Args:
        slot: "blue", "green", or empty for neither.
        version: `agent_version`.
        currency: empty where none is stated.
        dry: whether no real money moved.
        rounds: that state a PnL.
        pnl: their sum, exact.
    """

    slot: str
    version: str
    currency: str
    dry: bool
    rounds: int
    pnl: Decimal = field(metadata={FORM: _decimal})

    def lines(self) -> Iterator[str]:
        kind = f"{self.currency or '(no currency)'}{' dry' if self.dry else ''}"
        yield (
            f"{self.slot or '–':<5} {clean(self.version, 16):<16} {money_text(self.pnl):>20} {kind:<12} "
            f"{count_text(self.rounds)} {plural(self.rounds, 'round').split(' ', 1)[1]}"
        )
