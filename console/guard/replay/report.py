"""What a replay found, as JSON values and with the money summed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from console.domain.triggers.finding import Trigger
from console.guard.replay.replay import Outcome


def document(outcome: Outcome) -> dict[str, object]:
    """The outcome as plain JSON values."""
    by_trigger: dict[str, object] = {}
    for trigger in Trigger:
        fired = [firing for firing in outcome.firings if firing.finding.trigger is trigger]
        by_trigger[trigger.value] = {
            "arming": outcome.settings.of(trigger).value,
            "rolled_back": len(fired),
            "per_week": round(len(fired) / outcome.weeks, 4) if outcome.weeks else None,
            "froze": outcome.freezes[trigger],
            "alerted": outcome.alerts[trigger],
            "saved": _money(_saved(firing.after for firing in fired)),
        }
    return {
        "decisions": outcome.decisions,
        "rejected": outcome.rejected,
        "unplaced": outcome.unplaced,
        "from": outcome.first.isoformat() if outcome.first else None,
        "to": outcome.last.isoformat() if outcome.last else None,
        "weeks": round(outcome.weeks, 4),
        "tenures": outcome.tenures,
        "triggers": by_trigger,
        "firings": [
            {
                "trigger": firing.finding.trigger.value,
                "at": firing.finding.at.isoformat(),
                "version": firing.version,
                "slot": firing.slot,
                "reason": firing.finding.reason,
                "value": firing.finding.value,
                "threshold": firing.finding.threshold,
                "n": firing.finding.n,
                "samples": list(firing.finding.samples),
                "pnl_before": _money(firing.before),
                "pnl_after": _money(firing.after),
            }
            for firing in outcome.firings
        ],
    }


def _saved(parts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """What would have been saved: the losses after each firing, gains counting against it."""
    saved: dict[str, Decimal] = {}
    for part in parts:
        for currency, amount in part.items():
            saved[currency] = saved.get(currency, Decimal(0)) - amount
    return saved


def _money(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:f}" for currency, amount in amounts.items()}
