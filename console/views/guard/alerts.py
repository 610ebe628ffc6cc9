"""Alerts: the banner of a trip, the list, and one of them in full."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from console.domain.guard.alerts import Alert, AlertKind
from console.domain.seen.observation import Observation
from console.domain.triggers.finding import Severity
from console.views.fence.alarm import NOT_ENFORCEABLE, freeze
from console.views.format import age_text, iso_text, time_text
from console.views.order import NO_VALUES, By
from console.views.tone import Tone

WORST: Final = {AlertKind.HALTED: 3, AlertKind.ROLLED_BACK: 2, AlertKind.ABORTED: 1, AlertKind.FROZEN: 0}
"""What changed something, by how much it matters now."""


class Banner(NamedTuple):
    """What nobody has acknowledged yet and changed something.

    Args:
        text: what, how long ago, and why.
        more: how many others there are; empty for none.
        tone: how bad it is.
        alert: with its evidence.
    """

    text: str
    more: str
    tone: Tone
    alert: Alert


class AlertRow(NamedTuple):
    """One alert.

    Args:
        key: its id.
        open: whether nobody has said yet that they saw it.
        reason: the trigger, and what it saw.
        seen: who acknowledged it, and when; empty for an open one.
        by: what it is sorted by.
    """

    key: str
    open: bool
    glyph: str
    tone: Tone
    time: str
    kind: str
    reason: str
    seen: str
    alert: Alert
    by: By = NO_VALUES


def banner(observation: Observation) -> Banner | None:
    """The open alert that matters most, if one changed something; the newest of the worst kind."""
    alerts = [alert for alert in _alerts(observation) if alert.open and alert.kind in WORST]
    if not alerts:
        return None
    top = max(alerts, key=lambda alert: (WORST[alert.kind], alert.at))
    more = f"+{len(alerts) - 1} more" if len(alerts) > 1 else ""
    age = age_text((observation.now - top.at).total_seconds())
    tone = Tone.WARN if top.kind is AlertKind.FROZEN else Tone.BAD
    what = f"{top.kind.value.upper()} {age} ago"
    frozen = freeze(observation) if top.kind is AlertKind.FROZEN else None
    if frozen is not None and frozen.tone is Tone.BAD:  # who can't be bound is said before why it was tried
        what, tone = f"{what}, {NOT_ENFORCEABLE} (H halts)", Tone.BAD
    return Banner(f"{what}: {told(top)}", more, tone, top)


def told(alert: Alert) -> str:
    """Why, with the trigger's name before it once."""
    if not alert.trigger or alert.reason.startswith(alert.trigger):
        return str(alert.reason)
    return f"{alert.trigger}: {alert.reason}"


def _alerts(observation: Observation) -> tuple[Alert, ...]:
    return observation.store.alerts if observation.store is not None else ()


def open_alerts(observation: Observation) -> tuple[Alert, ...]:
    """Alerts that nobody has acknowledged, oldest first."""
    return tuple(alert for alert in _alerts(observation) if alert.open)


def alert_rows(observation: Observation) -> tuple[AlertRow, ...]:
    """Every alert: those that somebody has seen, then the open ones, each part newest last."""
    rows = [_alert_row(alert, observation.now) for alert in _alerts(observation)]
    return tuple(sorted(rows, key=lambda row: (row.open, row.alert.at)))


def _alert_row(alert: Alert, now: datetime) -> AlertRow:
    tone = Tone.BAD if alert.severity in (Severity.CRITICAL, Severity.HIGH) else Tone.WARN
    seen = ""
    if alert.acknowledged_at is not None:
        seen = f"{alert.acknowledged_by or ''} {time_text(alert.acknowledged_at, now)}"
    glyph = "✔" if seen else "✖" if tone is Tone.BAD else "▲"
    return AlertRow(
        key=alert.id,
        open=alert.open,
        glyph=glyph,
        tone=Tone.MUTED if seen else tone,
        time=time_text(alert.at, now),
        kind=alert.kind.value,
        reason=told(alert),
        seen=seen,
        alert=alert,
        by={"time": alert.at},
    )


def alert_facts(alert: Alert) -> list[tuple[str, str]]:
    """Everything about one alert, as label and text."""
    facts = [
        ("at", iso_text(alert.at)),
        ("what", f"{alert.kind.value} ({alert.severity.value})"),
        ("trigger", str(alert.trigger)),
        ("why", str(alert.reason)),
        ("by", str(alert.by)),
        ("epoch", str(alert.epoch) if alert.epoch else ""),
    ]
    if alert.value is not None:
        limit = f" of {alert.threshold:g}" if alert.threshold is not None else ""
        facts.append(("value", f"{alert.value:g}{limit}"))
    if alert.n:
        facts.append(("samples", str(alert.n)))
    facts += [("decision", str(sample)) for sample in alert.samples]
    seen = "nobody yet"
    if alert.acknowledged_at is not None:
        seen = f"{alert.acknowledged_by or ''}, {iso_text(alert.acknowledged_at)}"
    return [*facts, ("seen by", seen)]
