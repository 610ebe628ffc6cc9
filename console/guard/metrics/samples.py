"""From what was gathered to samples: pure, and on any thread.

What is older than its limit, or can't be read, has no sample; `source_state` says which of the two, and
`source_age_seconds` goes on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple, TypeVar

from console.domain.canary.plan import RunState
from console.domain.canary.run import CanaryReading
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase, Slot
from console.domain.triggers.finding import Arming, Severity, Verdict
from console.domain.triggers.look import Assessment
from console.domain.venue.reading import Why
from console.domain.venue.stored import VenueSeen
from console.guard.metrics import declared as m
from console.guard.metrics.declared import Declared, Place, State, word
from console.guard.metrics.sight import Sight
from console.store.fence.replies import BeatCode, BeatReply

MOST_AGENTS: Final = 1_000
"""Agents that have samples of their own, unless an operator says otherwise."""

Values = tuple[str, ...]
StateT = TypeVar("StateT", bound=StrEnum)
Rows = list[tuple[Values, float]]
Table = dict[Declared, Rows]
"""The samples of each metric; one that has none is not in it."""


class Known(NamedTuple):
    """What may be told of one agent now; None for what is not known.

    Args:
        sight: all of it.
        states: how each source stands.
        store, look, canary, alerts, venue: what is neither old nor wrong.
        money: whether what was made may be told.
    """

    sight: Sight
    states: Mapping[Place, State]
    store: BeatReply | None
    look: Assessment | None
    canary: CanaryReading | None
    alerts: Mapping[str, int] | None
    venue: VenueSeen | None
    money: bool

    @property
    def troubled(self) -> bool:
        """Whether somebody should look at it: it is among those that are told one by one, where not all can be."""
        store, look = self.store, self.look
        return (
            store is None
            or store.phase is not Phase.RUN
            or store.level is not Level.NONE
            or bool(store.in_doubt or store.late)
            or look is None
            or any(finding.verdict.rank > Verdict.UNDECIDED.rank for finding in look.findings)
            or bool(self.alerts and any(self.alerts.values()))
            or any(state is not State.OK for state in self.states.values())
        )


def known(sight: Sight, now_s: float, now: datetime, *, timed_out: bool = False) -> Known:
    """What may be told of an agent now.

    Args:
        sight: as it was gathered.
        now_s: the monotonic clock.
        now: by the guard's clock, by which a venue's look is dated.
        timed_out: whether the store did not answer the last call in time.
    """
    limits, states = sight.limits, dict[Place, State]()
    silent = State.TIMEOUT if timed_out else State.STALE

    store = sight.store[0] if sight.store is not None else None
    no_authority = store is not None and store.code is BeatCode.NOINIT
    states[Place.STORE] = _state(
        sight.store is None or no_authority, sight.failing, sight.store, limits.store_s, now_s, silent
    )
    states[Place.LOOK] = _state(sight.look is None, sight.failing, sight.look, limits.look_s, now_s, State.STALE)
    states[Place.DECISIONS] = _of_decisions(sight, now_s, states[Place.STORE])
    read = (None, sight.noted.at_s) if sight.noted is not None else None
    wrong = sight.noted is not None and sight.noted.alerts is None
    states[Place.ALERTS] = _state(sight.noted is None, wrong, read, limits.noted_s, now_s, silent)
    there = sight.canary is not None and sight.canary[0] is not None
    if there or sight.canary is None:
        states[Place.CANARY] = _state(sight.canary is None, False, sight.canary, limits.canary_s, now_s, silent)
    venue = sight.noted.venue if sight.noted is not None else None
    if sight.venue:
        states[Place.VENUE] = _of_venue(venue, now)

    def if_ok(place: Place) -> bool:
        return states.get(place) is State.OK

    return Known(
        sight,
        states,
        store=store if if_ok(Place.STORE) else None,
        look=sight.look[0] if sight.look is not None and if_ok(Place.LOOK) else None,
        canary=sight.canary[0] if sight.canary is not None and if_ok(Place.CANARY) else None,
        alerts=sight.noted.alerts if sight.noted is not None and if_ok(Place.ALERTS) else None,
        venue=venue if if_ok(Place.VENUE) else None,
        money=if_ok(Place.LOOK) and if_ok(Place.DECISIONS),
    )


def _state(
    missing: bool, wrong: bool, read: tuple[object, float] | None, limit_s: float, now_s: float, silent: State
) -> State:
    if wrong:
        return State.ERROR
    if missing or read is None:
        return State.MISSING
    return State.OK if now_s - read[1] <= limit_s else silent


def _of_decisions(sight: Sight, now_s: float, store: State) -> State:
    decisions = sight.decisions
    if sight.failing or (decisions.problem and not decisions.unseen):
        return State.ERROR
    if decisions.unseen or decisions.newest_s is None:
        return State.MISSING
    if decisions.stale_s is None:  # they come from the store
        return store
    return State.OK if now_s - decisions.newest_s <= decisions.stale_s else State.STALE


def _of_venue(seen: VenueSeen | None, now: datetime) -> State:
    if seen is None:
        return State.MISSING
    if not seen.fresh(now):
        return State.STALE
    whys = {item.why for item in seen.items if item.why is not None}
    if not whys and not seen.closed:
        return State.OK
    return State.TIMEOUT if whys == {Why.TIMEOUT} else State.ERROR


def of_agent(one: Known, table: Table, now_s: float, now: datetime) -> None:
    """Put an agent's samples into a table."""
    sight, agent = one.sight, one.sight.agent
    add = _Adder(table, agent)
    add(m.UP, float(not sight.failing))
    for place, state in one.states.items():
        add.one_of(m.SOURCE, _all(State), state, word(place))
    for place, age_s in _ages(sight, now_s, now):
        add(m.SOURCE_AGE, max(0.0, age_s), word(place))
    add(m.FAILURES, sight.failures)
    add(m.DECISIONS, sight.counts.decisions)
    for reason in m.LABELS["reason"]:
        add(m.UNREAD, getattr(sight.counts, reason), reason)
    add(m.NOTIFIES, float(sight.notifies))
    if one.store is not None:
        store = one.store
        for slot in _all(Slot):
            add(m.ACTIVE, float(store.active is slot), slot.value)
        add.one_of(m.PHASE, _all(Phase), store.phase)
        add.one_of(m.LEVEL, _all(Level), store.level)
        add(m.EPOCH, store.epoch)
        add(m.IN_FLIGHT, store.in_flight)
        add(m.IN_DOUBT, store.in_doubt)
        add(m.LATE, store.late)
    if one.money:
        for money in sight.money:
            add(m.ROUNDS, money.rounds, money.currency)
            if money.amount is not None:
                add(m.PNL, float(money.amount), money.currency)
    for finding in one.look.findings if one.look is not None else ():
        trigger = word(finding.trigger)
        add(m.ARMED, float(finding.arming is Arming.ARMED), trigger)
        if finding.arming is not Arming.OFF:
            add.one_of(m.VERDICT, _all(Verdict), finding.verdict, trigger)
    if one.alerts is not None:
        for severity in _all(Severity):
            add(m.ALERTS, one.alerts.get(severity.value, 0), word(severity))
    if one.canary is not None:
        _of_canary(one.canary, add)
    if one.venue is not None or one.states.get(Place.VENUE) in (State.ERROR, State.TIMEOUT):
        seen = sight.noted.venue if sight.noted is not None else None
        if seen is not None:
            add(m.VENUE_SHUT, seen.closed)


