"""What is due while a version takes over, and after: by the newest change of the active side."""

from __future__ import annotations

from console.domain.fence.deployment import Slot
from console.domain.gates.fact import Fact, known
from console.domain.gates.facts import GateFacts, Switched
from console.domain.gates.gate import Asked, Judged, State, ago, closed, lacks, opened, unchecked, unknown
from console.domain.gates.rules import AFTER_S, SILENT_S, WARM_S
from console.domain.gates.sides import heartbeats, living
from console.domain.triggers.finding import Trigger, Verdict

TEN = 10


def health(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the version's own health endpoint answers 200 with everything connected."""
    side = asked.target
    fact = facts.health.get(side) if side is not None else None
    if side is None or fact is None:
        nothing: Fact[object] = known("health", asked.now, ())
        return unchecked(nothing, "no health address is configured for that side")
    if fact.value is None:
        return lacks(fact)
    seen = fact.value
    if seen.status != 200:
        return closed(fact, f"{side.value} answers {seen.status}")
    if seen.bad:
        return closed(fact, f"{side.value} answers 200; not connected: {', '.join(seen.bad[:5])}")
    return opened(fact, f"{side.value} answers 200 {seen.words}".rstrip())


def switched(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the side is active, and every living process has seen it."""
    fact, authority = facts.switched, facts.deployment.authority
    if fact.value is None or authority is None:
        return lacks(fact) if fact.value is None else unchecked(fact, "the store has no authority")
    side = fact.value.side
    if authority.active is not side:
        return closed(fact, f"{side.value} is not active: {authority.phase}")
    alive = [one for name in Slot for one in living(facts.deployment.instances, name, asked.server_at)]
    behind = [str(one.name) for one in alive if not one.acknowledged(authority.epoch)]
    since = f"{side.value} since {ago((asked.server_at - fact.value.at).total_seconds())}"
    if behind:
        return closed(fact, f"{since}; not acknowledged by {', '.join(behind[:3])}")
    if not alive:
        return opened(fact, f"{since}; plain agents can't acknowledge")
    return opened(fact, f"{since}; {len(alive)} of {len(alive)} acknowledged")


def collecting(facts: GateFacts, asked: Asked) -> Judged:
    """Whether a guard watches the new side and takes its rounds in."""
    fact = facts.guards
    if fact.value is None:
        return lacks(fact)
    if not fact.value:
        return unchecked(fact, "no guard has ever watched this agent")
    side = _side(facts)
    on_it = [one for one in fact.value if one.running(asked.server_at) and side and one.watching == side.value]
    if not on_it:
        return closed(fact, f"no running guard watches {side.value if side else 'anybody'}")
    return opened(fact, f"{on_it[0].name} watches {on_it[0].watching}, {on_it[0].decisions:,} decisions taken in")


def no_trigger(facts: GateFacts, asked: Asked) -> Judged:
    """Whether nothing has fired since the switch."""
    fact, since = facts.alerts, facts.switched.value
    if fact.value is None:
        return lacks(fact)
    if since is None:
        return lacks(facts.switched)
    if not facts.guards.value:
        return unchecked(fact, "no guard has ever watched this agent")
    fired = [one for one in fact.value if one.at >= since.at]
    if fired:
        return closed(fact, f"{len(fired)} since the switch: {fired[-1].kind.value}: {fired[-1].reason}"[:160])
    return _until(facts, asked, AFTER_S, "none has fired")


def watched(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the active side watches all that it owns now."""
    fact = facts.superset
    if fact.value is None:
        return lacks(fact)
    if not fact.value.proved:
        return closed(fact, f"{len(fact.value.unwatched):,} of {fact.value.owned:,} are not watched")
    return _until(facts, asked, AFTER_S, f"all {fact.value.owned:,} watched")


def band(facts: GateFacts, asked: Asked) -> Judged:
    """Whether PnL stays within one standard deviation of the baseline, by the guard."""
    fact, side = facts.guards, _side(facts)
    if fact.value is None:
        return lacks(fact)
    running = [one for one in fact.value if one.running(asked.server_at) and side and one.watching == side.value]
    readings = [t for one in running for t in one.triggers if t.trigger is Trigger.BAND]
    if not readings:
        return unchecked(fact, "no running guard compares its PnL with a baseline")
    seen = readings[0]
    words = f"{seen.verdict.value}: {seen.reason}"[:160]
    if seen.verdict is Verdict.SAFE:
        return _until(facts, asked, AFTER_S, words)
    return unknown(fact, words) if seen.verdict.blind or seen.verdict is Verdict.UNDECIDED else closed(fact, words)


def growing(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the active side's decision log grows."""
    fact, side = facts.logs, _side(facts)
    if fact.value is None:
        return lacks(fact)
    reading = fact.value.by_slot.get(side.value) if side is not None else None
    if reading is None or reading.last_at is None:
        return closed(fact, "the followed logs hold nothing of the active side")
    age_s = (asked.now - reading.last_at).total_seconds()
    words = f"{reading.decisions:,} decisions, the newest {ago(age_s)} ago"
    return closed(fact, words) if age_s > SILENT_S else _until(facts, asked, AFTER_S, words)


def kept_warm(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the old version still stands by, for 24 hours."""
    since = facts.switched.value
    if since is None:
        return lacks(facts.switched)
    before = since.before
    if before is None:
        return unchecked(facts.switched, "nobody was active before")
    old = heartbeats(facts, asked._replace(target=before))
    if old.state is not State.OPEN:
        return old
    return _until(facts, asked, WARM_S, old.words)


def ten_decisions(facts: GateFacts, since: Switched) -> str:
    """How many decisions the new side has taken since the switch, for who reviews the first ten."""
    logs = facts.logs.value
    if logs is None:
        return "no decision log is followed"
    count = sum(1 for one in logs.recent if one.at >= since.at and one.slot == since.side.value)
    return f"{min(count, TEN)} of {TEN} are there"


def _until(facts: GateFacts, asked: Asked, seconds: float, words: str) -> Judged:
    """Open once the clock has run out and all is still well; unknown until then."""
    since = facts.switched.value
    if since is None:
        return lacks(facts.switched)
    left = seconds - (asked.server_at - since.at).total_seconds()
    if left > 0:
        return unknown(facts.switched, f"{words}; {ago(left)} left")
    return opened(facts.switched, words)


def _side(facts: GateFacts) -> Slot | None:
    authority = facts.deployment.authority
    if authority is not None:
        return authority.active
    return facts.deployment.active.slot
