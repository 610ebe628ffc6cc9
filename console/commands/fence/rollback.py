"""`rollback`: give the active side back to the version that had it before, at once, and take a running canary back."""

from __future__ import annotations

from typing import Final, NamedTuple

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.back import Back, instead_of_back, look_behind, show_back
from console.commands.fence.slots import (
    active_slot,
    based_on,
    move_preview,
    present_deployment,
    refuse_if_halted,
    slot_label,
)
from console.commands.fence.switch import EXPECT
from console.commands.gates.keeper import GATED
from console.commands.gateway.fence import Move, NotHealthy, does_so
from console.domain.canary.run import CanaryRun
from console.domain.errors import Conflict, ConsoleError, Refused, StoreUnreachable
from console.domain.fence.deployment import Deployment, Slot
from console.domain.fence.intent import Aim
from console.domain.fence.way_back import way_back
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk, Waits
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean

TRIES: Final = 5
"""How often it is decided anew where somebody else acted in the same moment."""

FROM = Param(
    "expect_from",
    "The side that this takes the capital from (blue, green, or canary:RUN): refused if that is active no longer.",
    required=False,
    option=True,
)


class _Plan(NamedTuple):
    """What going back means now.

    Args:
        deployment: as read.
        target: to which side; None where only a canary is taken back.
        canary: the run that is taken back; None for none.
        back: what that leaves and finds.
    """

    deployment: Deployment
    target: Slot | None
    canary: CanaryRun | None
    back: Back = Back()

    @property
    def origin(self) -> str:
        """From where the capital is taken, for `--expect-from`."""
        if self.target is None:
            return f"canary:{self.canary.name}" if self.canary is not None else ""
        return self.target.other.value


