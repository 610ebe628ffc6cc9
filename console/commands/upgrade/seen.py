"""What a run goes by, gathered: each source fails on its own, closed: what it should tell is None then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from console.commands.context import Context
from console.commands.gates.keeper import Rise, ask
from console.commands.gates.kept import kept_state
from console.commands.gates.of_store import versions_of
from console.commands.gates.reading import bounded, in_thread
from console.domain.commitments.commitment import Superset, superset
from console.domain.errors import Refused
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Deployment, Slot
from console.domain.fence.intent import Source
from console.domain.fence.way_back import SideEvent, SideHistory
from console.domain.gates.checklist import Checked
from console.domain.gates.gate import Act, State
from console.domain.seen.decision import Decision
from console.domain.seen.observation import LogReading, StoreReading
from console.domain.text import clean
from console.domain.upgrade.advance import CanaryFacts, Moved, Seen
from console.domain.upgrade.run import StepName, UpgradeRun

T = TypeVar("T")

SHOWN: Final = 64
"""Decisions that are looked at, at most."""
LOOKED: Final = 50
"""Snapshots among which the run's own is looked for, the newest first: how many there are by now costs no turn."""


class Gathered(NamedTuple):
    """What a turn goes by.

    Args:
        seen: for the rules.
        reading: the store, as it was read for them.
        active_since: since when the active side has acted; None where nothing recorded tells.
    """

    seen: Seen
    reading: StoreReading
    active_since: datetime | None


async def gather(ctx: Context, run: UpgradeRun) -> Gathered:
    """Everything that the run's next turn goes by, in the time of the slowest source.

    Raises:
        StoreUnreachable: the store did not answer at all; then there is nothing to go by.
    """
    reading = await ctx.read()
    deployment, authority, before = reading.deployment, reading.deployment.authority, run.switched_at is None
    sides, checked, owed, states, taken, logs = await asyncio.gather(
        _tell(ctx, ctx.gateway.sides()),
        _tell(ctx, ask(ctx, switching(run), reading), slow=True) if before else _nothing(),
        _tell(ctx, _superset(ctx, run.target)),
        _tell(ctx, kept_state(ctx, run.old, versions_of(ctx, reading, None)[run.target] or (run.version,)))
        if before
        else _nothing(),
        _tell(ctx, _snapshot(ctx, run, reading.server_at)),
        _tell(ctx, in_thread(ctx.logs)),
    )
    event = _newest(sides, deployment.epoch)
    seen = Seen(
        now=reading.server_at,
        phase=authority.phase if authority is not None else None,
        active=authority.active if authority is not None else deployment.active.slot,
        level=authority.level if authority is not None else Level.NONE,
        epoch=deployment.epoch,
        switch_id=_switch_id(sides, event),
        moved=moved_by(sides, event),
        snapshot=taken,
        shadow_rounds=_shadow_rounds(ctx, run, reading),
        closed=_closed(checked),
        unhealthy=_unhealthy(checked, run.target),
        keeps=states[0] if states is not None else None,
        kept=states[1] if states is not None else None,
        superset=owed,
        canary=_canary(reading),
        decisions=first_of(logs, run),
        reviewed_by=run.of(StepName.REVIEW).by,
        fired=_fired(reading, run),
        old_living=_living(deployment, run.old, reading.server_at),
        drains_to=authority.target if authority is not None else None,
        in_flight=authority.in_flight if authority is not None else 0,
    )
    return Gathered(seen, reading, event.at if event is not None else None)


def switching(run: UpgradeRun) -> Rise:
    """The switch of a run, as the gates are asked about it."""
    return Rise("upgrade", Act.SWITCH, run.target, content=run.id)


async def _tell(ctx: Context, work: Awaitable[T], *, slow: bool = False) -> T | None:
    """What a source tells; None for whatever goes wrong with it."""
    patience = ctx.rules.timeout_s * (3 if slow else 1)  # the gates' sources have their own time-outs

    async def boxed() -> tuple[T]:
        return (await work,)  # None is an answer too, and no fact

    box: tuple[T] | None = (await bounded("upgrade", ctx.clock, patience, boxed())).value
    return box[0] if box is not None else None


async def _nothing() -> Any:
    return None


def _newest(sides: SideHistory | None, epoch: int) -> SideEvent | None:
    """The change that led to the epoch in force; None where none that is recorded did."""
    if sides is None:
        return None
    return next((one for one in reversed(sides.events) if one.epoch == epoch), None)


def begun_by(sides: SideHistory | None, event: SideEvent | None) -> SideEvent | None:
    """The change that a change belongs to: a drain's end, which is nobody's in particular, to the switch that began
    the drain; None where that is not recorded."""
    if sides is None or event is None or event.source is not Source.DRAIN:
        return event
    before = [one for one in sides.events if one.epoch < event.epoch]
    return before[-1] if before and before[-1].kind == "drain" else None


def _switch_id(sides: SideHistory | None, event: SideEvent | None) -> str:
    """The switch that led to who acts now. The id that the authority keeps would not do: it outlives an adoption, a
    trip and a freeze."""
    began = begun_by(sides, event)
    return (event.switch_id if event is not None else "") or (began.switch_id if began is not None else "")


