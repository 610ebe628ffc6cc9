"""What stood around a decision when it was made: who was active, flags, manifest, and the action that it led to."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

from console.commands.context import Context
from console.commands.gateway.door import LOOKED_BACK
from console.domain.errors import ConsoleError
from console.domain.operator.receipt import FLAG, AuditEntry
from console.domain.seen.first import MOVED
from console.domain.seen.in_force import held_at, keys_in, reaches_back
from console.domain.seen.kept import Kept
from console.domain.seen.past import flags_at
from console.domain.state.flags import FlagReading
from console.domain.state.kept import Acted
from console.domain.text import clean
from console.views.format import exact_time
from console.views.moment import ActedReport, FlagThen, MomentReport

BEFORE: Final = timedelta(minutes=10)
AFTER: Final = timedelta(hours=24)
"""How long before and after a decision actions are looked at: it may be logged after its claim, and settled late."""
MOST_ACTS: Final = 5_000


async def moment_of(ctx: Context, at: datetime, version: str, record: Any) -> MomentReport:
    """What is known of the moment of a decision; what is not is said, each part on its own.

    Args:
        ctx: surroundings.
        at: when it was made, by its own clock.
        version: by which.
        record: its whole record.
    """
    if not ctx.gateway.url:
        return MomentReport(missing=("No store was asked: what was in force, and the action, are not known.",))
    told = MomentReport()
    for part in (_in_force, _manifest, _action):
        try:
            told = await part(ctx, told, at, version, record)
        except ConsoleError as error:
            told = told.lacking(f"{part.__name__.strip('_').replace('_', ' ')}: {clean(error.message, 160)}")
    return told


async def _in_force(ctx: Context, told: MomentReport, at: datetime, version: str, record: Any) -> MomentReport:
    seen = await ctx.read()
    entries = await ctx.gateway.history_between(None, None)
    if not reaches_back(entries, at, LOOKED_BACK):
        first = exact_time(entries[0].at)
        return told.lacking(f"in force: the audit that is read begins at {first}, after this decision")
    then = flags_at(Kept(ctx.agent, ctx.clock(), receipts=tuple(entries), flags=seen.flags), at)
    newest = {change.what: entry for entry in entries if entry.at <= at for change in entry.changes}
    flags = tuple(_flag(flag, newest.get(f"{FLAG}{name}")) for name, flag in then.items())
    active = held_at(entries, MOVED, at)
    if not active.known:
        told = told.lacking("active: no change of who acts is on record")
    return told.with_force(
        clean(active.value or "nobody", 64) if active.known else "",
        active.since.at if active.since is not None else None,
        active.since.who if active.since is not None else "",
        active.since.epoch if active.since is not None else 0,
        flags,
    )


def _flag(flag: FlagReading, since: AuditEntry | None) -> FlagThen:
    return FlagThen(
        flag.name,
        None if flag.missing or flag.type is None else clean(flag.text, 400),
        since.at if since is not None else None,
        since.who if since is not None else "",
        flag.problem,
    )


async def _manifest(ctx: Context, told: MomentReport, at: datetime, version: str, record: Any) -> MomentReport:
    from console.store.records.manifests import read_manifests

    known = (await read_manifests(ctx.gateway.client, ctx.gateway.keys)).recorded.get(version)
    if known is None or known.declared.manifest is None:
        return told.lacking(f"manifest: {clean(version, 64)} declared none that the store still has")
    if known.declared.at > at:
        told = told.lacking(f"manifest: the one that is kept was declared later, at {exact_time(known.declared.at)}")
    return told.with_manifest(known.declared.manifest.short, known.declared.at)


async def _action(ctx: Context, told: MomentReport, at: datetime, version: str, record: Any) -> MomentReport:
    acts, whole = await _acts(ctx, at)
    named = await asyncio.to_thread(keys_in, record, [one.key for one in acts if one.epoch])
    between = f"from {exact_time(at - BEFORE)} to {exact_time(at + AFTER)}"
    if not whole:
        told = told.lacking(f"action: only the first {MOST_ACTS:,} entries {between} were looked at")
    if not named:
        return told.lacking(f"action: no text of the record is the idempotency key of an action {between}")
    steps = tuple(
        ActedReport(
            one.at,
            one.did.value,
            clean(one.key, 200),
            named[one.key],
            one.outcome,
            one.amount,
            clean(one.currency, 16),
            clean(one.slot, 16),
            clean(one.instance, 64),
            one.epoch,
            clean(one.text, 400),
        )
        for one in acts
        if one.key in named
    )
    return told.with_action(steps)


async def _acts(ctx: Context, at: datetime) -> tuple[list[Acted], bool]:
    """The actions around a moment, oldest first, and whether these are all."""
    from console.store.records.states import actions_of, readable

    first, last = (max(0, round(moment.timestamp() * 1000)) for moment in (at - BEFORE, at + AFTER))
    with readable():
        entries: Any = await ctx.gateway.client.xrange(ctx.gateway.keys.actions, first, last, count=MOST_ACTS)
    return actions_of(entries or ()), len(entries or ()) < MOST_ACTS