class Rollback(Command):
    """Give the active side back to the version that had it before, at once; never gated, and never forward."""

    info = CommandInfo(
        name="rollback",
        title="Roll back",
        summary="Give the active side back to the version that had it before, at once; a running canary is aborted.",
        key="R",
        params=(EXPECT, FROM, *GATED),
        confirm=Confirm.YES_NO,
        risk=Risk.REDUCES,
        reversible=True,
        mark="roll back",
        waits=Waits.INSTANCES,
        many=True,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        plan = await _plan(ctx)
        if plan.target is None:
            assert plan.canary is not None
            stays = active_slot(plan.deployment)
            return Preview(
                title=f"Roll back: abort canary {plan.canary.name}? {slot_label(stays)} stays active.",
                changes=(_canary_change(plan.canary),),
                arguments={**call.args, FROM.name: plan.origin},
            )
        label = slot_label(plan.target)
        preview = move_preview(call, plan.deployment, plan.target, f"Roll back to {label}?")
        preview = show_back(ctx, preview, plan.back, plan.deployment, label)
        changes = preview.changes if plan.canary is None else (*preview.changes, _canary_change(plan.canary))
        arguments = {**(preview.arguments or {}), FROM.name: plan.origin}
        return preview._replace(changes=changes, arguments=arguments)

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """What matters is which side the capital is taken from: a guard that froze meanwhile changes nothing there."""
        expected = call.args.get(FROM.name, "")
        for attempt in range(TRIES):
            if (done := await self._already(ctx, call, expected)) is not None:
                return done
            plan = await _plan(ctx)
            if expected and expected != plan.origin:
                run = expected.removeprefix("canary:")
                gone = (
                    f"Canary {clean(run, 64)} is over"
                    if run != expected
                    else f"{clean(run, 64)} is not to go back from"
                )
                raise Conflict(
                    f"{gone} by now: a roll back would take {plan.origin}'s capital.", "Look again, then decide."
                )
            try:
                return await self._go_back(ctx, call, plan)
            except Conflict:
                if call.epoch() is not None or attempt == TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _already(self, ctx: Context, call: Call, expected: str) -> Receipt | None:
        """The receipt where somebody else went back from that side meanwhile; None where there is something to do."""
        if expected not in tuple(Slot):
            return None
        deployment = await present_deployment(ctx)
        if not does_so(deployment, Slot(expected).other) or await _canary(ctx) is not None:
            return None
        events = [event for event in (await ctx.gateway.sides()).events if event.epoch == deployment.epoch]
        if not any(event.aim is Aim.GO_BACK for event in events):
            return None
        begun = ctx.gateway.begin(self.order(call))
        return begun.receipt(note=await ctx.gateway.fences.already_done(deployment), epoch=deployment.epoch)

    async def _go_back(self, ctx: Context, call: Call, plan: _Plan) -> Receipt:
        """The canary first: it is the smaller step, and the other must not wait for it."""
        canary = None if plan.canary is None else await self._abort(ctx, call, plan.canary, alone=plan.target is None)
        if plan.target is None:
            assert isinstance(canary, Receipt)
            return canary
        receipt = await self._move(ctx, call, plan, plan.target)
        if plan.back.notes:
            receipt = receipt._replace(note="; ".join(text for text in (receipt.note, *plan.back.notes) if text))
        if isinstance(canary, Receipt):
            return receipt._replace(changes=(*receipt.changes, *canary.changes))
        if canary is not None:
            return receipt._replace(note="; ".join(text for text in (receipt.note, canary) if text))
        return receipt

    async def _move(self, ctx: Context, call: Call, plan: _Plan, target: Slot) -> Receipt:
        """A side that is not known to be healthy is not rolled back to: then it is halted. To one that left doubts,
        can't read the state, or of which nothing says that it was ever well, nothing goes back either: then new risk
        is frozen, and a person decides."""
        deployment = plan.deployment
        frozen, order = await instead_of_back(ctx, call, plan.back, self.order(call))
        if frozen is not None:
            return frozen
        fenced = bool(deployment.instances)  # of plain agents nothing is known, so nothing can be required
        try:
            move = Move(
                target, deployment, based_on(call, deployment), mode="now", require_healthy=fenced, aim=Aim.GO_BACK
            )
            return await ctx.gateway.fences.switch(move, order)
        except NotHealthy as error:
            why = f"{call.reason}; {error.message}" if call.reason else error.message
            halted = await ctx.gateway.fences.halt(self.order(call, why=why))
            return halted._replace(note=f"halted instead: {error.message}")

    async def _abort(self, ctx: Context, call: Call, run: CanaryRun, *, alone: bool) -> Receipt | str:
        """Its receipt, or why it could not be taken back, where the active side is rolled back beside it."""
        from console.store.records.canary import Act, RunChange

        order = self.order(call)._replace(reversible=False)
        try:
            receipt = await ctx.gateway.canaries.change(RunChange(Act.ABORT, str(run.name)), order)
        except StoreUnreachable:
            raise
        except ConsoleError as error:
            if alone:
                raise
            return f"canary {run.name}: {error.message}"
        return receipt._replace(changes=(_canary_change(run),) if receipt.changes else ())


async def _plan(ctx: Context) -> _Plan:
    """What going back means now.

    Raises:
        Refused: there is no way back; the text says who did what when.
    """
    deployment = await present_deployment(ctx)
    refuse_if_halted(deployment, "a roll back")
    now = active_slot(deployment)
    canary = await _canary(ctx)
    if canary is not None and now is not None and canary.slot != now.value:
        return _Plan(deployment, None, canary)  # the other side is the canary's: moving all to it would be forward
    way = way_back(now, deployment.authority, await ctx.gateway.sides())
    if way.target is None:
        if canary is not None:
            return _Plan(deployment, None, canary)
        forward = f"`switch {way.forward.value}` moves forward; " if way.forward else "`switch blue` or green starts; "
        raise Refused(way.refusal, f"{forward}`halt` stops everybody.")
    return _Plan(deployment, way.target, canary, await look_behind(ctx, deployment, way.target))


async def _canary(ctx: Context) -> CanaryRun | None:
    """The run that goes on; None where there is none, or none that can be read: it must not stand in the way."""
    reading = (await ctx.gateway.canaries.read()).reading
    return reading.run if reading is not None and reading.run.live else None


def _canary_change(run: CanaryRun) -> Change:
    return Change(f"canary {run.name}", f"{run.share * 100:f} % of the capital", "0 %")
