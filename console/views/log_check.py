"""What is read of a decision log, as `logs check` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from console.domain.document import FORM, Record, Report
from console.domain.text import clean
from console.views.format import count_text, decimal_text, exact_time, plural


class _Row(Protocol):
    """What was parsed of a record."""

    @property
    def version(self) -> str | int: ...
    @property
    def time_s(self) -> float: ...
    @property
    def kind(self) -> str: ...
    @property
    def amount(self) -> Decimal | None: ...
    @property
    def currency(self) -> str | None: ...
    @property
    def dry(self) -> bool | None: ...
    @property
    def latency_ms(self) -> float | None: ...
    @property
    def slot(self) -> str | None: ...


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)


@dataclass(frozen=True, slots=True)
class CheckedRow(Record):
    """A decision that was read.

    Args:
        at: when it was decided.
        version, type: its version and type.
        slot: as stated; null where none is.
        pnl: profit or loss; null where none is stated.
        currency: of it; null where none is stated.
        dry: whether no real money moved; null where it doesn't say.
        latency_ms: how long it took; null where it doesn't say.
    """

    at: datetime = field(metadata={FORM: exact_time})
    version: str
    type: str
    slot: str | None
    pnl: Decimal | None = field(metadata={FORM: _decimal})
    currency: str | None
    dry: bool | None
    latency_ms: float | None

    @classmethod
    def of(cls, row: _Row) -> CheckedRow:
        """Of what was parsed."""
        return cls(
            at=datetime.fromtimestamp(row.time_s, UTC),
            version=clean(str(row.version), 64),
            type=clean(row.kind, 64),
            slot=None if row.slot is None else clean(row.slot, 16),
            pnl=row.amount,
            currency=None if row.currency is None else clean(row.currency, 16),
            dry=row.dry,
            latency_ms=row.latency_ms,
        )

    def text(self) -> str:
        """In one line."""
        money = "no PnL" if self.pnl is None else f"PnL {decimal_text(self.pnl)} {self.currency or '(no currency)'}"
        parts = [
            exact_time(self.at),
            self.slot or "(no slot)",
            self.version,
            self.type,
            f"{money}{' dry' if self.dry else ''}",
        ]
        return "  ".join(parts if self.latency_ms is None else [*parts, f"{self.latency_ms:g} ms"])


@dataclass(frozen=True, slots=True)
class CheckedLine(Record):
    """A line.

    Args:
        number: counted from 1.
        decisions: that were read of it.
        refused: why what else is in it is none.
        lacks: what has to be there, and the mapping did not get of one of its records.
    """

    number: int
    decisions: tuple[CheckedRow, ...]
    refused: tuple[str, ...]
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedPath(Record):
    """A path of the mapping.

    Args:
        name: what it should bring.
        path: as it is written.
        looked: how many lines (`each`) or records it was looked for in.
        lacked: in how many of them it was not there.
        expected: whether it has to be there in some.
    """

    name: str
    path: str
    looked: int
    lacked: int
    expected: bool

    @property
    def never(self) -> bool:
        """Whether it has to be there and never was."""
        return self.expected and self.looked > 0 and self.lacked == self.looked


@dataclass(frozen=True, slots=True)
class LogCheckReport(Report):
    """What is read of a log.

    Args:
        lines_read: line by line.
        paths: of the mapping; empty without one.
    """

    lines_read: tuple[CheckedLine, ...]
    paths: tuple[CheckedPath, ...]

    @property
    def well(self) -> bool:
        return not any(line.refused for line in self.lines_read) and not any(path.never for path in self.paths)

    def lines(self) -> Iterator[str]:
        for line in self.lines_read:
            for row in line.decisions:
                yield f"{line.number:>6}  {row.text()}"
            for why in line.refused:
                yield f"{line.number:>6}  refused: {why}{_lacking(line)}"
            if not line.decisions and not line.refused:
                yield f"{line.number:>6}  no decision{_lacking(line)}"
        decisions = sum(len(line.decisions) for line in self.lines_read)
        refused = sum(len(line.refused) for line in self.lines_read)
        yield ""
        yield f"{plural(len(self.lines_read), 'line')}: {plural(decisions, 'decision')}, {count_text(refused)} refused"
        for path in self.paths:
            there = f"{count_text(path.looked - path.lacked)} of {count_text(path.looked)}"
            told = f"NEVER THERE, lacking in {count_text(path.lacked)}" if path.never else there
            yield f"  {path.name:<10} {told:<28} {clean(path.path, 200)}"


def _lacking(line: CheckedLine) -> str:
    return f" (no {', '.join(line.lacks)})" if line.lacks else ""
