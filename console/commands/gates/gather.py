"""Gathering what the gates go by: all sources at the same time, each with its own time-out, each lacking on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from console.commands.context import Context
from console.commands.gates.reading import bounded, in_thread
from console.commands.gates.series import points_in, points_of
from console.commands.gates.venue import venue_facts
from console.commands.venue.sight import at_venue, escrows_of, terms_known
from console.domain.commitments.commitment import Owed, Superset, superset
from console.domain.commitments.left import Left
from console.domain.commitments.listing import Listing
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Slot
from console.domain.fence.way_back import SideHistory
from console.domain.gates.fact import Fact, Lack, Lacking, known, lacking
from console.domain.gates.facts import (
    CanarySeen,
    GateFacts,
    HealthSeen,
    ManifestsSeen,
    PlainState,
    SnapshotSeen,
    Switched,
    VenueFacts,
    VolatilitySeen,
)
from console.domain.gates.plain_state import plain_state
from console.domain.manifest.recorded import KeptBy
from console.domain.seen.observation import LogReading, StoreReading
from console.domain.state.kept import KeptState
from console.domain.text import clean
from console.store.records.gates import Kept

MAX_STATE_BYTES: Final = 16 << 20
_GOOD: Final = frozenset({"ok", "up", "true", "connected", "healthy", "200", "ready"})


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


async def gather(ctx: Context, wanted: Wanted) -> GateFacts:
    """Everything that the gates go by, in the time of the slowest source, at most the configured time-out."""
    reading, timeout_s = wanted.reading, ctx.rules.timeout_s
    proved = reading.canary is not None or bool(reading.shadows)
    nameless = wanted.target is not None and proved and not versions_of(ctx, reading, None)[wanted.target]
    logs_too = wanted.logs or bool(ctx.sources.log_field) or nameless
    logs = asyncio.ensure_future(_logs(ctx, asked=logs_too))
    kept_fact: Fact[Kept]
    manifests: Fact[ManifestsSeen]
    left_work = asyncio.ensure_future(bounded("commitments", ctx.clock, timeout_s, ctx.gateway.owing.left()))
    state_work = asyncio.ensure_future(bounded("state file", ctx.clock, timeout_s, in_thread(lambda: file_state(ctx))))
    (kept_fact, left, sides, snapshot, state, volatility, venue, *more) = await asyncio.gather(
        bounded("gates' records", ctx.clock, timeout_s, ctx.gateway.gates.read()),
        left_work,
        bounded("control log", ctx.clock, timeout_s, ctx.gateway.sides()),
        bounded("snapshots", ctx.clock, timeout_s, _snapshot(ctx)),
        state_work,
        _volatility(ctx, logs),
        bounded("venue", ctx.clock, timeout_s, venue_facts(ctx)),
        bounded("venue", ctx.clock, timeout_s, _at_venue(ctx, left_work, state_work)),
        bounded("venue's terms", ctx.clock, timeout_s, terms_known(ctx)),
        bounded("manifests", ctx.clock, timeout_s, manifests_seen(ctx)),
        *(bounded(f"health of {slot.value}", ctx.clock, timeout_s, _health(ctx, slot)) for slot in ctx.sources.health),
    )
    things, terms, manifests, *health = more
    log_fact = await logs
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
        snapshot=snapshot,
        state=state,
        logs=log_fact,
        volatility=volatility,
        venue=_venue(venue)._replace(things=things, terms=terms),
        health=dict(zip(ctx.sources.health, health, strict=True)),
        switched=_switched(sides),
        ticks=known(kept_fact.source, kept_fact.at, kept_fact.value.ticks)
        if kept_fact.value is not None
        else lacking(kept_fact.source, kept_fact.at, _lack(kept_fact), kept_fact.why),
        manifests=manifests,
        rehearsals=known("rehearsals", kept_fact.at, kept_fact.value.rehearsals)
        if kept_fact.value is not None
        else lacking("rehearsals", kept_fact.at, _lack(kept_fact), kept_fact.why),
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
        return lacking(left.source, left.at, _lack(left), left.why)
    return known(left.source, left.at, left.value.owed)


def _superset(left: Fact[Left], target: Slot | None) -> Fact[Superset]:
    """Whether the side that would act watches all that it would own: nobody who owes nothing has to say."""
    if left.value is None:
        return lacking(left.source, left.at, _lack(left), left.why)
    if target is None or not left.value.owed:
        return lacking(left.source, left.at, Lack.NOT_CHECKED, "no commitment is recorded")
    return known(left.source, left.at, superset(left.value.owed, left.value.eyes(target), target, target=target))


def _doubts(reading: StoreReading, left: Fact[Left]) -> Fact[tuple[OpenClaim, ...]]:
    """Claims in doubt; one that can't be read may be one."""
    if left.value is not None and left.value.unreadable:
        return lacking("claims", left.at, Lack.ERROR, f"{left.value.unreadable} claims can't be read")
    return known("claims", reading.server_at, tuple(one for one in reading.open_claims if one.in_doubt))