def _of_canary(reading: CanaryReading, add: _Adder) -> None:
    run, desk = reading.run, reading.desk
    add.one_of(m.CANARY, _all(RunState), run.state)
    add(m.WANTED, float(run.share))
    if desk is None or desk.run != run.name or desk.position != run.position:
        return
    if desk.routed_share is not None:
        add(m.ACTUAL, desk.routed_share)
    add(m.CANARY_ROUNDS, desk.rounds)
    analysis = desk.analysis
    if analysis is not None and analysis.evidence is not None and not analysis.error:
        evidence = analysis.evidence
        for bound, value in (("lower", evidence.lower), ("estimate", evidence.estimate), ("upper", evidence.upper)):
            add(m.INTERVAL, value, bound)


def _ages(sight: Sight, now_s: float, now: datetime) -> Iterator[tuple[Place, float]]:
    if sight.store is not None:
        yield Place.STORE, now_s - sight.store[1]
    if sight.look is not None:
        yield Place.LOOK, now_s - sight.look[1]
    if sight.decisions.newest_s is not None:
        yield Place.DECISIONS, now_s - sight.decisions.newest_s
    if sight.noted is not None:
        yield Place.ALERTS, now_s - sight.noted.at_s
    if sight.canary is not None and sight.canary[0] is not None:
        yield Place.CANARY, now_s - sight.canary[1]
    if sight.venue and sight.noted is not None and sight.noted.venue is not None:
        yield Place.VENUE, (now - sight.noted.venue.at).total_seconds()


@cache
def _all(kind: type[StateT]) -> tuple[StateT, ...]:
    """The values of an enumeration, put together once: they are told of each of thousands of agents."""
    return tuple(kind)


class _Adder:
    """Adds one agent's samples; what is no finite number, and no infinite bound of an interval, is not known."""

    def __init__(self, table: Table, agent: str) -> None:
        self._table = table
        self._agent = agent

    def __call__(self, metric: Declared, value: float, *more: str) -> None:
        if math.isfinite(value) or (metric is m.INTERVAL and not math.isnan(value)):
            rows = self._table.get(metric)
            if rows is None:
                rows = self._table[metric] = []
            rows.append(((self._agent, *more), value))

    def one_of(self, metric: Declared, states: Iterable[StrEnum], state: StrEnum, *more: str) -> None:
        """One sample a state, 1 for the one that holds."""
        for one in states:
            self(metric, float(one is state), *more, word(one))


def of_fleet(every: Iterable[Known], table: Table) -> None:
    """Put the sums over all agents into a table: of those of which they are known."""
    phases, verdicts, severities = Counter[Phase](), Counter[Verdict](), Counter[str]()
    flight = doubt = 0
    for one in every:
        if one.store is not None:
            phases[one.store.phase] += 1
            flight += one.store.in_flight
            doubt += one.store.in_doubt
        if one.look is not None and one.look.findings:
            verdicts[max((finding.verdict for finding in one.look.findings), key=lambda verdict: verdict.rank)] += 1
        severities.update(one.alerts or {})
    table[m.FLEET_PHASE] = [((word(phase),), phases[phase]) for phase in Phase]
    table[m.FLEET_VERDICT] = [((word(verdict),), verdicts[verdict]) for verdict in Verdict]
    table[m.FLEET_ALERTS] = [((word(severity),), severities[severity.value]) for severity in Severity]
    table[m.FLEET_FLIGHT] = [((), flight)]
    table[m.FLEET_DOUBT] = [((), doubt)]


def shown(every: list[Known], most: int) -> list[Known]:
    """Those that are told one by one: all of them; of more than `most`, first those that somebody should look at."""
    if len(every) <= most:
        return every
    return sorted(every, key=lambda one: (not one.troubled, one.sight.agent))[:most]
