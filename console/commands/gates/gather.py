"""Gathering what the gates go by: all sources at the same time, each with its own time-out, each lacking on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from console.commands.context import Context
from console.commands.gates.of_store import Wanted, facts_of_store, lack_of, versions_of
from console.commands.gates.reading import bounded, in_thread
from console.commands.gates.series import points_in, points_of
from console.commands.gates.venue import venue_facts
from console.commands.venue.sight import at_venue, escrows_of, terms_known
from console.domain.commitments.left import Left
from console.domain.commitments.listing import Listing
from console.domain.fence.deployment import Slot
from console.domain.gates.fact import Fact, Lack, Lacking, lacking
from console.domain.gates.facts import (
    GateFacts,
    HealthSeen,
    PlainState,
    SnapshotSeen,
    VenueFacts,
    VolatilitySeen,
)
from console.domain.gates.plain_state import plain_state
from console.domain.seen.observation import LogReading, StoreReading
from console.domain.text import clean

MAX_STATE_BYTES: Final = 16 << 20
_GOOD: Final = frozenset({"ok", "up", "true", "connected", "healthy", "200", "ready"})


async def gather(ctx: Context, wanted: Wanted) -> GateFacts:
    """Everything that the gates go by, in the time of the slowest source, at most the configured time-out."""
    reading, timeout_s = wanted.reading, ctx.rules.timeout_s
    proved = reading.canary is not None or bool(reading.shadows)
    nameless = wanted.target is not None and proved and not versions_of(ctx, reading, None)[wanted.target]
    logs_too = wanted.logs or bool(ctx.sources.log_field) or nameless
    logs = asyncio.ensure_future(_logs(ctx, asked=logs_too))
    left_work = asyncio.ensure_future(bounded("commitments", ctx.clock, timeout_s, ctx.gateway.owing.left()))
    state_work = asyncio.ensure_future(bounded("state file", ctx.clock, timeout_s, in_thread(lambda: file_state(ctx))))
    of_store = asyncio.ensure_future(facts_of_store(ctx, wanted, logs, left_work))
    healthy = {slot: asyncio.ensure_future(_asked_health(ctx, slot)) for slot in ctx.sources.health}
    snapshot, state, volatility, venue, things, terms = await asyncio.gather(
        bounded("snapshots", ctx.clock, timeout_s, _snapshot(ctx)),
        state_work,
        _volatility(ctx, logs),
        bounded("venue", ctx.clock, timeout_s, venue_facts(ctx)),
        bounded("venue", ctx.clock, timeout_s, _at_venue(ctx, left_work, state_work)),
        bounded("venue's terms", ctx.clock, timeout_s, terms_known(ctx)),
    )
    return (await of_store)._replace(
        snapshot=snapshot,
        state=state,
        volatility=volatility,
        venue=_venue(venue)._replace(things=things, terms=terms),
        health={slot: await asked for slot, asked in healthy.items()},
    )


async def gather_again(ctx: Context, wanted: Wanted, before: GateFacts) -> GateFacts:
    """What the store says by now, beside what every other source said a moment ago: as quick as the store is.

    Args:
        ctx: surroundings.
        wanted: with the store as it was read just now.
        before: of the same question.
    """
    logs = asyncio.ensure_future(_known(before.logs))
    left = asyncio.ensure_future(bounded("commitments", ctx.clock, ctx.rules.timeout_s, ctx.gateway.owing.left()))
    of_store = await facts_of_store(ctx, wanted, logs, left)
    return of_store._replace(
        snapshot=before.snapshot,
        state=before.state,
        volatility=before.volatility,
        venue=before.venue,
        health=before.health,
    )


async def _known(logs: Fact[LogReading]) -> Fact[LogReading]:
    return logs


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
        raise Lacking(Lack.MISSING if fact.lack is Lack.NOT_CHECKED else lack_of(fact), fact.why)
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


async def _asked_health(ctx: Context, slot: Slot) -> Fact[HealthSeen]:
    return await bounded(f"health of {slot.value}", ctx.clock, ctx.rules.timeout_s, _health(ctx, slot))


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
