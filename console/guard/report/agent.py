"""What the guards say of themselves, for `guard status`, and what an operator tells them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from console.domain.guard.alerts import GuardReading, alert_document
from console.domain.triggers.settings import TriggerSettings
from console.guard.keep.state import GuardState
from console.store.fence.replies import text
from console.store.records.guards import read_alerts, read_guards
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


async def report(state: GuardState, client: Redis) -> dict[str, Any]:
    """Guards, triggers and open alerts, as plain JSON values.

    Raises:
        StoreUnreachable: no answer.
    """
    guards = read_guards(await state.hash(state.names.guards))
    alerts = [alert for alert in read_alerts(await state.hash(state.names.alerts)) if alert.open]
    settings, problem = await state.overrides(TriggerSettings())
    with wrap_errors():
        seconds, micros = await client.time()
    now = datetime.fromtimestamp(seconds + micros / 1e6, UTC)
    return {
        "agent": state.agent,
        "running": sum(guard.running(now) for guard in guards),
        "guards": [_guard(guard, now) for guard in guards],
        "thresholds": {text(k): text(v) for k, v in (await state.hash(state.names.triggers)).items()},
        "thresholds_problem": problem or None,
        "window_s": settings.window_s,
        "alerts": [alert_document(alert) for alert in alerts],
    }


def _guard(guard: GuardReading, now: datetime) -> dict[str, Any]:
    return {
        "name": guard.name,
        "age_s": round(guard.age_s(now), 3),
        "running": guard.running(now),
        "started_at": guard.started_at.isoformat() if guard.started_at else None,
        "watching": guard.watching or None,
        "problem": guard.problem or None,
        "notifies": guard.notifies,
        "decisions": guard.decisions,
        "unread": {
            "rejected": guard.rejected,
            "unplaced": guard.unplaced,
            "skipped": guard.skipped,
            "ahead": guard.ahead,
        },
        "failures": guard.failures,
        "evaluated_at": guard.evaluated_at.isoformat() if guard.evaluated_at else None,
        "triggers": [
            {
                "trigger": one.trigger.value,
                "verdict": one.verdict.value,
                "arming": one.arming.value,
                "response": one.response,
                "reason": one.reason,
                "value": one.value,
                "threshold": one.threshold,
                "unit": one.unit,
                "n": one.n,
                "samples": list(one.samples),
            }
            for one in guard.triggers
        ],
    }


def report_lines(found: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    if not found["running"]:
        yield "NO GUARD RUNNING: nothing rolls back by itself."
    for guard in found["guards"]:
        state = "running" if guard["running"] else "SILENT"
        watching = f"watching {guard['watching']}" if guard["watching"] else "nobody is active"
        extra = "; sends alerts" if guard["notifies"] else ""
        problem = f"; {guard['problem']}" if guard["problem"] else ""
        failures = f"; failed {guard['failures']} times" if guard["failures"] else ""
        unread = "".join(f"; {count} {what}" for what, count in guard["unread"].items() if count)
        yield (
            f"{guard['name']}: {state}, heard {guard['age_s']:.1f} s ago; {watching}; {guard['decisions']} decisions"
            f"{unread}{extra}{failures}{problem}"
        )
    newest = next((guard for guard in found["guards"] if guard["running"]), None)
    for one in newest["triggers"] if newest else ():
        value = "-" if one["value"] is None else f"{one['value']:.4g}"
        limit = "-" if one["threshold"] is None else f"{one['threshold']:.4g}"
        yield (
            f"  {one['trigger']:<13}{one['arming']:<6}{one['verdict']:<10}{value:>10} of {limit:<8}{one['unit']:<3}"
            f" n={one['n']:<6}{one['reason']}"
        )
    for name, value in sorted(found["thresholds"].items()):
        yield f"  {name} = {value} (this agent's own)"
    if found["thresholds_problem"]:
        yield f"  this agent's own thresholds are not in force: {found['thresholds_problem']}"
    for alert in found["alerts"]:
        yield f"ALERT {alert['id']}  {alert['at']}  {alert['kind']}: {alert['reason']}"
