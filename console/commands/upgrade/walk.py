"""One turn of a run: look, decide, carry out, write down.

Every act may be repeated: whoever goes on after a walker that died at any line does what is missing, nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Final, NamedTuple

from console.commands.base import Call
from console.commands.canary.attend import Attendant
from console.commands.context import Context
from console.commands.gates.keeper import asked_again, pass_gates
from console.commands.gateway.door import Order
from console.commands.gateway.fence import Move
from console.commands.gateway.upgrade import LEASE_MS
from console.commands.upgrade.seen import Gathered, gather, snapshot_reason, switching
from console.commands.upgrade.undo import undo
from console.domain.errors import Conflict, ConsoleError, ReadOnly, Refused, StoreUnreachable
from console.domain.fence.deployment import Slot
from console.domain.operator.receipt import Receipt
from console.domain.text import clean
from console.domain.triggers.finding import Verdict
from console.domain.upgrade.advance import Do, Kind, Next, advance
from console.domain.upgrade.run import KEPT, Evidence, RunState, Step, StepName, StepState, UpgradeRun
from console.store.fence.ids import new_id
from console.store.records.upgrades import Stored
from console.store.server.trouble import raise_if_cancelled

EVERY_S: Final = 0.5
"""Between two turns while it waits."""
PATIENCE: Final = 6
"""Turns for which something may stand in the way before whoever walks is told: heartbeats and watches of the side
that has just taken over come a moment later."""
GO: Final = "upgrade go"
RAISING: Final = frozenset({Do.START_CANARY, Do.SWITCH})
"""What a run does that raises risk."""
UNASKED: Final = frozenset(Do) - RAISING
"""What is done without anybody's word for this very step."""


class Turned(NamedTuple):
    """A turn.

    Args:
        stored: the run after it, as it is in the store.
        next: what it did, or waits for.
    """

    stored: Stored
    next: Next


async def turn(ctx: Context, stored: Stored, may: Collection[Do] = tuple(Do)) -> Turned:
    """Take a run one step further, as far as that is allowed now.

    Args:
        ctx: surroundings.
        stored: the run.
        may: what may be carried out; for anything else it waits until somebody says so.

    Raises:
        Conflict: somebody else changed it meanwhile; nothing was written.
        ReadOnly, StoreUnreachable: as named.
    """
    run = stored.run
    assert run is not None
    ctx.gateway.require_writable(GO)
    await ctx.gateway.fences.tend()  # the end of a drain is nobody's in particular
    gathered = await gather(ctx, run)
    what = advance(run, gathered.seen)
    if what.kind is Kind.DO and what.do is not None and what.do not in may:
        what = Next(Kind.WAIT, what.step, f"ready to {what.do.value}, waits for somebody's yes")
    if what.kind is Kind.DO:
        try:
            run = await _carry_out(ctx, stored, what, gathered)
        except (StoreUnreachable, ReadOnly):
            raise
        except ConsoleError as error:
            what = Next(Kind.BLOCK, what.step, str(clean(error.message, 240)))
    if what.kind is Kind.ABORT:
        order = Order("upgrade abort", what.why, reduces=True)
        over = await undo(ctx, run, gathered.seen, order)
        await ctx.gateway.upgrades.change(stored, over, order, before=run.state.value, after=over.safe_state)
        return Turned(await ctx.gateway.upgrades.read(), what)
    if what.kind is Kind.DONE:
        await _note_well(ctx, gathered)
    try:
        return Turned(await ctx.gateway.upgrades.step(stored, told(run, what, gathered, ctx.gateway.who)), what)
    except Conflict:
        if what.do is Do.START_CANARY and what.kind is Kind.DO:
            await _take_back(ctx, run)
        raise


async def _take_back(ctx: Context, run: UpgradeRun) -> None:
    """Take the canary back that was started in the moment in which somebody else ended the run, or held it."""
    from console.store.records.canary import Act, RunChange

    now = (await ctx.gateway.upgrades.read()).run
    if run.canary and (now is None or now.id != run.id or now.state is not RunState.RUNNING):
        order = Order("upgrade abort", snapshot_reason(run), reduces=True)
        await ctx.gateway.canaries.change(RunChange(Act.ABORT, run.canary), order)