def _lack(fact: Fact[Any]) -> Lack:
    return fact.lack or Lack.ERROR


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


async def version_that_runs(ctx: Context, reading: StoreReading, slot: Slot) -> str:
    """The one version that a side runs now; empty where that is not known, or where it is more than one."""
    told = versions_of(ctx, reading, None)[slot]
    if not told and ctx.decisions:
        told = versions_of(ctx, reading, (await _logs(ctx, asked=True)).value)[slot]
    return told[0] if len(told) == 1 else ""


async def _logs(ctx: Context, *, asked: bool) -> Fact[LogReading]:
    async def read() -> LogReading:
        reading = await in_thread(ctx.logs)
        if reading is None:
            raise Lacking(Lack.NOT_CHECKED, "no decision log is followed")
        if not reading.total and any(one.problem for one in reading.files):
            raise Lacking(Lack.ERROR, next(str(one.problem) for one in reading.files if one.problem))
        if not reading.files:
            raise Lacking(Lack.MISSING, "no file matches what is followed")
        return reading

    if not asked:
        return lacking("decision logs", ctx.clock(), Lack.NOT_CHECKED, "not looked at for this")
    return await bounded("decision logs", ctx.clock, ctx.rules.timeout_s, read())


async def _snapshot(ctx: Context) -> SnapshotSeen:
    """The newest snapshot, parsed back here, or on another host that told of it."""
    from console.store.fence.hosts import plain_host_name
    from console.store.records.snapshots import read_snapshots

    noted = await read_snapshots(ctx.gateway.client, ctx.gateway.keys)
    elsewhere = [one for one in noted if one.host != clean(plain_host_name(), 120)]
    there = max(elsewhere, key=lambda one: one.noted_at, default=None)
    here = await in_thread(lambda: _snapshot_here(ctx))
    if there is not None and (here is None or there.noted_at > here.taken_at):
        return SnapshotSeen(there.id, ctx.agent, there.taken_at, str(there.host), there.noted_at)
    if here is None:
        raise Lacking(Lack.MISSING, "none was taken on this host, and none is known of another")
    return here


def _snapshot_here(ctx: Context) -> SnapshotSeen | None:
    """The newest snapshot on this host, parsed back: one that can't be is an error, however good an older one is."""
    from console.store.files import snapshots

    newest = max(ctx.snapshots.glob("*.json"), default=None) if ctx.snapshots.is_dir() else None
    if newest is None:
        return None
    snapshot = snapshots.read(newest)
    if snapshot.agent != ctx.agent:
        raise Lacking(Lack.ERROR, f"the newest one is of agent {clean(snapshot.agent, 40)}")
    return SnapshotSeen(newest.stem, snapshot.agent, snapshot.taken_at)


def file_state(ctx: Context) -> PlainState:
    """What the state file says; raises `Lacking` where it says nothing."""
    from console.store.files import snapshots

    path = ctx.state_file
    if path is None:
        raise Lacking(Lack.NOT_CHECKED, "no state file is configured")
    if not path.exists():
        raise Lacking(Lack.MISSING, f"there is no {path.name}")
    stat = path.stat()
    if not path.is_file() or stat.st_size > MAX_STATE_BYTES:
        raise Lacking(Lack.ERROR, f"{path.name} is no file of at most {MAX_STATE_BYTES >> 20} MiB")
    written = datetime.fromtimestamp(stat.st_mtime, UTC)
    try:
        state = plain_state(snapshots.parse_json(path.read_bytes()), written)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Lacking(Lack.ERROR, f"{path.name} is not JSON: {clean(error, 80)}") from error
    if state is None:
        raise Lacking(Lack.ERROR, f"{path.name} is no JSON object")
    age_s = (ctx.clock() - state.written_at).total_seconds()
    if age_s > ctx.rules.state_s:
        raise Lacking(Lack.STALE, f"{path.name} is {age_s:.1f} s old; {ctx.rules.state_s:g} s is the limit")
    if age_s < -1.0:  # a file's own time may be a moment ahead of what a clock is read as
        raise Lacking(Lack.STALE, f"{path.name} is from the future, by {-age_s:.1f} s")
    return state


