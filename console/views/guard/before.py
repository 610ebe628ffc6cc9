"""What was changed shortly before an alert: often its cause, and what was changed can be changed back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from console.domain.guard.alerts import Alert
from console.domain.operator.receipt import FLAG, AuditEntry, Change
from console.domain.seen.observation import Observation
from console.views.format import age_text, iso_text
from console.views.receipts import change_text

SHORTLY: Final = timedelta(minutes=15)
MOST: Final = 5


def newest_open(observation: Observation) -> Alert | None:
    """The newest alert that nobody has acknowledged; None where there is none."""
    alerts = observation.store.alerts if observation.store is not None else ()
    return max((alert for alert in alerts if alert.open), key=lambda alert: alert.at, default=None)


def changes_before(alert: Alert, observation: Observation) -> Iterator[tuple[AuditEntry, Change]]:
    """What people changed in the last minutes before an alert, newest first, as far as the audit that was read goes
    back."""
    audit = observation.store.audit if observation.store is not None else ()
    for entry in reversed(audit):
        if alert.at - SHORTLY <= entry.at <= alert.at and not entry.trigger:
            for change in entry.changes:
                yield entry, change


def before_facts(alert: Alert, observation: Observation) -> list[tuple[str, str]]:
    """The same in words, each with who did it, how long before, and why."""
    told = []
    for entry, change in changes_before(alert, observation):
        age = age_text((alert.at - entry.at).total_seconds())
        why = f": {entry.why}" if entry.why else ""
        told.append(("before it", f"{change_text(change)}, {age} before, by {entry.who}{why}"))
    return told[:MOST]


def suspect(observation: Observation) -> str:
    """The flag that was changed last before the newest open alert; empty where none was."""
    alert = newest_open(observation)
    changes = changes_before(alert, observation) if alert is not None else ()
    names = (change.what.removeprefix(FLAG) for _entry, change in changes if change.what.startswith(FLAG))
    return next(names, "")


def changed_facts(name: str, observation: Observation) -> list[tuple[str, str]]:
    """Who changed a flag last, when, from what and why, as far as the audit that was read goes back."""
    for entry in reversed(observation.store.audit if observation.store is not None else ()):
        for change in entry.changes:
            if change.what == FLAG + name:
                return [
                    ("changed", f"{change_text(change)} by {entry.who}"),
                    ("when", iso_text(entry.at)),
                    ("why", str(entry.why)),
                ]
    return []
