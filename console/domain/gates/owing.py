"""What is in flight: doubts, open rounds, and whether the new side watches all that it will own."""

from __future__ import annotations

from collections.abc import Collection

from console.domain.commitments.commitment import Kind
from console.domain.gates.fact import Lack
from console.domain.gates.facts import GateFacts, PlainState
from console.domain.gates.gate import Asked, Judged, ago, closed, lacks, opened, unchecked, unknown
from console.domain.text import clean


def doubts(facts: GateFacts, asked: Asked) -> Judged:
    """Whether there is an action whose outcome nobody knows."""
    fact = facts.doubts
    if fact.value is None:
        return lacks(fact)
    authority = facts.deployment.authority
    count = max(len(fact.value), authority.in_doubt if authority is not None else 0)
    if count:
        first = f": {clean(fact.value[0].key, 40)}" if fact.value else ""
        return closed(fact, f"{count} in doubt{first}")
    if authority is None:
        return unchecked(fact, "no fenced agent has claimed anything")
    return opened(fact, "none in doubt")


def rounds(facts: GateFacts, asked: Asked) -> Judged:
    """Whether a round is open that would be cut: one that its own side brings to its end isn't, on whatever list."""
    state, owed = facts.state, facts.owed
    open_rounds = [one for one in owed.value or () if one.commitment.kind is Kind.ROUND]
    kept = {one.id for one in open_rounds if one.commitment.policy.pinned}
    loose = [one.id for one in open_rounds if one.id not in kept]
    told = state.value.rounds if state.value is not None else None
    cut = _cut(state.value, kept) if state.value is not None else 0
    for gap in state.value.unread if state.value is not None else ():
        if Kind.ROUND in gap.kinds and not cut:
            return unknown(state, f"{Lack.ERROR.value}: {gap.what}: {gap.why}")
    if cut:
        return closed(state, f"{cut} open by the state file")
    if loose:
        return closed(owed, f"{len(loose)} open that nobody would bring to its end: {clean(loose[0], 40)}")
    for fact in (owed, state):
        if fact.value is None and fact.lack is not Lack.NOT_CHECKED:
            return lacks(fact)
    if not owed.value and told is None:
        return unchecked(owed, "no round is recorded anywhere")
    if open_rounds:
        return opened(owed, f"{len(open_rounds)} open, each with the side that ends it")
    return opened(state if told is not None else owed, "none open")


def _cut(state: PlainState, kept: Collection[str]) -> int:
    """How many open rounds of a state file no side is known to end; one that it only counts is among them."""
    named = [one.id for one in state.others if one.kind is Kind.ROUND]
    return sum(name not in kept for name in named) + max(0, (state.rounds or 0) - len(named))


def superset(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the side that would act says that it watches all that it will own."""
    fact, side = facts.superset, asked.target
    if fact.value is None:
        return lacks(fact)
    seen = fact.value
    if not seen.owned:
        return opened(fact, "nothing is owed that it would have to watch")
    if seen.proved:
        return opened(fact, f"all {seen.owned:,} watched")
    name = side.value if side is not None else "it"
    missing = ", ".join(str(clean(one, 40)) for one in seen.unwatched[:3])
    return closed(fact, f"{name} does not watch {len(seen.unwatched):,} of {seen.owned:,}: {missing}")


def limits(facts: GateFacts, asked: Asked) -> Judged:
    """Whether the rate-limit counters are written down for the side that takes over."""
    fact = facts.state
    if fact.value is None:
        return lacks(fact)
    age = ago((asked.now - fact.value.written_at).total_seconds())
    return opened(fact, f"noted {age} ago") if fact.value.limits else closed(fact, "the state file has no counters")
