"""Receipts and audit entries as reports, previews as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.document import FORM, Report
from console.domain.operator.command import Preview
from console.domain.operator.receipt import AuditEntry, Change, Receipt
from console.domain.text import clean
from console.views.format import decimal_text, exact_time

_SHOWN = 80


def change_text(change: Change) -> str:
    """A change on one line: `flag:game crash → dice`; a missing value is said as *unset*."""
    return f"{clean(change.what, _SHOWN)} {_value(change.before)} → {_value(change.after)}"


def _value(text: str | None) -> str:
    return "unset" if text is None else str(clean(text, _SHOWN)) or '""'


def changes_text(changes: Sequence[Change]) -> str:
    """All changes on one line."""
    return "; ".join(change_text(change) for change in changes)


def _to_the_microsecond(elapsed_ms: float) -> float:
    return round(elapsed_ms, 3)


@dataclass(frozen=True, slots=True)
class ReceiptReport(Report):
    """What a command did.

    Args:
        id: unique; the audit entry carries the same.
        at: when it took effect, by the server's clock.
        command: its name, as on the command line.
        agent: on whose keys.
        changes: what was, what is.
        elapsed_ms: from the call until the store had answered.
        who: who gave it.
        why: the reason given; may be empty.
        epoch: the epoch after it; 0 where it does not touch who may act.
        note: one sentence for people.
        reversible: whether `undo` can take it back while nothing has changed since.
        acknowledged: instances that have seen the new epoch.
        expected_acks: instances that have to.
    """

    id: str
    at: datetime = field(metadata={FORM: exact_time})
    command: str
    agent: str
    changes: tuple[Change, ...]
    elapsed_ms: float = field(metadata={FORM: _to_the_microsecond})
    who: str
    why: str
    epoch: int
    note: str
    reversible: bool
    acknowledged: tuple[str, ...]
    expected_acks: tuple[str, ...]

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptReport:
        """The report of a receipt."""
        return cls(**receipt._asdict())

    def lines(self) -> Iterator[str]:
        parts = [f"{self.command}: {changes_text(self.changes) or 'nothing changed'}"]
        if self.expected_acks:
            missing = sorted(set(self.expected_acks) - set(self.acknowledged))
            waiting = f", waiting for {', '.join(missing)}" if missing else ""
            parts.append(f"{len(self.acknowledged)} of {len(self.expected_acks)} acknowledged{waiting}")
        if self.note:
            parts.append(self.note)
        parts.append(f"{self.elapsed_ms:.1f} ms")
        yield "  ".join(parts)


@dataclass(frozen=True, slots=True)
class AuditReport(Report):
    """A receipt as the audit has it, or what changed without one.

    Args:
        stream_id: the entry's id in the stream.
        id: of the receipt.
        at: when it took effect, by the server's clock.
        command: its name, as on the command line.
        changes: what was, what is.
        elapsed_ms: how long it took; null where that is not known.
        who: who gave it.
        why: the reason given; may be empty.
        epoch: the epoch after it; 0 where it does not touch who may act.
        note: one sentence for people.
        reversible: whether `undo` can take it back while nothing has changed since.
        undoes: the id of the receipt that this one took back; empty for most.
        problem: what could not be read of it.
        source: who acted: `operator`, `guard`, `agent`, `trip`, `outside`, `drain` or `store`; empty where an earlier
            release wrote it.
        trigger: the name of what a trigger saw; empty for none, and where an earlier release wrote it.
        amount: the money it saw; null where it saw none.
        currency: of that.
        login: as which user the store knew who acted; empty where that is not known.
    """

    stream_id: str
    id: str
    at: datetime = field(metadata={FORM: exact_time})
    command: str
    changes: tuple[Change, ...]
    elapsed_ms: float | None
    who: str
    why: str
    epoch: int
    note: str
    reversible: bool
    undoes: str
    problem: str
    source: str
    trigger: str
    amount: Decimal | None = field(metadata={FORM: decimal_text})
    currency: str
    login: str

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditReport:
        """The report of an entry."""
        return cls(**entry._asdict())

    def lines(self) -> Iterator[str]:
        why = f"  “{self.why}”" if self.why else ""
        problem = f"  ({self.problem})" if self.problem else ""
        who = f"{self.who} (as {self.login})" if self.login not in ("", "default") else self.who
        yield f"{self.at:%Y-%m-%d %H:%M:%S}Z  {who}  {self.command}  {changes_text(self.changes)}{why}{problem}"


def preview_lines(preview: Preview) -> Iterator[str]:
    """A preview for a terminal without screens."""
    yield preview.title
    for change in preview.changes:
        yield f"  {change_text(change)}"
    for fact in preview.facts:
        yield f"  {clean(fact.name):<11} {clean(fact.text)}"
    for gate in preview.gates:
        word = gate.state or ("open" if gate.open else "CLOSED")
        yield f"  {word:<11} {gate.name}: {gate.evidence}"
    for warning in preview.warnings:
        yield f"  ! {clean(warning)}"
    for line in preview.irreversible:
        yield f"  can't be undone: {clean(line)}"