async def _volatility(ctx: Context, logs: asyncio.Future[Fact[LogReading]]) -> Fact[VolatilitySeen]:
    sources = ctx.sources
    if sources.log_field:
        return await bounded(f"log field {sources.log_field}", ctx.clock, ctx.rules.timeout_s, _from_logs(ctx, logs))
    if sources.key:
        return await bounded(f"redis key {sources.key}", ctx.clock, ctx.rules.timeout_s, _from_key(ctx))
    if sources.url:
        from console.domain.text import redact_url

        return await bounded(str(redact_url(sources.url)), ctx.clock, ctx.rules.timeout_s, _from_url(ctx))
    return lacking("volatility", ctx.clock(), Lack.NOT_CHECKED, "no source is configured")


async def _from_logs(ctx: Context, logs: asyncio.Future[Fact[LogReading]]) -> VolatilitySeen:
    fact = await asyncio.shield(logs)
    if fact.value is None:
        raise Lacking(Lack.MISSING if fact.lack is Lack.NOT_CHECKED else _lack(fact), fact.why)
    return points_in(fact.value.recent, ctx.sources.log_field, prices=ctx.sources.prices)


async def _from_key(ctx: Context) -> VolatilitySeen:
    raw = await ctx.gateway.gates.text_at(ctx.sources.key)
    if raw is None:
        raise Lacking(Lack.MISSING, "there is no such key")
    return _points(raw, ctx)


async def _from_url(ctx: Context) -> VolatilitySeen:
    from console.commands.gates.http import get

    answer = await get(ctx.sources.url, ctx.rules.timeout_s)
    if answer.status != 200:
        raise Lacking(Lack.ERROR, f"it answers {answer.status}")
    return _points(answer.body, ctx)


def _points(raw: bytes, ctx: Context) -> VolatilitySeen:
    from console.commands.gates.http import at_pointer

    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Lacking(Lack.ERROR, f"it is not JSON: {clean(error, 60)}") from error
    try:
        found = at_pointer(document, ctx.sources.pointer)
    except LookupError:
        raise Lacking(Lack.MISSING, f"nothing stands at {ctx.sources.pointer}") from None
    return points_of(found, ctx.clock(), prices=ctx.sources.prices)


async def _health(ctx: Context, slot: Slot) -> HealthSeen:
    from console.commands.gates.http import get

    answer = await get(ctx.sources.health[slot], ctx.rules.timeout_s)
    try:
        document = msgspec.json.decode(answer.body) if answer.body else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if answer.status == 200:
            raise Lacking(Lack.ERROR, "it answers 200, and what it answers is not JSON") from None
        document = {}
    fields = document if isinstance(document, dict) else {}
    bad = [str(clean(name, 40)) for name, value in _dependencies(fields) if not _is_good(value)]
    return HealthSeen(answer.status, tuple(bad), str(clean(fields.get("version", ""), 40)))


def _dependencies(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What a health document says of itself and of what it depends on."""
    named = [(name, document[name]) for name in ("status", "database", "redis", "venue") if name in document]
    for field in ("dependencies", "checks"):
        inner = document.get(field)
        if isinstance(inner, dict):
            named += list(inner.items())[:100]
    return named


def _is_good(value: Any) -> bool:
    if isinstance(value, dict):
        return _is_good(value.get("status", value.get("ok", False)))
    return value is True or (isinstance(value, str | int) and str(value).lower() in _GOOD)


async def _at_venue(ctx: Context, left: asyncio.Future[Fact[Left]], state: asyncio.Future[Fact[PlainState]]) -> Listing:
    """What is outstanding at the venue; which escrows it is asked about is what our own lists say."""
    ours = (await asyncio.shield(left)).value
    return await at_venue(ctx, escrows_of(ours.owed if ours is not None else (), (await asyncio.shield(state)).value))


def _venue(fact: Fact[VenueFacts]) -> VenueFacts:
    """What the venue's reader brought; one that failed as a whole fails each of its gates."""
    if fact.value is not None:
        return fact.value
    return VenueFacts(fact, fact, fact, fact, fact, fact, fact)  # type: ignore[arg-type]


def _switched(sides: Fact[SideHistory]) -> Fact[Switched]:
    if sides.value is None:
        return lacking(sides.source, sides.at, _lack(sides), sides.why)
    last: Switched | None = None
    active: Slot | None = None
    for event in sides.value.events:
        if event.active is not None and event.active is not active:
            last = Switched(event.at, event.epoch, event.active, active, str(event.by), str(event.why))
            active = event.active
    if last is None:
        return lacking(sides.source, sides.at, Lack.NOT_CHECKED, "no change of the active side is recorded")
    return known(sides.source, sides.at, last)
