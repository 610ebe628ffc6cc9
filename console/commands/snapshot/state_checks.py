"""When a state may be put back: never under a side that acts, never as if nothing had been done since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from console.commands.base import Call
from console.commands.context import Context
from console.commands.fence.slots import active_slot, based_on
from console.commands.gateway.door import Order
from console.commands.gateway.state import PutBack
from console.commands.snapshot.source import Source
from console.domain.errors import Refused
from console.domain.fence.deployment import ActiveState, Phase
from console.domain.operator.command import Preview
from console.domain.operator.receipt import Change, Receipt
from console.domain.seen.observation import StoreReading
from console.domain.state.kept import Acted, Did
from console.domain.state.snapshot import MAX_AGE_S, Snapshot
from console.domain.state.values import epoch_seconds
from console.store.files.states import age_s
from console.store.records.states import actions_of, readable

_LOOKED_AT: Final = 1_000
"""Of the newest actions."""
_STOPPED: Final = (ActiveState.HALTED, ActiveState.MISSING)


async def check_state_file(
    ctx: Context, call: Call, snapshot: Snapshot, changes: Sequence[Change], reading: StoreReading
) -> None:
    """Refuse to put the state file under a side that acts, or one that is older than the last executed action.

    Raises:
        Refused: so.
        StoreUnreachable: no answer.
    """
    if not any(change.what == "state file" for change in changes):
        return
    into, active = call.args.get("into", ""), active_slot(reading.deployment)
    if not _is_stopped(reading) and (not into or active is None or into == active.value):
        raise Refused(
            f"{active.value if active else 'A side'} acts, and the state file may be under its feet.",
            "Say --into with the standby side, if the file is that side's own; or halt first.",
        )
    await check_actions(ctx, call, snapshot.taken_at)


async def check_actions(ctx: Context, call: Call, at: datetime) -> None:
    """Refuse what is older than the last executed action, unless it was reconciled.

    Raises:
        Refused: so.
        StoreUnreachable: no answer.
    """
    if call.args.get("reconciled", "").strip():
        return
    many = await executed_since(ctx, at)
    if many:
        more = " at least" if many >= _LOOKED_AT else ""
        raise Refused(
            f"{more.lstrip().capitalize() + ' ' if more else ''}{many} actions were executed since {at:%H:%M:%S}Z; "
            "restored, they would be forgotten, or done again.",
            "Put them into the state, or make sure that it knows of them; then say --reconciled with the reason.",
        )


async def executed_since(ctx: Context, at: datetime) -> int:
    """How many actions were executed after a moment, by the store's record and the decision logs."""
    recorded = [one for one in await _newest(ctx) if one.did in (Did.SETTLE, Did.LATE, Did.RESOLVE)]
    done = sum(one.at > at and one.outcome in ("ok", "executed", "unknown") for one in recorded)
    logs = ctx.logs()
    logged = sum(one.at > at and one.pnl is not None for one in logs.recent) if logs else 0
    return max(done, logged)


async def _newest(ctx: Context) -> list[Acted]:
    """The newest actions, newest first."""
    with readable():
        entries: Any = await ctx.gateway.client.xrevrange(ctx.gateway.keys.actions, count=_LOOKED_AT)
    return actions_of(entries or ())


async def _known_to(ctx: Context, at: datetime) -> int:
    """The number of the newest action that a state of that moment can know of."""
    return max((one.number for one in await _newest(ctx) if one.at <= at), default=0)


def _is_stopped(reading: StoreReading) -> bool:
    deployment = reading.deployment
    if deployment.authority is not None:
        return deployment.authority.phase is Phase.HALT
    return deployment.active.state in _STOPPED


async def preview_state(ctx: Context, call: Call, source: Source, reading: StoreReading) -> Preview:
    """What putting an agent's own state back would do.

    Raises:
        Refused: it must not be.
    """
    opened = source.opened
    assert opened is not None
    await _check(ctx, call, source, reading)
    return Preview(
        title=f"Put the state {opened.name} back, for whoever takes over after the halt?",
        changes=(Change("state", None, opened.digest),),
        warnings=tuple(f"it lacks {name}" for name in opened.state.missing()),
        arguments={**call.args, "file": source.name, "expect_epoch": str(reading.deployment.epoch)},
    )


async def put_state(ctx: Context, call: Call, source: Source, reading: StoreReading, order: Order) -> Receipt:
    """Put an agent's own state back into the store.

    Raises:
        Refused: it must not be; nothing was changed.
    """
    opened = source.opened
    assert opened is not None
    await _check(ctx, call, source, reading)
    epoch = based_on(call, reading.deployment)
    await ctx.gateway.require_epoch(epoch, reading.deployment)
    at = opened.at
    assert at is not None
    timestamp = epoch_seconds(at) if opened.state.timestamp is None else opened.state.timestamp
    action = await _known_to(ctx, at) if source.action is None else source.action
    return await ctx.gateway.states.put(
        PutBack(opened.state, timestamp, call.args.get("into", ""), epoch, action, source.manifest), order
    )


async def _check(ctx: Context, call: Call, source: Source, reading: StoreReading) -> None:
    opened = source.opened
    assert opened is not None
    assert opened.at is not None
    age = age_s(opened.at, ctx.clock())
    if age < 0:
        raise Refused(f"The state {opened.name} is from the future: {-age} s after now.")
    if age > Decimal(MAX_AGE_S):
        raise Refused(f"The state {opened.name} is {age:.1f} s old; {MAX_AGE_S} s is the limit.")
    if not _is_stopped(reading):
        raise Refused(
            "An agent acts; its state is put back only while everything is halted.",
            "agent-console halt, restore, then resume to the side that is to take it over.",
        )
    await check_actions(ctx, call, opened.at)
