"""What the store itself tells the gates: read in a moment, and read again in the moment of the act."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from console.commands.context import Context
from console.commands.gates.reading import bounded
from console.domain.commitments.commitment import Owed, Superset, superset
from console.domain.commitments.left import Left
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Slot
from console.domain.fence.way_back import SideHistory
from console.domain.gates.fact import Fact, Lack, known, lacking
from console.domain.gates.facts import CanarySeen, GateFacts, ManifestsSeen, Switched, VenueFacts
from console.domain.manifest.recorded import KeptBy
from console.domain.seen.observation import LogReading, StoreReading
from console.domain.state.kept import KeptState
from console.store.records.gates import Kept


class Wanted(NamedTuple):
    """What is asked of the sources.

    Args:
        reading: the store, read just now.
        target: the side on which risk would be raised; None for none.
        logs: whether the decision logs are looked at, beside what volatility needs of them.
    """

    reading: StoreReading
    target: Slot | None
    logs: bool = False


async def facts_of_store(
    ctx: Context, wanted: Wanted, logs: asyncio.Future[Fact[LogReading]], left_work: asyncio.Future[Fact[Left]]
) -> GateFacts:
    """What the store tells; everything else is *not checked*, for whoever asked elsewhere to fill in.

    Args:
        ctx: surroundings.
        wanted: what is asked.
        logs: what the decision logs hold.
        left_work: the commitments, as they are read.
    """
    reading, timeout_s = wanted.reading, ctx.rules.timeout_s
    kept_fact, left, sides, manifests, log_fact = await asyncio.gather(
        bounded("gates' records", ctx.clock, timeout_s, ctx.gateway.gates.read()),
        asyncio.shield(left_work),
        bounded("control log", ctx.clock, timeout_s, ctx.gateway.sides()),
        bounded("manifests", ctx.clock, timeout_s, manifests_seen(ctx)),
        asyncio.shield(logs),
    )
    nobody_asked: Fact[Any] = lacking("", reading.at, Lack.NOT_CHECKED, "not asked")
    return GateFacts(
        deployment=reading.deployment,
        versions=versions_of(ctx, reading, log_fact.value),
        canary=_canary(reading, kept_fact),
        shadows=known("shadows", reading.server_at, reading.shadows)
        if reading.shadows
        else lacking("shadows", reading.server_at, Lack.NOT_CHECKED, "no shadow has ever reported"),
        doubts=_doubts(reading, left),
        owed=_owed(left),
        superset=_superset(left, wanted.target),
        guards=known("guards", reading.server_at, reading.guards),
        alerts=known("alerts", reading.server_at, reading.alerts),
        snapshot=nobody_asked,
        state=nobody_asked,
        logs=log_fact,
        volatility=nobody_asked,
        venue=VenueFacts(),
        health={},
        switched=_switched(sides),
        ticks=known(kept_fact.source, kept_fact.at, kept_fact.value.ticks)
        if kept_fact.value is not None
        else lacking(kept_fact.source, kept_fact.at, lack_of(kept_fact), kept_fact.why),
        manifests=manifests,
        rehearsals=known("rehearsals", kept_fact.at, kept_fact.value.rehearsals)
        if kept_fact.value is not None
        else lacking("rehearsals", kept_fact.at, lack_of(kept_fact), kept_fact.why),
    )


async def manifests_seen(ctx: Context) -> ManifestsSeen:
    """What versions are held to, and of which manifest the newest kept state is."""
    from console.store.reading.kept import kept_states
    from console.store.records.manifests import read_manifests

    client, keys = ctx.gateway.client, ctx.gateway.keys
    read = await read_manifests(client, keys)
    if not read.recorded:
        return ManifestsSeen({}, None, read.problems)
    listed = await kept_states(client, keys)
    newest = listed.states[0] if listed.states else None
    return ManifestsSeen(read.recorded, kept_by(newest) if newest else None, (*read.problems, *listed.problems))


def kept_by(kept: KeptState) -> KeptBy:
    """A kept state, as far as manifests go."""
    return KeptBy(kept.number, str(kept.slot), str(kept.version), kept.schema, kept.manifest)


def _owed(left: Fact[Left]) -> Fact[tuple[Owed, ...]]:
    if left.value is None:
        return lacking(left.source, left.at, lack_of(left), left.why)
    return known(left.source, left.at, left.value.owed)


def _superset(left: Fact[Left], target: Slot | None) -> Fact[Superset]:
    """Whether the side that would act watches all that it would own: nobody who owes nothing has to say."""
    if left.value is None:
        return lacking(left.source, left.at, lack_of(left), left.why)
    if target is None or not left.value.owed:
        return lacking(left.source, left.at, Lack.NOT_CHECKED, "no commitment is recorded")
    return known(left.source, left.at, superset(left.value.owed, left.value.eyes(target), target, target=target))


def _doubts(reading: StoreReading, left: Fact[Left]) -> Fact[tuple[OpenClaim, ...]]:
    """Claims in doubt; one that can't be read may be one."""
    if left.value is not None and left.value.unreadable:
        return lacking("claims", left.at, Lack.ERROR, f"{left.value.unreadable} claims can't be read")
    return known("claims", reading.server_at, tuple(one for one in reading.open_claims if one.in_doubt))


def _canary(reading: StoreReading, kept: Fact[Kept]) -> Fact[CanarySeen]:
    """The run, with the version that was written down as it began; without the record it is of no known version."""
    run = reading.canary.run if reading.canary is not None else None
    version = kept.value.canaries.get(str(run.name), "") if run is not None and kept.value is not None else ""
    return known("canary", reading.server_at, CanarySeen(reading.canary, version))


def versions_of(ctx: Context, reading: StoreReading, logs: LogReading | None) -> Mapping[Slot, tuple[str, ...]]:
    """What runs in each side: as its living processes say, else as the settings say, else as its log says last."""
    versions: dict[Slot, tuple[str, ...]] = {}
    for slot in Slot:
        own = [one for one in reading.deployment.instances if one.slot is slot and one.version]
        newest = max((one.heartbeat_at for one in own), default=None)
        living = [one for one in own if newest is not None and (newest - one.heartbeat_at).total_seconds() <= 5.0]
        told = tuple(sorted({str(one.version) for one in living})) or tuple(ctx.rules.slots.get(slot.value, ()))
        if not told and logs is not None:
            last = next((one for one in reversed(logs.recent) if one.slot == slot.value and one.version), None)
            told = (str(last.version),) if last is not None else ()
        versions[slot] = told
    return versions


def _switched(sides: Fact[SideHistory]) -> Fact[Switched]:
    if sides.value is None:
        return lacking(sides.source, sides.at, lack_of(sides), sides.why)
    last: Switched | None = None
    active: Slot | None = None
    for event in sides.value.events:
        if event.active is not None and event.active is not active:
            last = Switched(event.at, event.epoch, event.active, active, str(event.by), str(event.why))
            active = event.active
    if last is None:
        return lacking(sides.source, sides.at, Lack.NOT_CHECKED, "no change of the active side is recorded")
    return known(sides.source, sides.at, last)


def lack_of(fact: Fact[Any]) -> Lack:
    """Which lack it is."""
    return fact.lack or Lack.ERROR
