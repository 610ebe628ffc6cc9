"""What protects: the guard, its triggers, a fresh snapshot."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from console.domain.gates.facts import GateFacts
from console.domain.gates.gate import Act, Asked, Judged, ago, closed, lacks, opened, unchecked, unknown
from console.domain.guard.alerts import GuardReading
from console.domain.text import clean
from console.domain.triggers.finding import Arming, Verdict

_ANY_SIDE: Final = frozenset({Act.CANARY_START, Act.CANARY_UP, Act.EXPERIMENT_START, Act.LIFT})
"""They raise risk beside the side that is watched, so harm on it forbids them; a switch moves away from it."""


def guard(facts: GateFacts, asked: Asked) -> Judged:
    """Whether a guard watches. None was ever there: not checked. One was, and is not heard: closed."""
    fact = facts.guards
    if fact.value is None:
        return lacks(fact)
    if not fact.value:
        return unchecked(fact, "no guard has ever watched this agent")
    running = _running(fact.value, asked.server_at)
    if not running:
        newest = fact.value[0]
        return closed(fact, f"none is running; {newest.name} was heard {ago(newest.age_s(asked.server_at))} ago")
    able = [one for one in running if not one.problem]
    if not able and asked.act is Act.RESUME:  # what troubles it may be the very halt that is to end
        return unchecked(fact, f"{running[0].name} is there, in trouble: {running[0].problem}")
    if not able:
        return closed(fact, f"{running[0].name} can't act: {running[0].problem}")
    return opened(fact, f"{len(able)} running, heard {able[0].age_s(asked.server_at):.1f} s ago")


def triggers(facts: GateFacts, asked: Asked) -> Judged:
    """Whether a trigger says that there is harm on the side on which risk would be raised."""
    fact = facts.guards
    if fact.value is None:
        return lacks(fact)
    running = _running(fact.value, asked.server_at)
    if not running:
        return unchecked(fact, "no guard is running")
    harm = [
        (one, trigger)
        for one in running
        for trigger in one.triggers
        if trigger.verdict is Verdict.HARM and trigger.arming is not Arming.OFF
    ]
    hits = [
        f"{trigger.trigger.label} on {one.watching}: {trigger.reason}"
        for one, trigger in harm
        if asked.act in _ANY_SIDE or asked.target is None or one.watching == asked.target.value
    ]
    if hits:
        return closed(fact, f"{len(hits)} see harm: {clean(hits[0], 120)}")
    elsewhere = f"; harm on {harm[0][0].watching}, which it moves away from" if harm else ""
    armed = max(sum(1 for t in one.triggers if t.arming is Arming.ARMED) for one in running)
    return opened(fact, f"{armed} armed, none sees harm there{elsewhere}")


def armed(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the rollback triggers are armed, each with facts to go by."""
    fact = facts.guards
    if fact.value is None:
        return lacks(fact)
    running = _running(fact.value, asked.server_at)
    if not running:
        return unchecked(fact, "no guard is running")
    best = max(running, key=lambda one: sum(1 for t in one.triggers if t.arming is Arming.ARMED))
    on = [t for t in best.triggers if t.arming is Arming.ARMED]
    blind = [t.trigger.label for t in on if t.verdict.blind]
    if not on:
        return closed(fact, "none is armed")
    if blind:
        return closed(fact, f"{len(on)} armed, {len(blind)} without facts: {', '.join(blind)}")
    return opened(fact, f"{len(on)} armed, each with facts")


def snapshot(facts: GateFacts, asked: Asked) -> Judged:
    """Whether there is a snapshot, parsed back, at most 300 s old, and not from the future. The clock of another host
    may be wrong: of one that lies there, the store's clock says too how old it is."""
    fact = facts.snapshot
    if fact.value is None:
        return lacks(fact)
    seen = fact.value
    age_s = exact_age_s(seen.taken_at, asked.now)
    if seen.noted_at is not None and age_s >= 0:
        age_s = max(age_s, exact_age_s(seen.noted_at, asked.server_at))
    limit = asked.rules.snapshot_s
    if age_s < 0:
        return unknown(fact, f"stale: {seen.id} is from the future, by {-age_s:.1f} s")
    words = f"{seen.id} parsed back{f' on {seen.host}' if seen.host else ''}, {age_s:.1f} s old"
    return opened(fact, words) if age_s <= limit else closed(fact, f"stale: {words}; {limit} s is the limit")


def exact_age_s(taken_at: datetime, now: datetime) -> Decimal:
    """Seconds between the two, exact to the microsecond."""
    delta = now - taken_at
    return Decimal(delta.days * 86400 + delta.seconds) + Decimal(delta.microseconds) / 1_000_000


def _running(guards: tuple[GuardReading, ...], server_at: datetime) -> tuple[GuardReading, ...]:
    return tuple(one for one in guards if one.running(server_at))
