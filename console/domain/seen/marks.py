"""Events that one can step to, from what the audit and the alerts say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from console.domain.guard.alerts import Alert
from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.first import MOVED
from console.domain.seen.timeline import Mark, MarkKind
from console.domain.text import clean

_MOVES: Final = frozenset({MOVED, "level", "allowed"})
_KINDS: Final = {"flag": MarkKind.FLAG, "canary": MarkKind.CANARY, "upgrade": MarkKind.CANARY}
_TEXT: Final = 160


def audit_mark(entry: AuditEntry) -> Mark:
    """The event that a receipt, or a control event without one, tells of."""
    told = "; ".join(map(_change, entry.changes))
    text = f"{entry.command}: {told}" if told else str(entry.command)
    return Mark(entry.at, _kind(entry), clean(f"{text} ({entry.who})" if entry.who else text, _TEXT))


def alert_mark(alert: Alert) -> Mark:
    """The event that an alert tells of."""
    return Mark(alert.at, MarkKind.TRIP, clean(f"{alert.kind.value} {alert.trigger}: {alert.reason}", _TEXT))


def marks_of(audit: Iterable[AuditEntry], alerts: Iterable[Alert]) -> tuple[Mark, ...]:
    """Every event, oldest first."""
    return tuple(sorted((*map(audit_mark, audit), *map(alert_mark, alerts)), key=lambda mark: mark.at))


def _kind(entry: AuditEntry) -> MarkKind:
    names = [change.what for change in entry.changes]
    if any(name in _MOVES for name in names):
        return MarkKind.SWITCH
    kinds = (_KINDS.get(name.replace(" ", ":").partition(":")[0]) for name in names)
    return next((kind for kind in kinds if kind is not None), MarkKind.OTHER)


def _change(one: Change) -> str:
    return f"{one.what.removeprefix('flag:')} {_value(one.before)} → {_value(one.after)}"


def _value(text: str | None) -> str:
    return "unset" if text is None else str(clean(text, 60)) or '""'