async def _note_well(ctx: Context, gathered: Gathered) -> None:
    """Write down that the side that acts is healthy and reconciled, where it is: a roll back leads there."""
    from console.store.reading.good import Judge, note_sides

    reading, active = gathered.reading, gathered.seen.active
    awake = [one for one in reading.guards if one.running(reading.server_at)]

    def harm(side: Slot) -> str:
        watching = [guard for guard in awake if guard.watching == side.value and not guard.problem]
        if not watching:
            return f"no guard says what triggers see on {side.value}"
        seen = (one for guard in watching for one in guard.triggers)
        return next((f"harm: {one.trigger.label}" for one in seen if one.verdict is Verdict.HARM), "")

    def silent(side: Slot) -> str:
        return f"{side.value} sends no heartbeats"

    if active is not None:
        with suppress(
            Refused
        ):  # a record that can't be kept holds no run up; whoever goes back is told that there is none
            await note_sides(
                ctx.gateway.client, ctx.gateway.keys, Judge(ctx.gateway.who, harm, silent, ctx.clock), (active,)
            )


def told(run: UpgradeRun, what: Next, gathered: Gathered, who: str) -> UpgradeRun:
    """The run with what a turn has shown.

    Args:
        run: before.
        what: came of it.
        gathered: what it went by.
        who: walks.
    """
    now = gathered.seen.now
    if what.kind is Kind.FINISH:
        return replace(run, state=RunState.DONE, note="")
    if what.kind is Kind.HOLD:
        return replace(run, state=RunState.HELD, note=str(clean(what.why or run.note, 250)))
    if what.step is None:
        return run
    step = run.of(what.step)
    began = step.began_at or now
    if what.kind in (Kind.DONE, Kind.SKIP):
        state = StepState.DONE if what.kind is Kind.DONE else StepState.SKIPPED
        over = Step(what.step, state, str(clean(what.why, 250)), began, now, step.by or who, _kept(what))
        run = run.with_step(over)
        if what.step is StepName.SWITCH:
            run = replace(run, switched_at=gathered.active_since or now, epoch=gathered.seen.epoch)
        return run
    state = StepState.BLOCKED if what.kind is Kind.BLOCK else StepState.RUNNING
    shown = _kept(what) or step.evidence
    if step.state is state and step.note == clean(what.why, 250):
        shown = step.evidence or shown  # the same as before: nothing is written twice a second
    return run.with_step(replace(step, state=state, note=str(clean(what.why, 250)), began_at=began, evidence=shown))


def _kept(what: Next) -> tuple[Evidence, ...]:
    return tuple(replace(one, value=str(clean(one.value, 250))) for one in what.evidence[:KEPT])


async def _carry_out(ctx: Context, stored: Stored, what: Next, gathered: Gathered) -> UpgradeRun:
    """Do it; done already is done."""
    run = stored.run
    assert run is not None
    if what.do is Do.TAKE_SNAPSHOT:
        await _take_snapshot(ctx, run)
    elif what.do is Do.START_CANARY:
        return await _start_canary(ctx, run, stored.revision, gathered)
    elif what.do is Do.SWITCH:
        await _switch(ctx, run, stored.revision, gathered)
    return run


async def _take_snapshot(ctx: Context, run: UpgradeRun) -> None:
    from console.commands.snapshot.saved import save
    from console.commands.snapshot.take import take
    from console.domain.operator.receipt import Change

    begun = ctx.gateway.begin(Order("snapshot take", snapshot_reason(run)))
    saved = await save(ctx, await take(ctx, snapshot_reason(run)))
    await begun.record(begun.receipt(Change("snapshot", None, saved.id), note=saved.note))


async def _start_canary(ctx: Context, run: UpgradeRun, revision: int, gathered: Gathered) -> UpgradeRun:
    """Start the plan's canary, bound to the run's revision, so that none comes after an abort."""
    from console.commands.canary.start import CanaryStart

    name = f"upgrade-{run.id[:12]}"
    standing = gathered.seen.canary
    if standing is None or standing.name != name:
        args = {"plan": run.plan.canary, "run": name}
        if run.canary_digest:  # the plan that the run was begun with, whatever the file says by now
            args["digest"] = run.canary_digest
        await CanaryStart().start(ctx, Call(args, snapshot_reason(run)), revision)
    return replace(run, canary=name)


