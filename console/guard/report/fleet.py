"""What the guards say of all agents of a store, for `guard status --all`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.guard.alerts import alert_document
from console.domain.guard.members import Member
from console.domain.guard.placement import WATCHERS
from console.guard.fleet.discovery import Discovery
from console.guard.fleet.membership import call_roll
from console.store.keys import GuardKeys, Keys
from console.store.records.guards import read_alerts, read_guards
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

MOST: Final = 100
"""Agents and alerts named; more are counted."""
BITE: Final = 100


async def fleet_report(client: Redis) -> dict[str, Any]:
    """Guards, agents watched by fewer than two, and open alerts, as plain JSON values.

    Raises:
        StoreUnreachable: no answer.
        Refused: the list of guards is no hash.
    """
    roll = await call_roll(client)
    discovery = Discovery(client)
    agents = sorted(await discovery.look())
    counts = dict.fromkeys(range(WATCHERS + 1), 0)
    few: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    alerts: list[dict[str, Any]] = []
    unreadable = 0
    for start in range(0, len(agents), BITE):
        some = agents[start : start + BITE]
        for agent, found in zip(some, await _read(client, some), strict=True):
            unreadable += any(isinstance(one, Exception) for one in found)
            running = [guard for guard in read_guards(found[0]) if guard.running(roll.now)]
            counts[min(WATCHERS, len(running))] += 1
            if len(running) < WATCHERS:
                few.append({"agent": agent, "guards": len(running)})
            problems += [{"agent": agent, "guard": one.name, "problem": one.problem} for one in running if one.problem]
            alerts += [alert_document(alert) for alert in read_alerts(found[1]) if alert.open]
    few.sort(key=lambda one: (one["guards"], one["agent"]))
    alerts.sort(key=lambda one: str(one["at"]), reverse=True)
    return {
        "running": sum(member.alive(roll.now) for member in roll.members),
        "guards": [_member(member, roll.now) for member in roll.members],
        "agents": len(agents),
        "watched": {"by_two": counts[WATCHERS], "by_one": counts[1], "by_none": counts[0]},
        "under_watched": few[:MOST],
        "under_watched_more": max(0, len(few) - MOST),
        "problems": problems[:MOST],
        "problems_more": max(0, len(problems) - MOST),
        "unreadable": unreadable,
        "notes": list(discovery.notes),
        "alerts": alerts[:MOST],
        "alerts_more": max(0, len(alerts) - MOST),
    }


async def _read(client: Redis, agents: list[str]) -> list[tuple[Any, Any]]:
    pipe: Any = client.pipeline(transaction=False)
    for agent in agents:
        names = GuardKeys.of(Keys.of(agent))
        pipe.hgetall(names.guards)
        pipe.hgetall(names.alerts)
    with wrap_errors():
        found = await pipe.execute(raise_on_error=False)
    return list(zip(found[::2], found[1::2], strict=True))


def _member(member: Member, now: datetime) -> dict[str, Any]:
    return {
        "name": member.name,
        "age_s": round(max(0.0, (now - member.heartbeat_at).total_seconds()), 3),
        "running": member.alive(now),
        "scope": member.scope or None,
        "host": member.host or None,
        "pid": member.pid,
        "started_at": member.started_at.isoformat() if member.started_at else None,
        "watching": member.watching,
        "opening": member.opening,
        "failing": member.failing,
        "why": list(member.why),
        "known": member.known,
        "notes": list(member.notes),
    }


def fleet_report_lines(found: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    if not found["running"]:
        yield "NO GUARD RUNNING: nothing rolls back by itself."
    for guard in found["guards"]:
        state = "running" if guard["running"] else "SILENT"
        scope = f"started for {guard['scope']} alone" if guard["scope"] else f"knows {guard['known']} agents"
        opening = f", reads {guard['opening']} more" if guard["opening"] else ""
        failing = f", CAN'T JUDGE {guard['failing']}" if guard["failing"] else ""
        yield (
            f"{guard['name']}: {state}, heard {guard['age_s']:.1f} s ago; {scope}; watches {guard['watching']}"
            f"{opening}{failing}"
        )
        for line in (*guard["why"], *guard["notes"]):
            yield f"  {line}"
    watched = found["watched"]
    yield (
        f"{found['agents']} agents: {watched['by_two']} watched by two guards or more, {watched['by_one']} by one, "
        f"{watched['by_none']} by NONE"
        if watched["by_none"]
        else f"{found['agents']} agents: {watched['by_two']} watched by two guards or more, {watched['by_one']} by one"
    )
    for one in found["under_watched"]:
        yield f"  {one['agent']}: {one['guards']} of {WATCHERS}"
    yield from _more(found["under_watched_more"], "agents")
    for one in found["problems"]:
        yield f"  {one['agent']}, says {one['guard']}: {one['problem']}"
    yield from _more(found["problems_more"], "problems")
    if found["unreadable"]:
        yield f"  {found['unreadable']} agents whose keys hold something else than a guard's"
    for note in found["notes"]:
        yield f"  {note}"
    for alert in found["alerts"]:
        yield f"ALERT {alert['agent']}  {alert['id']}  {alert['at']}  {alert['kind']}: {alert['reason']}"
    yield from _more(found["alerts_more"], "open alerts")


def _more(count: int, what: str) -> Iterator[str]:
    if count:
        yield f"  and {count} more {what}"