def moved_by(sides: SideHistory | None, event: SideEvent | None) -> Moved | None:
    """Who moved the active side last, and what that was; None where nothing recorded tells."""
    if event is None:
        return None
    who = begun_by(sides, event) or event
    what = f"{event.kind} {event.active.value}" if event.active is not None else event.kind
    return Moved(str(clean(who.by, 64)), who.source, f"{what} at {event.at:%H:%M:%S}Z")


async def _snapshot(ctx: Context, run: UpgradeRun, server_at: datetime) -> tuple[str, float] | None:
    """The newest snapshot that was taken for this run, here or on a host that told of it, and its age: of one elsewhere
    the older of what its host's clock and the store's say."""
    from console.store.fence.hosts import plain_host_name
    from console.store.records.snapshots import read_snapshots

    now, here = ctx.clock(), await in_thread(lambda: _snapshot_here(ctx, run))
    try:
        noted = await read_snapshots(ctx.gateway.client, ctx.gateway.keys)
    except Refused:  # what is kept of others can't be read: they are not known, the one that lies here is
        noted = ()
    elsewhere = (one for one in noted if one.host != clean(plain_host_name(), 120))
    own = (one for one in elsewhere if one.why == snapshot_reason(run) and one.taken_at <= now)
    known = [here] if here is not None else []
    known += [(one.id, max(now - one.taken_at, server_at - one.noted_at).total_seconds()) for one in own]
    return min(known, key=lambda one: one[1], default=None)


def _snapshot_here(ctx: Context, run: UpgradeRun) -> tuple[str, float] | None:
    """The newest one on this host."""
    from console.store.files import snapshots

    now = ctx.clock()
    for one in islice(snapshots.newest_first(ctx.snapshots, now), LOOKED):
        taken = one.snapshot
        if taken is not None and taken.why == snapshot_reason(run) and taken.taken_at <= now:
            return one.id, (now - taken.taken_at).total_seconds()
    return None


def snapshot_reason(run: UpgradeRun) -> str:
    """By what a snapshot of this run is known again."""
    return f"upgrade {run.id}"


def _shadow_rounds(ctx: Context, run: UpgradeRun, reading: StoreReading) -> int | None:
    names = (run.version,) if run.version else versions_of(ctx, reading, None)[run.target]
    rounds = [one.reading.rounds for one in reading.shadows if str(one.name) in names]
    return max(rounds) if rounds else None


def _closed(checked: Checked | None) -> tuple[tuple[str, str], ...] | None:
    if checked is None:
        return None
    return tuple((line.item.id, str(clean(line.judged.words, 160))) for line in checked.forbidding)


def _unhealthy(checked: Checked | None, target: Slot) -> str | None:
    """Why the target is not fit to act: by its heartbeats, and by its health address where one is configured."""
    if checked is None:
        return None
    judged = {line.item.id: line.judged for line in checked.lines}
    beats, health = judged.get("heartbeats"), judged.get("health")
    for one in (beats, health):
        if one is not None and one.state in (State.CLOSED, State.UNKNOWN):
            return str(clean(one.words, 160))
    if any(one is not None and one.state is State.OPEN for one in (beats, health)):
        return ""
    return f"nothing tells whether {target.value} lives: it sends no heartbeats, and no health address is configured"


async def _superset(ctx: Context, target: Slot) -> Superset:
    left = await ctx.gateway.owing.left()
    return superset(left.owed, left.eyes(target), target, target=target)


def _canary(reading: StoreReading) -> CanaryFacts | None:
    if reading.canary is None:
        return None
    run = reading.canary.run
    return CanaryFacts(str(run.name), run.state, f"{run.share * 100:f} %", str(run.by), run.source, str(run.why))


def first_of(logs: LogReading | None, run: UpgradeRun) -> tuple[str, ...] | None:
    """The target's first decisions since the switch, among those that are read."""
    if logs is None or run.switched_at is None:
        return None
    own = sorted(
        (one for one in logs.recent if one.slot == run.target.value and one.at >= run.switched_at),
        key=lambda one: one.at,
    )
    return tuple(str(clean(_decision(one), 240)) for one in own[:SHOWN])


def _decision(one: Decision) -> str:
    """A decision as somebody looks at it: when, what, what it won or lost, why."""
    money = one.pnl
    won = f"{money.amount:+f} {money.currency}{' dry' if money.dry else ''}".rstrip() if money is not None else ""
    parts = (f"{one.at:%H:%M:%S}Z {one.kind} {one.outcome}", won, str(one.reasoning))
    return "; ".join(part for part in parts if part)


def _fired(reading: StoreReading, run: UpgradeRun) -> tuple[str, ...] | None:
    """What has fired since the switch; None where no guard that can act is there to say so."""
    awake = [one for one in reading.guards if one.running(reading.server_at)]
    if run.switched_at is None or not any(not one.problem for one in awake):
        return None
    return tuple(f"{one.kind.value}: {clean(one.reason, 100)}" for one in reading.alerts if one.at >= run.switched_at)


def _living(deployment: Deployment, slot: Slot, now: datetime) -> int | None:
    return sum(1 for one in deployment.instances if one.slot is slot and one.heard(now))
