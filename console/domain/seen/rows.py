"""One row an act: receipts, and what changed who may act without one, as every list shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.domain.operator.receipt import AuditEntry, Change

REASSERTED: Final = "reasserted"
LATE: Final = "late report"
CLOCK: Final = "clock moved"
KEPT: Final = "kept"
FAILOVER: Final = "failover"
"""The store's primary is another server."""
_OWN: Final = frozenset({REASSERTED, LATE, CLOCK, KEPT})
"""What no receipt accounts for, even one of the same epoch."""


def one_row_an_act(receipts: Sequence[AuditEntry]) -> tuple[AuditEntry, ...]:
    """Entries of one receipt made one: a switch that drains is written when it begins and when it ends."""
    rows: dict[str, AuditEntry] = {}
    for number, entry in enumerate(receipts):
        name = entry.id or f"-{number}"
        first = rows.get(name)
        rows[name] = entry if first is None else entry._replace(changes=_joined(first.changes, entry.changes))
    return tuple(rows.values())


def _joined(first: tuple[Change, ...], last: tuple[Change, ...]) -> tuple[Change, ...]:
    before = {change.what: change.before for change in first}
    return tuple(change._replace(before=before.get(change.what, change.before)) for change in last)


def with_events(receipts: Sequence[AuditEntry], events: Sequence[AuditEntry]) -> tuple[AuditEntry, ...]:
    """Receipts, one row each, and the events that none of them accounts for, by time."""
    accounted = {entry.epoch for entry in receipts if entry.epoch}
    receipts = one_row_an_act(receipts)
    own = [event for event in events if event.epoch not in accounted or event.command in _OWN]
    return tuple(sorted((*receipts, *own), key=lambda entry: entry.at))