async def _switch(ctx: Context, run: UpgradeRun, revision: int, gathered: Gathered) -> None:
    """Ask the gates once more, and switch; with the run's id, so that a repetition is the same switch, and bound to its
    revision, so that none comes after an abort."""
    order = Order(GO, snapshot_reason(run), reversible=True, id=run.id)
    deployment = gathered.reading.deployment
    fenced = any(one.slot is run.target for one in deployment.instances)
    move = Move(run.target, deployment, deployment.epoch, mode="drain", require_healthy=fenced, run_revision=revision)

    async def switched() -> Receipt:
        passed = await pass_gates(ctx, Call({}), switching(run), order, gathered.reading)
        return await ctx.gateway.fences.switch(move, passed)

    await asked_again(switched)


async def walk(
    ctx: Context, *, every_s: float = EVERY_S, may: Collection[Do] = tuple(Do), patience: float = PATIENCE
) -> AsyncIterator[Turned]:
    """Go on with the current run until it is over, or something that a person has to see to stands in its way.

    One process walks at a time; a second one waits until the first is done, or has died.

    Args:
        ctx: surroundings.
        every_s: between two turns while it waits.
        may: what may be carried out without asking.
        patience: turns for which something may stand in the way, or be done in vain, before it ends.

    Raises:
        Conflict: another operator changed the run in the moment of a turn, again and again.
        ReadOnly, StoreUnreachable: as named.
    """
    holder = f"{ctx.gateway.who} {new_id()[:8]}"
    gate = ctx.gateway.upgrades
    ctx.gateway.require_writable(GO)
    while True:
        stored = await gate.read()
        if stored.run is None or not stored.run.state.live:
            return
        lease = await gate.hold(holder)
        if lease.held:
            break
        raise_if_cancelled()
        yield Turned(stored, Next(Kind.WAIT, why=f"{clean(lease.holder, 80)} walks it"))
        await asyncio.sleep(min(every_s, lease.left_ms / 1000))
    renewing = asyncio.ensure_future(_renew(ctx, holder))
    try:
        async for turned in _turns(ctx, stored, renewing, _Pace(every_s, may, patience)):
            yield turned
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError, ConsoleError):
            await renewing
        with suppress(ConsoleError):  # it ends by itself soon
            await gate.let_go(holder)


class _Pace(NamedTuple):
    """How a run is walked; see `walk`."""

    every_s: float
    may: Collection[Do]
    patience: float


async def _turns(ctx: Context, stored: Stored, renewing: asyncio.Future[None], pace: _Pace) -> AsyncIterator[Turned]:
    blocked = conflicts = 0
    done: Do | None = None
    attendant = Attendant(ctx, f"upgrade by {ctx.gateway.who}")
    while stored.run is not None and stored.run.state.live:
        raise_if_cancelled()
        if renewing.done():
            renewing.result()
            return  # another one holds the lease by now
        if stored.run.canary and stored.run.switched_at is None:
            await attendant.look()
        try:
            turned = await turn(ctx, stored, pace.may)
        except Conflict:
            conflicts += 1
            if conflicts >= PATIENCE:
                raise
            stored = await ctx.gateway.upgrades.read()  # an operator said something in this very moment
            continue
        conflicts = 0
        yield turned
        stored, kind = turned.stored, turned.next.kind
        if kind is Kind.HOLD:
            return
        in_vain = kind is Kind.DO and turned.next.do is done  # it was done, and is due again
        done = turned.next.do
        blocked = blocked + 1 if kind is Kind.BLOCK or in_vain else 0
        if blocked >= pace.patience:
            return
        if kind in (Kind.WAIT, Kind.BLOCK) or in_vain:
            await asyncio.sleep(pace.every_s)
            stored = await ctx.gateway.upgrades.read()  # an operator may have said something meanwhile


async def _renew(ctx: Context, holder: str) -> None:
    """Keep the lease; ends where another one has it."""
    while True:
        if not (await ctx.gateway.upgrades.hold(holder)).held:
            return
        raise_if_cancelled()
        await asyncio.sleep(LEASE_MS / 5_000)
